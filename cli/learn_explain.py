"""`jitcnn learn explain`: what becomes of a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import options
from .output import CompilingLine, wide
from .running import command

if TYPE_CHECKING:
    from jitcnn.kernels.winograd_choice import Way
    from jitcnn.learn.assembly import Loop
    from jitcnn.learn.explain import Convolution, Measured, Tile

PASSES = ("forward", "grad-input", "grad-weights")
ALGORITHMS = ("auto", "direct", "winograd")
MOST_LINES = 48  # of assembly


class Sizes(click.ParamType):
    """One number, or several with commas between them."""

    name = "numbers"

    def __init__(self, *counts: int, at_least: int = 1) -> None:
        self.counts, self.at_least = counts, at_least

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[int, ...]:
        """Return the numbers, or fail; one number alone stands for a pair where a pair is expected."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            numbers = ()
        if len(numbers) not in self.counts or min(numbers) < self.at_least:
            expected = " or ".join(map(str, self.counts))
            self.fail(
                f"{value!r}, expected {expected} whole numbers of at least {self.at_least}, with commas between them.", parameter, context
            )
        return numbers * 2 if len(numbers) == 1 else numbers


@command("explain", example="jitcnn learn explain conv2d --shape 32,28,28,32 --filters 64 --kernel 3 --padding 1")
@click.argument("layer", type=click.Choice(["conv2d"]), metavar="conv2d")
@click.option("--shape", type=Sizes(4), required=True, metavar="N,H,W,C", help="Images, rows, columns, channels.")
@click.option("--filters", type=options.AT_LEAST_ONE, required=True, metavar="F", help="Channels that come out.")
@click.option("--kernel", type=Sizes(1, 2), required=True, metavar="K", help="Rows and columns of a filter; 3 is 3,3.")
@click.option("--stride", type=Sizes(1, 2), default="1", metavar="S", help="Pixels from one window to the next. [1]")
@click.option("--padding", type=Sizes(1, 2, at_least=0), default="0", metavar="P", help="Zeros around the image. [0]")
@click.option("--pass", "kind", type=click.Choice(PASSES), default="forward", help="[forward]")
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="auto", help="How it is computed, by its sizes if auto. [auto]")
@options.threads_option
def learn_explain(
    layer: str, shape: tuple[int, ...], filters: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], kind: str,
    algorithm: str, threads: int | None,
) -> None:  # fmt: skip
    """Follow a convolution down to registers.

    Shows the loops that say what is computed, the tile in which it is computed, the machine code of its inner loop, where the sums lie, how
    much work it is, how fast it runs beside the processor's peak, and why this algorithm was chosen.
    """
    options.allow_threads(threads)
    from jitcnn.learn import explain

    case = explain.convolution(shape, filters, kernel, stride, padding, kind, algorithm)
    with options.using_threads(threads), CompilingLine(enabled=True):
        call = explain.make_call(case)
        rows = explain.recorded(call)
        tile, loop, measured = explain.tile_of(case, rows[0]), explain.inner_loop(rows[0]), explain.measure(case, call)
    for part in (title(case), loops(case), describe_tile(case, tile, len(rows)), describe_code(loop, tile), describe_work(case, measured)):
        click.echo(f"{part}\n")
    click.echo(describe_choice(case))


def by(sizes: tuple[int, ...]) -> str:
    """3 x 3."""
    return " x ".join(map(str, sizes))


def title(case: Convolution) -> str:
    """What is looked at."""
    images, *size = case.x_shape
    return wide(
        f"{case.name}: {images} images of {by(tuple(size))} and {case.w_shape[3]} filters of {by(case.w_shape[:3])} give "
        f"{by(case.y_shape[1:])}, stride {by(case.stride)}, padding {by(case.padding)}"
    )


def loops(case: Convolution) -> str:
    """The reference's loops."""
    from jitcnn.learn.source import place, source
    from jitcnn.reference.prepared import PREPARED

    function = PREPARED[case.name]
    text = source(function, docstring=False)
    parts = [text] if "sum_of_meetings" not in text else [source(function.__globals__["sum_of_meetings"], docstring=False), text]
    lines = [f"  {line}".rstrip() for part in parts for line in part.strip().splitlines()]
    return "\n".join([f"What is computed, in {place(function)}:", *lines])


