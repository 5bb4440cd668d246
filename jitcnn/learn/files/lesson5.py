"""Lesson 5: a convolution, the gradient of its weights.

Forward (lesson 3): y[n, i, j, o] = b[o] + sum over u, v, c of x[n, i + u, j + v, c] * w[u, v, c, o]

One weight is used again for every pixel of the output, in every image. Each time it met another
pixel of x, and its gradient is the sum of what all these meetings say:

    grad_w[u, v, c, o] = sum over n, i, j of  grad_y[n, i, j, o] * x[n, i + u, j + v, c]

One row of pixels, a filter of two weights, and two outputs whose gradients are 1 and 10:

    x                5 6 7
    first weight     ^ ^       met 5 for the first output, 6 for the second:  1*5 + 10*6 = 65
    second weight      ^ ^     met 6 and 7:                                   1*6 + 10*7 = 76

It looks like a convolution once more: grad_y, as large as it is, is the filter that slides over x.
Nothing is turned here.

Write `conv2d_grad_weights` below.

Then:  jitcnn learn lesson 5 --check
"""

import numpy as np


def conv2d_grad_weights(grad_y: np.ndarray, x: np.ndarray, w_shape: tuple[int, ...]) -> np.ndarray:
    """Return grad_w, of w_shape (kernel rows, kernel columns, c, o).

    grad_y is (n, y rows, y columns, o) and x (n, rows, columns, c).
    """
    raise NotImplementedError
