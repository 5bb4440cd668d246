"""Runs that can be stopped, continued and repeated: checkpoints of training, signals, run folders, TOML."""

from jitcnn.runs.checkpointing import Checkpointing

__all__ = ["Checkpointing"]
