"""A step of a training once more, looked at from all sides: its batch, its masks, who lost how much, and what every weight did.

A training gives the same bits whenever it is done: shuffling, dropout and augmentation are drawn from counter-based generators, keyed by
seed, epoch and step. So a step that is over can be done again, from the nearest checkpoint before it or from the start.
"""

from jitcnn.replay.names import WeightName, find_weight
from jitcnn.replay.result import Replay, Weight
from jitcnn.replay.rewinding import replay

__all__ = ["Replay", "Weight", "WeightName", "find_weight", "replay"]
