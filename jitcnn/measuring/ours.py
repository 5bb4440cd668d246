"""jitcnn as its users call it: what the suites measure. Other programs answer the same requests.

A program is anything with a `name` and with `ask(request, **arguments)`; `Here` is jitcnn in this process.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

from jitcnn.measuring.cases import Case
from jitcnn.measuring.clock import seconds_a_call

STATE: dict[str, Any] = {}


def version() -> str:
    """What answers."""
    import jitcnn
    from jitcnn.kernels.threads import num_threads

    return f"jitcnn {jitcnn.__version__}, {num_threads()} threads"


def work(name: str) -> float:
    """10^9 multiplications and additions that the preset's network takes to train on one image."""
    from jitcnn import presets

    return training_work(presets.PRESETS[name].build(seed=0))


def training_work(model: Any) -> float:
    """The same of any model: forward, gradients of the weights, and those of the inputs but the first layer's."""
    multiply_adds = [layer.multiply_adds() for layer in model.layers]
    first = next(count for count in multiply_adds if count)
    return 2e-9 * (3 * sum(multiply_adds) - first)


def images(name: str) -> int:
    """How many images the preset trains on."""
    from jitcnn import presets

    return presets.PRESETS[name].train_limit


def prepare_training(name: str, images: int, batch_size: int, seconds: float, progress: bool = True) -> int:
    """Train once (which compiles), and find how many epochs `seconds` hold; returns that number."""
    from jitcnn import presets
    from jitcnn.data import mnist

    (x, y), _ = mnist.load(train_limit=images, test_limit=1)
    preset = presets.PRESETS[name]
    model = preset.build(seed=0)

    def train(epochs: int) -> float:
        start = time.perf_counter()
        model.train(x, y, epochs=epochs, batch_size=batch_size, schedule=preset.schedule, progress=progress)
        return time.perf_counter() - start

    train(1)
    epochs = max(1, round(seconds / 4 / train(1)))
    if epochs > 1:
        epochs = max(1, round(epochs * seconds / train(epochs) + 0.5))
    STATE.update(train=train, images=images, epochs=epochs)
    return epochs


def train() -> float:
    """Images a second, over the prepared number of epochs in one call."""
    return STATE["epochs"] * STATE["images"] / STATE["train"](STATE["epochs"])


def prepare_step(batch_size: int, size: int, channels: int) -> float:
    """A small network and random images to train it on, for steps of `batch_size`; returns 10^9 multiplications and additions a step."""
    from jitcnn import CNN, Conv2d, Dense, Flatten, Pool2d

    layers = [Conv2d(channels, padding=1, activation="relu", input_shape=(size, size, 1)), Pool2d()]
    layers += [Conv2d(channels, padding=1, activation="relu"), Pool2d(), Flatten(), Dense(10, activation="softmax")]
    model = CNN(layers, seed=0)
    model.compile()
    images = max(2 * batch_size, 64)
    (x,) = _draw(np.float32, (images, size, size, 1))
    y = np.arange(images) % 10
    train = partial(model.train, x, y, batch_size=batch_size, progress=False)
    train(epochs=1)
    STATE["step"] = train, images // batch_size
    return batch_size * training_work(model)


def step(seconds: float) -> float:
    """Seconds of one step of training, mean of as many epochs as `seconds` hold, in one call."""
    train, steps = STATE["step"]

    def epochs_seconds(epochs: int) -> float:
        start = time.perf_counter()
        train(epochs=epochs)
        return time.perf_counter() - start

    epochs, passed = 1, epochs_seconds(1)
    if passed < seconds:
        epochs = max(1, round(seconds / passed))
        passed = epochs_seconds(epochs)
    return passed / (epochs * steps)


def prepare_prediction(name: str, path: str, images: int) -> None:
    """A preset's network, untrained, which is also saved to the file `path`, and the test images to predict."""
    from jitcnn import presets
    from jitcnn.data import mnist

    model = presets.PRESETS[name].build(seed=0)
    model.save(path)
    STATE.update(model=model, x=mnist.load(train_limit=1, test_limit=images)[1][0])


def probabilities() -> list[list[float]]:
    """What comes out for all images."""
    return STATE["model"].predict(STATE["x"]).tolist()


def latency(seconds: float) -> float:
    """Calls a second, each for one image after the other."""
    singles = cycle(list(STATE["x"]))
    return 1 / seconds_a_call(lambda: STATE["model"].predict(next(singles)), seconds)


