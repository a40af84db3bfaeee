"""Short ways to write columns, and what the built-in nodes need at their ports."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantcrafter.engine.api import Bars, Component
from quantcrafter.testing import random_inputs

NAN = float("nan")


def series(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def conditions(text: str) -> np.ndarray:
    """Return a bool column from a text such as `..x.x`."""
    return np.array([letter == "x" for letter in text], np.bool_)


def inputs_for(
    component: Component, bars: Bars, seed: int, *, price: float = 100.0, missing: float = 0.0
) -> dict[str, Any]:
    """Return random columns for every port of a built-in component; the port `periods` gets periods."""
    inputs = random_inputs(component, bars, seed, price=price, missing=missing)
    if "periods" in inputs:
        inputs["periods"] = np.floor(np.abs(inputs["periods"] / price) * 10)
    return inputs