#: algorithm -> pass -> what a row of the tile is, and its columns, and what a step of its inner loop reads for both
PARTS = {
    "direct": {
        "forward": ("an output pixel", "a filter", "pixel of x", "weights"),
        "grad-input": ("a pixel of grad_x", "a channel of it", "pixel of grad_y", "weights"),
        "grad-weights": ("a weight's place in the filter (row, column, channel)", "a filter", "pixel of x", "pixels of grad_y"),
    },
    "winograd": {
        "forward": ("a patch of 4 x 4 output pixels", "a filter", "number made of x", "numbers made of the weights"),
        "grad-input": ("a patch of 4 x 4 pixels of grad_x", "a channel of it", "number made of grad_y", "numbers made of the weights"),
        "grad-weights": ("a channel", "a filter", "number made of x", "numbers made of grad_y"),
    },
}
#: pass -> what Winograd's way does, with {patch} outputs in a patch, which sees {seen} pixels, and {values} values
WINOGRAD = {
    "forward": "the {seen} pixels that a patch of {patch} outputs sees, and {values} of each 3 x 3 filter, by additions mostly. Multiplied "
    "number by number and summed over the channels, they can be turned back into the {outputs} outputs",
    "grad-weights": "the {seen} pixels that a patch of {patch} outputs sees, and {values} of the patch's {patch} gradients, by additions "
    "mostly. Multiplied number by number and summed over all patches, they can be turned back into the 9 weights",
}
WINOGRAD["grad-input"] = WINOGRAD["forward"].replace("pixels", "gradients")
#: the same for the tiles of small patches: what is in registers, and a step of the inner loop
SMALL = {
    "forward": "{lines} patches of 4 x 2 outputs stay in registers, of {lanes} filters (lanes). A step takes a channel: it spreads numbers "
    "made of x over all lanes, multiplies them by vectors of numbers made of the weights, and adds these products up; what comes out for "
    "each of the 24 values is added to outputs, some of them doubled or more, and never stored.",
    "grad-weights": "Sums of {lines} of the 24 values stay in registers, of {channels} and {lanes} filters (lanes). A step takes a patch: "
    "it makes these {lines} values of its gradients, and adds their products with numbers made of x, each spread over all lanes.",
}


def describe_tile(case: Convolution, tile: Tile, parts: int) -> str:
    """Its size, and what rows and columns are."""
    algorithm, _ = case.choice
    heading = f"{describe_winograd(case, case.way)}\n\n" if case.way else ""
    if case.small_patches:
        text = SMALL[case.kind].format(lines=tile.lines, channels=count(tile.per_line, "channel"), lanes=tile.lanes)
        return f"{heading}The tile: {tile.sums} vectors x {count(tile.lanes, 'lane')}\n{wide(text, margin='  ')}"
    row, column, broadcast, loaded = PARTS[algorithm][case.kind]
    lines = f", {tile.lines} lines of {tile.per_line}" if tile.lines > 1 else ""
    text = (
        f"A row is {row}{lines}; a column is {column}. One instruction works on a vector, a register of {tile.lanes} numbers (lanes). A "
        f"step loads {count(tile.vectors, 'vector')} of {loaded}, spreads one {broadcast} over all lanes for each row, and adds "
        f"{count(tile.sums, 'vector')} of products to the sums, which stay where they are until the last step."
    )
    if tile.together > 1:
        text += f" Few columns do not fill a vector: {tile.together} neighbouring pixels count as columns of one wider filter."
    if parts > 1:
        text += f" With this stride the pass falls into {parts} such parts, of which this is the largest."
    size = f"{count(tile.rows, 'row')} x {count(tile.vectors, 'vector')} x {count(tile.lanes, 'lane')}"
    return f"{heading}The tile: {size}, {tile.sums * tile.lanes} sums at a time\n{wide(text, margin='  ')}"


