"""A border around images, and its gradient.

`top` rows come before the image and `left` columns; those behind it follow from the size of `y`.

    y[n, i, j, c] = x[n, i - top, j - left, c]      inside
                    0                               outside, mode ZERO
                    the nearest pixel of x          outside, mode EDGE

    x        ZERO           EDGE
             0 0 0 0        1 1 2 2
    1 2      0 1 2 0        1 1 2 2
    3 4      0 3 4 0        3 3 4 4
             0 0 0 0        3 3 4 4
"""

from numba import prange
from numba.extending import register_jitable

from jitcnn.reference.codes import EDGE


@register_jitable
def nearest(index, size):
    """The valid index closest to `index`: 0 before the start, size - 1 behind the end.

    >>> [nearest(index, 3) for index in (-2, -1, 0, 1, 2, 3)]
    [0, 0, 0, 1, 2, 2]
    """
    return min(max(index, 0), size - 1)


def pad2d(x, y, top, left, mode):
    """Copy the images into larger ones with a border.

    Parameters
    ----------
    x : array (n, h, w, c)
    y : array (n, out_h, out_w, c)
        Written. Its size decides how much border lies behind the last row and column.
    top, left : int
        Border before the first row and column.
    mode : int
        `codes.ZERO` or `codes.EDGE`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> y = np.empty((1, 3, 4, 1))
    >>> pad2d(x, y, 1, 1, EDGE)
    >>> y[0, :, :, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.],
           [3., 3., 4., 4.]])
    """
    images, height, width, channels = x.shape
    for n in prange(0, images):
        for i in range(y.shape[1]):
            row = nearest(i - top, height)
            for j in range(y.shape[2]):
                column = nearest(j - left, width)
                inside = row == i - top and column == j - left
                for c in range(channels):
                    if inside or mode == EDGE:
                        y[n, i, j, c] = x[n, row, column, c]
                    else:
                        y[n, i, j, c] = 0.0


def pad2d_grad_input(grad_y, grad_x, top, left, mode):
    """Gradient of the loss with respect to the images that were padded.

    A pixel collects from every place it was copied to: with EDGE, border pixels collect from the border too.

        grad_y           mode ZERO: grad_x      mode EDGE: grad_x
        1 1 1 1
        1 1 1 1          1 1                    4 4
        1 1 1 1          1 1                    4 4
        1 1 1 1

    Parameters
    ----------
    grad_y : array (n, out_h, out_w, c)
    grad_x : array (n, h, w, c)
        Written.
    top, left, mode : int
        As in the forward pass.

    Examples
    --------
    >>> import numpy as np
    >>> grad_x = np.empty((1, 2, 2, 1))
    >>> pad2d_grad_input(np.ones((1, 3, 4, 1)), grad_x, 1, 1, EDGE)
    >>> grad_x[0, :, :, 0]
    array([[4., 4.],
           [2., 2.]])
    """
    images, height, width, channels = grad_x.shape
    for n in prange(0, images):
        grad_x[n] = 0.0
        for i in range(grad_y.shape[1]):
            row = nearest(i - top, height)
            for j in range(grad_y.shape[2]):
                column = nearest(j - left, width)
                inside = row == i - top and column == j - left
                if inside or mode == EDGE:
                    for c in range(channels):
                        grad_x[n, row, column, c] += grad_y[n, i, j, c]
