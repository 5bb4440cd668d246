import numpy as np


def conv2d_grad_weights(grad_y, x, w_shape):
    grad_w = np.empty(w_shape)
    rows, columns = grad_y.shape[1:3]
    for u in range(w_shape[0]):
        for v in range(w_shape[1]):
            seen = x[:, u : u + rows, v : v + columns]
            for c in range(w_shape[2]):
                for o in range(w_shape[3]):
                    grad_w[u, v, c, o] = np.sum(seen[..., c] * grad_y[..., o])
    return grad_w
