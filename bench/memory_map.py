"""How much memory training takes from a file of images that is larger than it: `python -m bench.memory_map`.

A file of 4 GiB is made, sparse on the disk, and a network is trained on nine tenths of it in shuffled order, and validated on the rest;
mean and deviation of the pixels are measured first. What counts is VmHWM, the most that the process ever held, mapped pages included.
"""

import argparse
import multiprocessing
import tempfile
from pathlib import Path

import numpy as np

from jitcnn import CNN, Dense, Flatten, Pool2d
from jitcnn.data import load


def write(folder: Path, kind: str, mebibytes: int, side: int) -> None:
    """Images, mostly holes, and labels: x.npy and y.npy, or MNIST's names of IDX files."""
    count = mebibytes * 2**20 // side**2
    path = folder / {"npy": "x.npy", "idx": "train-images-idx3-ubyte"}[kind]
    if kind == "npy":
        images = np.lib.format.open_memmap(path, "w+", np.uint8, (count, side, side, 1), version=(1, 0))
        np.save(folder / "y.npy", np.arange(count) % 10)
    else:
        path.write_bytes(bytes([0, 0, 8, 3]) + np.array([count, side, side], ">u4").tobytes())
        images = np.memmap(path, np.uint8, "r+", 16, (count, side, side))
        labels = bytes([0, 0, 8, 1]) + np.array([count], ">u4").tobytes() + (np.arange(count) % 10).astype(np.uint8).tobytes()
        (folder / "train-labels-idx1-ubyte").write_bytes(labels)
    images[:: count // 100] = np.random.default_rng(0).integers(0, 256, images[:: count // 100].shape, np.uint8)
    images.flush()


def peak() -> float:
    """MiB that this process held at most."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def main() -> None:
    """Make the file, train, and print the peak."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mebibytes", type=int, default=4096)
    parser.add_argument("--kind", choices=["npy", "idx"], default="npy")
    parser.add_argument("--side", type=int, default=64, help="rows and columns of an image; small ones are many, with a label each")
    parser.add_argument("--folder", help="where the file is made; the system's folder for temporary files if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        with multiprocessing.get_context("spawn").Pool(1) as writer:  # what writing takes is not what training takes
            writer.apply(write, (Path(folder), options.kind, options.mebibytes, options.side))
        before = peak()
        data = load(folder)
        model = CNN([Pool2d(4), Flatten(), Dense(10, activation="softmax")], seed=1, normalize="dataset")
        model.compile()
        history = model.train(data.x, data.y, epochs=1, validation=0.1)
        print(f"{data.x.nbytes / 2**20:,.0f} MiB, {len(data.x):,} images, {history['seconds'][0]:.0f} s")
        print(f"VmHWM {peak():,.0f} MiB, {before:,.0f} before")


if __name__ == "__main__":
    main()
