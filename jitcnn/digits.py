"""Digits of one's own: from a photograph or drawing of a digit to an image as MNIST has it.

MNIST's makers put each digit, its proportions kept, into a box of 20 x 20 pixels, and that box into 28 x 28 so that the digit's centre of
mass lies in the middle (Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition, Proceedings
of the IEEE 86 (11), 1998, section III.A). A network that learned from such images reads others badly: `digit` does to any picture what
they did, after it has found the digit. Step by step:

    light      the paper's brightness, a surface fitted to the picture, is taken away: gradients of light and vignettes go
    ink        what is left is ink where it differs most; dark or light is told by the side to which it differs
    mask       ink or paper, by Otsu's threshold
    lines      rows and columns that are ink from end to end are ruled lines; where a stroke crosses one, the gap is closed
    digit      the largest connected parts; the frame and specks go
    strokes    made as thick as MNIST's, if they are much thinner
    box        cropped, scaled to 20 pixels, centred by mass
"""

from __future__ import annotations

import numpy as np

from jitcnn.pixels import resample

BOX, SIZE = 20, 28  # pixels, as MNIST has them
WORKING_SIZE = 240  # pixels on the longer side within which the digit is sought
FITTED = 5_000  # pixels, about, to which the light is fitted
LEAST_CONTRAST = 12  # grey levels between paper and ink
LEAST_PART = 0.08  # a part of the digit has at least this share of the largest part's pixels
THIN, THICK = 0.09, 0.14  # width of a stroke over the digit's longer side


def digit(picture: np.ndarray, dark_ink: bool | None = None) -> np.ndarray:
    """Find the digit in a picture and draw it as MNIST's makers did.

    Parameters
    ----------
    picture : uint8 or float array (rows, columns)
        Grey levels from 0 to 255, of any size.
    dark_ink
        Whether the digit is darker than its paper; found out if None.

    Returns
    -------
    uint8 array (28, 28)
        Light on dark.

    Raises
    ------
    ValueError
        If there is nothing on the paper.
    """
    ink = find_ink(smaller(np.asarray(picture, np.float32)), dark_ink)
    mask = ink > max(otsu(ink), 0.25 * ink.max())
    mask = largest_parts(without_lines(mask))
    if not mask.any():
        raise ValueError("no digit found: nothing in the picture is connected enough to be one")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    drawn = np.where(grown(mask), ink, 0)[part] / np.percentile(ink[mask], 75)
    return centred(scaled(thickened(np.clip(drawn, 0, 1), mask[part])))


def smaller(picture: np.ndarray) -> np.ndarray:
    """The picture with at most `WORKING_SIZE` pixels on its longer side."""
    factor = WORKING_SIZE / max(picture.shape)
    return picture if factor >= 1 else resized(picture, factor)


def resized(picture: np.ndarray, factor: float) -> np.ndarray:
    """The picture scaled, antialiased."""
    rows, columns = (max(1, round(size * factor)) for size in picture.shape)
    return resample(picture[..., None].astype(np.float32), rows, columns)[..., 0]


def find_ink(picture: np.ndarray, dark_ink: bool | None = None) -> np.ndarray:
    """How much each pixel differs from the paper, in the direction of the ink; 0 and up. Ink is where few pixels differ much.

    The paper's light is a polynomial of degree 2 in rows and columns, fitted by least squares again and again without what lies far off it.
    """
    y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in picture.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values = picture.reshape(-1).astype(np.float64)
    some = slice(None, None, 1 + values.size // FITTED)
    few_terms, few = terms[some], values[some]
    distance = np.abs(few - np.median(few))
    for _ in range(8):
        paper = distance <= 3 * np.median(distance) + 1
        inside = few_terms[paper]
        factors = np.linalg.lstsq(inside.T @ inside, inside.T @ few[paper])[0]
        distance = np.abs(few - few_terms @ factors)
    difference = (values - terms @ factors).reshape(picture.shape)
    if dark_ink is None:
        dark_ink = (difference**3).sum() < 0
    ink = np.maximum(-difference if dark_ink else difference, 0)
    if ink.max() < LEAST_CONTRAST:
        raise ValueError("no digit found: the picture is of one colour")
    return ink


def otsu(values: np.ndarray) -> float:
    """The threshold that leaves the least variance within both groups.

    N. Otsu: A threshold selection method from gray-level histograms, IEEE Transactions on Systems, Man, and Cybernetics 9 (1), 1979.
    """
    counts, edges = np.histogram(values, 128)
    middles = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts), counts.sum() - np.cumsum(counts)
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[1 + np.nanargmax(between[:-1])])


