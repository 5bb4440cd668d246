"""Letters that the pictures' typeface lacks are drawn with another font, or warned of where no font has them."""

import warnings

import numpy as np
import pytest

from jitcnn.plots import letters, save
from jitcnn.plots.confusion import draw
from jitcnn.plots.style import shortened

ELSEWHERE = "\u2336"  # in DejaVu Sans Mono, which comes with matplotlib too
NOWHERE = "\U0010fffd"  # for private use


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(letters, "_told", set())


def drawn(tmp_path, *names):
    """The bytes of a picture, which warns of nothing."""
    figure = draw(np.array([[3, 1], [0, 2]]), names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(figure, tmp_path / "drawn.png")
    return (tmp_path / "drawn.png").read_bytes()


def test_another_font_has_it(tmp_path, monkeypatch):
    assert ELSEWHERE not in letters.letters_of(letters.typeface())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = drawn(tmp_path, "ant", ELSEWHERE)
    monkeypatch.setattr(letters, "other_families", lambda _: {})
    with pytest.warns(UserWarning, match=f"letters of {ELSEWHERE},"):
        assert first != drawn(tmp_path, "ant", ELSEWHERE)


def test_no_font_has_it(tmp_path):
    with pytest.warns(UserWarning, match=f"no font on this machine has the letters of ox{NOWHERE}, which are boxes"):
        drawn(tmp_path, "ant", f"ox{NOWHERE}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn(tmp_path, "bee", f"ox{NOWHERE}")  # said once


def test_wide_letters_take_the_room_of_two():
    assert shortened("\u732b" * 20) == "\u732b" * 8 + "…"
    assert shortened("x" * 20) == "x" * 17 + "…"
