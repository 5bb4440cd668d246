"""jitcnn's kernels inside a function of one's own that Numba compiles: the edges of an image, without leaving machine code.

python examples/kernels_in_numba.py
"""

import numpy as np
from numba import njit

from jitcnn.data import mnist
from jitcnn.kernels import conv2d, pool2d


@njit
def edges(images, filters):
    """How strong edges are in each direction, the strongest of each window of 2 x 2 pixels."""
    found, _ = pool2d(np.abs(conv2d(images, filters, None, 1, 1)), 2)
    return found


if __name__ == "__main__":
    (x, y), _ = mnist.load()
    upright = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)
    filters = np.stack([upright, upright.T], axis=-1)[:, :, None, :]
    strength = edges(x[:1000].astype(np.float32) / 255, filters).mean(axis=(1, 2))
    for digit in range(10):
        across, down = strength[y[:1000] == digit].mean(axis=0)
        print(f"{digit}: upright edges {across:.3f}, level edges {down:.3f}")