def grown(values: np.ndarray) -> np.ndarray:
    """The largest of each pixel and its eight neighbours."""
    for _ in range(2):
        padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
        values = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:]).T
    return values


def without_lines(mask: np.ndarray) -> np.ndarray:
    """The mask without ruled lines, horizontal and vertical; strokes that cross one stay whole."""
    cleaned = mask
    for _ in range(2):
        cleaned = without_ruled_rows(cleaned.T)
    return cleaned


def without_ruled_rows(mask: np.ndarray) -> np.ndarray:
    """The mask without rows that are mostly ink, from edge to edge; a pixel in them stays where there is ink above and below."""
    ends = max(1, mask.shape[1] // 20)
    ruled = (mask.mean(axis=1) > 0.6) & mask[:, :ends].any(axis=1) & mask[:, -ends:].any(axis=1)
    cleaned = mask.copy()
    for first, last in runs(ruled):
        above = mask[first - 1] if first > 0 else np.zeros_like(mask[0])
        below = mask[last + 1] if last + 1 < len(mask) else np.zeros_like(mask[0])
        cleaned[first : last + 1] = grown(above[None])[0] & grown(below[None])[0]
    return cleaned


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """(first, last) of each run of true flags."""
    steps = np.diff(np.concatenate([[0], flags.astype(int), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), (np.flatnonzero(steps == -1) - 1).tolist(), strict=True))


def components(mask: np.ndarray) -> np.ndarray:
    """A number for each pixel, the same within what is connected (also corner to corner), and `mask.size` outside.

    Each pixel takes the least number around it, then the number of the pixel that this names: chains shorten by half each time.
    """
    outside = mask.size
    labels = np.where(mask, np.arange(mask.size).reshape(mask.shape), outside)
    while True:
        least = np.where(mask, outside - grown(outside - labels), outside)
        least = np.append(least.reshape(-1), outside)[least]
        if (least == labels).all():
            return labels
        labels = least


def largest_parts(mask: np.ndarray) -> np.ndarray:
    """The mask of the largest connected part, and of others near it that are not much smaller: the bar of a 5 may stand alone.

    What touches the picture's border is its frame, the table's edge or a shadow, unless there is nothing else.
    """
    labels = components(mask)
    border = {*labels[0], *labels[-1], *labels[:, 0], *labels[:, -1]}
    names, counts = np.unique(labels[mask], return_counts=True)
    inside = np.array([name not in border for name in names], bool)
    if (counts * inside).max(initial=0) >= LEAST_PART * counts.max(initial=0):
        names, counts = names[inside], counts[inside]
    return np.isin(labels, names[counts >= LEAST_PART * counts.max(initial=0)]) & mask


def thickened(drawn: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Strokes of at least `THIN` of the digit's size: thinner ones would fade away when it is scaled down."""
    around = np.pad(mask, 1)
    edge = around & grown(~around)
    width = 2 * mask.sum() / edge.sum()
    longer = max(mask.shape)
    if width >= THIN * longer:
        return drawn
    for _ in range(round((THICK * longer - width) / 2)):
        drawn = grown(np.pad(drawn, 1))
    return drawn


def scaled(drawn: np.ndarray) -> np.ndarray:
    """The digit with 20 pixels on its longer side."""
    return np.clip(resized(drawn, BOX / max(drawn.shape)), 0, 1)


def centred(drawn: np.ndarray) -> np.ndarray:
    """The digit in 28 x 28 pixels, its centre of mass in the middle."""
    image = np.zeros((SIZE, SIZE), np.uint8)
    corner = []
    for axis, size in enumerate(drawn.shape):
        mass = drawn.sum(axis=1 - axis)
        middle = (mass * (np.arange(size) + 0.5)).sum() / mass.sum()
        corner.append(min(max(round(SIZE / 2 - middle), 0), SIZE - size))
    image[corner[0] : corner[0] + drawn.shape[0], corner[1] : corner[1] + drawn.shape[1]] = np.round(255 * drawn)
    return image
