"""How training shows what it does: bars on a terminal or in a notebook, otherwise a line an epoch, on stderr."""

import sys
import time
from collections.abc import Mapping
from typing import Any

SHOWN = ("loss", "accuracy", "val_loss", "val_accuracy")


def shows_bars() -> bool:
    """Whether stderr is a terminal, or this is a notebook."""
    if "ipykernel" in sys.modules and "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
        if type(shell).__name__ == "ZMQInteractiveShell":
            return True
    return sys.stderr is not None and sys.stderr.isatty()


def numbers(logs: Mapping[str, Any]) -> str:
    """Losses and accuracies in one line.

    >>> numbers({"loss": 0.25, "accuracy": 0.5, "seconds": 3.0})
    'loss 0.2500, accuracy 0.5000'
    """
    return ", ".join(f"{name} {logs[name]:.4f}" for name in SHOWN if logs.get(name) is not None)


class Progress:
    """Bars, or lines, of one call of `train`; silent if not `enabled`."""

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
        self.epoch_bar: Any = None
        self.batch_bar: Any = None
        self.started = time.perf_counter()

    def note(self, text: str) -> None:
        """Say what is being done before the first epoch."""
        if self.lines:
            print(text, file=sys.stderr, flush=True)

    def begin_epoch(self, epoch: int) -> None:
        """An epoch begins."""
        self.started = time.perf_counter()
        if not self.bars:
            return
        from tqdm.auto import tqdm

        if self.epoch_bar is None:
            self.epoch_bar = tqdm(total=self.epochs, desc="epochs", unit="epoch")
        self.batch_bar = tqdm(total=self.images, desc=self._title(epoch), unit=" images", unit_scale=True, leave=False)

    def update(self, images: int, logs: Mapping[str, Any]) -> None:
        """Some more images are done; `logs` holds loss and accuracy of the epoch so far."""
        if self.batch_bar is not None:
            self.batch_bar.set_postfix_str(numbers(logs), refresh=False)
            self.batch_bar.update(images)

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """An epoch is over."""
        rate = self.images / logs["seconds"]
        if self.batch_bar is not None:
            self.batch_bar.close()
            self.batch_bar = None
            self.epoch_bar.set_postfix_str(f"{numbers(logs)}, {rate:,.0f} images/s", refresh=False)
            self.epoch_bar.update()
        elif self.lines:
            self.note(f"{self._title(epoch)}: {numbers(logs)}, {logs['seconds']:.1f} s, {rate:,.0f} images/s")

    def close(self) -> None:
        """Take the bars away; the last state of the epochs' bar stays."""
        for bar in (self.batch_bar, self.epoch_bar):
            if bar is not None:
                bar.close()

    def _title(self, epoch: int) -> str:
        return f"epoch {epoch + 1}/{self.first_epoch + self.epochs}"
