"""The MNIST handwritten digits, which are part of this package: no network is needed."""

from __future__ import annotations

import numpy as np

from jitcnn.data.loading import load as _load

Pair = tuple[np.ndarray, np.ndarray]


def load(*, train_limit: int | None = None, test_limit: int | None = None) -> tuple[Pair, Pair]:
    """Load the digits.

    Parameters
    ----------
    train_limit, test_limit
        At most so many images, from the first on; only these are decompressed. None for all 60,000 and 10,000.

    Returns
    -------
    (x, y), (x_test, y_test)
        Images uint8 (n, 28, 28, 1), 0 for paper and 255 for ink, and labels int64 (n,).

    Examples
    --------
    >>> from jitcnn.data import mnist
    >>> (x, y), (x_test, y_test) = mnist.load(train_limit=1000, test_limit=100)
    >>> x.shape, y[:5], len(x_test)
    ((1000, 28, 28, 1), array([5, 0, 4, 1, 9]), 100)
    """
    found = _load("mnist", train_limit=train_limit, test_limit=test_limit)
    assert found.x_test is not None
    assert found.y_test is not None
    return (found.x, found.y), (found.x_test, found.y_test)
