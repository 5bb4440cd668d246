def dense_backward(grad_y, x, w):
    return grad_y @ w.T, x.T @ grad_y, grad_y.sum(axis=0)
