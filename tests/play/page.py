"""The page in the browser: how it is found, drawn on, clicked and read."""

import json
import time

import numpy as np
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

from tests.play.conftest import Client

SEVEN = [(60, 60), (220, 60), (120, 230)]  # corners of the strokes, in pixels of the paper
MAP = "[data-layer={}] figure:nth-child({}) .map:not(.filter):not(.gradient) canvas"


def until(condition, seconds=40):
    """What the condition gives once it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return value


class Page:
    """The page in the browser."""

    def __init__(self, browser, server):
        self.browser, self.server = browser, server
        self.client = Client(server)
        self.size(1400, 900)
        browser.get_log("browser"), browser.get_log("performance")
        browser.get(server.url)
        until(lambda: browser.execute_script("return document.body.dataset.ready"))

    def size(self, width, height=900, dark=False):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        )
        wishes = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}  # a click waits for no scrolling
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.find(selector).text

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def draw(self, corners=SEVEN):
        paper = self.find("#paper")
        half = paper.size["width"] / 2
        actions = ActionChains(self.browser, duration=10)
        actions.move_to_element_with_offset(paper, corners[0][0] - half, corners[0][1] - half).click_and_hold()
        for x, y in corners[1:]:
            actions.move_to_element_with_offset(paper, x - half, y - half)
        actions.release().perform()

    def pixels(self, selector):
        """What a canvas shows, (rows, columns, 4)."""
        data, width, height = self.run(
            """const canvas = document.querySelector(arguments[0]);
            const picture = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return [[...picture.data], picture.width, picture.height]""",
            selector,
        )
        return np.array(data, np.uint8).reshape(height, width, 4)

    def console(self):
        """Errors and warnings, but for the remark that `pixels` above reads canvases."""
        entries = [entry for entry in self.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        return [entry for entry in entries if "readback" not in entry["message"]]

    def addresses(self):
        """Of all requests since the last time."""
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def click(page, selector, row, column, rows, columns):
    """A pixel of a map."""
    canvas = page.find(selector)
    page.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", canvas)
    width, height = canvas.size["width"], canvas.size["height"]
    x, y = (column + 0.5) * width / columns - width / 2, (row + 0.5) * height / rows - height / 2
    ActionChains(page.browser, duration=0).move_to_element_with_offset(canvas, round(x), round(y)).click().perform()


def words(value):
    """A number as the page writes it."""
    return f"{float(f'{value:.4g}'):g}".replace("-", "−")
