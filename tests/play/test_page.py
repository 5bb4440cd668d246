"""Every promise of the page, in a real browser."""

import time

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from jitcnn import load
from jitcnn.play.playground import Playground
from jitcnn.play.tracing import trace
from tests.play.conftest import new_model, serving
from tests.play.page import MAP, Page, click, until, words


@pytest.fixture
def page(browser, client):
    """The page; afterwards its console must be empty, and every request have gone to this server."""
    found = Page(browser, client.server)
    yield found
    assert found.console() == []
    addresses = found.addresses()
    assert addresses and all(address.startswith(("data:", "blob:", client.server.url)) for address in addresses), addresses


def test_an_example_is_shown_with_its_label_and_prediction(page, digits, playground):
    outputs = playground.model.predict(digits.x_test[0])
    assert page.text("#verdict") == f"{outputs.argmax()}, {outputs.max():.1%}".replace("%", " %")
    assert np.array_equal(page.pixels("#seen")[..., 0], digits.x_test[0][..., 0])
    assert f"the label says {digits.y_test[0]}" in page.text("#seen-text")
    assert page.all("#prediction .label")[0].text.startswith(str(digits.y_test[0]))


def test_drawing_shows_what_the_network_sees_and_says(page, playground):
    page.press("c")
    before = page.text("#verdict")
    page.draw()
    until(lambda: page.text("#verdict") != before)
    time.sleep(0.1)
    seen = page.pixels("#seen")[..., :1]
    wanted = playground.model.prepare(page.pixels("#paper")[..., :1])
    assert np.corrcoef(seen.ravel(), wanted.ravel())[0, 1] > 0.99  # the paper is sent with half of its pixels
    outputs = playground.model.predict(seen)
    assert page.text("#verdict") == f"{outputs.argmax()}, {outputs.max():.1%}".replace("%", " %")
    assert page.run("return document.getElementById('label').value") == str(outputs.argmax())  # whose loss the gradients are of


def test_a_stroke_takes_the_place_of_an_example(page):
    page.press("n")
    until(lambda: "label" in page.text("#seen-text"))
    assert page.pixels("#paper")[100:, :, 0].any()
    page.draw([(20, 20), (30, 30)])
    drawn = page.pixels("#paper")[..., 0]
    assert drawn[:60, :60].any() and not drawn[100:].any()


def test_drawing_with_keys(page):
    page.press("c", "d")
    page.press(" ", *[Keys.ARROW_DOWN] * 6, *[Keys.ARROW_RIGHT] * 4, " ", *[Keys.ARROW_RIGHT] * 4)
    drawn = page.pixels("#paper")[..., 0]
    assert drawn[140 + 24, 140] == 255 and drawn[188, 160] == 255 and drawn[188, 200] == 0
    until(lambda: "label" not in page.text("#seen-text"))


def test_a_picture_is_dropped(page, playground, tmp_path, digits):
    picture = tmp_path / "photo.png"
    Image.fromarray(255 - np.pad(digits.x_test[1][..., 0], 20)).resize((300, 300)).save(picture)
    page.find("#file").send_keys(str(picture))
    until(lambda: "label" not in page.text("#seen-text"))
    wanted = playground.model.prepare(str(picture))
    until(lambda: np.array_equal(page.pixels("#seen")[..., :1], wanted))
    # and by drag and drop
    page.press("c")
    page.run(
        """const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(arguments[0])], "photo.png", { type: "image/png" }));
        document.getElementById("layers").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));""",
        list(picture.read_bytes()),
    )
    until(lambda: page.pixels("#paper").any(axis=2).sum() and np.array_equal(page.pixels("#seen")[..., :1], wanted))


