"""A dense (fully connected) layer: every output sees every input; and its gradients.

    y[n, o] = b[o] + sum over k of  x[n, k] * w[k, o]

            k                 o             o
        +-------+          +-----+       +-----+
      n |   x   |   *    k |  w  |  =  n |  y  |       matrix product of (n, k) and (k, o)
        +-------+          +-----+       +-----+

The gradients are products of the same matrices, one of them turned over:

    grad_x[n, k] = sum over o of  grad_y[n, o] * w[k, o]         (n, o) times (o, k)
    grad_w[k, o] = sum over n of  x[n, k] * grad_y[n, o]         (k, n) times (n, o)
    grad_b[o]    = sum over n of  grad_y[n, o]                   `bias_grad`, in conv.py

`w` and `grad_w` may lie in memory in either order: row by row (C) or column by column (Fortran).
"""

from numba import prange


def dense(x, w, b, y):
    """Multiply inputs and weights, and add the bias.

    Parameters
    ----------
    x : array (n, k)
    w : array (k, o)
    b : array (o,) or (0,)
        Bias of each output; an empty array stands for none.
    y : array (n, o)
        Written.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 2.0]])
    >>> w = np.array([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]])
    >>> y = np.empty((1, 3))
    >>> dense(x, w, np.array([0.5, 0.5, 0.5]), y)
    >>> y
    array([[ 90.5, 120.5, 150.5]])
    """
    inputs, outputs = w.shape
    for n in prange(0, x.shape[0]):
        for o in range(outputs):
            total = 0.0
            if b.size > 0:
                total = b[o]
            for k in range(inputs):
                total += x[n, k] * w[k, o]
            y[n, o] = total


def dense_grad_input(grad_y, w, grad_x):
    """Gradient of the loss with respect to the inputs: each input collects from every output it fed.

    Parameters
    ----------
    grad_y : array (n, o)
    w : array (k, o)
    grad_x : array (n, k)
        Written.

    Examples
    --------
    >>> import numpy as np
    >>> w = np.array([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]])
    >>> grad_x = np.empty((1, 2))
    >>> dense_grad_input(np.array([[1.0, 0.0, 2.0]]), w, grad_x)
    >>> grad_x
    array([[ 70., 160.]])
    """
    inputs, outputs = w.shape
    for n in prange(0, grad_y.shape[0]):
        for k in range(inputs):
            total = 0.0
            for o in range(outputs):
                total += grad_y[n, o] * w[k, o]
            grad_x[n, k] = total


def dense_grad_weights(grad_y, x, grad_w):
    """Gradient of the loss with respect to the weights, summed over the images.

    The parallel axis is the output, not the image: all images add to the same weights.

    Parameters
    ----------
    grad_y : array (n, o)
    x : array (n, k)
    grad_w : array (k, o)
        Written.

    Examples
    --------
    Two images; a weight's gradient is its input times its output's gradient, 1 * 5 + 2 * 6 for the first:

    >>> import numpy as np
    >>> x = np.array([[1.0, 10.0], [2.0, 20.0]])
    >>> grad_w = np.empty((2, 1))
    >>> dense_grad_weights(np.array([[5.0], [6.0]]), x, grad_w)
    >>> grad_w
    array([[ 17.],
           [170.]])
    """
    inputs, outputs = grad_w.shape
    for o in prange(0, outputs):
        for k in range(inputs):
            total = 0.0
            for n in range(x.shape[0]):
                total += x[n, k] * grad_y[n, o]
            grad_w[k, o] = total
