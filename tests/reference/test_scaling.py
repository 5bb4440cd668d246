import numpy as np


def test_scale_rows(run, rng):
    x, scales = rng.normal(size=(5, 3, 2)), rng.normal(size=5)
    y, losses = np.empty_like(x), rng.normal(size=5)
    run("scale_rows", x, scales, y)
    np.testing.assert_array_equal(y, x * scales[:, None, None])
    expected = losses * scales
    run("scale_rows", losses, scales, losses)
    np.testing.assert_array_equal(losses, expected)


def test_standardize(run, rng):
    x, mean, deviation = rng.normal(3, 10, (4, 5, 6, 3)), np.array([1.0, 2.0, 3.0]), np.array([0.5, 2.0, 8.0])
    y = np.empty_like(x)
    run("standardize", x, mean, deviation, y)
    np.testing.assert_allclose(y, (x - mean) / deviation, rtol=1e-15)


def test_smooth_labels_is_cross_entropy_plus_the_mean_over_all_classes(run, rng):
    """(1 - s) * loss against the label + s * mean of the losses against each class (Szegedy et al., 2016, section 7)."""
    logits, labels, smoothing = rng.normal(size=(6, 4)), rng.integers(0, 4, 6), np.array([0.3])
    losses, grad, targets = np.empty(6), np.empty((6, 4)), np.eye(4)[labels]
    run("smooth_labels", targets, smoothing, targets)
    run("soft_cross_entropy", logits, targets, losses, grad)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(losses, -0.7 * log_p[np.arange(6), labels] - 0.3 * log_p.mean(axis=1), rtol=1e-12)
