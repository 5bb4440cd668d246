"""Whole processes, from their start to their end."""

import os
import subprocess
import time
from collections.abc import Sequence

from bench.report import ROOT


def run_process(command: Sequence[str], **environment: str) -> tuple[float, str]:
    """Run a command in the project's folder: (seconds of wall time, standard output).

    Raises
    ------
    RuntimeError
        If it fails; the message holds its standard error.
    """
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return seconds, done.stdout


def threads_of(count: int) -> dict[str, str]:
    """Environment variables that give a process so many threads."""
    return dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(count))
