"""What all pictures share: figures that need no pyplot, the two themes, colours, and scales."""

import functools
import io
import logging
import os
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from jitcnn.forms.geometry import choice
from jitcnn.plots.letters import find_letters, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

Arguments = ParamSpec("Arguments")

SUFFIXES = (".png", ".svg")
DOTS = 120  # an inch, of a PNG
DIVERGING, SEQUENTIAL, GREY = "RdBu_r", "magma", "gray"
BLUE, RED = "#4477aa", "#ee6677"  # Paul Tol's "bright", told apart by the colour-blind too
LONGEST_NAME = 18

_SHARED = {
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "image.interpolation": "nearest",
    "image.composite_image": False,  # in an SVG, pictures side by side would be drawn anew as one of few pixels
    "text.parse_math": False,  # a class may be called $5
    "svg.hashsalt": "jitcnn",  # the same names inside every time
}
_COLOURS = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color")
THEMES = {
    "light": {"ink": "#1f2328", "muted": "#57606a", "paper": "#ffffff", "line": "#c4ccd4", "plain": "#eaeef2"},
    "dark": {"ink": "#e6edf3", "muted": "#9da7b1", "paper": "#0d1117", "line": "#484f58", "plain": "#21262d"},
}
_theme: ContextVar[str] = ContextVar("theme", default="light")


def colour(name: str) -> str:
    """A colour of the theme: "ink", "muted", "paper", "line" or "plain"."""
    return THEMES[_theme.get()][name]


@contextmanager
def themed(name: str) -> Iterator[None]:
    """Draw in the "light" or the "dark" theme meanwhile; a ValueError if it is another."""
    token = _theme.set(choice("theme", name, tuple(THEMES)))
    try:
        yield
    finally:
        _theme.reset(token)


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's own defaults and the theme on top meanwhile, whatever the user has set.

    Raises
    ------
    ValueError
        If matplotlib is not there.
    """
    try:
        from matplotlib import style
    except ImportError:
        raise ValueError("drawing pictures needs matplotlib: pip install 'jitcnn[plots]'") from None
    surfaces = {"figure.facecolor": colour("paper"), "axes.facecolor": colour("paper"), "axes.edgecolor": colour("line")}
    with style.context(["default", {**_SHARED, **surfaces, **dict.fromkeys(_COLOURS, colour("ink"))}]):
        yield


def picture(draw: Callable[Arguments, "Figure"]) -> Callable[Arguments, "Figure"]:
    """Make a function draw in the house's style."""

    @functools.wraps(draw)
    def drawn(*arguments: Arguments.args, **settings: Arguments.kwargs) -> "Figure":
        with styled(), np.errstate(all="ignore"):  # of a model that diverged, NaN and infinity are drawn or left out
            figure = draw(*arguments, **settings)
            find_letters(figure)
            return figure

    return drawn


def save(figure: "Figure", path: str | os.PathLike) -> None:
    """Write a figure to a file, the same bytes every time.

    Parameters
    ----------
    figure
        What one of the functions of `jitcnn.plots` returned.
    path
        Its ending says what is written: .png or .svg.

    Raises
    ------
    ValueError
        If it is another ending.
    """
    write(figure, path, check_suffix(path))


