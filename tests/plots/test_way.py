"""An image's way through a model: what is drawn is what the layers compute, and what is chosen is what matters most."""

import numpy as np
import pytest
from PIL import Image

from jitcnn import CNN, Conv2d, Dense, Flatten, Layer, plots
from jitcnn.plots.stages import stages
from jitcnn.plots.tiles import as_shown
from jitcnn.preparation import NORMALIZATIONS
from tests.plots.conftest import images_in, texts_in


def test_stages_hold_what_layers_take_and_make(grey, image):
    found = {stage.name: stage for stage in stages(grey, image, 2)}
    arrays = grey.layer_outputs(image)
    assert list(found) == list(arrays)
    for name in ("conv1", "pool1", "conv2", "activation1", "upsample1"):
        x, y = arrays[name]
        strength = np.abs(y).mean(axis=(0, 1))
        chosen = []
        for triple in found[name].triples:
            k, i = int(triple.output.title.split()[1]), int(triple.input.title.split()[1])
            chosen.append(k)
            assert np.allclose(triple.output.array, y[:, :, k]) and np.allclose(triple.input.array, x[:, :, i])
            if name.startswith("conv"):
                weights = grey.parameters[f"{name}/weights"]
                assert np.allclose(triple.kernel.array, weights[:, :, i, k]) and triple.kernel.title == f"kernel {i} → {k}"
                assert i == np.argmax(np.abs(weights[..., k]).sum(axis=(0, 1)) * np.abs(x).mean(axis=(0, 1)))
            else:
                assert i == k and triple.kernel == {"pool1": "max", "activation1": "tanh", "upsample1": "upsample"}[name]
        assert strength[chosen].tolist() == sorted(strength, reverse=True)[:2]
    assert found["dropout1"].triples == found["flatten1"].triples == []
    assert "everything passes" in found["dropout1"].how


def test_dense_stages_multiply(grey, image):
    dense = {stage.name: stage for stage in stages(grey, image, 2)}
    x, _ = grey.layer_outputs(image)["dense1"]
    weights, bias = grey.parameters["dense1/weights"].astype(float), grey.parameters["dense1/bias"]
    for triple in dense["dense1"].triples:
        k = int(triple.kernel.title.split()[-1])
        i = int(triple.input.title.split()[1])
        product = (x * weights[:, k]).reshape(8, 6, 4)
        assert i == np.argmax(np.abs(product.sum(axis=(0, 1))))
        assert np.allclose(triple.output.array, product[..., i], atol=1e-6)
        assert np.allclose(triple.output.array, triple.input.array * triple.kernel.array)
        assert triple.output.title == f"product {product[..., i].sum():+.3g} of {product.sum() + bias[k]:+.3g}"
    best = int(np.argmax(grey.predict(image)))
    assert dense["dense2"].triples[0].kernel.title == f"weights for {plots.style.class_names(grey, 5)[best]}"


def test_picture_of_the_way(grey, image):
    figure = plots.outputs(grey, image)
    shown = images_in(figure)
    assert np.array_equal(shown[0], image[..., 0])
    assert len(shown) == 1 + 3 * 3 + 2 * 3 + 3 * 3 + 2 * 3 + 2 * 3 + 2 * 9  # three triples a layer, or what is there
    texts = texts_in(figure)
    assert {"image, 10 x 8 x 1", "conv1", "flatten1", "answer", "a $5 bee", "c d", "a name that has n…"} <= set(texts)
    answer = grey.predict(image)
    bars = figure.axes[-1].patches
    assert np.allclose([bar.get_width() for bar in bars], answer)
    assert f"{100 * answer.max():.1f} %" in texts
    low, high = shown[1].min(), shown[1].max()
    assert f"{low:.3g} … {high:.3g}" in texts


def test_way_of_colours_and_of_features(coloured, features):
    picture = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    assert np.array_equal(images_in(plots.outputs(coloured, picture))[0], picture / 255)
    figure = plots.outputs(features, np.arange(5.0, dtype=np.float32))
    assert "input: 5 numbers" in texts_in(figure)


@pytest.mark.parametrize("normalize", NORMALIZATIONS)
def test_what_is_done_to_an_image_first(normalize):
    model = CNN([Conv2d(1, input_shape=(4, 4, 1))], seed=1, normalize=normalize, engine="python")
    assert any(text.startswith("4 x 4 x 1, ") for text in texts_in(plots.graph(model)))
    if normalize != "dataset":  # which is measured by training
        told = [
            text for text in texts_in(plots.outputs(model, np.ones((4, 4, 1), np.float32))) if text.startswith("Before the first layer")
        ]
        assert len(told) == (normalize is not None)


