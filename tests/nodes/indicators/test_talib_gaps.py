"""Functions whose last value tells whether an input is missing: they compute what they do stretch by stretch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantcrafter.nodes.indicators.talib_family import CARRYING, FAMILY
from quantcrafter.nodes.indicators.talib_import import functions

LENGTH = 260
MISSING = (np.nan, np.inf, -np.inf, 1e308)


@pytest.mark.parametrize("name", sorted(CARRYING))
def test_a_value_missing_anywhere_is_noticed(name: str) -> None:
    kind: Any = FAMILY.build(f"ta.{name}")
    indicator = kind(input="bars.close")
    whole = np.random.default_rng(3).normal(100, 3, LENGTH)
    for bar in (0, 1, 2, 40, LENGTH - 60, *range(LENGTH - 4, LENGTH)):
        for value in MISSING:
            for also in (None, 0, LENGTH - 1):
                column = whole.copy()
                column[bar] = value
                if also is not None:
                    column[also] = value
                given = indicator.compute(input=column)
                given = given if isinstance(given, tuple) else (given,)
                np.testing.assert_array_equal(given, by_stretches(name, indicator, column))


def by_stretches(name: str, indicator: Any, column: Any) -> Any:
    """Return what TA-Lib gives for each stretch of numbers, called for itself."""
    out = np.full((len(indicator.outputs), len(column)), np.nan)
    edges = np.flatnonzero(np.diff(np.isfinite(column), prepend=False, append=False))
    for start, stop in edges.reshape(-1, 2).tolist():
        if stop - start > indicator.warmup():
            result = getattr(functions(), name)(column[start:stop].copy(), **indicator.arguments())
            out[:, start:stop] = result
    return out
