"""Each example runs by itself, in an empty folder, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
SAYS = {
    "kernels_in_numba.py": ["1: upright edges 0."],
    "own_layer.py": ["beta began at 1 and is ", "% of the test digits are right"],
    "own_pictures.py": ["240 images of 32 x 32 x 3 in 3 classes, 60 to test with", "% of the test pictures are right"],
}
ELSEWHERE = {"blog.py", "sobel.py"}  # tests/blog/test_example.py, tests/docs/test_sobel.py


def test_every_example_is_run():
    assert {path.name for path in FOLDER.glob("*.py")} == {*ELSEWHERE, *SAYS}


@pytest.mark.parametrize("name", sorted(SAYS))
def test_it_stands_alone(name, tmp_path):
    environment = os.environ | {"JITCNN_DATA_DIR": str(tmp_path / "data")}
    (tmp_path / "empty").mkdir()
    done = subprocess.run([sys.executable, FOLDER / name], cwd=tmp_path / "empty", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(text in done.stdout for text in SAYS[name]), done.stdout
    assert list((tmp_path / "empty").iterdir()) == []
