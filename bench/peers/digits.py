"""The digits for other libraries, read without jitcnn."""

import gzip
from functools import cache
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[2] / "jitcnn" / "data" / "mnist"


@cache
def digits(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images of "train" or "t10k", float32 (count, 28, 28), standardised one by one, and their labels, int64."""
    with gzip.open(DATA / f"{split}-images-idx3-ubyte.gz") as images_file, gzip.open(DATA / f"{split}-labels-idx1-ubyte.gz") as labels_file:
        pixels = np.frombuffer(images_file.read(16 + count * 784), np.uint8, offset=16)
        labels = np.frombuffer(labels_file.read(8 + count), np.uint8, offset=8)
    images = pixels.astype(np.float32).reshape(-1, 28, 28)
    images -= images.mean((1, 2), keepdims=True)
    images /= images.std((1, 2), keepdims=True)
    return images, labels.astype(np.int64)
