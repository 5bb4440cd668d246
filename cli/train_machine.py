"""What the bits of a run may depend on: the processor and the versions."""

from __future__ import annotations

import platform
from importlib import metadata

import jitcnn
from jitcnn.measuring.machine import processor


def machine() -> dict[str, str]:
    """Name -> value: two runs where these are the same have the same bits, however many threads they had."""
    from numba.core.registry import cpu_target

    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    return {
        "processor": processor(),
        "target": name,
        "features": " ".join(sorted(feature[1:] for feature in features.split(",") if feature.startswith("+"))),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "jitcnn": jitcnn.__version__,
        **{library: metadata.version(library) for library in ("numpy", "numba", "llvmlite")},
    }
