import numpy as np


def dense(x, w, b):
    y = np.empty((len(x), len(b)))
    for n in range(len(x)):
        for o in range(len(b)):
            y[n, o] = b[o]
            for k in range(len(w)):
                y[n, o] += x[n, k] * w[k, o]
    return y
