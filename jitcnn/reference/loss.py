"""Losses: one number for each sample, and the gradient of their mean over the batch.

    cross_entropy          -log(softmax(logits)[label])                      grad = (softmax(logits) - onehot) / n
    soft_cross_entropy     sum over k of -t * log(softmax(logits))           grad = (softmax(logits) * sum(t) - t) / n
    binary_cross_entropy   mean over k of                                    grad = (sigmoid(logits) - t) / (n * k)
                           -t * log(p) - (1 - t) * log(1 - p), p = sigmoid(logits)
    mse                    mean over k of (y - t)**2                         grad = 2 * (y - t) / (n * k)

The cross-entropies work on logits, the numbers before softmax or sigmoid: together with those, loss and gradient
become simple and stay exact however large the numbers are. A NaN in a sample gives a NaN loss and gradient.

    logits --softmax--> probabilities --cross_entropy--> loss         logits (0, log 3), label 0:
       ^                                                  |           probabilities (1/4, 3/4), loss log 4
       +----------- grad = probabilities - onehot <-------+           grad (1/4 - 1, 3/4)
"""

import math


def cross_entropy(logits, labels, losses, grad):
    """Cross-entropy of the softmax of `logits` against class numbers.

    Parameters
    ----------
    logits : array (n, k)
    labels : int64 array (n,)
        Class numbers, 0 to k - 1.
    losses : array (n,)
        Written: the loss of each sample.
    grad : array (n, k)
        Written: the gradient of the mean loss with respect to `logits`.

    Examples
    --------
    >>> import numpy as np
    >>> losses, grad = np.empty(1), np.empty((1, 2))
    >>> cross_entropy(np.array([[0.0, np.log(3.0)]]), np.array([0]), losses, grad)
    >>> bool(np.isclose(losses[0], np.log(4.0)))
    True
    >>> grad.round(4)
    array([[-0.75,  0.75]])
    """
    samples, classes = logits.shape
    for n in range(samples):
        largest = logits[n, 0]
        for k in range(classes):
            if logits[n, k] > largest:
                largest = logits[n, k]
        total = 0.0
        for k in range(classes):
            total += math.exp(logits[n, k] - largest)
        losses[n] = math.log(total) - (logits[n, labels[n]] - largest)
        for k in range(classes):
            grad[n, k] = math.exp(logits[n, k] - largest) / total / samples
        grad[n, labels[n]] -= 1.0 / samples


def soft_cross_entropy(logits, targets, losses, grad):
    """Cross-entropy of the softmax of `logits` against shares of classes: one-hot rows give what `cross_entropy` does.

    Parameters
    ----------
    logits : array (n, k)
    targets : array (n, k)
        The share of each class; a row's sum is 1.
    losses : array (n,)
        Written: the loss of each sample.
    grad : array (n, k)
        Written: the gradient of the mean loss with respect to `logits`.

    Examples
    --------
    >>> import numpy as np
    >>> losses, grad = np.empty(1), np.empty((1, 2))
    >>> soft_cross_entropy(np.array([[0.0, np.log(3.0)]]), np.array([[0.25, 0.75]]), losses, grad)
    >>> bool(np.isclose(losses[0], 0.25 * np.log(4.0) + 0.75 * np.log(4.0 / 3.0)))
    True
    >>> np.abs(grad.round(4))
    array([[0., 0.]])
    """
    samples, classes = logits.shape
    for n in range(samples):
        largest = logits[n, 0]
        for k in range(classes):
            if logits[n, k] > largest:
                largest = logits[n, k]
        total, wanted, chosen = 0.0, 0.0, 0.0
        for k in range(classes):
            total += math.exp(logits[n, k] - largest)
            wanted += targets[n, k]
            chosen += targets[n, k] * (logits[n, k] - largest)
        losses[n] = wanted * math.log(total) - chosen
        for k in range(classes):
            grad[n, k] = (math.exp(logits[n, k] - largest) / total * wanted - targets[n, k]) / samples


def smooth_labels(targets, smoothing, y):
    """Move a part of every target to all classes alike, so that no output is driven to infinity (Szegedy et al., 2016, section 7).

    Parameters
    ----------
    targets : array (n, k)
        The share of each class.
    smoothing : float64 array (1,)
        How large a part.
    y : array (n, k)
        Written: (1 - smoothing) * targets + smoothing / k. May be `targets`.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.empty((1, 4))
    >>> smooth_labels(np.array([[0.0, 1.0, 0.0, 0.0]]), np.array([0.2]), y)
    >>> y.round(4)
    array([[0.05, 0.85, 0.05, 0.05]])
    """
    samples, classes = targets.shape
    for n in range(samples):
        for k in range(classes):
            y[n, k] = (1.0 - smoothing[0]) * targets[n, k] + smoothing[0] / classes


def binary_cross_entropy(logits, targets, losses, grad):
    """Cross-entropy of the sigmoid of every logit against its own target.

    With p = sigmoid(z) the loss -t log(p) - (1 - t) log(1 - p) is max(z, 0) - z t + log(1 + exp(-|z|)), without overflow.

    Parameters
    ----------
    logits : array (n, k)
    targets : array (n, k)
        Between 0 and 1.
    losses : array (n,)
        Written: the mean over the k outputs of each sample.
    grad : array (n, k)
        Written: the gradient of the mean loss with respect to `logits`.

    Examples
    --------
    >>> import numpy as np
    >>> losses, grad = np.empty(1), np.empty((1, 2))
    >>> binary_cross_entropy(np.array([[0.0, 1e4]]), np.array([[1.0, 0.0]]), losses, grad)
    >>> bool(np.isclose(losses[0], (np.log(2.0) + 1e4) / 2))
    True
    >>> grad
    array([[-0.25,  0.5 ]])
    """
    samples, outputs = logits.shape
    for n in range(samples):
        total = 0.0
        for k in range(outputs):
            z = logits[n, k]
            small = math.exp(-abs(z))
            total += math.log1p(small) - z * targets[n, k]
            if z >= 0.0:
                total += z
                probability = 1.0 / (1.0 + small)
            else:
                probability = small / (1.0 + small)
            grad[n, k] = (probability - targets[n, k]) / (samples * outputs)
        losses[n] = total / outputs


def mse(y, targets, losses, grad):
    """Mean of the squared differences.

    Parameters
    ----------
    y, targets : array (n, k)
    losses : array (n,)
        Written: the mean over the k outputs of each sample.
    grad : array (n, k)
        Written: the gradient of the mean loss with respect to `y`.

    Examples
    --------
    >>> import numpy as np
    >>> losses, grad = np.empty(1), np.empty((1, 2))
    >>> mse(np.array([[1.0, 5.0]]), np.array([[1.0, 2.0]]), losses, grad)
    >>> losses, grad
    (array([4.5]), array([[0., 3.]]))
    """
    samples, outputs = y.shape
    for n in range(samples):
        total = 0.0
        for k in range(outputs):
            difference = y[n, k] - targets[n, k]
            total += difference * difference
            grad[n, k] = 2.0 * difference / (samples * outputs)
        losses[n] = total / outputs
