r"""Lesson 4: a convolution, the gradient of its input.

Forward (lesson 3): y[n, i, j, o] = b[o] + sum over u, v, c of x[n, i + u, j + v, c] * w[u, v, c, o]

A pixel of x was seen by up to kernel rows * kernel columns windows, and by each with another
weight. It collects from all of them:

    grad_x[n, i + u, j + v, c]  +=  grad_y[n, i, j, o] * w[u, v, c, o]     for all n, i, j, u, v, c, o

One row, a filter of two weights (3, 4), and two outputs whose gradients are 1 and 10; the pixel in the
middle belongs to both windows:

    grad_y      1      10
               / \    / \            grad_x = (1*3,  1*4 + 10*3,  10*4) = (3, 34, 40)
    grad_x    3  4 + 30  40

So there are two ways to write it. Hand out: go through grad_y, and add to the window of grad_x
below each of its pixels. Or collect: each pixel of grad_x is a sum over the pixels of grad_y around
it, which is a convolution of grad_y, with a border of zeros, with the filter turned by 180 degrees
(w[::-1, ::-1]): the pixel's left neighbour saw it with its right weight.

Write `conv2d_grad_input` below.

Then:  jitcnn learn lesson 4 --check
"""

import numpy as np


def conv2d_grad_input(grad_y: np.ndarray, w: np.ndarray, x_shape: tuple[int, ...]) -> np.ndarray:
    """Return grad_x, of x_shape (n, rows, columns, c).

    grad_y is (n, y rows, y columns, o) and w (kernel rows, kernel columns, c, o).
    """
    raise NotImplementedError
