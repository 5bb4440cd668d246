"""Activations, and the gradients through them.

                  y                              grad_x
    relu          x where x > 0, else 0          grad_y where y > 0, else 0
    sigmoid       1 / (1 + exp(-x))              grad_y * y * (1 - y)
    tanh          tanh(x)                        grad_y * (1 - y * y)
    softmax       exp(x) / sum of exp(x)         y * (grad_y - sum of grad_y * y)      sums over the last axis

     relu    /        sigmoid  ___1          tanh  ___1
            /                 /                   /
    ______ /             0___/                __-1

All gradients need the output `y` alone, never the input. So the output may overwrite the input (`y` may be `x`), and the
gradient the gradient (`grad_x` may be `grad_y`). A NaN stays a NaN.
"""

import math

from numba import prange


def relu(x, y):
    """Cut negative numbers to zero.

    Parameters
    ----------
    x : array of any shape
    y : array of the same shape
        Written; may be `x`.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.empty(4)
    >>> relu(np.array([-2.0, 0.0, 3.0, np.nan]), y)
    >>> y
    array([ 0.,  0.,  3., nan])
    """
    flat_x, flat_y = x.reshape(x.size), y.reshape(x.size)
    for i in prange(0, flat_x.size):
        # Asked this way round a NaN stays: `x if x > 0 else 0` would turn it into 0.
        if flat_x[i] < 0.0:
            flat_y[i] = 0.0
        else:
            flat_y[i] = flat_x[i]


def relu_grad(grad_y, y, grad_x):
    """Let the gradient through where the output is positive.

    Parameters
    ----------
    grad_y, y : arrays of one shape
        Gradient with respect to the output, and the output.
    grad_x : array of the same shape
        Written; may be `grad_y`.

    Examples
    --------
    >>> import numpy as np
    >>> grad_x = np.empty(3)
    >>> relu_grad(np.array([5.0, 6.0, 7.0]), np.array([0.0, 0.0, 3.0]), grad_x)
    >>> grad_x
    array([0., 0., 7.])
    """
    flat_grad_y, flat_y, flat_grad_x = grad_y.reshape(y.size), y.reshape(y.size), grad_x.reshape(y.size)
    for i in prange(0, flat_y.size):
        if flat_y[i] <= 0.0:
            flat_grad_x[i] = 0.0
        else:
            flat_grad_x[i] = flat_grad_y[i]


def sigmoid(x, y):
    """Squeeze numbers into 0 to 1.

    Parameters
    ----------
    x : array of any shape
    y : array of the same shape
        Written; may be `x`.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.empty(4)
    >>> sigmoid(np.array([-1e4, 0.0, 2.0, 1e4]), y)
    >>> y.round(4)
    array([0.    , 0.5   , 0.8808, 1.    ])
    """
    flat_x, flat_y = x.reshape(x.size), y.reshape(x.size)
    for i in prange(0, flat_x.size):
        # exp of a negative number cannot overflow, so the two halves use two forms of one formula.
        small = math.exp(-abs(flat_x[i]))
        if flat_x[i] >= 0.0:
            flat_y[i] = 1.0 / (1.0 + small)
        else:
            flat_y[i] = small / (1.0 + small)


def sigmoid_grad(grad_y, y, grad_x):
    """Gradient through the sigmoid.

    Parameters
    ----------
    grad_y, y : arrays of one shape
        Gradient with respect to the output, and the output.
    grad_x : array of the same shape
        Written; may be `grad_y`.

    Examples
    --------
    >>> import numpy as np
    >>> grad_x = np.empty(2)
    >>> sigmoid_grad(np.array([4.0, 4.0]), np.array([0.5, 1.0]), grad_x)
    >>> grad_x
    array([1., 0.])
    """
    flat_grad_y, flat_y, flat_grad_x = grad_y.reshape(y.size), y.reshape(y.size), grad_x.reshape(y.size)
    for i in prange(0, flat_y.size):
        flat_grad_x[i] = flat_grad_y[i] * flat_y[i] * (1.0 - flat_y[i])


