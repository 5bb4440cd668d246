"""Lesson 3: a convolution, forward.

A filter is a small picture of weights. It is laid on the image, what lies on top of each other is
multiplied, all products are added up, and that is one pixel of the output. Then it moves on by one
pixel:

    x               a filter      y
    1 2 3 0         1 0           1*1 + 2*0 + 4*0 + 5*1  …       6  8 10
    4 5 6 7    *    0 1      =    …                      …   =  13 13  6
    8 9 8 0

An image has channels (red, green, blue, or the outputs of earlier filters), and a filter looks at
all of them at once; every filter makes one channel of the output. With a bias b for each filter:

    y[n, i, j, o] = b[o] + sum over u, v, c of  x[n, i + u, j + v, c] * w[u, v, c, o]

n counts images, i and j rows and columns of the output, o filters, u and v rows and columns of the
filter, c channels. The filter stays inside the image, so the output has rows - kernel rows + 1
rows, and columns likewise.

Write `conv2d` below: seven loops, or fewer with NumPy (x[n, i : i + kernel_rows, j : j +
kernel_columns] is a whole window).

Then:  jitcnn learn lesson 3 --check
"""

import numpy as np


def conv2d(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return y (n, rows - kernel rows + 1, columns - kernel columns + 1, o).

    x is (n, rows, columns, c), w (kernel rows, kernel columns, c, o) and b (o,).
    """
    raise NotImplementedError
