"""Pictures of a model: each function returns a matplotlib Figure, which `save` writes to a .png or .svg file.

They need matplotlib, `pip install 'jitcnn[plots]'`, but neither pyplot nor a display.
"""

from jitcnn.plots.cam import cam
from jitcnn.plots.confusion import confusion
from jitcnn.plots.filters import filters
from jitcnn.plots.graph import graph
from jitcnn.plots.history import history
from jitcnn.plots.influence import influence, suspects
from jitcnn.plots.mistakes import mistakes
from jitcnn.plots.outputs import outputs
from jitcnn.plots.rates import rates
from jitcnn.plots.replay import replay
from jitcnn.plots.style import save, themed
from jitcnn.plots.weights import weights

__all__ = [
    "cam",
    "confusion",
    "filters",
    "graph",
    "history",
    "influence",
    "mistakes",
    "outputs",
    "rates",
    "replay",
    "save",
    "suspects",
    "themed",
    "weights",
]