def tanh(x, y):
    """Squeeze numbers into -1 to 1.

    Parameters
    ----------
    x : array of any shape
    y : array of the same shape
        Written; may be `x`.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.empty(3)
    >>> tanh(np.array([-1e4, 0.0, 1.0]), y)
    >>> y.round(4)
    array([-1.    ,  0.    ,  0.7616])
    """
    flat_x, flat_y = x.reshape(x.size), y.reshape(x.size)
    for i in prange(0, flat_x.size):
        flat_y[i] = math.tanh(flat_x[i])


def tanh_grad(grad_y, y, grad_x):
    """Gradient through the hyperbolic tangent.

    Parameters
    ----------
    grad_y, y : arrays of one shape
        Gradient with respect to the output, and the output.
    grad_x : array of the same shape
        Written; may be `grad_y`.

    Examples
    --------
    >>> import numpy as np
    >>> grad_x = np.empty(2)
    >>> tanh_grad(np.array([4.0, 4.0]), np.array([0.5, -1.0]), grad_x)
    >>> grad_x
    array([3., 0.])
    """
    flat_grad_y, flat_y, flat_grad_x = grad_y.reshape(y.size), y.reshape(y.size), grad_x.reshape(y.size)
    for i in prange(0, flat_y.size):
        flat_grad_x[i] = flat_grad_y[i] * (1.0 - flat_y[i] * flat_y[i])


def softmax(x, y):
    """Turn numbers into probabilities along the last axis: positive, with sum 1.

    The largest number of the row is taken off first: it cancels in the fraction, and exp never sees a positive number.

    Parameters
    ----------
    x : array (…, k)
    y : array of the same shape
        Written; may be `x`.

    Examples
    --------
    exp(0) : exp(log 3) = 1 : 3, however large the numbers:

    >>> import numpy as np
    >>> y = np.empty((2, 2))
    >>> softmax(np.array([[0.0, np.log(3.0)], [1e4, 1e4 + np.log(3.0)]]), y)
    >>> y.round(4)
    array([[0.25, 0.75],
           [0.25, 0.75]])
    """
    columns = x.shape[-1]
    rows_x, rows_y = x.reshape((x.size // columns, columns)), y.reshape((x.size // columns, columns))
    for row in prange(0, rows_x.shape[0]):
        largest = rows_x[row, 0]
        for k in range(columns):
            if rows_x[row, k] > largest:
                largest = rows_x[row, k]
        total = 0.0
        for k in range(columns):
            rows_y[row, k] = math.exp(rows_x[row, k] - largest)
            total += rows_y[row, k]
        for k in range(columns):
            rows_y[row, k] /= total


def softmax_grad(grad_y, y, grad_x):
    """Gradient through the softmax, with its full Jacobian: every output depends on every input of the row.

        dy[i] / dx[k] = y[i] * (1 if i == k else 0) - y[i] * y[k]
        grad_x[k]     = sum over i of  grad_y[i] * dy[i] / dx[k]  =  y[k] * (grad_y[k] - sum over i of grad_y[i] * y[i])

    Parameters
    ----------
    grad_y, y : arrays (…, k)
        Gradient with respect to the output, and the output.
    grad_x : array of the same shape
        Written; may be `grad_y`.

    Examples
    --------
    Raising all outputs alike is impossible, so equal gradients give nothing:

    >>> import numpy as np
    >>> grad_x = np.empty((2, 2))
    >>> softmax_grad(np.array([[8.0, 8.0], [8.0, 0.0]]), np.array([[0.25, 0.75], [0.25, 0.75]]), grad_x)
    >>> grad_x
    array([[ 0. ,  0. ],
           [ 1.5, -1.5]])
    """
    columns = y.shape[-1]
    rows = y.size // columns
    rows_grad_y, rows_y, rows_grad_x = grad_y.reshape((rows, columns)), y.reshape((rows, columns)), grad_x.reshape((rows, columns))
    for row in prange(0, rows):
        total = 0.0
        for k in range(columns):
            total += rows_grad_y[row, k] * rows_y[row, k]
        for k in range(columns):
            rows_grad_x[row, k] = rows_y[row, k] * (rows_grad_y[row, k] - total)
