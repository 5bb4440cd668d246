"""jitcnn as its users call it: the process that the suites measure. Answers the same requests as `bench.peers`."""

import time
from typing import Any

import numpy as np

from bench.clock import seconds_a_call
from bench.protocol import serve

STATE: dict[str, Any] = {}


def version() -> str:
    """What answers."""
    import jitcnn

    return f"jitcnn {jitcnn.__version__}"


def images(name: str) -> int:
    """How many images the preset trains on."""
    from jitcnn import presets

    return presets.PRESETS[name].train_limit


def prepare_training(name: str, images: int, batch_size: int, seconds: float) -> int:
    """Train once (which compiles), and find how many epochs `seconds` hold; returns that number."""
    from jitcnn import presets
    from jitcnn.data import mnist

    (x, y), _ = mnist.load()
    model = presets.PRESETS[name].build(seed=0)

    def train(epochs: int) -> float:
        start = time.perf_counter()
        model.train(x[:images], y[:images], epochs=epochs, batch_size=batch_size)
        return time.perf_counter() - start

    train(1)
    guess = max(1, round(seconds / 4 / train(1)))
    STATE.update(train=train, images=images, epochs=max(1, round(guess * seconds / train(guess) + 0.5)))
    return STATE["epochs"]


def train() -> float:
    """Images a second, over the prepared number of epochs in one call."""
    return STATE["epochs"] * STATE["images"] / STATE["train"](STATE["epochs"])


def prepare_convolution(case: dict[str, int]) -> None:
    """The three passes of one convolution layer, as calls without arguments."""
    from jitcnn import kernels

    n, h, w, c, o, kernel, stride = (case[key] for key in ("images", "height", "width", "channels", "filters", "kernel", "stride"))
    random = np.random.default_rng(0)
    x = random.standard_normal((n, h, w, c), np.float32)
    weights = random.standard_normal((kernel, kernel, c, o), np.float32)
    settings = {"stride": stride, "padding": kernel // 2}
    y = kernels.conv2d(x, weights, **settings)
    grad_y = random.standard_normal(y.shape, np.float32)
    grad_x, grad_w = np.empty_like(x), np.empty_like(weights)
    STATE["calls"] = {
        "forward": lambda: kernels.conv2d(x, weights, out=y, **settings),
        "grad_input": lambda: kernels.conv2d_grad_input(grad_y, weights, x.shape, out=grad_x, **settings),
        "grad_weights": lambda: kernels.conv2d_grad_weights(grad_y, x, weights.shape, out=grad_w, **settings),
    }


def convolution(part: str, seconds: float) -> float:
    """Calls a second of one pass of the prepared layer."""
    return 1 / seconds_a_call(STATE["calls"][part], seconds)


def peak() -> float:
    """GFLOP/s of multiplying and adding and nothing else."""
    from bench.peak import fma_peak

    return fma_peak()


if __name__ == "__main__":
    requests = (version, images, prepare_training, train, prepare_convolution, convolution, peak)
    serve({function.__name__: function for function in requests})
