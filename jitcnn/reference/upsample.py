"""Larger images by repeating every pixel (nearest neighbour), and the gradient.

The factors are whole numbers, so no pixel is mixed with another.

    y[n, i, j, c] = x[n, i // factor_h, j // factor_w, c]

    12  10            12  12  10  10
   101  88     ->     12  12  10  10         every pixel becomes a block
                     101 101  88  88         of factor_h x factor_w
                     101 101  88  88
"""

from numba import prange


def upsample2d(x, y, factor_h, factor_w):
    """Repeat every pixel `factor_h` times downwards and `factor_w` times to the right.

    Parameters
    ----------
    x : array (n, h, w, c)
    y : array (n, h * factor_h, w * factor_w, c)
        Written.
    factor_h, factor_w : int

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[12.0, 10.0], [101.0, 88.0]]).reshape(1, 2, 2, 1)
    >>> y = np.empty((1, 4, 4, 1))
    >>> upsample2d(x, y, 2, 2)
    >>> y[0, :, :, 0]
    array([[ 12.,  12.,  10.,  10.],
           [ 12.,  12.,  10.,  10.],
           [101., 101.,  88.,  88.],
           [101., 101.,  88.,  88.]])
    """
    images, out_height, out_width, channels = y.shape
    for n in prange(0, images):
        for i in range(out_height):
            for j in range(out_width):
                for c in range(channels):
                    y[n, i, j, c] = x[n, i // factor_h, j // factor_w, c]


def upsample2d_grad_input(grad_y, grad_x, factor_h, factor_w):
    """Gradient of the loss with respect to the small images: a pixel collects from its whole block.

        grad_x[n, i, j, c] = sum over the block of  grad_y[n, i * factor_h + u, j * factor_w + v, c]

    Parameters
    ----------
    grad_y : array (n, h * factor_h, w * factor_w, c)
    grad_x : array (n, h, w, c)
        Written.
    factor_h, factor_w : int

    Examples
    --------
    >>> import numpy as np
    >>> grad_y = np.array([[1.0, 2.0, 10.0, 20.0], [3.0, 4.0, 30.0, 40.0]]).reshape(1, 2, 4, 1)
    >>> grad_x = np.empty((1, 1, 2, 1))
    >>> upsample2d_grad_input(grad_y, grad_x, 2, 2)
    >>> grad_x[0, :, :, 0]
    array([[ 10., 100.]])
    """
    images, height, width, channels = grad_x.shape
    for n in prange(0, images):
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    total = 0.0
                    for u in range(factor_h):
                        for v in range(factor_w):
                            total += grad_y[n, i * factor_h + u, j * factor_w + v, c]
                    grad_x[n, i, j, c] = total
