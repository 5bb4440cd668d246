"""Augmentation: every image that is trained on comes a little different each epoch: moved, turned, lit, covered, mixed.

An output pixel (i, j) takes its value from a place (r, c) of the image, by an affine map about the middle; between four
pixels it is interpolated, and outside of the image the nearest pixel of its edge counts:

    r = middle_r + shift_r + yy * (i - middle_r) + yx * (j - middle_c)           p q      (1 - v) * ((1 - u) * p + u * q)
    c = middle_c + shift_c + xy * (i - middle_r) + xx * (j - middle_c)           s t    +      v  * ((1 - u) * s + u * t)

Then light, in units of the image's range (its largest minus its smallest number), about its mean m; and what is erased is m:

    value = m + contrast * (value - m) + range * (brightness + noise)

Last, mixup:  y = (1 - weight) * y + weight * (another image of the order, augmented too); labels mix alike.

As in `jitcnn.reference.dropout`, random numbers are hashes of where they are used: of the seed, the epoch and the image's
number in the data. An image's bits depend on nothing else, such as the batch that it is in.

`settings` say how much, each a largest value, in this order:

    0 shift       share of rows and columns                     5 brightness  in ranges, up or down
    1 rotate      radians, to either side                       6 contrast    factor 1 - contrast to 1 + contrast
    2 scale       factor 1 - scale to 1 + scale                 7 erase       share of rows and columns of a rectangle
    3 shear       radians, to either side                       8 noise       standard deviation, in ranges
    4 flip        chance to be mirrored, left to right          9 mixup       weight of the other image, at most 0.5

Mixup: Zhang et al., "mixup: Beyond Empirical Risk Minimization" (2018); its weights for alpha = 1 are `mixup` = 0.5. Erasing:
DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout" (2017).
"""

import math

import numpy as np
from numba import prange
from numba.extending import register_jitable

from jitcnn.reference.dropout import image_key, random_bits
from jitcnn.reference.image import mean_and_deviation

#: What the first hashes of an image decide; one more keys its noise.
ANGLE, ZOOM, SLANT, ROWS, COLUMNS, MIRROR, BRIGHTNESS, CONTRAST, NOISE, TALL, WIDE, TOP, LEFT, WEIGHT, PARTNER, PIXELS = range(16)


@register_jitable
def share(key, i):
    """A number from 0 up to, not including, 1.

    >>> share(12345, 0)
    0.23545514699071646
    """
    return random_bits(key, i) / 4294967296.0


@register_jitable
def either_side(key, i):
    """A number from -1 up to, not including, 1."""
    return random_bits(key, i) / 2147483648.0 - 1.0


@register_jitable
def affine_map(key, settings, rows, columns):
    """(r0, yy, yx, c0, xy, xx): an output pixel (i, j) shows the place (r0 + yy * i + yx * j, c0 + xy * i + xx * j).

    Without any change, it is the pixel itself:

    >>> [float(abs(part)) for part in affine_map(12345, np.zeros(10), 28, 28)]
    [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    """
    angle, zoom = settings[1] * either_side(key, ANGLE), 1.0 / (1.0 + settings[2] * either_side(key, ZOOM))
    slant = math.tan(settings[3] * either_side(key, SLANT))
    cosine, sine = math.cos(angle), math.sin(angle)
    yy, yx = zoom * (cosine - slant * sine), 0.0 - zoom * sine
    xy, xx = zoom * (sine + slant * cosine), zoom * cosine
    if share(key, MIRROR) < settings[4]:
        yx, xx = -yx, -xx
    middle_r, middle_c = (rows - 1) / 2, (columns - 1) / 2
    r0 = middle_r + settings[0] * either_side(key, ROWS) * rows - yy * middle_r - yx * middle_c
    c0 = middle_c + settings[0] * either_side(key, COLUMNS) * columns - xy * middle_r - xx * middle_c
    return r0, yy, yx, c0, xy, xx


@register_jitable
def erased(key, settings, rows, columns):
    """(top, bottom, left, right): the rectangle that is erased; without pixels if top == bottom or left == right."""
    height = int(share(key, TALL) * (int(settings[7] * rows) + 1))
    width = int(share(key, WIDE) * (int(settings[7] * columns) + 1))
    top, left = int(share(key, TOP) * (rows - height + 1)), int(share(key, LEFT) * (columns - width + 1))
    return top, top + height, left, left + width


@register_jitable
def mixed_with(key, settings, partners):
    """(weight, place): how much of another image is mixed in, and that image's place in the order, of `partners` places."""
    return settings[9] * share(key, WEIGHT), int(share(key, PARTNER) * partners)


@register_jitable
def normal(bits):
    """About a normal number, mean 0 and standard deviation 1: the sum of the four bytes of 32 random bits.

    >>> round(normal(0), 4), round(normal(0xFFFFFFFF), 4)
    (-3.4506, 3.4506)
    """
    total = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24)
    return (total - 510) / 147.80053


@register_jitable
def mean_and_range(image):
    """Mean of all pixels and channels, and the largest minus the smallest."""
    pixels = image.reshape(image.size)
    total, low, high = 0.0, np.float64(pixels[0]), np.float64(pixels[0])
    for i in range(pixels.size):
        value = np.float64(pixels[i])
        total += value
        low, high = min(low, value), max(high, value)
    return total / pixels.size, high - low


