"""Draws the pictures of docs/how-it-is-fast.md: `python docs/pictures/draw.py`."""

from pathlib import Path

INK, PALE = "#1f2933", "#6b7785"
BLUE, GREEN, ORANGE, GREY = "#cfe3f7", "#d3ecd3", "#fbdfbd", "#e8ebee"


class Picture:
    """SVG text on a light card, legible on light and dark pages."""

    def __init__(self, width: int, height: int):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="DejaVu Sans, Helvetica, Arial, sans-serif">',
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0 0L10 5L0 10z" fill="{INK}"/></marker></defs>',
        ]
        self.box(1, 1, width - 2, height - 2, "#fcfcfa", rounded=10)

    def box(self, x: float, y: float, width: float, height: float, fill: str, label: str = "", size: int = 13, rounded: int = 2) -> None:
        """A labelled rectangle."""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{rounded}" fill="{fill}" stroke="{PALE}" stroke-width="1"/>'
        )
        if label:
            self.text(x + width / 2, y + height / 2 + size * 0.36, label, size, "middle")

    def text(self, x: float, y: float, words: str, size: int = 13, anchor: str = "start", ink: str = INK, weight: str = "normal") -> None:
        """Words, at their baseline."""
        words = words.replace("&", "&amp;").replace("<", "&lt;")
        self.parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{ink}" font-weight="{weight}">{words}</text>'
        )

    def arrow(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """A straight arrow."""
        self.parts.append(f'<path d="M{x} {y}L{to_x} {to_y}" stroke="{INK}" stroke-width="1.5" fill="none" marker-end="url(#head)"/>')

    def bracket(self, x: float, to_x: float, y: float) -> None:
        """A bracket below a run."""
        self.parts.append(f'<path d="M{x} {y}v6H{to_x}v-6" stroke="{INK}" stroke-width="1.5" fill="none"/>')

    def save(self, name: str) -> None:
        """Write it beside this script."""
        (Path(__file__).parent / name).write_text("\n".join([*self.parts, "</svg>"]) + "\n")


def tile() -> None:
    """One step, and where its numbers lie."""
    p = Picture(780, 470)
    p.text(24, 32, "One step of the tile: 6 pixels x 2 vectors of 16 filters", 15, weight="bold")
    p.text(24, 92, "A: one number")
    p.text(24, 109, "of each pixel's window")
    for v in range(2):
        p.box(250 + 180 * v, 74, 170, 30, ORANGE, f"b{v}: 16 filters' weights")
    p.text(630, 94, "B: one line of weights")
    for m in range(6):
        y = 122 + 30 * m
        p.box(130, y, 46, 24, BLUE, f"a{m}")
        p.arrow(180, y + 12, 244, y + 12)
        for v in range(2):
            p.box(250 + 180 * v, y, 170, 24, GREEN, f"sum {m},{v}  +=  a{m} · b{v}", 12)
    p.text(182, 116, "to all lanes", 11, ink=PALE)
    p.text(630, 190, "C: 12 registers, which")
    p.text(630, 208, "stay there until the")
    p.text(630, 226, "whole window is read")
    p.text(24, 342, "Where the numbers lie (kernel 3 x 3): in both arrays the steps follow one another", 15, weight="bold")
    for i in range(7):
        p.box(150 + 66 * i, 358, 66, 24, BLUE if 1 <= i <= 3 else GREY, f"pixel {i}", 12)
    p.text(24, 375, "x: NHWC, a line")
    p.bracket(216, 414, 386)
    p.text(315, 408, "3 pixels x all channels: one run", 12, "middle")
    for i in range(3):
        p.box(216 + 66 * i, 420, 66, 24, ORANGE, f"column {i}", 12)
    p.text(24, 437, "w: HWIO, a kernel row")
    p.text(430, 437, "column x all channels, each a line of filters: one run", 12)
    p.save("tile.svg")


def program() -> None:
    """Two segments and the tables."""
    p = Picture(780, 500)
    p.text(24, 32, "One training step of 32 images, as two segments", 15, weight="bold")
    p.text(24, 62, "Segment over images: a task is a slot of images, here 4 (BLOCK)", 13)
    for t in range(3):
        y = 78 + 46 * t
        p.box(24, y, 110, 32, BLUE, ("images 0-3", "images 4-7", "… 28-31")[t])
        for i, name in enumerate(("conv", "pool", "dense", "loss", "dense'", "pool'", "conv'")):
            p.box(156 + 68 * i, y, 60, 32, GREY if t == 2 else GREEN, name, 12)
        p.arrow(136, y + 16, 153, y + 16)
        p.arrow(628, y + 16, 648, y + 16)
        p.box(650, y, 106, 32, ORANGE, ("slot 0's sums", "slot 1's sums", "… slot 7's")[t], 12)
    p.text(156, 228, "all rows of the segment, forward and backward ('): the block's numbers stay in a worker's cache", 12, ink=PALE)
    p.parts.append(f'<path d="M24 244H756" stroke="{INK}" stroke-dasharray="6 5"/>')
    p.text(24, 262, "all threads wait", 12, ink=PALE)
    p.text(24, 290, "Segment over parameters: a task is a share of a parameter", 13)
    for t, name in enumerate(("conv weights", "dense weights, 1st share", "dense weights, 2nd share")):
        x = 24 + 248 * t
        p.box(x, 304, 236, 30, ORANGE, name)
        p.text(x + 118, 352, "sum over all 32 images, update" if t else "slot 0 + slot 1 + … + slot 7, update", 12, "middle")
    p.text(24, 390, "What is replayed: three tables of integers", 15, weight="bold")
    for x, width, name, entry in (
        (24, 220, "rows", "kernel's address, record's address"),
        (262, 290, "tasks", "first row, last row, first, last, at a time"),
        (570, 186, "segments", "first task, last task"),
    ):
        p.box(x, 404, width, 26, BLUE, name)
        p.box(x, 430, width, 28, "#ffffff", entry, 12)
    p.text(24, 482, "A record holds a kernel's arguments: addresses of arrays, strides, sizes.", 12, ink=PALE)
    p.save("program.svg")


def grid(p: Picture, x: float, y: float, count: int, side: float, fill: str) -> None:
    """count x count pixels."""
    for i in range(count):
        for j in range(count):
            p.box(x + j * side, y + i * side, side, side, fill, rounded=0)


def planes(p: Picture, x: float, y: float, width: float, height: float, fill: str, label: str, below: str) -> None:
    """A stack of planes, words below."""
    for e in range(3):
        p.box(x + 10 * (2 - e), y + 10 * e, width, height, fill, label if e == 2 else "")
    p.text(x + width / 2 + 10, y + height + 42, below, 12, "middle")


def winograd() -> None:
    """The three stages."""
    p = Picture(780, 330)
    p.text(24, 32, "F(4x4, 3x3): 36 products a pair of channels, for 16 outputs", 15, weight="bold")
    grid(p, 24, 90, 6, 16, BLUE)
    p.text(72, 210, "6 x 6 inputs", 12, "middle")
    p.arrow(128, 138, 182, 138)
    p.text(155, 128, "Bᵀ d B", 12, "middle")
    planes(p, 190, 88, 84, 76, BLUE, "V[e]", "patches x channels")
    p.text(310, 142, "×", 20, "middle")
    planes(p, 330, 88, 84, 76, ORANGE, "U[e]", "channels x filters")
    p.text(450, 142, "=", 20, "middle")
    planes(p, 470, 88, 84, 76, GREEN, "M[e]", "patches x filters")
    p.arrow(588, 138, 646, 138)
    p.text(616, 128, "Aᵀ m A", 12, "middle")
    grid(p, 660, 106, 4, 16, GREEN)
    p.text(692, 210, "4 x 4 outputs", 12, "middle")
    p.arrow(382, 262, 382, 224)
    p.box(304, 264, 156, 30, ORANGE, "3 x 3 weights, G w Gᵀ")
    p.text(24, 70, "1. inputs to values", 13, ink=PALE)
    p.text(326, 70, "2. 36 products of matrices", 13, ink=PALE)
    p.text(598, 70, "3. values to outputs", 13, ink=PALE)
    p.text(24, 284, "e = 0 … 35: one plane each,", 12)
    p.text(24, 301, "an odd number of cache lines apart", 12)
    p.text(480, 284, "once for each change of the weights", 12)
    p.save("winograd.svg")


if __name__ == "__main__":
    tile()
    program()
    winograd()
