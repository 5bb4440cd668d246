"""A short soak: what the long one does is done, and does not grow."""

import re
import subprocess
import sys
from pathlib import Path

from bench import soak

ROOT = Path(__file__).parents[2]


def test_a_few_rounds():
    done = subprocess.run([sys.executable, "-m", "bench.soak", "--minutes", "0"], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert re.search(rf"\n{soak.ROUNDS} rounds in \d+ min: memory grew by", done.stdout), done.stderr


def test_growth_is_told(monkeypatch, capsys):
    for step, threads, code in ((0.0, 3, 0), (1.0, 3, 1), (0.0, 4, 1)):
        samples = [(n / 60, 100 + n * step, threads if n > 75 else 3) for n in range(100)]
        monkeypatch.setattr(soak, "soak", lambda minutes, samples=samples: iter(samples))
        monkeypatch.setattr(sys, "argv", ["soak", "--minutes", "1"])
        assert soak.main() == code
        assert f"memory grew by {50 * step:.1f} MiB, threads by {threads - 3}" in capsys.readouterr().out
