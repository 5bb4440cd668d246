import numpy as np


def conv2d_grad_input(grad_y, w, x_shape):
    grad_x = np.zeros(x_shape)
    for n in range(len(grad_y)):
        for i in range(grad_y.shape[1]):
            for j in range(grad_y.shape[2]):
                for o in range(grad_y.shape[3]):
                    grad_x[n, i : i + w.shape[0], j : j + w.shape[1]] += grad_y[n, i, j, o] * w[..., o]
    return grad_x
