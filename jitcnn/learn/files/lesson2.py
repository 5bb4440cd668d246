"""Lesson 2: a dense layer, backward.

Forward (lesson 1): y[n, o] = b[o] + sum over k of x[n, k] * w[k, o]

`grad_y[n, o]` says how much the loss L grows when y[n, o] grows a little. Wanted is the same for x,
w and b. A number has its effect on L only through the y that it went into, so its gradient is a sum
over these y: grad_y times the factor that it met there.

    x[n, k] met w[k, o] in all y[n, o]:  grad_x[n, k] = sum over o of  grad_y[n, o] * w[k, o]
    w[k, o] met x[n, k] in all y[n, o]:  grad_w[k, o] = sum over n of  grad_y[n, o] * x[n, k]
    b[o]    met nothing, that is 1:      grad_b[o]    = sum over n of  grad_y[n, o]

As products of matrices, where w^T is w with rows and columns exchanged:

          k               o              k              o              n              o
      +--------+      +--------+      +-----+       +--------+      +-----+       +--------+
    n | grad_x |  = n | grad_y |  * o | w^T |     k | grad_w |  = k | x^T |   * n | grad_y |
      +--------+      +--------+      +-----+       +--------+      +-----+       +--------+

By hand, for one image:

    x = (1, 2)     w = 10 20      grad_x = (3*10 + 1*20,  3*30 + 1*40) = (50, 130)
                       30 40      grad_w = 1*3 1*1  =  3 1
    grad_y = (3, 1)                        2*3 2*1     6 2        grad_b = (3, 1)

Write `dense_backward` below.

Then:  jitcnn learn lesson 2 --check
"""

import numpy as np


def dense_backward(grad_y: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return grad_x (n, k), grad_w (k, o) and grad_b (o,).

    grad_y is (n, o), x (n, k) and w (k, o).
    """
    raise NotImplementedError