def test_of_many_classes_the_likeliest_are_drawn():
    model = CNN([Conv2d(30, 2, activation="softmax", input_shape=(2, 2, 1))], seed=1, engine="python")
    image = np.ones((2, 2, 1), np.float32)
    assert "answer" not in texts_in(plots.outputs(model, image))  # an image is no answer
    model.add(Flatten())
    figure = plots.outputs(model, image)
    assert "answer, the 12 largest of 30 outputs" in texts_in(figure)
    assert np.allclose([bar.get_width() for bar in figure.axes[-1].patches], np.sort(model.predict(image))[:-13:-1])


class Double(Layer):
    def forward(self, step, x):
        y = step.buffer(x.shape)
        step.call(lambda x, y: np.multiply(x, 2, out=y), x, y)
        return y, lambda grad_y: grad_y


def test_a_layer_of_ones_own(image):
    model = CNN([Conv2d(2, input_shape=(10, 8, 1)), Double()], seed=1, engine="python")
    texts = texts_in(plots.outputs(model, image))
    assert "double" in texts and "Double → 8 x 6 x 2" in texts
    assert "double1" in texts_in(plots.graph(model))


@pytest.mark.parametrize("bad", [np.zeros((10, 8), np.uint8), np.zeros((1, 10, 8, 1), np.uint8), np.zeros((10, 8, 3), np.uint8)])
def test_no_image_of_the_models(grey, bad):
    with pytest.raises(ValueError, match=r"expected one image as the model takes it, \(10, 8, 1\)"):
        plots.outputs(grey, bad)


def test_image_of_a_file(grey, image, tmp_path):
    Image.fromarray(image[..., 0]).save(tmp_path / "image.png")
    assert np.array_equal(images_in(plots.outputs(grey, tmp_path / "image.png"))[0], image[..., 0])
    with pytest.raises(ValueError, match=r"none.png"):
        plots.outputs(grey, "none.png")


def test_model_that_knows_no_shape():
    with pytest.raises(ValueError, match="the shape of its images"):
        plots.outputs(CNN([Flatten()]), np.zeros((3, 3, 1)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, 0])
def test_model_that_diverged_is_drawn(value, image):
    model = CNN([Conv2d(2, activation="relu", input_shape=(10, 8, 1)), Flatten(), Dense(2, activation="softmax")], seed=1, engine="python")
    for array in model.parameters.values():
        array[...] = value
    drawn = [plots.outputs(model, image), plots.cam(model, image), plots.filters(model), plots.weights(model)]
    if value is np.nan:
        assert "not finite" in texts_in(drawn[0])


def test_graph_tells_sizes_parameters_and_work(grey):
    figure = plots.graph(grey)
    texts = texts_in(figure)
    sizes = [sum(p.size for p in layer.parameter_list) for layer in grey.layers]
    parameters, work = figure.axes[-2:]
    assert [bar.get_width() for bar in parameters.patches] == sizes
    assert [bar.get_width() for bar in work.patches] == [layer.multiply_adds() for layer in grey.layers]
    assert "convolution, 4 filters of 2 x 2, padding same → 4 x 3 x 4" in texts
    assert "max of 2 x 2 → 4 x 3 x 3" in texts and "dense, 5 units, softmax → 5" in texts
    assert f"{sizes[0]:,} ({100 * sizes[0] / sum(sizes):.0f} %)" in texts
    assert "10 x 8 x 1, standardised one by one" in texts
    names = [text.get_position()[1] for text in figure.axes[0].texts if text.get_text() in ("input", *grey.graph.names)]
    icons = [sum(0 < patch.get_y() + patch.get_height() - top < 0.66 for patch in figure.axes[0].patches) for top in names]
    assert icons == [1, 3, 3, 3, 4, 4, 4, 1, 1, 1]  # a sheet a channel, in each layer's line


@pytest.mark.parametrize(("value", "shown"), [(156, 156 / 255), (0, 0)])
def test_an_image_of_one_grey_is_shown_as_that(value, shown):
    assert (as_shown(np.full((1, 1, 1), value, np.uint8)) == shown).all()
