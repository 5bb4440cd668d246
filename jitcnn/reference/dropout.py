"""Dropout: zero a random share of the numbers while training, and scale up the rest so that the expectation stays.

    y[n, i] = 0                                  where random(seed, step, n, i) < threshold
              x[n, i] / (1 - rate)               elsewhere             rate = threshold / 2**32

    x        1   2   3   4   5   6   7   8
    random       *           *       *             three below the threshold
    y        s   0  3s  4s   0  6s   0  8s         s = 1 / (1 - rate)

The random numbers are not drawn one after the other from a generator: each is a hash of where it is used. So the gradient
finds the same ones again without storing a mask, any number of threads gives the same ones, and so does any order.

The hash works on 32-bit numbers, written as Python integers cut to 32 bits with `& MASK`. The product of two of them fills
64 bits: Python has all of them, compiled code keeps the lowest 64, and the lowest 32 are the same.
`mix` is the finalizer of MurmurHash3 by Austin Appleby (public domain); the odd factors are those of xxHash32 by Yann Collet.
"""

from numba import prange
from numba.extending import register_jitable

MASK = 0xFFFFFFFF


@register_jitable
def mix(h):
    """Scramble 32 bits, so that every bit of the result depends on every bit of `h`; different `h` stay different.

    >>> mix(0), mix(1), mix(2)
    (0, 1364076727, 821347078)
    """
    h ^= h >> 16
    h = h * 0x85EBCA6B & MASK
    h ^= h >> 13
    h = h * 0xC2B2AE35 & MASK
    h ^= h >> 16
    return h


@register_jitable
def image_key(seed, step, n):
    """32 random bits for image `n` of the batch in training step `step`."""
    step_key = mix((seed * 0x9E3779B1 + step) & MASK)
    return mix((step_key + n * 0x85EBCA77) & MASK)


@register_jitable
def random_bits(key, i):
    """32 random bits for element `i` of the image that has `key`."""
    return mix((i * 0xC2B2AE3D + key) & MASK)


def dropout(x, y, threshold, seed, step):
    """Drop a random share of the elements. The same call on `grad_y` gives the gradient: each element is only scaled.

    Parameters
    ----------
    x : array (n, …)
    y : array of the same shape
        Written; may be `x`. A NaN stays a NaN, even where it is dropped.
    threshold : int
        The share to drop, times 2**32: 0 <= threshold < 2**32.
    seed : int
        From the layer: two layers drop different elements.
    step : int64 array (1,)
        Number of the training step: every step drops different elements.

    Examples
    --------
    Half of the elements vanish (more or less), the others double:

    >>> import numpy as np
    >>> y = np.empty((1, 8))
    >>> dropout(np.arange(1.0, 9.0).reshape(1, 8), y, 2**31, 7, np.array([1]))
    >>> y
    array([[ 2.,  0.,  6.,  0., 10.,  0., 14.,  0.]])
    """
    images = x.shape[0]
    scale = 1.0 / (1.0 - threshold / 4294967296.0)
    rows_x, rows_y = x.reshape((images, x.size // images)), y.reshape((images, x.size // images))
    for n in prange(0, images):
        key = image_key(seed, int(step[0]), n)
        for i in range(rows_x.shape[1]):
            factor = scale
            if random_bits(key, i) < threshold:
                factor = 0.0
            rows_y[n, i] = rows_x[n, i] * factor
