"""Pooling: one number for each window of an image, channel by channel, and its gradient.

    y[n, i, j, c] = max, min or average of  x[n, row, column, c]  over the window
    row = i * stride_h - top + (0 … kernel_h - 1)       column = j * stride_w - left + (0 … kernel_w - 1)

    x                       max        average              average takes the mean of
     1  2 |  3  1                                           those pixels of the window that
    11 12 |  4 10           12  10     6.5     4.5          lie in the image: padding is
    ------+------     ->                                    not counted and never wins
    101 11| 88 10           101 88     33.25  28.5          a max or a min
    10 11 | 11  5

Every window must hold at least one pixel of the image. Windows may overlap (stride < kernel) or leave gaps (stride >
kernel); pixels behind the last window are not looked at.
"""

import math

from numba import prange
from numba.extending import register_jitable

from jitcnn.reference.codes import AVERAGE, MAX


@register_jitable
def beats(value, best, kind):
    """Whether `value` takes the place of `best`. A NaN beats all, and nothing else beats it: it must not disappear in a pool."""
    if kind == MAX:
        return value > best or math.isnan(value)
    return value < best or math.isnan(value)


@register_jitable
def inside(first, kernel, size):
    """First and last + 1 index of a window that starts at `first`, cut to the image: 0 <= index < size.

    >>> inside(-1, 3, 5), inside(1, 3, 5), inside(3, 3, 5)
    ((0, 2), (1, 4), (3, 5))
    """
    return max(first, 0), min(first + kernel, size)


@register_jitable
def extreme(x, n, c, rows, columns, kind):
    """Largest (or smallest) pixel of one window: `rows` and `columns` are pairs (first, last + 1)."""
    best = x[n, rows[0], columns[0], c]
    for row in range(rows[0], rows[1]):
        for column in range(columns[0], columns[1]):
            if beats(x[n, row, column, c], best, kind):
                best = x[n, row, column, c]
    return best


@register_jitable
def average(x, n, c, rows, columns):
    """Mean of one window: `rows` and `columns` are pairs (first, last + 1)."""
    total = 0.0
    for row in range(rows[0], rows[1]):
        for column in range(columns[0], columns[1]):
            total += x[n, row, column, c]
    return total / ((rows[1] - rows[0]) * (columns[1] - columns[0]))


def pool2d(x, y, kernel_h, kernel_w, stride_h, stride_w, top, left, kind):
    """Reduce every window to its maximum, minimum or average.

    Parameters
    ----------
    x : array (n, h, w, c)
    y : array (n, out_h, out_w, c)
        Written. Its size decides how many windows are taken.
    kernel_h, kernel_w, stride_h, stride_w : int
        Size of the window and its step.
    top, left : int
        Padding before the first row and column.
    kind : int
        `codes.MAX`, `codes.MIN` or `codes.AVERAGE`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 2, 3, 1], [11, 12, 4, 10], [101, 11, 88, 10], [10, 11, 11, 5]]).reshape(1, 4, 4, 1)
    >>> y = np.empty((1, 2, 2, 1))
    >>> pool2d(x, y, 2, 2, 2, 2, 0, 0, MAX)
    >>> y[0, :, :, 0]
    array([[ 12.,  10.],
           [101.,  88.]])
    >>> pool2d(x, y, 2, 2, 2, 2, 0, 0, AVERAGE)
    >>> y[0, :, :, 0]
    array([[ 6.5 ,  4.5 ],
           [33.25, 28.5 ]])
    """
    images, height, width, channels = x.shape
    for n in prange(0, images):
        for i in range(y.shape[1]):
            rows = inside(i * stride_h - top, kernel_h, height)
            for j in range(y.shape[2]):
                columns = inside(j * stride_w - left, kernel_w, width)
                for c in range(channels):
                    if kind == AVERAGE:
                        y[n, i, j, c] = average(x, n, c, rows, columns)
                    else:
                        y[n, i, j, c] = extreme(x, n, c, rows, columns, kind)


@register_jitable
def find(x, n, c, rows, columns, best):
    """Row and column of the first pixel of a window that equals `best` (the first NaN if `best` is one).

    (rows[0], columns[0]) if there is none: then `best` did not come from this window.
    """
    for row in range(rows[0], rows[1]):
        for column in range(columns[0], columns[1]):
            value = x[n, row, column, c]
            if value == best or (math.isnan(value) and math.isnan(best)):
                return row, column
    return rows[0], columns[0]


@register_jitable
def share(grad_x, n, c, rows, columns, gradient):
    """Add the same part of `gradient` to every pixel of one window."""
    part = gradient / ((rows[1] - rows[0]) * (columns[1] - columns[0]))
    for row in range(rows[0], rows[1]):
        for column in range(columns[0], columns[1]):
            grad_x[n, row, column, c] += part


def pool2d_grad_input(grad_y, x, y, grad_x, kernel_h, kernel_w, stride_h, stride_w, top, left, kind):
    """Gradient of the loss with respect to the images that were pooled.

    The maximum (minimum) of a window depends on one pixel alone, the winner, which takes the whole gradient; the average
    depends on all of them alike. Where windows overlap, a pixel adds up what it gets from each.

        x               grad_y     max: grad_x      average: grad_x
         1  2
        11 12             4          0  0               1  1
                                     0  4               1  1

    Parameters
    ----------
    grad_y : array (n, out_h, out_w, c)
    x, y : array (n, h, w, c), (n, out_h, out_w, c)
        Input and output of the forward pass: they tell the winner, the first pixel in the window that equals y.
    grad_x : array (n, h, w, c)
        Written.
    kernel_h, kernel_w, stride_h, stride_w, top, left, kind : int
        As in the forward pass.

    Examples
    --------
    Two overlapping windows of three, both won by the 9: it gets 1 + 10.

    >>> import numpy as np
    >>> x = np.array([1.0, 5.0, 9.0, 3.0]).reshape(1, 1, 4, 1)
    >>> y = np.array([9.0, 9.0]).reshape(1, 1, 2, 1)
    >>> grad_y = np.array([1.0, 10.0]).reshape(1, 1, 2, 1)
    >>> grad_x = np.empty((1, 1, 4, 1))
    >>> pool2d_grad_input(grad_y, x, y, grad_x, 1, 3, 1, 1, 0, 0, MAX)
    >>> grad_x[0, 0, :, 0]
    array([ 0.,  0., 11.,  0.])
    """
    images, height, width, channels = x.shape
    for n in prange(0, images):
        grad_x[n] = 0.0
        for i in range(y.shape[1]):
            rows = inside(i * stride_h - top, kernel_h, height)
            for j in range(y.shape[2]):
                columns = inside(j * stride_w - left, kernel_w, width)
                for c in range(channels):
                    if kind == AVERAGE:
                        share(grad_x, n, c, rows, columns, grad_y[n, i, j, c])
                    else:
                        row, column = find(x, n, c, rows, columns, y[n, i, j, c])
                        grad_x[n, row, column, c] += grad_y[n, i, j, c]
