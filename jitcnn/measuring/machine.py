"""What a figure was measured on."""

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def simd() -> str:
    """The vectors that Numba compiles for."""
    from numba.core.registry import cpu_target

    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    width = next((known for known in ("avx512f", "avx2", "avx", "neon", "sse2") if f"+{known}" in features.split(",")), "unknown")
    return f"{name}, {width}"


def describe(threads: int) -> dict[str, str]:
    """Name -> value, for people and for JSON."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "numba", "llvmlite"))
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "processor": f"{processor()} ({os.cpu_count()} cores)",
        "vectors": simd(),
        "threads": str(threads),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": versions,
        "load before": load,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
