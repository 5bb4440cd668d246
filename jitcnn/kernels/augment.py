"""Augmentation, with the numbers of `jitcnn.reference.augment`, which explains it, and whose draws for an image it shares.

The images stay where they are, outside the program, as for `take_images`; what is drawn depends on an image's number in them.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.dropout import ELEMENT, image_key, mix
from jitcnn.kernels.pointers import AT, float64_at, int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.reference import augment as draws

AugmentImages = record(
    y=Images, images=int, order=int, position=int, turn=int, settings=int, rows=int, columns=int, channels=int, normalize=int, seed=int
)
MixLabels = record(y=Images, labels=int, order=int, position=int, turn=int, settings=int, classes=int, seed=int)

BRIGHTNESS, CONTRAST, NOISE, PIXELS = draws.BRIGHTNESS, draws.CONTRAST, draws.NOISE, draws.PIXELS
affine_map, either_side, erased, mixed_with, share = draws.affine_map, draws.either_side, draws.erased, draws.mixed_with, draws.share


@inline()
def normal(bits):
    """About a normal number: the sum of the four bytes of 32 random bits."""
    total = np.int32(bits & np.uint32(255)) + np.int32(bits >> np.uint32(8) & np.uint32(255))
    total += np.int32(bits >> np.uint32(16) & np.uint32(255)) + np.int32(bits >> np.uint32(24))
    return (total - 510) / 147.80053


@inline()
def mean_and_range(pixels):
    """Mean of all pixels and channels, and the largest minus the smallest."""
    low, high = pixels[0], pixels[0]
    for i in range(pixels.size):
        low, high = min(low, pixels[i]), max(high, pixels[i])
    total = 0.0
    for i in range(pixels.size):
        total += np.float64(pixels[i])
    return total / pixels.size, np.float64(high) - np.float64(low)


@functools.cache
def add_augmented(real: type):
    """add(a, n, first, worker, image, key, weight, start): y[n] += weight * the augmented image; at the start, y[n] = that.

    `image` is a pointer: unlike an array's, its indices are never taken for ones that count from the end.
    """
    line = ACCESS[real][0]

    @inline(real.__name__)
    def add(a, n, first, worker, image, key, weight, start):
        settings, rows, columns, channels, own = carray(float64_at(a.settings), (10,)), a.rows, a.columns, a.channels, np.int64(key)
        r0, yy, yx, c0, xy, xx = affine_map(own, settings, rows, columns)
        top, bottom, left, right = erased(own, settings, rows, columns)
        mean, extent = mean_and_range(carray(image, (rows * columns * channels,)))
        scale = weight * (1.0 + settings[6] * either_side(own, CONTRAST))
        lift = weight * mean + weight * extent * settings[5] * either_side(own, BRIGHTNESS)
        noise = weight * extent * settings[8] * share(own, NOISE)
        noise_key = mix(np.uint32(np.uint32(np.uint32(PIXELS) * ELEMENT) + key))
        last_row, last_column, width = rows - 1, columns - 1, columns * channels
        for i in range(rows):
            y = line(a.y, n, first, worker, i, width)
            hidden, shown = (left * channels, right * channels) if top <= i < bottom else (0, 0)
            if start:
                y[:] = real(0)
            for j in range(columns):
                r = min(max(r0 + yy * i + yx * j, 0.0), np.float64(last_row))
                c = min(max(c0 + xy * i + xx * j, 0.0), np.float64(last_column))
                above, before = np.int64(r), np.int64(c)
                v, u = r - above, c - before
                above, below = above * width, min(above + 1, last_row) * width
                before, behind = before * channels, min(before + 1, last_column) * channels
                for k in range(channels):
                    p, q = np.float64(image[above + before + k]), np.float64(image[above + behind + k])
                    s, t = np.float64(image[below + before + k]), np.float64(image[below + behind + k])
                    value = scale * ((1.0 - v) * ((1.0 - u) * p + u * q) + v * ((1.0 - u) * s + u * t) - mean) + lift
                    at = j * channels + k
                    y[at] = real(np.float64(y[at]) + (weight * mean if hidden <= at < shown else value))
            if noise > 0.0:
                for at in range(width):
                    bits = mix(np.uint32(np.uint32(np.uint32(i * width + at) * ELEMENT) + noise_key))
                    y[at] = real(np.float64(y[at]) + (0.0 if hidden <= at < shown else noise * normal(bits)))

    return add


@functools.cache
def standardize(real: type):
    """standardize(a, n, first, worker): image n of y minus its mean, over its standard deviation."""
    line = ACCESS[real][0]

    @inline(real.__name__)
    def standardize_of(a, n, first, worker):
        width = a.columns * a.channels
        base = np.float64(line(a.y, n, first, worker, 0, width)[0])  # so that an image of one colour has exactly 0
        total = 0.0
        for i in range(a.rows):
            y = line(a.y, n, first, worker, i, width)
            for at in range(width):
                total += np.float64(y[at]) - base
        mean = base + total / (a.rows * width)
        squares = 0.0
        for i in range(a.rows):
            y = line(a.y, n, first, worker, i, width)
            for at in range(width):
                difference = np.float64(y[at]) - mean
                squares += difference * difference
        deviation = math.sqrt(squares / (a.rows * width))
        scale = 1.0 / deviation if deviation != 0.0 else 1.0
        for i in range(a.rows):
            y = line(a.y, n, first, worker, i, width)
            for at in range(width):
                y[at] = real((np.float64(y[at]) - mean) * scale)

    return standardize_of


@functools.cache
def augment_images_kernel(pixel: type, real: type):
    """y[n] = images[order[position + n]], augmented, and standardised if asked."""
    at, pixel_bytes, add, standardize_of = AT[pixel], np.dtype(pixel).itemsize, add_augmented(real), standardize(real)

    @kernel(AugmentImages, (pixel.__name__, real.__name__), f"augment_images {pixel.__name__} {real.__name__}")
    def augment_images(arguments, first, last, worker):
        a = only(arguments)
        size = a.rows * a.columns * a.channels
        order, position, turn = int64_at(a.order), int64_at(a.position)[0], int64_at(a.turn)
        settings = carray(float64_at(a.settings), (10,))
        for n in range(first, last):
            number = order[position + n]
            key = image_key(a.seed, turn[0], number)
            weight, place = mixed_with(np.int64(key), settings, turn[1])
            add(a, n, first, worker, at(a.images + number * size * pixel_bytes), key, 1.0 - weight, True)
            if weight > 0.0:
                other = order[place]
                key = image_key(a.seed, turn[0], other)
                add(a, n, first, worker, at(a.images + other * size * pixel_bytes), key, weight, False)
            if a.normalize == 1:
                standardize_of(a, n, first, worker)

    return augment_images


@functools.cache
def mix_labels_kernel(kind: type, real: type):
    """y[n] = the mixture of the labels of the images that `augment_images` mixes."""
    at, line, numbered = AT[kind], ACCESS[real][0], kind is np.int64

    @kernel(MixLabels, (kind.__name__, real.__name__), f"mix_labels {kind.__name__} {real.__name__}")
    def mix_labels(arguments, first, last, worker):
        a = only(arguments)
        labels, order, position, turn = at(a.labels), int64_at(a.order), int64_at(a.position)[0], int64_at(a.turn)
        settings = carray(float64_at(a.settings), (10,))
        for n in range(first, last):
            number = order[position + n]
            weight, place = mixed_with(np.int64(image_key(a.seed, turn[0], number)), settings, turn[1])
            other = order[place]
            y = line(a.y, n, first, worker, 0, a.classes)
            for k in range(a.classes):
                if numbered:
                    y[k] = real((1.0 - weight) * (labels[number] == k) + weight * (labels[other] == k))
                else:
                    y[k] = real((1.0 - weight) * labels[number * a.classes + k] + weight * labels[other * a.classes + k])

    return mix_labels


def augment_images(
    program: Program, images: np.ndarray, order: np.ndarray, position: np.ndarray, turn: np.ndarray, settings: np.ndarray, y: Buffer,
    normalize: int, seed: int,
) -> None:  # fmt: skip
    """The augmented images of a batch, from an array whose length does not matter: `Program.bind` may exchange it."""
    _, rows, columns, channels = y.shape
    program.row(
        augment_images_kernel, {"pixel": images.dtype.type, "real": y.dtype.type}, AugmentImages, ("y",),
        y=y, images=images, order=order, position=position, turn=turn, settings=settings, rows=rows, columns=columns, channels=channels,
        normalize=normalize, seed=seed,
    )  # fmt: skip


def mix_labels(
    program: Program, labels: np.ndarray, order: np.ndarray, position: np.ndarray, turn: np.ndarray, settings: np.ndarray, y: Buffer,
    seed: int,
) -> None:  # fmt: skip
    """The mixed labels of a batch, from an array whose length does not matter."""
    program.row(
        mix_labels_kernel, {"kind": labels.dtype.type, "real": y.dtype.type}, MixLabels, ("y",),
        y=program.contiguous(y), labels=labels, order=order, position=position, turn=turn, settings=settings, classes=y.shape[1], seed=seed,
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {"augment_images": augment_images, "mix_labels": mix_labels}
