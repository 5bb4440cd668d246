"""How much memory training takes from a file of images that is larger than it: `python -m bench.memory_map`.

A file of 4 GiB is made, sparse on the disk, and a network is trained on all of it in shuffled order. What counts is VmHWM, the most that
the process ever held, mapped pages included.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from jitcnn import CNN, Dense, Flatten, Pool2d
from jitcnn.data import load

SIDE = 64


def write(folder: Path, mebibytes: int) -> None:
    """x.npy, mostly holes, and y.npy."""
    count = mebibytes * 2**20 // SIDE**2
    images = np.lib.format.open_memmap(folder / "x.npy", "w+", np.uint8, (count, SIDE, SIDE, 1), version=(1, 0))
    images[:: count // 100] = np.random.default_rng(0).integers(0, 256, images[:: count // 100].shape, np.uint8)
    images.flush()
    np.save(folder / "y.npy", np.arange(count) % 10)


def peak() -> float:
    """MiB that this process held at most."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def main() -> None:
    """Make the file, train, and print the peak."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mebibytes", type=int, default=4096)
    parser.add_argument("--folder", help="where the file is made; the system's folder for temporary files if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        write(Path(folder), options.mebibytes)
        before = peak()
        data = load(folder)
        model = CNN([Pool2d(4), Flatten(), Dense(10, activation="softmax")], seed=1, normalize="per-image")
        model.compile()
        history = model.train(data.x, data.y, epochs=1)
        print(f"{data.x.nbytes / 2**20:,.0f} MiB, {len(data.x):,} images, {history['seconds'][0]:.0f} s")
        print(f"VmHWM {peak():,.0f} MiB, {before:,.0f} before")


if __name__ == "__main__":
    main()
