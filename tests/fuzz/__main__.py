"""Fuzz the readers of files: `python -m tests.fuzz idx csv --seconds 600`, or all of them.

Each file that must not be is kept in --keep, and the exit status is 1.
"""

import argparse
import importlib
import resource
import sys
from pathlib import Path

from tests.fuzz.harness import MOST_MEMORY, Defect, fuzz

FORMATS = sorted(path.stem for path in (Path(__file__).parent / "formats").glob("*.py"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("formats", nargs="*", choices=[*FORMATS, []], help="all without one")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for each")
    parser.add_argument("--examples", type=int, default=10**9, help="for each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz"), help="where to put files that must not be")
    wanted = parser.parse_args()
    wanted.keep.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_AS, (8 * MOST_MEMORY,) * 2)  # so that a defect does not take the machine with it
    failed = 0
    for name in wanted.formats or FORMATS:
        form = importlib.import_module(f"tests.fuzz.formats.{name}").FORMAT
        try:
            found = fuzz(name, form, examples=wanted.examples, seconds=wanted.seconds, seed=wanted.seed, keep=wanted.keep)
            print(f"{name}: {found}", flush=True)
        except Defect as defect:
            failed = 1
            print(defect, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
