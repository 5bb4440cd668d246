"""Padding of layers: words, integers and pairs made into pixels on each side."""

from typing import Any

from jitcnn.forms.geometry import Sides, sides, window_counts

WORDS = (None, "valid", "zero", "same", "edge")


def padding_setting(padding: Any) -> Any:
    """A layer's `padding` argument, checked: a word, or numbers as they came.

    Raises
    ------
    ValueError
        If it is no such word, nor an integer, a pair, or two pairs of integers from 0 up.
    """
    if padding is None or isinstance(padding, str):
        if padding not in WORDS:
            words = ", ".join(map(repr, WORDS))
            raise ValueError(
                f"padding is {padding!r}, expected one of {words}, an integer, (rows, columns) or ((top, bottom), (left, right))"
            )
        return padding
    sides(padding)
    return padding


def padding_sides(padding: Any, image: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int]) -> Sides:
    """((top, bottom), (left, right)) in pixels.

    The words "zero", "same" and "edge" give ceil(size / stride) windows an axis; an odd pixel goes behind, as in TensorFlow and PyTorch.
    """
    if padding is None or padding == "valid":
        return (0, 0), (0, 0)
    if isinstance(padding, str):
        rows, columns = (same_sides(*axis) for axis in zip(image[:2], kernel, stride, strict=True))
        return rows, columns
    return sides(padding)


def same_sides(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels before and behind one axis, so that ceil(size / stride) windows fit.

    >>> same_sides(28, 3, 1), same_sides(28, 3, 2), same_sides(28, 2, 1)
    ((1, 1), (0, 1), (0, 1))
    """
    windows = -(-size // stride)
    total = max((windows - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def padded(image: tuple[int, ...], around: Sides) -> tuple[int, int, int]:
    """The shape of an image with its padding."""
    (top, bottom), (left, right) = around
    return image[0] + top + bottom, image[1] + left + right, image[2]


def images_only(name: str, input_shape: tuple[int, ...]) -> None:
    """Raise a ValueError unless a layer's input is an image."""
    if len(input_shape) != 3:
        raise ValueError(f"{name} takes images (rows, columns, channels), and its input is {input_shape}: put it before Flatten and Dense")


def windows(
    name: str, what: str, image: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int], around: Sides
) -> tuple[int, int]:
    """Rows and columns of a layer's output; a ValueError that names the layer if nothing is left of the image."""
    try:
        return window_counts(image[:2], kernel, stride, around)
    except ValueError:
        rows, columns, _ = padded(image, around)
        with_padding = f", {rows} x {columns} with its padding" if (rows, columns) != image[:2] else ""
        raise ValueError(
            f"{name}: nothing would be left of its input of {image[0]} x {image[1]} pixels{with_padding}, since its {what} is "
            f"{kernel[0]} x {kernel[1]}: make the {what} smaller, give padding='same', or pool less before it"
        ) from None
