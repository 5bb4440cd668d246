"""Pictures of a model: each function returns a matplotlib Figure, which `save` writes to a .png or .svg file.

They need matplotlib, `pip install 'jitcnn[plots]'`, but neither pyplot nor a display.
"""

from jitcnn.plots.confusion import confusion
from jitcnn.plots.filters import filters
from jitcnn.plots.graph import graph
from jitcnn.plots.history import history
from jitcnn.plots.outputs import outputs
from jitcnn.plots.style import save, themed
from jitcnn.plots.weights import weights

__all__ = ["confusion", "filters", "graph", "history", "outputs", "save", "themed", "weights"]
