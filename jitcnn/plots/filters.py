"""What convolutions look for: their kernels, by layer and channel."""

from typing import TYPE_CHECKING

import numpy as np

from jitcnn.layers import Conv2d
from jitcnn.plots.structure import layers_of, sees_channels_of_image
from jitcnn.plots.style import DIVERGING, Sheet, largest, picture, plural
from jitcnn.plots.tiles import centres, columns_for, mosaic, number_tiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jitcnn.model import CNN

WIDTH, LEFT, BAR = 12.0, 0.75, 1.15  # inches: of the sheet, before and behind a grid
GRID = WIDTH - LEFT - BAR
HIGHEST = 8.0
MOST_LAYERS = 8
MOST_FILTERS, MOST_CHANNELS = 64, 32  # of a layer whose filters are shown channel by channel
COLOURS = ("red", "green", "blue")


@picture
def filters(model: "CNN", layer: str | None = None) -> "Figure":
    """Draw the kernels of a model's convolutions.

    A layer on a single channel is a grid of its filters; the layer that sees a colour image, four: its filters as colours, and their
    red, green and blue parts; any other layer a table of a column a filter and a row an input channel. Red is above 0, blue below.

    Parameters
    ----------
    model : CNN
    layer : str, optional
        A layer's name, to draw it alone. At most 8 are drawn together, and, of a table, at most 64 filters and 32 channels: those with
        the largest weights.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If there is no convolution, none of that name, or no matplotlib.
    """
    found = layers_of(model, Conv2d, layer)
    left_out = [one.name for one in found[MOST_LAYERS:]]
    about = "Each small square is one kernel: red weights are above 0, blue below, white is 0; each layer has its own scale."
    if left_out:
        about += f" Not shown: {', '.join(left_out)}; name one as the layer."
    sheet = Sheet(WIDTH, "Filters", about)
    for one in found[:MOST_LAYERS]:
        _layer(sheet, one, as_colours=one.weights.shape[2] == 3 and sees_channels_of_image(model, one))
    return sheet.finish()


def _layer(sheet: Sheet, layer: Conv2d, as_colours: bool) -> None:
    weights = np.asarray(layer.weights.value, np.float64)
    rows, columns, channels, count = weights.shape
    sheet.top += 0.3
    name = f"{layer.name}: {plural(count, 'filter')} of {rows} x {columns} on {plural(channels, 'channel')}"
    sheet.line(name, 0.25, size=11, weight="bold")
    broken = weights.size - int(np.isfinite(weights).sum())
    if broken:
        sheet.paragraph(f"{plural(broken, 'weight')} of {weights.size:,} are not finite and left out: training diverged.")
    if channels == 1:
        _grid(sheet, weights[:, :, 0].transpose(2, 0, 1), LEFT, GRID, largest(weights))
    elif as_colours:
        _colours(sheet, weights)
    else:
        _table(sheet, weights)


def _grid(sheet: Sheet, tiles: np.ndarray, left: float, width: float, limit: float, top: float | None = None) -> None:
    """All filters of one channel, with their numbers, and the scale."""
    columns = columns_for(len(tiles))
    shown = mosaic(tiles, columns)
    wide = min(width, 1.2 * columns)
    high = wide * shown.shape[0] / shown.shape[1]
    top = sheet.top + 0.3 if top is None else top
    image = sheet.image(shown, left, top, wide, high, cmap=DIVERGING, vmin=-limit, vmax=limit)
    number_tiles(image.axes, tiles.shape[1:], len(tiles), columns)
    sheet.bar(image, left + wide + 0.15, top, max(high, 0.8), "weight")


def _colours(sheet: Sheet, weights: np.ndarray) -> None:
    """The filters of a colour image: as colours, in which grey is 0, and each channel beside it."""
    limit = largest(weights)
    tiles = np.nan_to_num(weights.transpose(3, 0, 1, 2))
    columns = min(len(tiles), max(4, columns_for(len(tiles)) // 2))
    colours = mosaic(0.5 + tiles / (2 * limit), columns)
    gap = 0.45
    wide = min((GRID - 3 * gap) / 4, 0.62 * columns)
    high = wide * colours.shape[0] / colours.shape[1]
    top = sheet.top + 0.5
    for number, name in enumerate(("as colours, grey is 0", *COLOURS)):
        left = LEFT + number * (wide + gap)
        scale = {} if number == 0 else {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
        shown = colours if number == 0 else mosaic(weights[:, :, number - 1].transpose(2, 0, 1), columns)
        image = sheet.image(shown, left, top, wide, high, **scale)
        image.axes.set_title(name, size=9.5)
        number_tiles(image.axes, weights.shape[:2], len(tiles), columns)
    sheet.bar(image, LEFT + 4 * (wide + gap) - gap + 0.15, top, max(high, 0.8), "weight")


def _table(sheet: Sheet, weights: np.ndarray) -> None:
    """A column a filter, a row an input channel; of many those with the largest weights, in their order."""
    size = np.sum(np.nan_to_num(weights) ** 2, axis=(0, 1))  # (channels, filters)
    chosen = np.sort(np.argsort(-size.sum(axis=0), kind="stable")[:MOST_FILTERS])
    channels = np.sort(np.argsort(-size.sum(axis=1), kind="stable")[:MOST_CHANNELS])
    if (len(channels), len(chosen)) != size.shape:
        sheet.paragraph(
            f"Shown: {len(chosen)} of {plural(size.shape[1], 'filter')} and {len(channels)} of "
            f"{plural(size.shape[0], 'input channel')}: those with the largest sum of squared weights."
        )
    rows, columns = weights.shape[:2]
    tiles = weights[:, :, channels][..., chosen].transpose(2, 3, 0, 1)
    shown = mosaic(tiles.reshape(-1, rows, columns), len(chosen))
    limit = largest(weights)
    wide = min(GRID, 0.75 * len(chosen), HIGHEST * shown.shape[1] / shown.shape[0])
    high = wide * shown.shape[0] / shown.shape[1]
    top = sheet.top + 0.45
    image = sheet.image(shown, LEFT, top, wide, high, cmap=DIVERGING, vmin=-limit, vmax=limit)
    axes = image.axes
    across, down = (range(0, len(numbers), max(1, len(numbers) // 32)) for numbers in (chosen, channels))
    axes.set_xticks(centres(len(chosen), weights.shape, 1)[across], [str(chosen[k]) for k in across])
    axes.set_yticks(centres(len(channels), weights.shape, 0)[down], [str(channels[k]) for k in down])
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0, labelsize=8.5)
    axes.set(xlabel="filter", ylabel="input channel")
    sheet.bar(image, LEFT + wide + 0.15, top, max(0.8, min(high, 3.0)), "weight")
