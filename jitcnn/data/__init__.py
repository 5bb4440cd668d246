"""Files to arrays: the embedded MNIST digits, IDX, CIFAR, NumPy's and CSV files, folders of pictures."""

from jitcnn.data.dataset import NAMES, Dataset
from jitcnn.data.loading import load
from jitcnn.data.splits import folds

__all__ = ["NAMES", "Dataset", "folds", "load"]
