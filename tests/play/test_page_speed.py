"""How fast the page answers and trains: figures of `make test-full`, which times nothing against a limit."""

import time

import numpy as np
import pytest

from jitcnn.data import load
from jitcnn.play.playground import Playground
from tests.play.conftest import new_model, serving
from tests.play.page import Page, until

pytestmark = pytest.mark.slow
EPOCHS = 20


def test_from_a_stroke_to_all_maps(browser, client, figures):
    """From the pen to all maps, the browser's part included."""
    page, times = Page(browser, client.server), []
    page.draw()
    for shift in range(20):
        page.run("delete document.body.dataset.milliseconds")
        page.draw([(100 + 4 * shift, 100), (104 + 4 * shift, 130)])
        times.append(float(until(lambda: page.run("return document.body.dataset.milliseconds"))))
    figures["playground: milliseconds from a stroke to all maps of conv-pool"] = round(float(np.median(times)), 1)
    assert min(times) > 0


@pytest.mark.parametrize("name", ["single-conv", "double-conv", "conv-pool", "deep"])
def test_an_epoch_of_5000_digits(browser, figures, name):
    """While the page is open and shows every layer, and while nobody looks."""
    digits = load("mnist", train_limit=5000)
    playground = Playground(new_model(name, digits), digits)

    def milliseconds(client):
        client.ask("train", action="play")
        first = until(lambda: (state := client.ask("state")["sides"][0])["epoch"] >= 2 and state["epoch"] + state["share"])
        began = time.perf_counter()
        last = first
        while last < first + EPOCHS:
            time.sleep(0.5)
            state, seconds = client.ask("state")["sides"][0], time.perf_counter() - began
            last = state["epoch"] + state["share"]
        client.ask("train", action="pause")
        return round(1000 * seconds / (last - first), 1)

    with serving(playground) as server:
        page = Page(browser, server)
        watched = milliseconds(page.client)
        assert page.console() == []
        browser.get("about:blank")
        figures[f"playground: milliseconds an epoch of 5,000 digits, {name}"] = {"page open": watched, "no page": milliseconds(page.client)}
    playground.close()
