"""Numbers that users give: checked, each fault a sentence that names the argument, what came and what was expected."""

from typing import Any

import numpy as np


def finite(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it is a finite number."""
    number = real(name, value)
    if not np.isfinite(number):
        raise ValueError(f"{name} is {value!r}, expected a finite number")
    return number


def positive(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it is a finite number above 0."""
    number = real(name, value)
    if not 0 < number < np.inf:
        raise ValueError(f"{name} is {value!r}, expected a finite number above 0")
    return number


def amount(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it is a finite number of at least 0."""
    number = real(name, value)
    if not 0 <= number < np.inf:
        raise ValueError(f"{name} is {value!r}, expected a finite number of at least 0")
    return number


def share(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it lies from 0 up to, not including, 1."""
    number = real(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name} is {value!r}, expected a number from 0 up to, not including, 1")
    return number


def real(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it is a real number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(f"{name} is {value!r}, expected a number")
    return float(value)
