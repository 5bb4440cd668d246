"""Where a batch comes from, and how it is scored: images, labels and hits.

The data stay where they are; an order says which one comes when, and a position where the batch starts in the order:

    order      7  2  9  4  0  5  …
    position            ^ 3                 a batch of 2 takes images 4 and 0

    y[n] = images[order[position + n]]

Standardised, each image by itself:  (image - mean) / deviation,  so that a dark and a bright photograph of one thing look
alike. An image of one colour has deviation 0 and becomes zeros.
"""

import math

import numpy as np
from numba import prange
from numba.extending import register_jitable


@register_jitable
def mean_and_deviation(image):
    """Mean and standard deviation (of the population) over all pixels and channels of one image, in float64.

    Differences are taken from the first pixel, so that an image of one colour has a deviation of exactly 0.

    >>> mean, deviation = mean_and_deviation(np.array([[[1.0], [2.0]], [[3.0], [4.0]]]))
    >>> float(mean), round(deviation, 4)
    (2.5, 1.118)
    """
    pixels = image.reshape(image.size)
    first = np.float64(pixels[0])
    total = 0.0
    for i in range(pixels.size):
        total += np.float64(pixels[i]) - first
    mean = first + total / pixels.size
    squares = 0.0
    for i in range(pixels.size):
        difference = np.float64(pixels[i]) - mean
        squares += difference * difference
    return mean, math.sqrt(squares / pixels.size)


def take_images(images, order, position, y, normalize):
    """Copy the images of one batch, as floats, standardised if asked.

    Parameters
    ----------
    images : uint8, float32 or float64 array (N, h, w, c)
    order : int64 array (N',)
        Numbers of images.
    position : int64 array (1,)
        Where in `order` the batch starts.
    y : float array (n, h, w, c)
        Written.
    normalize : int
        1: every image minus its mean, over its standard deviation. 0: as it is.

    Examples
    --------
    >>> images = np.array([[1, 3], [50, 60], [7, 7]], dtype=np.uint8).reshape(3, 1, 2, 1)
    >>> y = np.empty((2, 1, 2, 1))
    >>> take_images(images, np.array([0, 1, 2, 0]), np.array([2]), y, 0)
    >>> y[:, 0, :, 0]
    array([[7., 7.],
           [1., 3.]])
    >>> take_images(images, np.array([0, 1, 2, 0]), np.array([2]), y, 1)
    >>> y[:, 0, :, 0]
    array([[ 0.,  0.],
           [-1.,  1.]])
    """
    batch, height, width, channels = y.shape
    for n in prange(0, batch):
        number = order[position[0] + n]
        mean, deviation = 0.0, 1.0
        if normalize == 1:
            mean, deviation = mean_and_deviation(images[number])
            if deviation == 0.0:
                deviation = 1.0
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    y[n, i, j, c] = (np.float64(images[number, i, j, c]) - mean) / deviation


def take_labels(labels, order, position, y):
    """Copy the labels of one batch.

    Parameters
    ----------
    labels : int64 array (N,) or float array (N, k)
        Class numbers, or targets.
    order, position : int64 arrays (N',) and (1,)
        As for `take_images`.
    y : array (n,) or (n, k)
        Written.

    Examples
    --------
    >>> y = np.empty(2, dtype=np.int64)
    >>> take_labels(np.array([10, 11, 12]), np.array([0, 1, 2, 0]), np.array([2]), y)
    >>> y
    array([12, 10])
    """
    batch = y.shape[0]
    rows_labels = labels.reshape((labels.shape[0], labels.size // labels.shape[0]))
    rows_y = y.reshape((batch, y.size // batch))
    for n in range(batch):
        number = order[position[0] + n]
        for k in range(rows_y.shape[1]):
            rows_y[n, k] = rows_labels[number, k]


def score(outputs, labels, hits, most):
    """Mark the samples whose class has one of the largest outputs (of equal outputs the first counts; NaN counts as larger).

    Parameters
    ----------
    outputs : array (n, k)
        Probabilities or logits.
    labels : int64 array (n,)
    hits : int64 array (n,)
        Written: 1 or 0.
    most : int
        How many of the largest outputs count; 1 for the largest alone.

    Examples
    --------
    >>> hits = np.empty(2, dtype=np.int64)
    >>> score(np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]), np.array([1, 1]), hits, 1)
    >>> hits
    array([1, 0])
    >>> score(np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]), np.array([1, 1]), hits, 2)
    >>> hits
    array([1, 1])
    """
    for n in range(outputs.shape[0]):
        label = labels[n]
        before = 0
        for k in range(outputs.shape[1]):
            if not outputs[n, k] <= outputs[n, label] or (k < label and outputs[n, k] == outputs[n, label]):
                before += 1
        hits[n] = before < most


def score_binary(outputs, targets, hits):
    """Mark the samples all of whose outputs are on their target's side of 0.5.

    Parameters
    ----------
    outputs : array (n, k)
        Probabilities.
    targets : array (n, k)
    hits : int64 array (n,)
        Written: 1 or 0.

    Examples
    --------
    >>> hits = np.empty(2, dtype=np.int64)
    >>> score_binary(np.array([[0.6, 0.1], [0.4, 0.9]]), np.array([[1.0, 0.0], [1.0, 1.0]]), hits)
    >>> hits
    array([1, 0])
    """
    for n in range(outputs.shape[0]):
        right = 1
        for k in range(outputs.shape[1]):
            if (outputs[n, k] > 0.5) != (targets[n, k] > 0.5):
                right = 0
        hits[n] = right
