"""PyTorch, as somebody who wants it fast on a processor writes it: the process that the suites measure jitcnn against.

Runs in an environment of its own (``make bench`` makes it) and knows nothing of jitcnn. Every request names a layout, ``NCHW`` or
``channels_last``. The images are standardised before the clock starts and lie in memory in that layout; the optimizer is the fused
Adam; the losses are added up without waiting for each.
"""

import gzip
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.clock import seconds_a_call
from bench.protocol import serve

DATA = Path(__file__).parents[1] / "jitcnn" / "data" / "mnist"
FORMATS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


def network(name: str) -> tuple[nn.Module, float]:
    """The preset's layers, with PyTorch's own initial weights, and its learning rate. Logits come out."""
    conv, relu, pool, flatten, dense, dropout = nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Linear, nn.Dropout
    layers: dict[str, list[nn.Module]] = {
        "single-conv": [conv(1, 8, 3), relu(), flatten(), dense(5408, 10)],
        "double-conv": [conv(1, 8, 3), relu(), conv(8, 16, 3), relu(), flatten(), dense(9216, 10)],
        "conv-pool": [conv(1, 4, 3), relu(), pool(2), conv(4, 8, 3), relu(), dropout(0.2), flatten(), dense(968, 10)],
        "deep": [conv(1, 4, 3), relu(), conv(4, 8, 3), relu(), pool(2), flatten(), dense(1152, 64), relu(), dropout(0.1), dense(64, 10)],
    }
    return nn.Sequential(*layers[name]), 0.001 if name == "conv-pool" else 0.01


@cache
def digits(split: str, layout: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (n, 1, 28, 28), standardised one by one, and labels."""
    pixels = np.frombuffer(gzip.decompress((DATA / f"{split}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    images = torch.from_numpy(pixels.astype(np.float32)).view(-1, 1, 28, 28)
    labels = np.frombuffer(gzip.decompress((DATA / f"{split}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    images -= images.mean((1, 2, 3), keepdim=True)
    images /= images.std((1, 2, 3), unbiased=False, keepdim=True)
    return images.to(memory_format=FORMATS[layout]), torch.from_numpy(labels.astype(np.int64))


class Training:
    """A network, its data and its optimizer."""

    def __init__(self, name: str, layout: str, images: int, batch_size: int, seed: int):
        torch.manual_seed(seed)
        module, learning_rate = network(name)
        self.network = module.to(memory_format=FORMATS[layout])
        self.optimizer = torch.optim.Adam(self.network.parameters(), learning_rate, fused=True)
        x, y = digits("train", layout)
        self.x, self.y, self.batch_size, self.layout = x[:images], y[:images], batch_size, layout

    def epoch(self) -> None:
        """Every image once, in a new order."""
        self.network.train()
        loss_sum = torch.zeros(())
        for chosen in torch.randperm(len(self.x)).split(self.batch_size):
            loss = functional.cross_entropy(self.network(self.x[chosen]), self.y[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            loss_sum += loss.detach() * len(chosen)
        if not torch.isfinite(loss_sum):
            raise ValueError("the loss became NaN or infinite")

    def accuracy(self) -> float:
        """Share of the 10,000 test digits that come out right."""
        self.network.eval()
        x, y = digits("t10k", self.layout)
        with torch.no_grad():
            hits = [(self.network(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), y.split(500), strict=True)]
        return sum(hits) / len(y)


STATE: dict[str, Any] = {}


def prepare_training(layout: str, name: str, images: int, batch_size: int, seconds: float) -> int:
    """Train once, and find how many epochs `seconds` hold; returns that number."""
    training = STATE["training"] = Training(name, layout, images, batch_size, seed=0)
    per_epoch = seconds_a_call(training.epoch, seconds / 4)
    STATE["epochs"] = max(1, round(seconds / per_epoch + 0.5))
    return STATE["epochs"]


def train(layout: str) -> float:
    """Images a second, over the prepared number of epochs."""
    training = STATE["training"]
    start = time.perf_counter()
    for _ in range(STATE["epochs"]):
        training.epoch()
    return STATE["epochs"] * len(training.x) / (time.perf_counter() - start)


def accuracy(layout: str, name: str, images: int, batch_size: int, epochs: int, seed: int) -> float:
    """Accuracy on all test digits of a network that was trained from `seed`."""
    training = Training(name, layout, images, batch_size, seed)
    for _ in range(epochs):
        training.epoch()
    return training.accuracy()


def prepare_convolution(layout: str, case: dict[str, int]) -> None:
    """The three passes of one convolution layer, as calls without arguments."""
    n, h, w, c, o, kernel, stride = (case[key] for key in ("images", "height", "width", "channels", "filters", "kernel", "stride"))
    padding = kernel // 2
    random = torch.Generator().manual_seed(0)
    x = torch.randn(n, c, h, w, generator=random).to(memory_format=FORMATS[layout])
    weights = torch.randn(o, c, kernel, kernel, generator=random).to(memory_format=FORMATS[layout])
    grad_y = torch.randn_like(functional.conv2d(x, weights, None, stride, padding))

    def backward(*wanted: bool) -> Any:
        settings = (None, (stride, stride), (padding, padding), (1, 1), False, (0, 0), 1)
        return torch.ops.aten.convolution_backward(grad_y, x, weights, *settings, wanted)

    STATE["calls"] = {
        "forward": lambda: functional.conv2d(x, weights, None, stride, padding),
        "grad_input": lambda: backward(True, False, False),
        "grad_weights": lambda: backward(False, True, False),
    }


def convolution(layout: str, part: str, seconds: float) -> float:
    """Calls a second of one pass of the prepared layer."""
    with torch.no_grad():
        return 1 / seconds_a_call(STATE["calls"][part], seconds)


def version(layout: str) -> str:
    """What answers."""
    return f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"


if __name__ == "__main__":
    requests = (version, prepare_training, train, accuracy, prepare_convolution, convolution)
    serve({function.__name__: function for function in requests})
