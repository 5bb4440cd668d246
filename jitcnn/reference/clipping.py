"""Gradients of a limited length: all parameters' gradients together are one long vector, which is made shorter where it is too long.

norm = sqrt(sum of g * g)            limit 5:   g  3  4  12   norm 13
g * limit / norm   if norm > limit              y  1.15  1.54  4.62
"""

import math

import numpy as np
from numba import prange


def clip_norm(g, limit, y):
    """Make a gradient shorter that is longer than the limit; its direction stays.

    Parameters
    ----------
    g : array (p,)
        Gradient.
    limit : float64 array (1,)
        The largest norm.
    y : array (p,)
        Written: g * min(1, limit / (norm + 1e-6)). May be `g`. If the norm is no number, nothing of it is.

    Examples
    --------
    >>> y = np.empty(3)
    >>> clip_norm(np.array([3.0, 4.0, 12.0]), np.array([6.5]), y)
    >>> y.round(4)
    array([1.5, 2. , 6. ])
    """
    total = 0.0
    for i in range(g.size):
        total += np.float64(g[i]) * np.float64(g[i])
    scale = limit[0] / (math.sqrt(total) + 1e-6)
    if scale >= 1.0:
        scale = 1.0
    for i in prange(0, g.size):
        y[i] = g[i] * scale
