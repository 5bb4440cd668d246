"""examples/sobel.py finds the edges of a photograph: of its own, and of one that is given."""

import runpy
from pathlib import Path

import numpy as np
import pytest

image = pytest.importorskip("matplotlib.image")
EXAMPLE = Path(__file__).parents[2] / "examples" / "sobel.py"


@pytest.fixture
def edges(tmp_path, monkeypatch):
    """Runs the example with arguments, and gives what it wrote: brightness from 0 to 1."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", [str(EXAMPLE), *map(str, arguments)])
        runpy.run_path(str(EXAMPLE), run_name="__main__")
        return image.imread(tmp_path / "edges.png")[..., 0]

    return run


@pytest.mark.parametrize("channels", [1, 3])
def test_a_bright_square(edges, tmp_path, channels):
    photo = np.zeros((20, 30, channels), np.uint8)
    photo[6:14, 10:20] = 200
    image.imsave(tmp_path / "square.png", photo if channels == 3 else photo[..., 0], cmap="gray")
    found = edges(tmp_path / "square.png")
    assert found.shape == (18, 28)
    seen = found > 0.1
    expected = np.zeros((18, 28), bool)
    expected[4:14, 8:20] = True  # pixels whose window meets the square's border: two lines on each side
    expected[6:12, 10:18] = False
    assert np.array_equal(seen, expected)


def test_its_own_photograph(edges):
    found = edges()
    assert found.shape == (598, 510)
    assert found.max() == 1
    assert found.mean() < 0.1  # edges are few
