"""Other models on the page, in a real browser: in colour, without dense layers, without data."""

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Flatten, Pool2d, Upsample
from jitcnn.data import Dataset
from jitcnn.play.playground import Playground
from tests.play.conftest import serving
from tests.play.page import MAP, Page, click, until

COLOURED = {
    "colours": [Conv2d(4, activation="relu", input_shape=(12, 12, 3)), Pool2d(), Flatten(), Dense(3, activation="softmax")],
    "no dense layer": [Conv2d(4, activation="relu", input_shape=(12, 12, 3)), Conv2d(3, (10, 10)), Flatten(), Activation("softmax")],
    "pictures out": [Conv2d(4, padding="same", input_shape=(12, 12, 3)), Pool2d(), Upsample(2), Conv2d(3, padding="same")],
    "features": [Dense(5, activation="relu", input_shape=(6,)), Dense(3, activation="softmax")],
}


@pytest.mark.parametrize("name", COLOURED)
def test_other_models(browser, name):
    """In colour, without dense layers, with pictures as outputs, of rows of features: looked at, clicked and gone back through."""
    layers = [type(layer)(**layer.describe(), input_shape=layer.declared_shape) for layer in COLOURED[name]]
    model = CNN(layers, seed=1, engine="python")  # compiles nothing
    x = np.random.default_rng(0).integers(0, 255, (30, *model.input_shape), np.uint8)
    dataset = Dataset("random", x, np.arange(30) % 3, None, None, ["red", "green", "blue"], "")
    playground = Playground(model, dataset)
    with serving(playground) as server:
        page = Page(browser, server)
        assert page.text("#message") == ""
        last = model.layers[-1]
        size = last.output_shape[:2] if len(last.output_shape) == 3 else (1, last.output_shape[0])
        click(page, MAP.format(last.name, 1), 0, 0, *size)
        until(lambda: page.text("#number").startswith(last.name))
        page.run("document.getElementById('back-all').click()")
        until(lambda: page.all("[data-layer=input] .gradient:not([hidden])"))
        if name != "features":
            before = page.run("return document.body.dataset.milliseconds")
            page.draw()
            until(lambda: page.run("return document.body.dataset.milliseconds") != before)
        if name == "colours":
            assert page.find("#colour").is_displayed()
            page.press("e")
            until(lambda: "epoch 1.0" in page.text("[data-part=status]"))
        elif name == "pictures out":
            assert "loss" in page.text("[data-part=reason]")
        assert page.console() == []
        browser.get("about:blank")
    playground.close()


def test_without_data_nothing_is_promised(browser):
    model = CNN([Flatten(input_shape=(4, 4, 1)), Dense(2, activation="softmax")], seed=1, engine="python")
    with serving(Playground(model)) as server:
        page = Page(browser, server)
        assert page.text("#seen-text") == "What the network sees appears here. Draw or drop a picture anywhere."
        assert "--data" in page.text("[data-part=reason]")
        page.draw()
        until(lambda: page.all("[data-layer=dense1] canvas"))
        assert page.find("[data-layer=dense1] canvas").size["height"] <= 66  # two numbers need no more room than ten
        assert page.console() == []
        browser.get("about:blank")