def write(figure: "Figure", target: Any, suffix: str) -> None:
    """Write a figure to a path or a stream, without the time and the version. Of letters that no font has, `find_letters` warned."""
    metadata = {"Software": None} if suffix == ".png" else {"Date": None, "Creator": None}
    with styled(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # other fonts need not be bold
        figure.savefig(target, format=suffix[1:], dpi=DOTS, metadata=metadata, facecolor=figure.get_facecolor())


def new_figure() -> "Figure":
    """An empty figure, which a notebook shows as a picture although pyplot knows nothing of it."""
    from matplotlib.figure import Figure

    class Shown(Figure):
        def _repr_png_(self) -> bytes:
            return png(self)

    return Shown()


def png(figure: "Figure") -> bytes:
    """A figure as the bytes of a PNG."""
    stream = io.BytesIO()
    write(figure, stream, ".png")
    return stream.getvalue()


def check_suffix(path: str | os.PathLike) -> str:
    """The ending of a picture's file; a ValueError if no picture is written so."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{os.fspath(path)}: expected a name that ends in {' or '.join(SUFFIXES)}")
    return suffix


def check_ready(path: str | os.PathLike) -> None:
    """A ValueError unless a picture can be drawn, and written to a file with such an ending."""
    check_suffix(path)
    with styled():
        pass


class Sheet:
    """A figure laid out in inches, from the top downwards; its height is said last.

    Attributes
    ----------
    figure : matplotlib Figure
    canvas : matplotlib Axes
        All of it, in inches from the left and from the top: much faster than axes of its own for each of many small pictures.
    width : float
        In inches.
    top : float
        How far down it is filled.
    """

    MARGIN = 0.3

    def __init__(self, width: float, title: str, about: str = ""):
        self.figure = new_figure()
        self.width = width
        self.top = self.MARGIN
        self.canvas = self.figure.add_axes((0, 0, 1, 1), autoscale_on=False, xlim=(0, width))
        self.canvas.set_axis_off()
        self._boxes: list[tuple[Axes, tuple[float, float, float, float]]] = []
        self.line(title, 0.3, size=13, weight="bold")
        if about:
            self.paragraph(about)
        self.top += 0.1

    def line(self, text: str, height: float, **settings: Any) -> None:
        """Write a line below what is there; what comes next begins `height` further down."""
        self.text(text, self.MARGIN, self.top, **settings)
        self.top += height

    def text(self, text: str, left: float, top: float, **settings: Any) -> None:
        """Write a line somewhere; settings as for matplotlib's `Text`."""
        self.canvas.text(left, top, text, **{"va": "top", "color": colour("ink"), **settings})

    def paragraph(self, text: str) -> None:
        """Write an explanation, as many lines as it takes."""
        for line in textwrap.wrap(text, int((self.width - 2 * self.MARGIN) * 14.5)):
            self.line(line, 0.19, color=colour("muted"))

    def axes(self, left: float, top: float, width: float, height: float) -> "Axes":
        """Axes of their own in a box."""
        axes = self.figure.add_axes((0, 0, 1, 1))
        self._boxes.append((axes, (left, top, width, height)))
        self.top = max(self.top, top + height)
        return axes

    def image(self, array: np.ndarray, left: float, top: float, width: float, height: float, **settings: Any) -> "AxesImage":
        """An array in a box without ticks, grey where it is NaN; settings as for `imshow`."""
        axes = self.axes(left, top, width, height)
        axes.set_facecolor(colour("line"))
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        return axes.imshow(array, **{"aspect": "auto", **settings})

    def small(self, array: np.ndarray, left: float, top: float, width: float, height: float, **settings: Any) -> None:
        """An array in a box on the canvas, grey where it is NaN; settings as for `imshow`."""
        from matplotlib.patches import Rectangle

        self.canvas.add_patch(Rectangle((left, top), width, height, facecolor=colour("line"), zorder=-1))
        self.canvas.imshow(array, extent=(left, left + width, top + height, top), aspect="auto", **settings)
        self.top = max(self.top, top + height)

    def bar(self, image: "AxesImage", left: float, top: float, height: float, label: str, whole: bool = False) -> None:
        """The scale of an image's colours; `whole` for numbers that are counts."""
        from matplotlib.ticker import MaxNLocator

        ticks = MaxNLocator(max(2, min(6, int(height / 0.3))), integer=whole)
        axes = self.axes(left, top, 0.12, height)
        self.figure.colorbar(image, cax=axes, ticks=ticks).set_label(label, size=9)
        axes.tick_params(labelsize=8.5)
        axes.spines[:].set_visible(False)

    def finish(self) -> "Figure":
        """The figure, as high as it has been filled."""
        height = self.top + self.MARGIN
        self.figure.set_size_inches(self.width, height)
        for axes, (left, top, wide, high) in self._boxes:
            axes.set_position((left / self.width, 1 - (top + high) / height, wide / self.width, high / height))
        self.canvas.set_ylim(height, 0)
        return self.figure


def largest(array: np.ndarray) -> float:
    """The largest magnitude of the finite numbers, 1 where that is 0."""
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max(initial=0)) or 1.0


def span(array: np.ndarray) -> str:
    """The smallest and the largest of the finite numbers, as text."""
    finite = array[np.isfinite(array)]
    return f"{finite.min():.3g} … {finite.max():.3g}" if finite.size else "not finite"


def scale_of(array: np.ndarray, both_sides: bool = False) -> dict[str, Any]:
    """How numbers become colours: from 0 up; where some are below 0, or might be, red above it, blue below and white in the middle."""
    limit = largest(array)
    if both_sides or (array[np.isfinite(array)] < 0).any():
        return {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
    return {"cmap": SEQUENTIAL, "vmin": 0.0, "vmax": limit}


def shortened(name: object, longest: int = LONGEST_NAME) -> str:
    """A name in one line, its end left out where it is wider than so many letters.

    >>> shortened("a name without end"), shortened("a name without end", 7), shortened("\u732b\u732b\u732b\u732b", 7)
    ('a name without end', 'a name\u2026', '\u732b\u732b\u732b\u2026')
    """
    text = " ".join(str(name).split())
    if width_of(text) <= longest:
        return text
    while width_of(text) >= longest:
        text = text[:-1]
    return f"{text}…"


def class_names(model: Any, outputs: int) -> list[str]:
    """The names of a model's classes as pictures show them; their numbers if it has none."""
    names = model.classes or ()
    return [shortened(name) for name in names] if len(names) == outputs else [str(number) for number in range(outputs)]


def percent(share: float) -> str:
    """A share for people.

    >>> percent(0.8866), percent(0.004), percent(0)
    ('89 %', '<1 %', '0 %')
    """
    return "<1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def plural(count: int, word: str) -> str:
    """1 filter, 2 filters.

    >>> plural(1, "filter"), plural(1024, "filter")
    ('1 filter', '1,024 filters')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"
