"""A sheet of examples as one picture: a row a class, its name in front, and the same pictures augmented."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.decoding import import_pillow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jitcnn.augmentation import Augmentation
    from jitcnn.data.dataset import Dataset

SMALLEST, LARGEST = 64, 128  # pixels of the longer side of an example, as it is shown
GAP, MARGIN = 4, 8
MOST_CLASSES = 40
FONT_SIZE = 14
MOST_LETTERS = 30  # of a class's name
PAPER, INK, FAINT = 255, 0, 110


def examples(labels: np.ndarray, classes: int, count: int, seed: int) -> list[np.ndarray]:
    """For each class the numbers of up to `count` images of it, drawn without repetition."""
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(len(labels))
    return [shuffled[labels[shuffled] == number][:count] for number in range(classes)]


def augmented(x: np.ndarray, number: int, count: int, augmentation: Augmentation, others: np.ndarray, seed: int) -> np.ndarray:
    """An image as it is trained on in `count` epochs; mixed with one of `others` where images are mixed."""
    from jitcnn import kernels

    order = np.concatenate([[number], others[others != number]])
    amounts = augmentation.to_dict()
    return np.concatenate([kernels.augment_images(x, order, seed=seed, epoch=epoch, **amounts)[:1] for epoch in range(count)])


def rows_of(dataset: Dataset, count: int, augmentation: Augmentation | None, seed: int) -> list[tuple[str, np.ndarray]]:
    """(name, pictures) a class: examples, or one example followed by what augmentation makes of it."""
    drawn = examples(dataset.y, len(dataset.classes), count if augmentation is None else 1, seed)
    shown = [(name, numbers) for name, numbers in zip(dataset.classes, drawn, strict=True) if len(numbers)][:MOST_CLASSES]
    if augmentation is None:
        return [(name, dataset.x[np.sort(numbers)]) for name, numbers in shown]
    others = np.array([numbers[0] for _, numbers in shown])
    return [
        (name, np.concatenate([dataset.x[numbers], augmented(dataset.x, numbers[0], count - 1, augmentation, others, seed)]))
        for name, numbers in shown
    ]


def as_bytes(pictures: np.ndarray, low: float, high: float) -> np.ndarray:
    """Numbers from low to high as grey or colour bytes (n, rows, columns, 3); what lies outside is cut off."""
    scaled = np.clip((pictures.astype(np.float64) - low) * (255 / ((high - low) or 1)), 0, 255).round().astype(np.uint8)
    return np.repeat(scaled[..., :1], 3, axis=3) if scaled.shape[3] < 3 else scaled[..., :3]


def draw(rows: Sequence[tuple[str, np.ndarray]], low: float, high: float) -> Any:
    """The sheet as a Pillow image.

    Parameters
    ----------
    rows
        A name and pictures (n, rows, columns, channels) each.
    low, high
        The numbers that are shown black and white.
    """
    Image = import_pillow("drawing pictures")
    from PIL import ImageDraw

    height, width = rows[0][1].shape[1:3]
    longer = max(height, width)
    zoom = max(1, SMALLEST // longer) if longer < LARGEST else LARGEST / longer
    high_as_shown, wide_as_shown = max(1, round(height * zoom)), max(1, round(width * zoom))
    rows = [(name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 3]}...", pictures) for name, pictures in rows]
    font = font_for([name for name, _ in rows])
    text = max(int(font.getlength(name)) for name, _ in rows) + 2 * MARGIN
    most = max(len(pictures) for _, pictures in rows)
    sheet = Image.new("RGB", (text + most * (wide_as_shown + GAP) + MARGIN, len(rows) * (high_as_shown + GAP) + 2 * MARGIN), (PAPER,) * 3)
    pen = ImageDraw.Draw(sheet)
    for row, (name, pictures) in enumerate(rows):
        top = MARGIN + row * (high_as_shown + GAP)
        pen.text((MARGIN, top + high_as_shown // 2), name, fill=(INK,) * 3, font=font, anchor="lm")
        for column, picture in enumerate(as_bytes(pictures, low, high)):
            method = Image.Resampling.NEAREST if zoom >= 1 else Image.Resampling.BOX
            sheet.paste(
                Image.fromarray(picture).resize((wide_as_shown, high_as_shown), method), (text + column * (wide_as_shown + GAP), top)
            )
    return sheet


def font_for(names: Sequence[str]) -> Any:
    """Pillow's own font, which has English letters alone; for others matplotlib's, if that is here."""
    from PIL import ImageFont

    if not all(map(str.isascii, names)):
        with contextlib.suppress(ImportError, OSError):
            from matplotlib.font_manager import findfont

            return ImageFont.truetype(findfont("DejaVu Sans"), FONT_SIZE)
    return ImageFont.load_default(FONT_SIZE)


def preview(
    dataset: Dataset, path: str | os.PathLike, *, count: int = 10, augmentation: Augmentation | None = None, seed: int = 0
) -> tuple[int, int]:
    """Draw examples of each class into a file, whose suffix says its kind.

    Parameters
    ----------
    dataset
        Images and labels.
    path
        Where the picture goes.
    count
        Pictures in a row.
    augmentation
        If given, the first picture of a row is an example, and the others what training would see of it.
    seed
        What is drawn.

    Returns
    -------
    (int, int)
        Width and height of the picture in pixels.
    """
    rows = rows_of(dataset, count, augmentation, seed)
    every = dataset.x[: 10 * MOST_CLASSES] if dataset.x.dtype != np.uint8 else np.array([0, 255])
    sheet = draw(rows, float(every.min()), float(every.max()))
    sheet.save(path)
    return sheet.size
