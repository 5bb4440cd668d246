"""PyTorch, as somebody who wants it fast on a processor writes it: the process that the suites measure jitcnn against.

Runs in an environment of its own (``make bench`` makes it). Every request names a layout, ``NCHW`` or ``channels_last``. The images are
standardised before the clock starts and lie in memory in that layout; the optimizer is the fused Adam; the losses are added up without
waiting for each.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from bench.peers.digits import digits
from bench.protocol import serve
from jitcnn.measuring.cases import Case
from jitcnn.measuring.clock import seconds_a_call

FORMATS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


RATES = {"conv-pool": 0.001}
FAST = "fast"  # the preset with a one-cycle schedule


def network(name: str) -> nn.Module:
    """The preset's layers, with PyTorch's own initial weights. Logits come out."""
    conv, relu, pool, flatten, dense, dropout = nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Linear, nn.Dropout
    layers: dict[str, list[nn.Module]] = {
        "single-conv": [conv(1, 8, 3), relu(), flatten(), dense(5408, 10)],
        "double-conv": [conv(1, 8, 3), relu(), conv(8, 16, 3), relu(), flatten(), dense(9216, 10)],
        "conv-pool": [conv(1, 4, 3), relu(), pool(2), conv(4, 8, 3), relu(), dropout(0.2), flatten(), dense(968, 10)],
        "deep": [conv(1, 4, 3), relu(), conv(4, 8, 3), relu(), pool(2), flatten(), dense(1152, 64), relu(), dropout(0.1), dense(64, 10)],
        FAST: [
            *(conv(1, 24, 5), pool(2), relu(), conv(24, 32, 3), pool(2), relu()),
            *(flatten(), dense(800, 256), relu(), dense(256, 10)),
        ],
    }
    return nn.Sequential(*layers[name])


@cache
def tensors(split: str, layout: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first digits as images (count, 1, 28, 28), and their labels."""
    images, labels = digits(split, count)
    return torch.from_numpy(images)[:, None].to(memory_format=FORMATS[layout]), torch.from_numpy(labels)


class Training:
    """A network, its data and its optimizer."""

    def __init__(self, name: str, layout: str, images: int, batch_size: int, seed: int):
        torch.manual_seed(seed)
        self.name, self.batch_size, self.layout = name, batch_size, layout
        self.network = network(name).to(memory_format=FORMATS[layout])
        betas = (0.7, 0.9) if name == FAST else (0.9, 0.999)
        self.optimizer = torch.optim.Adam(self.network.parameters(), RATES.get(name, 0.01), betas, fused=True)
        self.x, self.y = tensors("train", layout, images)
        self.scheduler: Any = None

    def train(self, epochs: int) -> None:
        """Train for so many epochs, with the network's schedule over all of them."""
        if self.name == FAST:
            steps = epochs * -(-len(self.x) // self.batch_size)
            self.scheduler = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, 0.01, total_steps=steps, cycle_momentum=False)
        for _ in range(epochs):
            self.epoch()

    def epoch(self) -> None:
        """Every image once, in a new order."""
        self.network.train()
        loss_sum = torch.zeros(())
        for chosen in torch.randperm(len(self.x)).split(self.batch_size):
            loss = functional.cross_entropy(self.network(self.x[chosen]), self.y[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if self.scheduler:
                self.scheduler.step()
            loss_sum += loss.detach() * len(chosen)
        if not torch.isfinite(loss_sum):
            raise ValueError("the loss became NaN or infinite")

    def accuracy(self) -> float:
        """Share of the 10,000 test digits that come out right."""
        self.network.eval()
        x, y = tensors("t10k", self.layout, 10_000)
        with torch.no_grad():
            hits = [(self.network(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), y.split(500), strict=True)]
        return sum(hits) / len(y)


STATE: dict[str, Any] = {}


def prepare_training(layout: str, name: str, images: int, batch_size: int, seconds: float) -> int:
    """Train once, and find how many epochs `seconds` hold; returns that number."""
    training = Training(name, layout, images, batch_size, seed=0)
    start = time.perf_counter()
    training.train(1)
    epochs = max(1, round(seconds / (time.perf_counter() - start) + 0.5))
    STATE.update(training=training, epochs=epochs)
    return epochs


def train(layout: str) -> float:
    """Images a second, over the prepared number of epochs."""
    training = STATE["training"]
    start = time.perf_counter()
    training.train(STATE["epochs"])
    return STATE["epochs"] * len(training.x) / (time.perf_counter() - start)


def accuracy(layout: str, name: str, images: int, batch_size: int, epochs: int, seed: int) -> float:
    """Accuracy on all test digits of a network that was trained from `seed`."""
    training = Training(name, layout, images, batch_size, seed)
    training.train(epochs)
    return training.accuracy()


def prepare_layer(layout: str, case: list[Any]) -> None:
    """The passes of one layer, a `Case` as a list, as calls without arguments."""
    layer = Case(*case)
    STATE["calls"] = {"conv": conv_calls, "dense": dense_calls, "pool": pool_calls}[layer.kind](layer, FORMATS[layout])


def conv_calls(layer: Case, layout: torch.memory_format) -> dict[str, Callable[[], Any]]:
    """Of a convolution."""
    stride, padding = layer.stride, layer.padding
    x = torch.randn(layer.images, layer.channels, layer.height, layer.width).to(memory_format=layout)
    weights = torch.randn(layer.filters, layer.channels, layer.kernel, layer.kernel).to(memory_format=layout)
    grad_y = torch.randn_like(functional.conv2d(x, weights, None, stride, padding))

    def backward(*wanted: bool) -> Any:
        settings = (None, (stride, stride), (padding, padding), (1, 1), False, (0, 0), 1)
        return torch.ops.aten.convolution_backward(grad_y, x, weights, *settings, wanted)

    return {
        "forward": lambda: functional.conv2d(x, weights, None, stride, padding),
        "grad_input": lambda: backward(True, False, False),
        "grad_weights": lambda: backward(False, True, False),
    }


def dense_calls(layer: Case, _: torch.memory_format) -> dict[str, Callable[[], Any]]:
    """Of a dense layer: what autograd calls."""
    x, weights = torch.randn(layer.images, layer.channels), torch.randn(layer.filters, layer.channels)
    grad_y = torch.randn(layer.images, layer.filters)
    return {
        "forward": lambda: functional.linear(x, weights),
        "grad_input": lambda: grad_y.mm(weights),
        "grad_weights": lambda: grad_y.t().mm(x),
    }


def pool_calls(layer: Case, layout: torch.memory_format) -> dict[str, Callable[[], Any]]:
    """Of a max-pooling layer, as in training: with the indices that backward takes."""
    x = torch.randn(layer.images, layer.channels, layer.height, layer.width).to(memory_format=layout)
    window = (layer.kernel, layer.kernel)
    y, indices = torch.ops.aten.max_pool2d_with_indices(x, window, window)
    grad_y = torch.randn_like(y)
    return {
        "forward": lambda: torch.ops.aten.max_pool2d_with_indices(x, window, window),
        "grad_input": lambda: torch.ops.aten.max_pool2d_with_indices_backward(grad_y, x, window, window, (0, 0), (1, 1), False, indices),
    }


def layer(layout: str, part: str, seconds: float) -> float:
    """Calls a second of one pass of the prepared layer."""
    with torch.no_grad():
        return 1 / seconds_a_call(STATE["calls"][part], seconds)


def version(layout: str) -> str:
    """What answers."""
    return f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"


if __name__ == "__main__":
    requests = (version, prepare_training, train, accuracy, prepare_layer, layer)
    serve({function.__name__: function for function in requests})
