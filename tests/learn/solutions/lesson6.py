import numpy as np


def max_pool(x, size, stride):
    n, rows, columns, channels = x.shape
    y = np.empty((n, (rows - size) // stride + 1, (columns - size) // stride + 1, channels))
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            y[:, i, j] = x[:, i * stride : i * stride + size, j * stride : j * stride + size].max(axis=(1, 2))
    return y


def max_pool_grad(grad_y, x, size, stride):
    grad_x = np.zeros(x.shape)
    for n, i, j, c in np.ndindex(grad_y.shape):
        window = x[n, i * stride : i * stride + size, j * stride : j * stride + size, c]
        row, column = divmod(window.argmax(), size)
        grad_x[n, i * stride + row, j * stride + column, c] += grad_y[n, i, j, c]
    return grad_x
