import numpy as np
import pytest


@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clip_norm(run, rng, limit):
    g = rng.normal(size=200)
    y = np.empty_like(g)
    run("clip_norm", g, np.array([limit]), y)
    expected = g * min(1, limit / (np.linalg.norm(g) + 1e-6))
    np.testing.assert_allclose(y, expected, rtol=1e-13)
    run("clip_norm", g, np.array([limit]), g)
    np.testing.assert_array_equal(g, y)


def test_a_norm_that_is_no_number(run):
    g = np.array([1.0, np.nan, 2.0])
    run("clip_norm", g, np.array([1.0]), g)
    assert np.isnan(g).all()
