import numpy as np

BT = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], np.float32)
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
AT = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], np.float32)


def winograd(x, w):
    u = np.einsum("ap,pqco,bq->abco", G, w, G)
    y = np.empty((x.shape[0] - 2, x.shape[1] - 2, w.shape[3]))
    for i in range(0, y.shape[0], 2):
        for j in range(0, y.shape[1], 2):
            v = np.einsum("ap,pqc,bq->abc", BT, x[i : i + 4, j : j + 4], BT)
            m = np.einsum("abco,abc->abo", u, v)
            y[i : i + 2, j : j + 2] = np.einsum("pa,abo,qb->pqo", AT, m, AT)
    return y