def throughput(seconds: float) -> float:
    """Images a second, all in one call."""
    return len(STATE["x"]) / seconds_a_call(lambda: STATE["model"].predict(STATE["x"]), seconds)


def prepare_layer(case: list[Any]) -> None:
    """Arrays for the passes of a layer, a `Case` as a list, and the calls to measure."""
    layer = Case(*case)
    STATE.update(layer=layer, calls={"conv": _conv_calls, "dense": _dense_calls, "pool": _pool_calls}[layer.kind](layer))


def layer(part: str, seconds: float, algorithm: str = "direct") -> float:
    """Calls a second of one pass of the prepared layer."""
    return 1 / seconds_a_call(_call(part, algorithm), seconds)


def error(part: str, algorithm: str) -> float:
    """Of a convolution's pass: its largest error over its largest value, against the same sums directly in float64."""
    layer = STATE["layer"]
    found = _call(part, algorithm)()
    exact = _conv_calls(layer, np.float64)[part](algorithm="direct")
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def peak(threads: int | None = None) -> float:
    """GFLOP/s of multiplying and adding and nothing else."""
    from jitcnn.measuring.peak import fma_peak

    return fma_peak(threads)


def _call(part: str, algorithm: str) -> Callable[[], Any]:
    call = STATE["calls"][part]
    return partial(call, algorithm=algorithm) if STATE["layer"].kind == "conv" else call


def _draw(dtype: type, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [_aligned(random.standard_normal(shape, np.float32).astype(dtype)) for shape in shapes]


def _aligned(array: np.ndarray) -> np.ndarray:
    """A copy that begins at a cache line, as PyTorch's tensors do."""
    from jitcnn.kernels.buffers import aligned_zeros

    copy = aligned_zeros(array.size, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def _conv_calls(layer: Case, dtype: type = np.float32) -> dict[str, Callable[..., np.ndarray]]:
    from jitcnn import kernels

    x_shape = (layer.images, layer.height, layer.width, layer.channels)
    w_shape = (layer.kernel, layer.kernel, layer.channels, layer.filters)
    x, w, grad_y = _draw(dtype, x_shape, w_shape, (layer.images, *layer.outputs, layer.filters))
    y, grad_x, grad_w = (_aligned(array) for array in (grad_y, x, w))
    settings = {"stride": layer.stride, "padding": layer.padding}
    return {
        "forward": partial(kernels.conv2d, x, w, out=y, **settings),
        "grad_input": partial(kernels.conv2d_grad_input, grad_y, w, x_shape, out=grad_x, **settings),
        "grad_weights": partial(kernels.conv2d_grad_weights, grad_y, x, w_shape, out=grad_w, **settings),
    }


def _dense_calls(layer: Case) -> dict[str, Callable[..., np.ndarray]]:
    from jitcnn import kernels

    x, w, grad_y = _draw(np.float32, (layer.images, layer.channels), (layer.channels, layer.filters), (layer.images, layer.filters))
    y, grad_x, grad_w = (_aligned(array) for array in (grad_y, x, w))
    return {
        "forward": partial(vars(kernels)["dense"], x, w, out=y),  # type checkers take kernels.dense for the module
        "grad_input": partial(kernels.dense_grad_input, grad_y, w, out=grad_x),
        "grad_weights": partial(kernels.dense_grad_weights, grad_y, x, out=grad_w),
    }


def _pool_calls(layer: Case) -> dict[str, Callable[..., Any]]:
    from jitcnn import kernels

    x_shape = (layer.images, layer.height, layer.width, layer.channels)
    x, grad_y = _draw(np.float32, x_shape, (layer.images, *layer.outputs, layer.channels))
    y, grad_x = (_aligned(array) for array in (grad_y, x))
    _, state = kernels.pool2d(x, layer.kernel, out=y)
    return {
        "forward": partial(kernels.pool2d, x, layer.kernel, out=y),
        "grad_input": partial(kernels.pool2d_grad_input, grad_y, state, out=grad_x),
    }


REQUESTS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(version, images, work, peak),
        *(prepare_training, train),
        *(prepare_step, step),
        *(prepare_prediction, probabilities, latency, throughput),
        *(prepare_layer, layer, error),
    )
}


class Here:
    """jitcnn in this process, which shows no bars."""

    name = "jitcnn"

    def ask(self, request: str, **arguments: Any) -> Any:
        """Compute what is asked."""
        quiet = {"progress": False} if request == "prepare_training" else {}
        return REQUESTS[request](**arguments, **quiet)
