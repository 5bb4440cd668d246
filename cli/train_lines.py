"""A line of JSON for each epoch, for programs that follow a training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .output import finite, note


class JsonLines:
    """A callback that prints each epoch on stderr."""

    def on_epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> None:
        """Print it; what JSON cannot spell becomes null."""
        note(json.dumps(finite({"epoch": epoch + 1, **logs}), allow_nan=False))
