import numpy as np


def conv2d(x, w, b):
    rows, columns = x.shape[1] - w.shape[0] + 1, x.shape[2] - w.shape[1] + 1
    y = np.empty((len(x), rows, columns, len(b)))
    for n in range(len(x)):
        for i in range(rows):
            for j in range(columns):
                window = x[n, i : i + w.shape[0], j : j + w.shape[1]]
                for o in range(len(b)):
                    y[n, i, j, o] = b[o] + np.sum(window * w[..., o])
    return y
