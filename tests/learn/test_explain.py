"""What is said about a convolution: work, bytes, tile."""

import numpy as np
import pytest

from jitcnn import reference
from jitcnn.kernels import winograd_choice
from jitcnn.learn import explain

CASE = ((3, 10, 9, 16), 32, (3, 2), (1, 2), (1, 0))


@pytest.mark.parametrize("kind", explain.PASSES)
def test_work_and_bytes(kind):
    case = explain.convolution(*CASE, kind)
    assert case.y_shape == (3, 10, 4, 32)
    assert case.flop == 2 * 3 * 10 * 4 * 32 * 3 * 2 * 16
    assert sum(case.bytes_of.values()) == 4 * (3 * 10 * 9 * 16 + 3 * 2 * 16 * 32 + 3 * 10 * 4 * 32)
    assert case.intensity == pytest.approx(case.flop / sum(case.bytes_of.values()))
    assert [name for name in case.bytes_of if name.startswith("grad")] == {
        "forward": [],
        "grad-input": ["grad_x", "grad_y"],
        "grad-weights": ["grad_w", "grad_y"],
    }[kind]


@pytest.mark.parametrize("kind", explain.PASSES)
def test_what_is_timed_is_that_pass(kind):
    case = explain.convolution(*CASE, kind)
    call = explain.make_call(case)
    assert call().shape == {"forward": case.y_shape, "grad-input": case.x_shape, "grad-weights": case.w_shape}[kind]
    settings = {name: value for name, value in call.keywords.items() if name in ("stride", "padding")}
    assert np.allclose(call(), getattr(reference, case.name)(*call.args, **settings), atol=1e-3)


@pytest.mark.parametrize(("kind", "algorithm"), [*((kind, "direct") for kind in explain.PASSES), ("forward", "winograd")])
def test_sums_stay_in_registers(kind, algorithm):
    """The tiles that the kernels choose do not spill, and the code that is shown is theirs."""
    case = explain.convolution((4, 14, 14, 32), 32, (3, 3), (1, 1), (1, 1), kind, algorithm)
    (row,) = explain.recorded(explain.make_call(case))
    tile, loop = explain.tile_of(case, row), explain.inner_loop(row)
    assert tile.together == 1
    assert tile.rows * tile.vectors == tile.sums
    if loop.fused:
        assert len(loop.accumulators) == tile.sums
        assert loop.sums % tile.sums == 0
    assert loop.spills == 0


@pytest.mark.parametrize(("kind", "channels"), [("forward", 3), ("grad-weights", 3), ("grad-weights", 1)])
def test_sums_of_small_patches_stay_in_registers(kind, channels):
    case = explain.convolution((4, 16, 16, channels), 32, (3, 3), (1, 1), (1, 1), kind, "winograd")
    if not case.small_patches:
        pytest.skip("this processor has too few registers for small patches")
    (row,) = explain.recorded(explain.make_call(case))
    tile, loop = explain.tile_of(case, row), explain.inner_loop(row)
    assert "winograd_small" in row.factory.__module__
    assert tile.sums == {("forward", 3): 2 * 8, ("grad-weights", 3): 8 * 3, ("grad-weights", 1): 16}[kind, channels]
    assert len(loop.accumulators) == tile.sums if kind == "grad-weights" else loop.sums > 24 * 3
    assert loop.spills == 0


def test_few_filters_are_computed_in_groups():
    case = explain.convolution((4, 14, 14, 4), 2, (3, 3), (1, 1), (1, 1), "forward")
    (row,) = explain.recorded(explain.make_call(case))
    assert explain.tile_of(case, row).together > 1


def test_strides_fall_into_parts():
    case = explain.convolution((4, 15, 15, 16), 16, (3, 3), (2, 2), (1, 1), "grad-input")
    rows = explain.recorded(explain.make_call(case))
    assert len(rows) == 4
    taps = [explain.argument(row, "kernel_h") * explain.argument(row, "kernel_w") for row in rows]
    assert taps[0] == 4


def test_measured(monkeypatch):
    monkeypatch.setattr(explain, "SECONDS", 0.01)
    case = explain.convolution((4, 14, 14, 32), 32, (3, 3), (1, 1), (1, 1), "forward")
    measured = explain.measure(case, explain.make_call(case))
    assert measured.gigaflops > 0
    assert measured.peak > 0 and measured.threads >= 1


def test_the_choice_is_that_of_the_kernels():
    """Said, and made: the program that is recorded is that of the algorithm."""
    for shape, filters, stride, expected in (
        ((2, 16, 16, 64), 64, (1, 1), "winograd"),
        ((2, 16, 16, 64), 64, (2, 2), "direct"),
        ((2, 16, 16, 2), 8, (1, 1), "direct"),
    ):
        case = explain.convolution(shape, filters, (3, 3), stride, (1, 1), "forward")
        algorithm, why = case.choice
        assert algorithm == expected
        assert why == winograd_choice.choose(case.w_shape, case.stride, case.y_shape[1:3])[1]
        (row,) = explain.recorded(explain.make_call(case))
        assert ("winograd" in row.factory.__module__) == (algorithm == "winograd")


def test_what_is_asked_for():
    case = explain.convolution((2, 16, 16, 64), 64, (3, 3), (1, 1), (1, 1), "forward", "direct")
    assert case.choice[0] == "direct"
    assert "asked for; left to itself it would be winograd" in case.choice[1]
    (row,) = explain.recorded(explain.make_call(case))
    assert "winograd" not in row.factory.__module__
