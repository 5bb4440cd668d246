"""Mistakes, Grad-CAM and saliency as they are drawn."""

import numpy as np
import pytest

from jitcnn import plots
from jitcnn.attribution import attribute
from jitcnn.plots.mistakes import Mistake, most_confident
from tests.plots.conftest import images_in, texts_in


def test_most_confident_mistakes():
    outputs = np.array([[0.9, 0.1, 0], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0, 0.05, 0.95]], np.float32)
    y = np.array([1, 0, 1, 0])
    assert most_confident(outputs, y, 9) == [
        Mistake(3, 0, 2, pytest.approx(0.95)), Mistake(0, 1, 0, pytest.approx(0.9)), Mistake(1, 0, 2, pytest.approx(0.5))
    ]  # fmt: skip
    assert len(most_confident(outputs, y, 1)) == 1
    single = np.array([[0.25], [0.75], [0.125]])
    assert most_confident(single, np.array([1, 0, 1]), 9) == [Mistake(2, 1, 0, 0.875), Mistake(0, 1, 0, 0.75), Mistake(1, 0, 1, 0.75)]


def test_mistakes_show_the_images(grey):
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 256, (20, 10, 8, 1), np.uint8), generator.integers(0, 5, 20)
    outputs = grey.predict(x)
    wrong = [n for n in np.argsort(-outputs.max(axis=1), kind="stable") if outputs[n].argmax() != y[n]]
    figure = plots.mistakes(grey, x, y, 9)
    shown = images_in(figure)
    assert len(shown) == 9 < len(wrong)
    names = plots.style.class_names(grey, 5)
    titles = [text for text in figure.axes[0].texts if text.get_text().startswith("image ")]
    for image, title, n in zip(figure.axes[0].images, titles, wrong, strict=False):
        assert np.array_equal(image.get_array(), x[n, ..., 0])
        said = outputs[n].argmax()
        assert title.get_text() == f"image {n}, {100 * outputs[n, said]:.1f} %\nis {names[y[n]]}\nsaid {names[said]}"
        left, _, _, top = image.get_extent()
        assert title.get_position() == (left, pytest.approx(top - 0.06))
    assert f"{len(wrong)} mistakes in 20 images; those that the model was surest of come first." in texts_in(figure)


def test_no_mistakes(grey):
    x = np.random.default_rng(0).integers(0, 256, (3, 10, 8, 1), np.uint8)
    figure = plots.mistakes(grey, x, grey.predict(x).argmax(axis=1))
    assert images_in(figure) == [] and "No mistakes in 3 images." in texts_in(figure)


def test_mistakes_of_features(features):
    with pytest.raises(ValueError, match="mistakes are drawn of images"):
        plots.mistakes(features, np.ones((2, 5), np.float32), [0, 1])


def test_cam_draws_both_likeliest_classes(grey, image):
    figure = plots.cam(grey, image)
    answer = grey.predict(image)
    likeliest = np.argsort(-answer)[:2]
    arrays = [array for array in images_in(figure) if array.shape[1] > 1]
    arrays = [array for array in arrays if array.shape in ((10, 8), (4, 3))]
    names = plots.style.class_names(grey, 5)
    for row, label in enumerate(likeliest):
        found = attribute(grey, image, int(label))
        seen, under, heat, saliency = arrays[4 * row : 4 * row + 4]
        assert np.array_equal(seen, image[..., 0]) and np.array_equal(under, image[..., 0])
        assert np.array_equal(heat, found.grad_cam) and np.array_equal(saliency, found.saliency)
        assert f"{names[label]}: {100 * answer[label]:.1f} %, score {found.score:.3g}" in texts_in(figure)
    assert {"image", "Grad-CAM, 4 x 3", "saliency"} <= set(texts_in(figure))


def test_cam_of_a_class_and_of_colours(coloured):
    picture = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    figure = plots.cam(coloured, picture, 1)
    assert sum("score" in text and "gradient" not in text for text in texts_in(figure)) == 2  # the title's explanation, and one class
    assert np.array_equal(images_in(figure)[0], picture / 255)
    with pytest.raises(ValueError, match="class is 2, and the model has 2"):
        plots.cam(coloured, picture, 2)


def test_without_a_convolution_there_is_saliency_only():
    from jitcnn import CNN, Dense, Flatten

    model = CNN([Flatten(input_shape=(4, 4, 1)), Dense(1, activation="sigmoid")], seed=1, engine="python")
    figure = plots.cam(model, np.ones((4, 4, 1), np.float32))
    texts = texts_in(figure)
    assert "saliency" in texts and not any(text.startswith("Grad-CAM, ") for text in texts)
    assert "Grad-CAM needs a convolution" in " ".join(texts)
    (saliency,) = [array for array in images_in(figure)[1:] if array.shape == (4, 4)]
    assert np.allclose(saliency, np.abs(model.parameters["dense1/weights"].reshape(4, 4)))


def test_grad_cam_of_nothing_says_so():
    from jitcnn import CNN, Conv2d, Dense, Flatten

    layers = [Conv2d(2, 3, activation="relu", input_shape=(6, 6, 1)), Flatten(), Dense(2, activation="softmax")]
    model = CNN(layers, seed=1, engine="python")
    model.parameters["conv1/bias"][...] = -100  # no relu lets anything through
    texts = texts_in(plots.cam(model, np.ones((6, 6, 1), np.float32), 1))
    assert "Grad-CAM: nothing speaks for it" in texts and "Grad-CAM, 4 x 4" not in texts


def test_nowhere_to_look(features):
    with pytest.raises(ValueError, match="not images: there is nowhere to look"):
        plots.cam(features, np.ones(5, np.float32))
