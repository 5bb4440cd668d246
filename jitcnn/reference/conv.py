"""Convolution of images with filters, and its gradients.

Arrays: images `x` (n, h, w, c), filters `w` (kernel_h, kernel_w, c, o), bias `b` (o,), results `y` (n, out_h, out_w, o).
One filter looks at one window of the image, over all its channels, and gives one number:

    y[n, i, j, o] = b[o] + sum over u, v, c of  x[n, row, column, c] * w[u, v, c, o]
    row = i * stride_h + u - top        column = j * stride_w + v - left

`top` and `left` are the padding before the first row and column; whatever lies outside the image counts as zero. The
filter is not flipped (deep learning's convolution is the mathematician's correlation). A 3 x 3 filter, stride 1, padding 1:

      . . . . . .
      . x x x x .        The filter's corner starts at (-top, -left), on the padding (dots);
      . x x x x .        one step of `i` or `j` moves it by one stride.
      . x x x x .        (i, j) = (0, 0) sees rows -1 to 1, of which rows 0 and 1 exist.
      . . . . . .

The gradients run through the same triples (output pixel, filter tap, input pixel), each reading what another pass writes:

    pass        reads              writes
    forward     x, w               y[n, i, j, o]              += x * w
    grad_input  grad_y, w          grad_x[n, row, column, c]  += grad_y * w
    grad_weights  grad_y, x        grad_w[u, v, c, o]         += grad_y * x
"""

from numba import prange
from numba.extending import register_jitable


def conv2d(x, w, b, y, stride_h, stride_w, top, left):
    """Slide the filters over the images.

    Parameters
    ----------
    x : array (n, h, w, c)
        Images.
    w : array (kernel_h, kernel_w, c, o)
        Filters.
    b : array (o,) or (0,)
        Bias of each filter; an empty array stands for none.
    y : array (n, out_h, out_w, o)
        Written. Its size decides how many windows are taken, and so the padding behind the last row and column.
    stride_h, stride_w : int
        Step of the window.
    top, left : int
        Rows and columns of zeros before the image.

    Examples
    --------
    A 2 x 2 filter that adds a pixel and its diagonal neighbour, and 10 as bias:

        1 2 3       1 0       (1 + 5) (2 + 6)
        4 5 6   *   0 1   =   (4 + 8) (5 + 9)
        7 8 9

    >>> import numpy as np
    >>> x = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    >>> w = np.array([[1.0, 0.0], [0.0, 1.0]]).reshape(2, 2, 1, 1)
    >>> y = np.empty((1, 2, 2, 1))
    >>> conv2d(x, w, np.array([10.0]), y, 1, 1, 0, 0)
    >>> y[0, :, :, 0]
    array([[16., 18.],
           [22., 24.]])
    """
    images, height, width, channels = x.shape
    kernel_h, kernel_w, _, filters = w.shape
    for n in prange(0, images):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for o in range(filters):
                    total = 0.0
                    if b.size > 0:
                        total = b[o]
                    for u in range(kernel_h):
                        row = i * stride_h + u - top
                        if 0 <= row < height:
                            for v in range(kernel_w):
                                column = j * stride_w + v - left
                                if 0 <= column < width:
                                    for c in range(channels):
                                        total += x[n, row, column, c] * w[u, v, c, o]
                    y[n, i, j, o] = total


def conv2d_grad_input(grad_y, w, grad_x, stride_h, stride_w, top, left):
    r"""Gradient of the loss with respect to the images.

    Every output pixel hands its gradient back to the window it looked at, weighted as it looked:

        grad_x[n, row, column, c] = sum over all (i, j, o, u, v) that saw this pixel of  grad_y[n, i, j, o] * w[u, v, c, o]

    Parameters
    ----------
    grad_y : array (n, out_h, out_w, o)
    w : array (kernel_h, kernel_w, c, o)
    grad_x : array (n, h, w, c)
        Written.
    stride_h, stride_w, top, left : int
        As in the forward pass.

    Examples
    --------
    Two windows of two pixels, one step apart; the pixel between them belongs to both:

        grad_y     1    10
                  / \  / \          weights (3, 4)
        grad_x   3  4+30 40

    >>> import numpy as np
    >>> grad_y = np.array([1.0, 10.0]).reshape(1, 1, 2, 1)
    >>> w = np.array([3.0, 4.0]).reshape(1, 2, 1, 1)
    >>> grad_x = np.empty((1, 1, 3, 1))
    >>> conv2d_grad_input(grad_y, w, grad_x, 1, 1, 0, 0)
    >>> grad_x[0, 0, :, 0]
    array([ 3., 34., 40.])
    """
    images, height, width, channels = grad_x.shape
    kernel_h, kernel_w, _, filters = w.shape
    for n in prange(0, images):
        grad_x[n] = 0.0
        for i in range(grad_y.shape[1]):
            for j in range(grad_y.shape[2]):
                for u in range(kernel_h):
                    row = i * stride_h + u - top
                    if 0 <= row < height:
                        for v in range(kernel_w):
                            column = j * stride_w + v - left
                            if 0 <= column < width:
                                for c in range(channels):
                                    total = 0.0
                                    for o in range(filters):
                                        total += grad_y[n, i, j, o] * w[u, v, c, o]
                                    grad_x[n, row, column, c] += total


