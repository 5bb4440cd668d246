"""The layers, one a file: shapes, parameters, forward and backward side by side."""

from jitcnn.layers.activation import Activation
from jitcnn.layers.base import Layer
from jitcnn.layers.conv import Conv2d
from jitcnn.layers.dense import Dense
from jitcnn.layers.dropout import Dropout
from jitcnn.layers.flatten import Flatten
from jitcnn.layers.pool import Pool2d
from jitcnn.layers.upsample import Upsample

__all__ = ["LAYERS", "Activation", "Conv2d", "Dense", "Dropout", "Flatten", "Layer", "Pool2d", "Upsample"]

LAYERS: dict[str, type[Layer]] = {layer.__name__: layer for layer in (Conv2d, Pool2d, Dense, Dropout, Flatten, Upsample, Activation)}
