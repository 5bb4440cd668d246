"""The edges of a photograph, by Sobel's two kernels: `python examples/sobel.py [PHOTO]` writes edges.png.

Needs matplotlib: pip install 'jitcnn[plots]'. Without PHOTO it takes one that comes with it: Grace Hopper, United States Navy, 1984.
"""

import sys

import numpy as np
from matplotlib import cbook, image

from jitcnn.kernels import conv2d

photo = image.imread(sys.argv[1] if len(sys.argv) > 1 else cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
grey = np.atleast_3d(photo)[..., :3].mean(axis=2, dtype=np.float32)
sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
kernels = np.stack([sobel, sobel.T], axis=-1).reshape(3, 3, 1, 2)  # rows, columns, one channel in, two filters: upright and level edges
edges = conv2d(grey[None, :, :, None], kernels)[0]
image.imsave("edges.png", np.hypot(edges[..., 0], edges[..., 1]), cmap="gray")
