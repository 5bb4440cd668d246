"""What the text printed after an epoch."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np


class Report:
    """A callback that measures, keeps and prints losses and accuracies.

    Parameters
    ----------
    network : jitcnn.blog.CNN
        Whose histories to fill.
    data : dict
        Images and labels by what they are called, "Train" and "Val"; those without images are left out.
    every : int
        Once in so many epochs.
    """

    def __init__(self, network: Any, data: Mapping[str, tuple[np.ndarray, np.ndarray]], every: int):
        self.network, self.data, self.every = network, data, every
        self.histories = {"Train": (network.train_loss, network.train_acc), "Val": (network.val_loss, network.val_acc)}
        self.first_epoch = network.model.epochs
        self.started = time.perf_counter()

    def on_epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> None:
        """Measure, keep and print, if it is the turn of this epoch; its number counts from the start of this training."""
        number = epoch - self.first_epoch
        if number % self.every:
            return
        lines = []
        for name, (images, labels) in self.data.items():
            if len(images):
                loss, accuracy = (round(value, 4) for value in measure(self.network, images, labels))
                losses, accuracies = self.histories[name]
                losses[number], accuracies[number] = loss, accuracy
                lines.append(f"{name} Loss: {loss} {name} Accuracy: {accuracy}%")
        seconds = round(time.perf_counter() - self.started, 3)
        self.network.seconds[number] = seconds
        print(f"Epoch: {number}:", f"Time: {seconds}sec", *lines, sep="\n", end=" \n\n")
        self.started = time.perf_counter()


def measure(network: Any, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """(loss, accuracy in percent) of predictions for these images.

    A softmax is right where its largest output is the label's, an output of a sigmoid where it lies on its target's side of 0.5 (the text
    counted those above 0.7, whatever the target), any other output where it is within 0.000001 of its target.
    """
    out = network.model.predict(images)
    activation = network.layers[-1].activation
    if activation == "softmax":
        right = out.argmax(axis=-1) == labels.argmax(axis=-1)
    elif activation == "sigmoid":
        right = (out > 0.5) == (labels > 0.5)
    else:
        right = abs(labels - out) < 0.000001
    return float(network.apply_loss(labels, out)[1]), 100 * float(right.mean())
