"""Each reader of files, given some changed ones; `python -m tests.fuzz --seconds 600` gives it as many as there is time for."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import FORMATS

ROOT = Path(__file__).parents[2]
READ_ALONE = ["checkpoint"]  # a training a file


@pytest.mark.parametrize("names", [[name for name in FORMATS if name not in READ_ALONE], READ_ALONE], ids=["files", "checkpoint"])
def test_readers_answer_in_one_line(names, tmp_path, full, figures):
    pytest.importorskip("PIL", reason="pictures are among the formats")
    amount = ["--seconds", "60"] if full else ["--examples", "10" if names == READ_ALONE else "40"]
    command = [sys.executable, "-m", "tests.fuzz", *names, *amount, "--keep", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    for line in done.stdout.splitlines():
        figures[f"fuzz {line.partition(':')[0]}"] = line.partition(": ")[2]
