"""Whether memory or threads grow while one process trains and predicts for hours: `python -m bench.soak --minutes 120`.

Round after round, models of the presets are made, trained, evaluated, saved, read again, asked for one image and for many, and let go;
kernels are called alone on sizes that change. What counts is the resident memory and the number of threads (/proc, Linux) after a round:
the median of the last quarter may exceed that of the second quarter by `MOST_GROWTH`, and threads may not become more.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from jitcnn import CNN, kernels, load
from jitcnn.presets import PRESETS

MOST_GROWTH = 16.0  # MiB
ROUNDS = 8  # at least
NAMES = ("single-conv", "double-conv", "conv-pool", "deep")


def resident() -> tuple[float, int]:
    """MiB of this process that are in memory, and its threads."""
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmRSS"].split()[0]) / 1024, int(fields["Threads"])


def one_round(number: int, folder: Path) -> None:
    """Work such as a notebook does."""
    random = np.random.default_rng(number)
    images = int(random.integers(64, 400))
    x, y = random.integers(0, 256, (images, 28, 28, 1)).astype(np.uint8), random.integers(0, 10, images)
    model = PRESETS[NAMES[number % len(NAMES)]].build(seed=number)
    model.train(x, y, epochs=2, batch_size=int(random.choice((16, 32, 64))), validation=0.1, progress=False, checkpoint=folder)
    model.evaluate(x, y)
    path = folder / ("model.json" if number % 2 else "model.npz")
    model.save(path)
    again: CNN = load(path)
    if again.predict(x).tobytes() != model.predict(x).tobytes() or again.predict(x[0]).tobytes() != model.predict(x[:1])[0].tobytes():
        raise RuntimeError("a model that was read again predicts otherwise")
    for _ in range(50):
        again.predict(x[: int(random.integers(1, 9))])
    size, channels = 5 + number % 6, 1 + number % 4  # few: machine code and programs are kept for each
    one = random.normal(size=(2, size, size, channels)).astype(np.float32)
    kernels.pool2d(kernels.conv2d(one, random.normal(size=(3, 3, channels, 8)).astype(np.float32), activation="relu"), 2)


def soak(minutes: float) -> Iterator[tuple[float, float, int]]:
    """Minutes passed, MiB and threads after each round, until the time is over."""
    started, number = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        while (passed := (time.monotonic() - started) / 60) < minutes or number < ROUNDS:
            one_round(number, Path(folder))
            number += 1
            gc.collect()
            yield passed, *resident()


def main() -> int:
    """Soak, and say what grew; 1 if it was too much."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=120)
    wanted = parser.parse_args()
    samples, said = [], 0.0
    for sample in soak(wanted.minutes):
        samples.append(sample)
        if sample[0] >= said:
            print(f"{sample[0]:6.1f} min  {len(samples):6,} rounds  {sample[1]:7.1f} MiB  {sample[2]} threads", flush=True)
            said += max(1.0, wanted.minutes / 20)
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    growth = median(s[1] for s in late) - median(s[1] for s in early)
    threads = max(s[2] for s in late) - max(s[2] for s in early)
    print(f"{len(samples):,} rounds in {samples[-1][0]:.0f} min: memory grew by {growth:.1f} MiB, threads by {threads}")
    return int(growth > MOST_GROWTH or threads > 0)


if __name__ == "__main__":
    sys.exit(main())
