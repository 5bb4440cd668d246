"""What the bits of a run may depend on: the processor and the versions."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

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


def repetition(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Compare the outcome of a run with that of the one whose settings it repeated: one line."""
    wanted, found = earlier["result"]["digest"], now["result"]["digest"]
    if wanted == found:
        return f"repeated to the bit: the digest is {found} again"
    machines, data = (earlier.get("machine", {}), now["machine"]), (earlier.get("data", {}).get("digest"), now["data"]["digest"])
    reasons = [f"other data (digest {data[0]}, now {data[1]})"] if data[0] != data[1] else []
    if machines[0].get("features") != machines[1]["features"]:
        reasons.append(f"another processor ({machines[0].get('processor')}, now {machines[1]['processor']}) with other features")
    for name in ("jitcnn", "numpy", "numba", "llvmlite"):
        if machines[0].get(name) != machines[1][name]:
            reasons.append(f"another {name} ({machines[0].get(name)}, now {machines[1][name]})")
    if "time" in now["train"]:
        reasons.append("it is trained by the clock, which never goes the same way twice")
    why = ", ".join(reasons) or "data, processor and versions are the same: settings in the file were changed, or this is a fault of jitcnn"
    return f"not the same bits: the digest was {wanted} and is {found} now; {why}"
