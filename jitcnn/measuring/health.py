"""What `jitcnn doctor` looks at: this machine, what is installed, where machine code is kept, and what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from jitcnn.kernels import compiling, runner
from jitcnn.kernels.threads import num_threads
from jitcnn.measuring.clock import seconds_a_call
from jitcnn.measuring.machine import processor, simd
from jitcnn.measuring.peak import fma_peak

if TYPE_CHECKING:
    from jitcnn.model import CNN

NEEDED = ("jitcnn", "numpy", "numba", "llvmlite", "click", "tqdm")
EXTRAS = {"matplotlib": ("matplotlib", "plots"), "PIL": ("Pillow", "images"), "pooch": ("pooch", "downloads")}  # module: package, extra
LANES = {"avx512f": 16, "avx": 8, "neon": 4, "sse2": 4}  # floats in a vector; the first that fits counts
SLOW_REGION = 20e-6  # seconds; OpenMP needs 1 to 3 millionths, Numba's workqueue 70 to 90
PICTURES = ((64, 64, 3), (64, 64, 1), (32, 32, 3), (32, 32, 1), (64, 48, 3), (48, 64, 3))  # shapes of images from picture files
CLASSES = (2, 3, 4, 5, 6, 7, 12, 50)  # beside the ten of most presets
BUSY = 0.5  # processes besides us that are running or waiting


def examine() -> dict[str, Any]:
    """Measure everything; takes about a second once the kernels are compiled.

    Returns
    -------
    dict
        `versions`, `system`, `processor`, `cores`, `usable_cores`, `vectors`, `lanes` (floats in a vector), `threads`, `threading_layer`,
        `region_microseconds`, `cache_folder` (None if there is none), `cache_bytes`, `peak_gflops` (`one_thread`, `all_threads`), `load`,
        `missing` ([package, extra] each) and `advice`.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    region = region_cost()
    threads = num_threads()
    folder = compiling.cache_folder()
    found = {
        "versions": {"python": platform.python_version()} | {name: version(name) for name in NEEDED},
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "vectors": simd(),
        "lanes": next((lanes for width, lanes in LANES.items() if width in simd()), None),
        "threads": threads,
        "threading_layer": numba.threading_layer(),
        "region_microseconds": region * 1e6,
        "cache_folder": folder or None,
        "cache_bytes": sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) if folder else 0,
        "peak_gflops": {"one_thread": fma_peak(1), "all_threads": fma_peak(threads)},
        "load": load,
        "missing": [list(names) for module, names in EXTRAS.items() if importlib.util.find_spec(module) is None],
    }
    return found | {"advice": advice(found)}


def advice(found: dict[str, Any]) -> list[str]:
    """What to do about what was found, a sentence each; nothing if all is well."""
    said = []
    if found["threading_layer"] == "workqueue":
        said.append("Numba found no OpenMP, so small networks train slower: install it (Debian, Ubuntu: apt install libgomp1)")
    elif found["region_microseconds"] > SLOW_REGION * 1e6:
        said.append("starting threads takes long, as on a busy machine: stop what else is running, or give --threads 1 to small networks")
    if found["cache_folder"] is None:
        said.append("no folder for machine code can be written, so every start compiles anew: set JITCNN_CACHE_DIR to one of your own")
    if found["load"] is not None and found["load"] > BUSY:
        said.append(f"other programs are busy (load {found['load']:.1f}): measure and train when they are done")
    said += [f"{package} is not installed: pip install 'jitcnn[{extra}]'" for package, extra in found["missing"]]
    return said


def version(package: str) -> str | None:
    """A package's version, None if it is not installed as one."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def region_cost() -> float:
    """Seconds that it takes to start all threads and to wait for them."""

    def run(numbers):
        for number in numba.prange(numbers.size):
            numbers[number] = number

    compiled = compiling.njit("void(int64[::1])", parallel=True)(run)
    numbers = np.zeros(num_threads(), np.int64)
    compiled(numbers)
    return seconds_a_call(lambda: compiled(numbers), 0.02)


def warm() -> int:
    """Compile what a first training needs; returns how many networks that were.

    The presets on digits, with every optimizer and option of `CNN.compile` and `CNN.train`; the default preset on pictures of the usual
    sizes, in grey and in colour, in few classes and in many; and a network of all layers.
    """
    from jitcnn.optimizers import OPTIMIZERS
    from jitcnn.presets import PRESETS

    smooth = PRESETS["conv-pool"].build(seed=0)
    smooth.compile(label_smoothing=0.1, clip_norm=1.0)
    models = [smooth, *(preset.build(seed=0) for preset in PRESETS.values())]
    models += [PRESETS["conv-pool"].build(seed=0, optimizer=name) for name in OPTIMIZERS]
    models += [PRESETS["default"].build(seed=0, input_shape=shape) for shape in PICTURES]
    models += [PRESETS["default"].build(seed=0, input_shape=PICTURES[0], classes=classes) for classes in CLASSES]
    models.append(_usual())
    for factory, key in runner.variants(2):  # so little work as below may stay on one thread
        factory(**key)
    for model in models:
        x = np.random.default_rng(0).integers(0, 256, (40, *(model.input_shape or ())), np.uint8)
        y = np.arange(40) % (model.output_shape or (1,))[-1]
        model.train(x, y, epochs=1, class_weights="balanced", augment="digits", progress=False)
        model.train(x, y, epochs=1, validation=0.2, progress=False)
        model.predict(x)
        model.predict(x.astype(np.float32))
    return len(models)


def _usual() -> CNN:
    """A network of all layers, in the ways that presets do not use."""
    from jitcnn.layers import Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample
    from jitcnn.model import CNN

    layers = [
        Conv2d(8, 5, stride=2, padding="same", activation="relu", input_shape=(32, 32, 3)),
        Conv2d(16, 1, padding="edge", activation="tanh"),
        Pool2d(3, stride=2, padding=1, kind="average"),
        Upsample(),
        Conv2d(64, 3, padding=1),
        Activation("sigmoid"),
        Dropout(0.1),
        Flatten(),
        Dense(64, activation="relu"),
        Dense(10, activation="softmax"),
    ]
    model = CNN(layers, seed=0, normalize="per-image")
    model.compile()
    return model
