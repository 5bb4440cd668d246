"""Lesson 8: Winograd's convolution F(2x2, 3x3) of one image.

A 3 x 3 filter needs 9 multiplications for a pixel of the output, 36 for a square of 2 x 2. Winograd
needs 16 for the square: it transforms image and filter with a few additions, multiplies number by
number, and transforms back. In one dimension, two outputs of a filter of three:

    the outputs                   with four products                   from them
    y0 = d0 g0 + d1 g1 + d2 g2    m1 = (d0 - d2) g0                    y0 = m1 + m2 + m3
    y1 = d1 g0 + d2 g1 + d3 g2    m2 = (d1 + d2) (g0 + g1 + g2) / 2    y1 = m2 - m3 - m4
                                  m3 = (d2 - d1) (g0 - g1 + g2) / 2
                                  m4 = (d1 - d3) g2

four multiplications instead of six. As matrices, BT, G and AT below, y = AT ((G g) * (BT d)), where
* multiplies number by number. In two dimensions the same is done to rows and to columns: for a tile
d of 4 x 4 pixels and a filter g of 3 x 3 weights,

    y (2 x 2)  =  AT  [ sum over channels c of  (G g_c GT) * (BT d_c B) ]  A

where GT, B and A are G, BT and AT with rows and columns exchanged. Tiles lie two pixels apart, so
that neighbours share two columns; the squares of the output lie side by side:

    columns of x    0 1 2 3 4 5        columns of y    0 1 2 3
    first tile      ^ ^ ^ ^            gives           ^ ^
    second tile         ^ ^ ^ ^        gives               ^ ^

The filter is transformed once and used for every tile; the sum over the channels is made before the
way back, once a tile and filter.

Write `winograd` below; the matrices are there.

Then:  jitcnn learn lesson 8 --check
"""

import numpy as np

BT = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], np.float32)
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
AT = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], np.float32)


def winograd(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return y (rows - 2, columns - 2, o) for one image.

    x is (rows, columns, c), with even numbers of rows and columns, and w (3, 3, c, o).
    """
    raise NotImplementedError