def test_what_is_no_picture_is_said(page, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    page.find("#file").send_keys(str(tmp_path / "text.png"))
    assert "not a picture" in until(lambda: page.text("#message"))
    assert [entry["message"] for entry in page.console() if "status of 400" not in entry["message"]] == []


def test_every_layer_has_its_maps(page, playground, digits):
    outputs = playground.model.layer_outputs(digits.x_test[0])
    assert [card.get_attribute("data-layer") for card in page.all("#cards .card")] == ["input", *outputs]
    for name, maps in {"input": 1, "conv1": 4, "pool1": 4, "conv2": 8, "dense1": 1}.items():
        assert len(page.all(f"[data-layer={name}] .map:not(.filter):not(.gradient)")) == maps
    shown = page.pixels("[data-layer=conv1] figure:nth-child(2) .map:not(.filter) canvas")
    values = outputs["conv1"][1][..., 1]
    assert shown.shape[:2] == values.shape
    brightness = shown[..., :3].sum(axis=2).astype(int).ravel()[values.ravel().argsort()]
    assert (np.diff(brightness) <= 3).all() and brightness[0] - brightness[-1] > 100  # the larger, the darker


def test_a_pixel_shows_window_filter_products_and_lines(page, playground, digits):
    outputs = playground.model.layer_outputs(digits.x_test[0])
    click(page, MAP.format("conv1", 2), 12, 14, 26, 26)
    until(lambda: "conv1, channel 1, row 12, column 14" in page.text("#number"))
    top = page.find("#number-panel").rect["y"]
    assert top < page.find("#train").rect["y"] and top - page.run("return scrollY") < 200
    assert page.text("#number .value") == words(outputs["conv1"][1][12, 14, 1])
    window, kernel, products = page.all("#number .step:nth-of-type(1) .grid")
    numbers = [[float(cell.get_attribute("title").replace("−", "-")) for cell in table.find_elements(By.TAG_NAME, "td")] for table in
               (window, kernel, products)]  # fmt: skip
    x = outputs["conv1"][0][12:15, 14:17, 0].ravel()
    w = playground.model.parameters["conv1/weights"][:, :, 0, 1].ravel()
    np.testing.assert_allclose(numbers, [x, w, x * w], rtol=1e-6, atol=1e-9)
    assert "sum of products" in page.text("#number .equation")
    assert [step.text for step in page.all("#number .step > h3")] == ["conv2d", "relu"]
    assert any("total += x[n, row, column, c] * w[u, v, c, o]" in line.text for line in page.all("#number .mark"))
    assert "jitcnn/reference/conv.py" in page.text("#number")


def test_a_weight_shows_how_its_gradient_comes_about(page, playground, digits):
    click(page, MAP.format("conv1", 1), 12, 14, 26, 26)
    until(lambda: page.all("#number .grid button"))[4].click()
    until(lambda: "gradient of conv1, weights [1,1,0,0]" in page.text("#number"))
    gradient = trace(playground.model, digits.x_test[0], digits.y_test[:1]).gradients["conv1/weights"][1, 1, 0, 0]
    assert page.text("#number .value") == words(gradient)
    assert "The loss itself says" in page.text("#number")
    assert [canvas.get_attribute("aria-label").partition(",")[0] for canvas in page.all("#number .picture canvas")] == [
        "pixels",
        "output gradients",
        "products",
    ]


def test_dense_and_pool(page, playground, digits):
    outputs = playground.model.layer_outputs(digits.x_test[0])
    click(page, MAP.format("dense1", 1), 0, 3, 1, 10)
    until(lambda: "dense1, number 3" in page.text("#number"))
    assert [step.text for step in page.all("#number .step > h3")] == ["dense", "softmax"]
    assert page.text("#number .value") == words(outputs["dense1"][1][3])
    assert "the other 960 together" in page.text("#number .list")
    click(page, MAP.format("pool1", 1), 6, 6, 13, 13)
    until(lambda: "pool1, channel 0, row 6, column 6" in page.text("#number"))
    assert len(page.all("#number .grid .chosen")) == 1
    page.press("x")
    assert "Click a pixel" in page.text("#number")


def test_picked_with_keys(page):
    page.find(MAP.format("conv1", 1)).send_keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.PAGE_DOWN)
    page.press(Keys.ENTER)
    until(lambda: "conv1, channel 1, row 1, column 2" in page.text("#number"))


