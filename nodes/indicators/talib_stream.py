"""Indicators of TA-Lib that go on bar by bar: the newest value from the one before, with the bits of the whole column.

TA-Lib opens a stream on a history, and then takes one bar at a time. It is used as far as it is known to agree: when a
stream is opened, its last values are compared with the column's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from quantcrafter.engine.api import FloatColumn
from quantcrafter.nodes.indicators.talib_import import functions

if TYPE_CHECKING:
    from quantcrafter.nodes.indicators.talib_family import TalibIndicator

Update = Callable[..., float | tuple[float, ...]]

COMPARED = 32
"""How many values of a new stream are compared with the column."""


class TalibFollower:
    """The columns of one indicator over a history that grows (`quantcrafter.engine.api.Follower`).

    After a gap it computes the whole column again, until the indicator has warmed up anew.
    """

    def __init__(self, indicator: TalibIndicator) -> None:
        self._indicator = indicator
        self._streams: Any = getattr(functions(), f"{indicator.info.name}_Stream", None)
        self._update: Update | None = None

    def follow(self, inputs: Mapping[str, Any], begin: int, count: int) -> FloatColumn:
        """Return the outputs at the bars from `begin` to `count` (exclusive), shape (outputs, bars)."""
        columns = self._indicator.columns(inputs)
        known = None if self._update is None else _updated(self._update, columns, begin, count)
        if known is not None:
            return known
        result = self._indicator.compute(**inputs)
        whole = result if isinstance(result, tuple) else (result,)
        self._update = self._opened(columns, whole)
        return np.array([column[begin:count] for column in whole])

    def _opened(self, columns: list[FloatColumn], whole: tuple[FloatColumn, ...]) -> Update | None:
        """Return what takes the next bar; None in a gap, in the warm-up, or where streams do not agree."""
        start, stop = (self._indicator.stretches(columns) or [(0, 0)])[-1]
        known = stop - COMPARED
        if self._streams is None or stop < len(columns[0]) or known - start <= self._indicator.warmup():
            return None
        try:
            stream = self._streams(*(column[start:known] for column in columns), **self._indicator.arguments())
        except Exception:  # noqa: BLE001 - see `_updated`
            return None
        update: Update = stream.update
        given = _updated(update, columns, known, stop)
        if given is None:
            return None
        if not np.array_equal(given, [column[known:stop] for column in whole], equal_nan=True):
            self._streams = None
            return None
        return update


def _updated(update: Update, columns: list[FloatColumn], begin: int, count: int) -> FloatColumn | None:
    """Return what a stream gives at some bars, shape (outputs, bars); None when there is one that it does not take."""
    given = []
    for bar in range(begin, count):
        row = [column[bar].item() for column in columns]
        if not all(map(math.isfinite, row)):
            return None
        try:
            given.append(update(*row))
        except Exception:  # noqa: BLE001 - TA-Lib raises nothing more special; it refuses numbers beyond 3e37, in and out
            return None
    return np.array(given, np.float64).reshape(count - begin, -1).T
