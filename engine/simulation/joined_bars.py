"""Bars of several instruments, one after the other: joined once for all runs over the same ones."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api.bars import BAR_COLUMNS, Bars
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.account_terms import joined


class JoinedBars(NamedTuple):
    """Prices of all instruments, each of shape (rows,), and whether all bars open and close at the same times."""

    open: FloatColumn
    high: FloatColumn
    low: FloatColumn
    close: FloatColumn
    same_times: bool


class Latest:
    """Keeps the joined bars of the latest run, as long as all of its bars are in use.

    A sweep, and a strategy that is edited, run over the same ones each time. Those of one instrument aren't copied, and
    are kept beside those of several.
    """

    def __init__(self) -> None:
        self._latest: dict[bool, tuple[tuple[weakref.ref[Bars], ...], JoinedBars]] = {}

    def of(self, bars: Sequence[Bars]) -> JoinedBars:
        """Return bars as one."""
        latest = self._latest.get(len(bars) > 1)
        if latest is not None and [id(known()) for known in latest[0]] == [*map(id, bars)]:
            return latest[1]
        open_, high, low, close = (joined([each.column(name) for each in bars], np.float64) for name in BAR_COLUMNS[:4])
        times = bars[0].close_ns
        made = JoinedBars(open_, high, low, close, all(np.array_equal(each.close_ns, times) for each in bars[1:]))
        self._latest[len(bars) > 1] = tuple(weakref.ref(each, self._forget) for each in bars), made
        return made

    def _forget(self, gone: weakref.ref[Bars]) -> None:
        for several, (known, _) in [*self._latest.items()]:
            if any(each is gone for each in known):
                self._latest.pop(several, None)


LATEST = Latest()
"""Those of this process."""
