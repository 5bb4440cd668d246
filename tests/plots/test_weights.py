"""Pictures of weights show the weights."""

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten, plots
from jitcnn.plots.tiles import columns_for, mosaic
from tests.plots.conftest import images_in, texts_in, tiles_in


def assert_centred(figure):
    """Of every image but those of colours, 0 is the middle of the scale."""
    for axes in figure.axes:
        for image in axes.images:
            if image.get_array().ndim == 2:
                low, high = image.get_clim()
                assert low == -high < 0
                assert high >= np.nanmax(np.abs(np.ma.filled(image.get_array(), np.nan))) * (1 - 1e-9)


def test_filters_of_one_channel_and_of_several(grey):
    figure = plots.filters(grey)
    first, second = images_in(figure)
    weights = grey.parameters["conv1/weights"]
    assert np.array_equal(tiles_in(first, (3, 3), 3, 3, 1), weights[:, :, 0].transpose(2, 0, 1).astype(float))
    weights = grey.parameters["conv2/weights"]
    expected = weights.transpose(2, 3, 0, 1).reshape(12, 2, 2)  # a row an input channel, a column a filter
    assert np.array_equal(tiles_in(second, (2, 2), 12, 4, 1), expected.astype(float))
    assert_centred(figure)
    texts = texts_in(figure)
    assert "conv1: 3 filters of 3 x 3 on 1 channel" in texts and "conv2: 4 filters of 2 x 2 on 3 channels" in texts
    assert {"filter", "input channel", "weight"} <= set(texts)


def test_filters_of_colours(coloured):
    figure = plots.filters(coloured)
    weights = coloured.parameters["conv1/weights"].astype(float)
    colours, *channels = images_in(figure)
    limit = np.abs(weights).max()
    found = tiles_in(colours, (3, 3), 5, 4, 1)
    assert np.allclose(found[..., :3], 0.5 + weights.transpose(3, 0, 1, 2) / (2 * limit))
    assert (found[..., 3] == 1).all() and (colours[:, 3, 3] == 0).all()  # nothing is between tiles
    for channel, shown in enumerate(channels):
        assert np.array_equal(tiles_in(shown, (3, 3), 5, 4, 1), weights[:, :, channel].transpose(2, 0, 1))
    assert {"red", "green", "blue"} <= set(texts_in(figure))
    assert_centred(figure)


@pytest.mark.parametrize("count", [1, 2, 8, 10, 64, 100, 512])
def test_grid_of_any_number_of_filters(count):
    model = CNN([Conv2d(count, input_shape=(5, 5, 1))], seed=1)
    (shown,) = images_in(plots.filters(model))
    weights = model.parameters["conv1/weights"][:, :, 0].transpose(2, 0, 1).astype(float)
    columns = columns_for(count)
    assert np.array_equal(tiles_in(shown, (3, 3), count, columns, 1), weights)
    assert 1 <= columns <= count and shown.shape[1] <= 5 * shown.shape[0] * max(1, 8 / count * columns)
    assert np.isfinite(shown).sum() == weights.size


def test_of_many_the_largest_are_shown():
    model = CNN([Conv2d(40, 1, input_shape=(5, 5, 1)), Conv2d(70, 1)], seed=1)
    weights = model.parameters["conv2/weights"]
    weights[..., 3] = 0.001
    weights[:, :, 5] = 0.001
    figure = plots.filters(model, "conv2")
    (shown,) = images_in(figure)
    assert shown.shape == (32, 64)
    size = (weights[0, 0].astype(float)) ** 2
    filters, channels = np.argsort(-size.sum(axis=0))[:64], np.argsort(-size.sum(axis=1))[:32]
    assert 3 not in filters and 5 not in channels
    assert np.array_equal(shown, weights[0, 0][np.sort(channels)][:, np.sort(filters)].astype(float))
    assert any("64 of 70 filters and 32 of 40 input channels" in text for text in texts_in(figure))


