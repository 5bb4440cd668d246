"""The register tile for callers in compiled code, in sizes that fit any shape.

A kernel that runs alone is compiled for its shapes. One that others call must be there before shapes are known, so one product serves
all passes:

    C[i, j, :] = start + sum over r < n_r, k < n_k of A[i, j, r, k] * B[r, k, :]

for lines i and places j; A, B and C are places in memory, with a stride for each index. It runs eight places at a time, which are eight
neighbours in a line or four in two lines, or else one. It is serial: the caller's loop is the parallel one.
"""

import functools

import numpy as np
from numba import types
from numba.extending import intrinsic

from jitcnn.kernels.compiling import OPTIONS, njit, rename
from jitcnn.kernels.overloads.compiled import by_type
from jitcnn.kernels.pointers import MOVE, REAL
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.vectors import full_lanes


@intrinsic
def pointer(typing, array):
    """The place of an array's first number. Give an argument: a local variable would be freed after its last use, which may be this."""

    def build(context, builder, signature, args):
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), build


@by_type
def product(c, *_):
    """C = start + sums; `start` points to one number a column."""
    compiled = make_product(np.float32 if c.dtype == types.float32 else np.float64)

    def call(c, c_line, c_place, a, a_line, a_place, a_r, a_k, b, b_r, b_k, start, lines, places, columns, n_r, n_k):
        compiled(c, c_line, c_place, a, a_line, a_place, a_r, a_k, b, b_r, b_k, start, lines, places, columns, n_r, n_k)

    return call


@functools.cache
def make_product(real: type):
    """The product for one element type, compiled once or taken from the cache."""
    lanes, move = full_lanes(real), MOVE[real]
    shape = Shape(real, 2, 4, 1, lanes, "extra")
    one = shape._replace(groups=1, per_group=1)
    tiles, last_tiles = make_tile(shape), make_tile(shape._replace(masked=True))
    tile, last_tile = make_tile(one), make_tile(one._replace(masked=True))

    def product(c, c_line, c_place, a, a_line, a_place, a_r, a_k, b, b_r, b_k, start, lines, places, columns, n_r, n_k):
        tall, wide, c_group, a_group = 1, 1, c_line, a_line
        if lines >= 2 and places >= 4 and (places < 8 or (places + 3) // 4 % 2 == 1):  # an odd number of fours
            tall, wide = 2, 4
        elif places >= 8:
            wide, c_group, a_group = 8, 4 * c_place, 4 * a_place
        for k in range(0, columns, lanes):
            bk, sk, rest = move(b, k), move(start, k), columns - k
            for top in range(0, lines, tall):
                i = min(top, lines - tall)  # the last tile overlaps its neighbour
                for left in range(0, places, wide):
                    j = min(left, places - wide)
                    ck, a_at = move(c, i * c_line + j * c_place + k), move(a, i * a_line + j * a_place)
                    if wide > 1:
                        if rest >= lanes:
                            tiles(ck, c_group, c_place, a_at, a_group, a_place, a_r, a_k, bk, b_r, b_k, 0, n_r, n_k, sk, 0, 0, rest, 0, 0)
                        else:
                            last_tiles(
                                ck, c_group, c_place, a_at, a_group, a_place, a_r, a_k, bk, b_r, b_k, 0, n_r, n_k, sk, 0, 0, rest, 0, 0
                            )
                    elif rest >= lanes:
                        tile(ck, 0, 0, a_at, 0, 0, a_r, a_k, bk, b_r, b_k, 0, n_r, n_k, sk, 0, 0, rest, 0, 0)
                    else:
                        last_tile(ck, 0, 0, a_at, 0, 0, a_r, a_k, bk, b_r, b_k, 0, n_r, n_k, sk, 0, 0, rest, 0, 0)

    at, n = types.CPointer(REAL[real]), types.int64
    rename(product, (real.__name__, lanes))
    signature = types.void(at, n, n, at, n, n, n, n, at, n, n, at, n, n, n, n, n)
    return njit(signature, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(product)
