"""The text's data: MNIST, standardised one image at a time, with one-hot labels."""

import numpy as np

from jitcnn import kernels
from jitcnn.data import mnist as embedded

CLASSES = 10


def mnist(train_limit: int | None = None, test_limit: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The text's `x, y, xt, yt`, in place of its lines that take them from keras and pandas.

    Parameters
    ----------
    train_limit, test_limit : int, optional
        At most so many images, from the first on; all 60,000 and 10,000 if missing.

    Returns
    -------
    x, y, xt, yt : arrays
        Training images, their labels, test images, their labels. Images are float32 (n, 28, 28, 1), each minus its mean, over its standard
        deviation; labels are one-hot rows, uint8 (n, 10).

    Examples
    --------
    >>> from jitcnn.blog import mnist
    >>> x, y, xt, yt = mnist(train_limit=1000, test_limit=100)
    >>> x.shape, y[0].tolist(), len(xt)
    ((1000, 28, 28, 1), [0, 0, 0, 0, 0, 1, 0, 0, 0, 0], 100)
    """
    (x, y), (xt, yt) = embedded.load(train_limit=train_limit, test_limit=test_limit)
    return standardised(x), one_hot(y), standardised(xt), one_hot(yt)


def standardised(images: np.ndarray) -> np.ndarray:
    """Each image minus its mean, over its standard deviation."""
    return kernels.take_images(images, np.arange(len(images)), normalize="per-image")


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Class numbers as rows of a single 1."""
    return np.equal.outer(labels, np.arange(CLASSES)).astype(np.uint8)
