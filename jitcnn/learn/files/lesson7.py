"""Lesson 7: the gradient of softmax and cross-entropy.

The last layer gives a number for each class, a logit. Softmax makes probabilities of them, positive
and with sum 1, and the loss is large when the right class has a small one:

    p[n, k] = exp(logits[n, k]) / sum over j of exp(logits[n, j])
    L       = mean over n of  -log(p[n, label of n])

    logits  ---softmax--->  p  ---cross-entropy--->  L             logits (0, log 3), label 0:
       ^                                             |                 p = (1/4, 3/4),  L = log 4
       +----------------  gradient  <----------------+                 gradient = (1/4 - 1, 3/4)

Put one into the other and take the derivative: log and exp cancel, and what is left is simple,

    grad[n, k] = (p[n, k] - (1 if k is the label of n else 0)) / number of images

the probability that it gave minus the one that it should have given. The division comes from the
mean. Numerically: exp(1000) is infinite. Take the largest logit of each image off first; that
cancels in the fraction.

Write `cross_entropy_grad` below.

Then:  jitcnn learn lesson 7 --check
"""

import numpy as np


def cross_entropy_grad(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the gradient (n, k) of the mean loss with respect to logits (n, k).

    labels (n,) holds class numbers from 0 to k - 1.
    """
    raise NotImplementedError
