"""What a checkpoint says is compared with the model that goes on with it, before anything is changed: its digest is no secret."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from jitcnn.storage.checkpoints import Saved

FIELDS: dict[str, tuple[type, ...]] = {
    "identity": (dict,),
    "first_epoch": (int,),
    "epoch": (int,),
    "images": (int,),
    "seconds": (int, float),
    "stopped": (bool,),
    "steps": (int,),
    "history": (dict,),
    "callbacks": (list,),
}


def check_state(state: Mapping[str, Any], path: str | os.PathLike) -> None:
    """Raise a ValueError unless every field is there, of its type and in its range."""
    for name, kinds in FIELDS.items():
        value: Any = state.get(name)
        if type(value) not in kinds or (int in kinds and not 0 <= value < 2**53):
            raise ValueError(
                f"{path}: {name!r} is {str(value)[:40]!r}, expected {' or '.join(kind.__name__ for kind in kinds)}; it is damaged"
            )
    if not state["first_epoch"] <= state["epoch"]:
        raise ValueError(f"{path}: epoch {state['epoch']} comes before the first one, {state['first_epoch']}; it is damaged")
    if not all(isinstance(kept, dict) for kept in state["callbacks"]):
        raise ValueError(f"{path}: 'callbacks' is no list of what callbacks remember; it is damaged")
    for name, column in state["history"].items():
        if not isinstance(column, list) or not all(value is None or is_spelled(value) for value in column):
            raise ValueError(f"{path}: {name!r} in the history is no list of numbers; it is damaged")


def is_spelled(value: Any) -> bool:
    """Whether it is a number in letters, as Python writes it."""
    try:
        return isinstance(value, str) and len(value) < 40 and value == repr(float(value))
    except ValueError:
        return False


def check_arrays(saved: Saved, expected: Mapping[str, np.ndarray], path: str | os.PathLike) -> None:
    """Raise a ValueError unless it holds arrays of these names, each like the one that is to be filled."""
    for name, array in expected.items():
        found = saved.arrays.get(name)
        if found is None or found.shape != array.shape or found.dtype != array.dtype:
            there = "missing" if found is None else f"{found.shape} of {found.dtype}"
            raise ValueError(f"{path}: {name!r} is {there}, expected {array.shape} of {array.dtype}")