# A function of its own because threaded code around these loops takes Numba ten times as long to compile.
@register_jitable
def sum_of_meetings(grad_y, x, u, v, c, o, stride_h, stride_w, top, left):
    """Gradient of the one weight (u, v, c, o): all the places where it was used."""
    images, height, width, _ = x.shape
    total = 0.0
    for n in range(images):
        for i in range(grad_y.shape[1]):
            row = i * stride_h + u - top
            if 0 <= row < height:
                for j in range(grad_y.shape[2]):
                    column = j * stride_w + v - left
                    if 0 <= column < width:
                        total += grad_y[n, i, j, o] * x[n, row, column, c]
    return total


def conv2d_grad_weights(grad_y, x, grad_w, stride_h, stride_w, top, left):
    """Gradient of the loss with respect to the filters, summed over the images.

    A weight meets one input pixel for every output pixel; it collects the products of all these meetings:

        grad_w[u, v, c, o] = sum over n, i, j of  grad_y[n, i, j, o] * x[n, row, column, c]

    The parallel axis is the filter, not the image: all images add to the same weights, and two threads that add to one
    number lose terms.

    Parameters
    ----------
    grad_y : array (n, out_h, out_w, o)
    x : array (n, h, w, c)
    grad_w : array (kernel_h, kernel_w, c, o)
        Written.
    stride_h, stride_w, top, left : int
        As in the forward pass.

    Examples
    --------
    The first weight met pixels 5 and 6, the second one 6 and 7, each time with the gradients 1 and 10:

        x   5 6 7       first weight    1 * 5 + 10 * 6
            . .         second weight   1 * 6 + 10 * 7
              . .

    >>> import numpy as np
    >>> grad_y = np.array([1.0, 10.0]).reshape(1, 1, 2, 1)
    >>> x = np.array([5.0, 6.0, 7.0]).reshape(1, 1, 3, 1)
    >>> grad_w = np.empty((1, 2, 1, 1))
    >>> conv2d_grad_weights(grad_y, x, grad_w, 1, 1, 0, 0)
    >>> grad_w[0, :, 0, 0]
    array([65., 76.])
    """
    kernel_h, kernel_w, channels, filters = grad_w.shape
    for o in prange(0, filters):
        for u in range(kernel_h):
            for v in range(kernel_w):
                for c in range(channels):
                    grad_w[u, v, c, o] = sum_of_meetings(grad_y, x, u, v, c, o, stride_h, stride_w, top, left)


def bias_grad(grad_y, grad_b):
    """Gradient of the loss with respect to a bias: the sum of the gradients of everything it was added to.

        grad_b[o] = sum over images (and pixels) of  grad_y[n, …, o]

    Parameters
    ----------
    grad_y : array (n, …, o)
        Of a convolution (n, out_h, out_w, o) or of a dense layer (n, o).
    grad_b : array (o,)
        Written.

    Examples
    --------
    >>> import numpy as np
    >>> grad_b = np.empty(2)
    >>> bias_grad(np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]), grad_b)
    >>> grad_b
    array([ 6., 60.])
    """
    outputs = grad_b.size
    rows = grad_y.reshape((grad_y.size // outputs, outputs))
    for o in prange(0, outputs):
        total = 0.0
        for row in range(rows.shape[0]):
            total += rows[row, o]
        grad_b[o] = total
