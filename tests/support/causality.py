"""The causality check: what a component says about the past must not change when the future is added."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantcrafter.engine.api import Component, Signals
from tests.support.columns import cut


def columns_of(result: Any) -> list[np.ndarray]:
    """Return every column of what `compute` returned."""
    if isinstance(result, Signals):
        return [result.flags, *([] if result.strength is None else [result.strength])]
    return list(result) if isinstance(result, tuple) else [result]


def assert_causal(component: Component, inputs: dict[str, Any], length: int, cuts: list[int]) -> None:
    """Assert that `compute(prefix)` equals the prefix of `compute(full)` to the last bit, at every cut."""
    full = columns_of(component.compute(**inputs))
    for column in full:
        assert len(column) == length, f"{component.name} gave {len(column)} rows for {length} bars"
    for n in cuts:
        short = columns_of(component.compute(**{name: cut(value, 0, n) for name, value in inputs.items()}))
        for number, (whole, part) in enumerate(zip(full, short, strict=True)):
            same = _same(whole[:n], part)
            assert same.all(), f"{component!r}: output {number} at bar {np.argmin(same)} changed when cut at {n}"


def assert_forgets(component: Component, inputs: dict[str, Any], length: int, extra: int, tolerance: float) -> None:
    """Assert that the last bar's value needs no more than `lookback()` bars before it, within a relative tolerance."""
    lookback = component.lookback()
    assert lookback is not None
    start = length - lookback - 1 - extra
    assert start > 0, "the test must have more bars than the component remembers"
    full = columns_of(component.compute(**inputs))
    window = columns_of(component.compute(**{name: cut(value, start, length) for name, value in inputs.items()}))
    for whole, part in zip(full, window, strict=True):
        recent = whole[-1 - extra :].astype(np.float64)
        again = part[-1 - extra :].astype(np.float64)
        assert (np.isnan(recent) == np.isnan(again)).all(), f"{component!r} has values at other bars in a window"
        scale = np.nanmax(np.abs(recent), initial=1e-300)
        difference = np.nanmax(np.abs(recent - again), initial=0.0)
        assert difference <= tolerance * scale, f"{component!r} differs by {difference / scale:.1e} of its size"


def _same(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    same: np.ndarray = (left == right) | ((left != left) & (right != right))  # noqa: PLR0124 - NaN equals NaN here
    return same