def test_the_backward_pass_goes_layer_by_layer(page, playground, digits):
    found = trace(playground.model, digits.x_test[0], digits.y_test[:1])
    shown = "[data-layer={}] .gradient:not([hidden])"
    page.press("g")
    until(lambda: page.all(shown.format("dense1")))
    assert f"The loss is {words(found.end.y[0])}" in page.text("#back-text")
    assert not page.all(shown.format("conv2"))
    page.press("g")
    until(lambda: page.all(shown.format("conv2")))
    assert "Through dense1 back to what conv2 made: dense_grad_weights, bias_grad, dense_grad_input" in page.text("#back-text")
    page.run("document.getElementById('back-all').click()")
    until(lambda: page.all(shown.format("input")))
    brightness = page.pixels("[data-layer=conv2] figure:nth-child(1) .gradient canvas").astype(int)
    gradient = found.find("conv2").grad_y[..., 0]
    warm = brightness[..., 0] - brightness[..., 2]  # orange above zero, blue below
    assert (
        np.sign(warm[np.abs(gradient) > 0.2 * np.abs(gradient).max()]) == np.sign(gradient[np.abs(gradient) > 0.2 * np.abs(gradient).max()])
    ).all()
    click(page, "[data-layer=conv1] figure:nth-child(1) .gradient canvas", 10, 10, 26, 26)
    until(lambda: "gradient of conv1" in page.text("#number"))
    assert page.text("#number .value") == words(found.find("conv1").grad_y[10, 10, 0])
    page.press("h")
    until(lambda: not page.all(".gradient:not([hidden])"))


def test_the_next_example(page, digits):
    page.press("n")
    until(lambda: f"the label says {digits.y_test[1]}" in page.text("#seen-text"))


def test_keys_are_listed(page):
    page.press("?")
    assert "next example" in page.text("#keys")
    page.press(Keys.ESCAPE)
    assert not page.find("#keys").is_displayed()


@pytest.fixture
def own(browser, digits, tmp_path):
    """The page of a playground of its own, which is trained."""
    playground = Playground(new_model("conv-pool", digits), digits, tmp_path / "saved.json")
    with serving(playground) as server:
        page = Page(browser, server)
        page.playground = playground
        yield page
        assert page.console() == []
        browser.get("about:blank")
    playground.close()


def training(page):
    return page.playground.classroom.sides[0]


def slide(page, name, position, side=0):
    script = "const input = document.getElementById(arguments[0]); input.value = arguments[1]; input.dispatchEvent(new Event('input'))"
    page.run(script, f"{name}-{side}", position)


def test_training_live(own, figures):
    """Step, epoch, play and pause; filters, prediction and curves change; back to the best; saved, and read again."""
    before = own.pixels("[data-layer=conv1] .filter canvas")
    own.press("s")
    until(lambda: "step 1;" in own.text("[data-part=status]"))
    own.press("e")
    until(lambda: "epoch 1.0, step 10" in own.text("[data-part=status]"))
    until(lambda: not np.array_equal(before, own.pixels("[data-layer=conv1] .filter canvas")))
    own.press("p")
    until(lambda: training(own).epoch >= 4)
    assert own.text("[data-part=play]").startswith("Pause")
    own.press("p")
    until(lambda: own.text("[data-part=play]").startswith("Play"))
    until(lambda: own.text("[data-part=accuracy-now]") == f"{100 * training(own).marks[-1]['accuracy']:.1f} %")
    assert training(own).marks[-1]["accuracy"] > 0.4
    image = training(own).dataset.x_test[0]
    outputs = training(own).model.predict(image)
    until(lambda: own.text("#verdict") == f"{outputs.argmax()}, {outputs.max():.1%}".replace("%", " %"))
    assert own.pixels("[data-part=loss]")[..., 3].any()
    assert len(own.all("[data-part=classes] li")) == 10
    own.press("b")
    best = training(own).best_mark
    until(lambda: f"epoch {best['epoch']}.0" in own.text("[data-part=status]"))
    own.find("[data-part=save]").click()
    until(lambda: "Saved to saved.json" in own.text("[data-part=saved]"))
    assert load(own.playground.out).digest() == training(own).model.digest()
    own.press("r")
    until(lambda: "not trained here yet" in own.text("[data-part=status]"))


