"""Lesson 1: a dense layer, forward.

Every output is a weighted sum of all inputs, plus a number of its own, the bias:

    y[n, o] = b[o] + sum over k of  x[n, k] * w[k, o]

            k                 o             o
        +-------+          +-----+       +-----+
      n |   x   |   *    k |  w  |  =  n |  y  |
        +-------+          +-----+       +-----+

n counts the images, k the inputs, o the outputs. By hand, for one image with two inputs and two
outputs:

    x = (1, 2)     w = 10 20     b = (5, 7)     y = (5 + 1*10 + 2*30,  7 + 1*20 + 2*40) = (75, 107)
                       30 40

Write `dense` below, with three loops or with NumPy, as you like.

Then:  jitcnn learn lesson 1 --check
"""

import numpy as np


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return y (n, o) for x (n, k), w (k, o) and b (o,)."""
    raise NotImplementedError
