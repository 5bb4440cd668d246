"""What all passes of Winograd's convolution share: patches, the planes that their 36 values lie in, strips, and the tile's columns."""

import functools

from jitcnn.kernels.buffers import ALIGNMENT, Buffer
from jitcnn.kernels.compiling import inline
from jitcnn.kernels.pointers import MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.tiling import Columns, most_rows
from jitcnn.kernels.vectors import full_lanes, processor
from jitcnn.kernels.winograd_transforms import make_transform

PATCH = 4  # pixels of output along each axis
POINTS = 36  # values of a patch
STRIP_BYTES = 5 * 2**17  # V and M of a strip, beside U in the second-level cache
LARGE_BYTES = 2**22  # U that comes from beyond the third-level cache, and is read less often for longer strips
LONG_STRIP = 128
FEWEST_PATCHES = 28  # of the images of a block, for which U, or the sums, are read from the cache


def multiple(count: int, of: int) -> int:
    """`count` rounded up."""
    return -(-count // of) * of


def plane_of(real: type, numbers: int) -> int:
    """Room for one of 36 values: an odd number of cache lines, so that the 36 do not fall on the same sets of the cache."""
    line = ALIGNMENT // real().itemsize
    return (-(-numbers // line) | 1) * line


def rows_of(patches: int, vectors: int) -> int:
    """Rows of the tile, which are patches: the last tile of an image's `patches` computes more than there are."""
    # Each step of a tile costs about as much again as two products.
    return max(range(1, most_rows(vectors) + 1), key=lambda rows: patches / multiple(patches, rows) * rows / (rows + 2))


def strip_of(rows: int, bytes_a_patch: int, weights_bytes: int, patches: int = 0) -> int:
    """Patches in a strip; `patches` of a block, if they are few, are cut into strips of one size."""
    fitting = STRIP_BYTES // bytes_a_patch // rows * rows
    if patches:
        return multiple(-(-patches // -(-patches // max(1, fitting))), rows)
    return max(rows, fitting, multiple(LONG_STRIP, rows) if weights_bytes > LARGE_BYTES else 0)


def lanes_of(real: type, channels: int) -> int:
    """Lanes of the vectors that hold so many channels: half where that wastes less than it costs."""
    full = full_lanes(real)
    half_is_better = channels / multiple(channels, full) < processor().half_vectors * channels / multiple(channels, full // 2)
    return full // 2 if half_is_better else full


def in_blocks(program: Program, x: Buffer, y: Buffer, matrix_bytes: int, most_bytes: int) -> int:
    """Patches of y in a block of images, where a block is worth reading U or the sums, of so many bytes, anew; else 0."""
    patches = program.block_of(x, y) * (-(-y.shape[1] // PATCH)) * (-(-y.shape[2] // PATCH))
    return patches if patches >= FEWEST_PATCHES and matrix_bytes <= most_bytes else 0


def filters_wide(real: type, filters: int) -> Columns:
    """The tile's columns: whole vectors, since what is beyond the filters are zeros."""
    lanes = lanes_of(real, filters)
    vectors = -(-filters // lanes)
    several = next((n for n in (2, 3) if vectors % n == 0), 1)
    return Columns(several, lanes, 0, lanes, False)


@inline()
def corner(a, patch):
    """(image, row, column) of the first output of a patch, counted over all images."""
    line = patch // a.across
    return line // a.down, line % a.down * 4, patch % a.across * 4


@inline()
def behind(a, corner):
    """The same of the next patch; dividing takes as long as the sums of a few channels."""
    n, i, j = corner
    if j + 4 < 4 * a.across:
        return n, i, j + 4
    if i + 4 < 4 * a.down:
        return n, i + 4, 0
    return n + 1, 0, 0


@functools.cache
def make_take(real: type, name: str, size: int, lanes: int, masked: bool):
    """take(image, row, height, width, channels, begin, end, i, j, target, step): the map `name` of the patch at (i, j) of an image.

    Outside the image are zeros.  Value e of channel c, begin to end, goes to target[e * step + c]; masked: channels do not fill the last
    vector, whose other numbers become zeros.
    """
    move = MOVE[real]
    transform, edge_transform = make_transform(name, real, lanes, ""), make_transform(name, real, lanes, "edge")
    last_transform = make_transform(name, real, lanes, "source") if masked else transform

    @inline((real.__name__, name, lanes, masked))
    def take(image, row, height, width, channels, begin, end, i, j, target, step):
        source = move(image, i * row + j * channels)
        if i < 0 or j < 0 or i + size > height or j + size > width:
            for c in range(begin, min(end, channels), lanes):
                edge_transform(
                    move(source, c), row, channels, move(target, c), 6 * step, step, channels - c, -i, height - i, -j, width - j
                )  # fmt: skip
            return
        for c in range(begin, min(end, channels), lanes):
            if c + lanes <= channels:
                transform(move(source, c), row, channels, move(target, c), 6 * step, step, lanes)
            elif masked:
                last_transform(move(source, c), row, channels, move(target, c), 6 * step, step, channels - c)

    return take
