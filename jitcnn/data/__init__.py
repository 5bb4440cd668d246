"""Files to arrays: the embedded MNIST digits, folders of IDX files, `.npz` archives."""

from jitcnn.data.dataset import NAMES, Dataset, load

__all__ = ["NAMES", "Dataset", "load"]