def describe_winograd(case: Convolution, way: Way) -> str:
    """What Winograd's way does."""
    rows, columns, values = way.rows, way.columns, way.products
    outputs = rows * columns
    numbers = WINOGRAD[case.kind].format(patch=by((rows, columns)), seen=by((rows + 2, columns + 2)), outputs=outputs, values=values)
    text = f"Winograd's way makes {values} numbers of {numbers}: {values} products where the loops above take {outputs} x 9 = {way.direct}."
    if case.small_patches:
        return wide(f"{text} With few channels these patches are small, so that sums need not leave the registers.")
    return wide(f"{text} So there are {values} products of matrices, on the tile.")


def count(number: int, word: str) -> str:
    """1 row, 2 rows."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def describe_code(loop: Loop, tile: Tile) -> str:
    """The machine code, and where the sums lie."""
    lines = ["    {:<14}{}".format(*f"{line.strip()}\t".split("\t", 1)).rstrip() for line in loop.lines]
    if len(lines) > MOST_LINES:
        hidden = len(lines) - MOST_LINES
        lines = [*lines[: MOST_LINES - 6], f"    …   ({hidden} more alike)", *lines[-6:]]
    added = "a vector of products to sums" if loop.fused else "to a vector of sums, behind a product"
    heading = f"Its inner loop as the processor runs it, {len(loop.lines)} instructions, of which {loop.sums} add {added}:"
    held = len(loop.accumulators)
    registers = (
        f"{count(held, 'register')} hold{'s' if held == 1 else ''} sums all the while, for the tile's {count(tile.sums, 'vector')} of sums"
    )
    if not held:
        registers = f"the tile's {count(tile.sums, 'vector')} of sums wander from register to register"
    elif held < tile.sums and not loop.spills:
        registers += "; the rest wander from register to register"
    stack = "no vector goes through the stack"
    if loop.spills:
        stack = f"{count(loop.spills, 'instruction')} move vectors to or from the stack, since registers ran out (spills)"
    return "\n".join([wide(heading), *lines, wide(f"{registers}; {stack}.", margin="  ")])


def describe_work(case: Convolution, measured: Measured) -> str:
    """FLOP, bytes, and the speed."""
    from jitcnn.learn.ladder import rounded

    arrays = " + ".join(f"{name} {quantity(size, 'B')}" for name, size in case.bytes_of.items())
    share = measured.gigaflops / measured.peak
    beyond = ", with the work counted as above" if share > 1 else ""
    work = quantity(case.flop, "FLOP")
    speed = f"{rounded(case.flop / measured.gigaflops / 1e3)} us a call, {rounded(measured.gigaflops)} GFLOP/s"
    done = f"; Winograd's way does about a {'third' if case.small_patches else 'quarter'} of it" if case.way else ""
    lines = {
        "work": f"2 x {by((*case.y_shape[:3], *case.w_shape))} = {work}, multiplications and additions, with the padding's zeros{done}",
        "memory": f"{arrays} = {quantity(sum(case.bytes_of.values()), 'B')} to be moved at least: {rounded(case.intensity)} FLOP a byte",
        "speed": f"{speed} on {count(measured.threads, 'thread')}, {share:.0%} of the peak{beyond}. That is "
        f"{rounded(measured.peak)} GFLOP/s, what the tile reaches on numbers in the cache nearest to the processor",
    }
    return "\n".join(wide(text, f"{label:<9}") for label, text in lines.items())


def quantity(value: float, unit: str) -> str:
    """12,300,000 B as "12.3 MB"."""
    from jitcnn.learn.ladder import rounded

    for prefix in ("", "k", "M", "G"):
        if value < 1000:
            return f"{rounded(value)} {prefix}{unit}"
        value /= 1000
    return f"{rounded(value)} T{unit}"


def describe_choice(case: Convolution) -> str:
    """Which algorithm, and why."""
    algorithm, why = case.choice
    return wide(f"{algorithm}: {why}", "algorithm")