def test_sliders(own):
    slide(own, "rate", -2)  # one right after the other: both count
    slide(own, "batch", 4)
    until(lambda: training(own).settings.rate == 0.01)
    until(lambda: training(own).settings.batch == 16)
    slide(own, "dropout", 0.5)
    until(lambda: training(own).model.layers[3].rate == 0.5)
    slide(own, "filters", 8)
    until(lambda: len(own.all("[data-layer=conv1] .filter")) == 8)
    own.run("const s = document.getElementById('left-out-0'); s.value = '7'; s.dispatchEvent(new Event('change'))")
    until(lambda: training(own).settings.left_out == 7)
    own.press("e")
    until(lambda: own.all("[data-part=classes] .left-out"))
    assert training(own).classes[7] == 0


def test_a_learning_rate_that_explodes_says_why(own):
    slide(own, "rate", 1.5)
    until(lambda: training(own).settings.rate == 32)
    own.press("p")
    told = until(lambda: own.text("[data-part=explosion]"))
    assert "The loss exploded at step" in told
    first = training(own).explosion.first()
    assert f"First went the {first['kind']} of {first['layer']}: before step {first['step']}" in told
    until(lambda: own.text("[data-part=play]").startswith("Play"))
    own.press("b")
    until(lambda: not own.find("[data-part=explosion]").is_displayed())


def test_two_settings_side_by_side(own):
    own.find("[data-part=compare]").click()
    until(lambda: len(own.all("fieldset")) == 2)
    slide(own, "rate", -2, side=1)
    until(lambda: own.playground.classroom.sides[1].settings.rate == 0.01)
    own.press("e")
    until(lambda: own.text("[data-part=accuracy-now]").count("%") == 2)
    shares = [f"{'AB'[k]} {100 * side.marks[-1]['accuracy']:.1f} %" for k, side in enumerate(own.playground.classroom.sides)]
    assert own.text("[data-part=accuracy-now]") == ", ".join(shares)
    own.find("[data-side='1']").click()
    second = own.playground.classroom.sides[1]
    outputs = second.model.predict(second.dataset.x_test[0])
    until(lambda: own.text("#verdict") == f"{outputs.argmax()}, {outputs.max():.1%}".replace("%", " %"))


def test_two_tabs(own):
    """Both see the same training, each its own picture."""
    first = own.browser.current_window_handle
    own.press("n")
    until(lambda: "label says 2" in own.text("#seen-text"))
    own.browser.switch_to.new_window("tab")
    try:
        own.size(1400)
        own.browser.get(own.server.url)
        until(lambda: own.run("return document.body.dataset.ready"))
        assert "label says 7" in own.text("#seen-text")
        own.press("s")
        until(lambda: "step 1;" in own.text("[data-part=status]"))
    finally:
        own.browser.close()
        own.browser.switch_to.window(first)
    until(lambda: "step 1;" in own.text("[data-part=status]"))
    assert "label says 2" in own.text("#seen-text")


VISIBLE = "const visible = (what) => [...document.querySelectorAll(what)].filter((each) => each.checkVisibility());"


def test_every_picture_has_a_text(page):
    """And everything that can be reached with the Tab key a name."""
    assert page.run(f"{VISIBLE} return visible('canvas').filter((c) => !c.getAttribute('aria-label')).map((c) => c.outerHTML)") == []
    nameless = f"""{VISIBLE} return visible("button, input, select, a").filter((each) => !each.textContent.trim() &&
        !each.getAttribute("aria-label") && !each.labels?.length).map((each) => each.outerHTML)"""
    assert page.run(nameless) == []


@pytest.mark.parametrize("dark", [False, True])
def test_readable_on_a_phone_and_in_the_dark(page, dark):
    page.size(400, 850, dark)
    assert page.run("return document.documentElement.scrollWidth") == 400
    colour = page.run("return getComputedStyle(document.body).backgroundColor")
    levels = [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    assert max(levels) < 40 if dark else min(levels) > 220
    sizes = f"{VISIBLE} return visible('p, li, button, td').map((each) => parseFloat(getComputedStyle(each).fontSize))"
    assert min(page.run(sizes)) >= 12