def test_numbers_stand_beside_their_kernels():
    model = CNN([Conv2d(20, (1, 5), input_shape=(4, 30, 1)), Conv2d(3, (4, 1))], seed=1)
    grid, table = (axes for axes in plots.filters(model).axes if axes.images)
    assert [round(x) for x in grid.get_xticks()] == [2 + 6 * k for k in range(8)]  # in the middle of 5 columns, with one between
    assert [round(y) for y in grid.get_yticks()] == [0, 2, 4]
    assert [label.get_text() for label in grid.get_yticklabels()] == ["0", "8", "16"]
    assert [round(x) for x in table.get_xticks()] == [0, 2, 4]
    assert list(table.get_yticks()) == [1.5 + 5 * k for k in range(20)]
    assert [label.get_text() for label in table.get_yticklabels()] == [str(k) for k in range(20)]


def test_many_layers_are_named_but_not_shown():
    model = CNN([Conv2d(1, 1, input_shape=(2, 2, 1)), *(Conv2d(1, 1) for _ in range(9))], seed=1)
    figure = plots.filters(model)
    assert len(images_in(figure)) == 8
    assert any("Not shown: conv9, conv10" in text for text in texts_in(figure))
    assert len(images_in(plots.filters(model, "conv10"))) == 1


def test_weights_that_are_not_finite(grey):
    grey.parameters["conv1/weights"][0, 0, 0, 0] = np.nan
    grey.parameters["conv1/weights"][0, 0, 0, 1] = np.inf
    assert any("2 weights of 27 are not finite" in text for text in texts_in(plots.filters(grey)))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda grey, features: plots.filters(features), "no convolution to show the weights of, only dense1, dense2"),
        (lambda grey, features: plots.filters(grey, "conv9"), "layer is 'conv9', and the model's are conv1, conv2: name one"),
        (lambda grey, features: plots.filters(CNN()), "input_shape"),
        (lambda grey, features: plots.weights(CNN([Conv2d(1, input_shape=(3, 3, 1))])), "no dense layer"),
        (lambda grey, features: plots.weights(grey, "conv1"), "are dense1, dense2: name one"),
        (lambda grey, features: plots.graph(CNN([Conv2d(1)])), "no architecture to draw"),
    ],
)
def test_what_cannot_be_drawn(grey, features, call, match):
    with pytest.raises(ValueError, match=match):
        call(grey, features)


def test_dense_weights_of_each_class_lie_where_the_pixels_are():
    model = CNN([Flatten(input_shape=(4, 3, 1)), Dense(3, activation="softmax")], seed=1)
    model.classes = ["x", "y", "z"]
    figure = plots.weights(model)
    weights = model.parameters["dense1/weights"].astype(float)
    for k, shown in enumerate(images_in(figure)):
        assert np.array_equal(shown, weights[:, k].reshape(4, 3))
    assert {"x", "y", "z", "weight"} <= set(texts_in(figure))
    assert_centred(figure)


def test_dense_weights_of_several_channels(grey):
    figure = plots.weights(grey, "dense1")
    weights = grey.parameters["dense1/weights"].astype(float)
    shown = images_in(figure)
    assert len(shown) == 6
    for k, array in enumerate(shown):
        assert np.array_equal(tiles_in(array, (8, 6), 4, 2, 1), weights[:, k].reshape(8, 6, 4).transpose(2, 0, 1))
    assert "unit 5" in texts_in(figure)


def test_dense_weights_of_features(features):
    (shown,) = images_in(plots.weights(features))
    weights = features.parameters["dense2/weights"][:, 0].astype(float)
    assert np.array_equal(shown[np.isfinite(shown)], weights)
    assert shown.shape == (3, 3)


def test_of_many_units_the_largest_are_shown():
    model = CNN([Dense(70, input_shape=4), Dense(2)], seed=1)
    model.parameters["dense1/weights"][:, 1] = 0
    figure = plots.weights(model, "dense1")
    assert len(images_in(figure)) == 64 and "unit 1" not in texts_in(figure) and "unit 0" in texts_in(figure)
    assert any("64 of 70" in text for text in texts_in(figure))


def test_mosaic():
    tiles = np.arange(12.0).reshape(3, 2, 2)
    nan = np.nan
    assert np.array_equal(
        mosaic(tiles, 2),
        [[0, 1, nan, 4, 5], [2, 3, nan, 6, 7], [nan] * 5, [8, 9, nan, nan, nan], [10, 11, nan, nan, nan]],
        equal_nan=True,
    )