@register_jitable
def between(image, r, c, channel):
    """The value at a place between pixels; outside, at the nearest place inside.

    >>> image = np.array([[[0.0], [10.0]], [[20.0], [30.0]]])
    >>> float(between(image, 0.5, 0.5, 0)), float(between(image, -3.0, 0.25, 0))
    (15.0, 2.5)
    """
    rows, columns, _ = image.shape
    r, c = min(max(r, 0.0), rows - 1.0), min(max(c, 0.0), columns - 1.0)
    top, left = int(r), int(c)
    bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
    v, u = r - top, c - left
    above = (1.0 - u) * image[top, left, channel] + u * image[top, right, channel]
    below = (1.0 - u) * image[bottom, left, channel] + u * image[bottom, right, channel]
    return (1.0 - v) * above + v * below


@register_jitable
def add_augmented(image, key, settings, weight, y):
    """y += weight * the augmented image."""
    rows, columns, channels = image.shape
    r0, yy, yx, c0, xy, xx = affine_map(key, settings, rows, columns)
    top, bottom, left, right = erased(key, settings, rows, columns)
    mean, extent = mean_and_range(image)
    contrast = 1.0 + settings[6] * either_side(key, CONTRAST)
    brightness = extent * settings[5] * either_side(key, BRIGHTNESS)
    noise, noise_key = extent * settings[8] * share(key, NOISE), random_bits(key, PIXELS)
    for i in range(rows):
        for j in range(columns):
            for c in range(channels):
                value = mean
                if not (top <= i < bottom and left <= j < right):
                    value = between(image, r0 + yy * i + yx * j, c0 + xy * i + xx * j, c)
                    value = mean + contrast * (value - mean) + brightness
                    if noise > 0.0:
                        value += noise * normal(random_bits(noise_key, (i * columns + j) * channels + c))
                y[i, j, c] += weight * value


def augment_images(images, order, position, turn, settings, y, normalize, seed):
    """Take the images of one batch, augmented, then standardised if asked.

    Parameters
    ----------
    images : uint8, float32 or float64 array (N, h, w, c)
    order : int64 array (N',)
        Numbers of images.
    position : int64 array (1,)
        Where in `order` the batch starts.
    turn : int64 array (2,)
        The number of the epoch, and how many places of `order`, from the first, hold images that may be mixed in.
    settings : float64 array (10,)
        How much; see above.
    y : float array (n, h, w, c)
        Written.
    normalize : int
        1: afterwards every image minus its mean, over its standard deviation. 0: as it is.
    seed : int

    Examples
    --------
    Mirrored for certain:

    >>> images, y = np.array([1, 2, 3], dtype=np.uint8).reshape(1, 1, 3, 1), np.empty((1, 1, 3, 1))
    >>> settings = np.array([0, 0, 0, 0, 1.0, 0, 0, 0, 0, 0])
    >>> augment_images(images, np.array([0]), np.array([0]), np.array([0, 1]), settings, y, 0, 7)
    >>> y.ravel()
    array([3., 2., 1.])
    """
    for n in prange(0, y.shape[0]):
        number = int(order[position[0] + n])
        key = image_key(seed, int(turn[0]), number)
        weight, place = mixed_with(key, settings, int(turn[1]))
        y[n] = 0.0
        add_augmented(images[number], key, settings, 1.0 - weight, y[n])
        if weight > 0.0:
            other = int(order[place])
            add_augmented(images[other], image_key(seed, int(turn[0]), other), settings, weight, y[n])
        if normalize == 1:
            mean, deviation = mean_and_deviation(y[n])
            if deviation == 0.0:
                deviation = 1.0
            for i in range(y.shape[1]):
                for j in range(y.shape[2]):
                    for c in range(y.shape[3]):
                        y[n, i, j, c] = (np.float64(y[n, i, j, c]) - mean) / deviation


def mix_labels(labels, order, position, turn, settings, y, seed):
    """Take the labels of one batch as `augment_images` mixes its images: shares of classes, or numbers.

    Parameters
    ----------
    labels : int64 array (N,) or float array (N, k)
        Class numbers below k, or targets.
    order, position, turn, settings, seed
        As for `augment_images`.
    y : float array (n, k)
        Written.

    Examples
    --------
    >>> settings = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5])
    >>> y = np.empty((1, 3))
    >>> mix_labels(np.array([0, 2]), np.array([0, 1]), np.array([0]), np.array([0, 2]), settings, y, 1)
    >>> y.round(2)
    array([[0.92, 0.  , 0.08]])
    """
    table = labels.reshape((labels.shape[0], labels.size // labels.shape[0]))
    for n in range(y.shape[0]):
        number = int(order[position[0] + n])
        weight, place = mixed_with(image_key(seed, int(turn[0]), number), settings, int(turn[1]))
        other = int(order[place])
        for k in range(y.shape[1]):
            if labels.ndim == 1:
                y[n, k] = (1.0 - weight) * (table[number, 0] == k) + weight * (table[other, 0] == k)
            else:
                y[n, k] = (1.0 - weight) * table[number, k] + weight * table[other, k]
