"""How training shows what it does: bars on a terminal or in a notebook, otherwise a line an epoch, on stderr."""

import sys
import time
from collections.abc import Mapping
from typing import Any

from jitcnn.metrics import is_metric

ENDLESS = 10**9  # epochs of a training whose end is not known beforehand
INTERVAL = 0.1  # seconds between two looks of a bar


def shows_bars() -> bool:
    """Whether stderr is a terminal, or this is a notebook."""
    if "ipykernel" in sys.modules and "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
        if type(shell).__name__ == "ZMQInteractiveShell":
            return True
    return sys.stderr is not None and sys.stderr.isatty()


def numbers(logs: Mapping[str, Any]) -> str:
    """Losses and metrics in one line.

    >>> numbers({"loss": 0.25, "accuracy": 0.5, "seconds": 3.0})
    'loss 0.2500, accuracy 0.5000'
    """
    return ", ".join(f"{name} {value:.4f}" for name, value in logs.items() if is_metric(name) and value is not None)


class Progress:
    """Bars, or lines, of one call of `train`; silent if not `enabled`.

    Bars are drawn at most every `INTERVAL` seconds, however short epochs are, so that they cost nothing.
    """

    def __init__(self, enabled: bool, epochs: int, first_epoch: int, images: int):
        """Show nothing yet.

        Parameters
        ----------
        enabled
            Whether to show anything.
        epochs, first_epoch
            How many epochs are to come, and the number of the first (from 0, over the model's life).
        images
            Images of one epoch.
        """
        self.lines = enabled and sys.stderr is not None
        self.bars = self.lines and shows_bars()
        self.epochs, self.first_epoch, self.images = epochs, first_epoch, images
        self.epoch = first_epoch
        self.done = 0
        self.epoch_bar: Any = None
        self.batch_bar: Any = None
        self.drawn = 0.0

    def note(self, text: str) -> None:
        """Say what is being done before the first epoch."""
        if self.lines:
            print(text, file=sys.stderr, flush=True)

    def begin_epoch(self, epoch: int) -> None:
        """An epoch begins."""
        self.epoch, self.done = epoch, 0
        if self.bars and self.epoch_bar is None:
            from tqdm.auto import tqdm

            total = None if self.epochs == ENDLESS else self.epochs
            self.epoch_bar = tqdm(total=total, initial=epoch - self.first_epoch, desc="epochs", unit="epoch")
            self.batch_bar = tqdm(total=self.images, desc=self._title(), unit=" images", unit_scale=True, leave=False)

    def update(self, images: int, logs: Mapping[str, Any]) -> None:
        """Some more images are done; `logs` holds loss and accuracy of the epoch so far."""
        self.done += images
        if self.batch_bar is None or time.perf_counter() - self.drawn < INTERVAL:
            return
        bar = self.batch_bar
        if self.done < bar.n:  # another epoch than the one that is shown
            bar.reset()
        bar.set_description_str(self._title(), refresh=False)
        bar.set_postfix_str(numbers(logs), refresh=False)
        bar.update(self.done - bar.n)
        bar.refresh()
        self.drawn = time.perf_counter()

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """An epoch is over."""
        if self.epoch_bar is not None:
            self.epoch_bar.set_postfix_str(self._finished(logs), refresh=epoch + 1 == self.first_epoch + self.epochs)
            self.epoch_bar.update()
        elif self.lines:
            self.note(f"{self._title()}: {self._finished(logs)}, {logs['seconds']:.1f} s")

    def close(self) -> None:
        """Take the bars away; the last state of the epochs' bar stays."""
        for bar in (self.batch_bar, self.epoch_bar):
            if bar is not None:
                bar.close()

    def _title(self) -> str:
        return f"epoch {self.epoch + 1}" + ("" if self.epochs == ENDLESS else f"/{self.first_epoch + self.epochs}")

    def _finished(self, logs: Mapping[str, Any]) -> str:
        return f"{numbers(logs)}, {self.images / logs['seconds']:,.0f} images/s"
