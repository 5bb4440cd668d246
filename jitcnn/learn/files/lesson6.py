"""Lesson 6: max pooling, and its gradient.

Of every window only the largest number stays. Windows are `size` rows and columns large, and begin
every `stride` pixels:

    y[n, i, j, c] = max over u, v < size of  x[n, i * stride + u, j * stride + v, c]

    x                       y (size 2, stride 2)
     1  2 |  3  1
    11 12 |  4 10           12  10
    ------+------
    101 11| 88 10           101 88
    10 11 | 11  5

Backward: a small change of the largest number changes the output as much, a small change of the
others changes nothing. So the winner of a window takes the window's whole gradient, and the others
get 0:

    grad_y      grad_x
     1  2       0 0 0 0
     3  4       0 1 0 2
                3 0 4 0
                0 0 0 0

If stride < size, windows overlap, and a pixel can win in several: it gets the sum.

Write both functions below. Only windows that lie wholly inside the image count: (rows - size) //
stride + 1 of them down, columns likewise.

Then:  jitcnn learn lesson 6 --check
"""

import numpy as np


def max_pool(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """Return y (n, y rows, y columns, c) for x (n, rows, columns, c)."""
    raise NotImplementedError


def max_pool_grad(grad_y: np.ndarray, x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """Return grad_x, of the shape of x, for grad_y (n, y rows, y columns, c)."""
    raise NotImplementedError
