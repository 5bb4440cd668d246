"""Numbers made larger or smaller: by a factor of their image, or so that every channel has mean 0 and deviation 1.

scale_rows    y[n, …] = x[n, …] * scales[n]          a sample that counts twice: its loss and its gradient, doubled
standardize   y[…, c] = (x[…, c] - mean[c]) / deviation[c]
"""

import numpy as np
from numba import prange


def scale_rows(x, scales, y):
    """Multiply all numbers of an image by one factor.

    Parameters
    ----------
    x : array (n, …)
    scales : array (n,)
    y : array (n, …)
        Written. May be `x`.

    Examples
    --------
    >>> y = np.empty((2, 2))
    >>> scale_rows(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 0.5]), y)
    >>> y
    array([[1. , 2. ],
           [1.5, 2. ]])
    """
    batch = x.shape[0]
    rows_x, rows_y = x.reshape((batch, x.size // batch)), y.reshape((batch, x.size // batch))
    for n in range(batch):
        for k in range(rows_x.shape[1]):
            rows_y[n, k] = rows_x[n, k] * scales[n]


def standardize(x, mean, deviation, y):
    """Subtract each channel's mean, and divide by its deviation.

    Parameters
    ----------
    x : array (n, h, w, c)
    mean, deviation : float64 array (c,)
        No deviation is 0.
    y : array (n, h, w, c)
        Written. May be `x`.

    Examples
    --------
    >>> y = np.empty((1, 1, 1, 2))
    >>> standardize(np.array([[[[5.0, 1.0]]]]), np.array([3.0, 0.0]), np.array([2.0, 4.0]), y)
    >>> y[0, 0, 0]
    array([1.  , 0.25])
    """
    batch, height, width, channels = x.shape
    for n in prange(0, batch):
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    y[n, i, j, c] = (np.float64(x[n, i, j, c]) - mean[c]) / deviation[c]
