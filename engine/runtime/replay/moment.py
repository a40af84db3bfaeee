"""Moment: the result of one step of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from quantcrafter.engine.simulation.pages import whole_rows
from quantcrafter.engine.simulation.state import SimulationState

_ROWS = {"orders": "order_rows", "fills": "fill_rows", "parts": "part_rows", "blocked": "blocked_rows"}


@dataclass(frozen=True)
class Moment:
    """The state after a step.

    `index` counts the steps done, `ts_ns` is the close that the last of them ended at, `bars` its instruments and bars.
    `fills`, `parts`, `blocked` and `orders` are the rows that were written in it (dtypes of `engine.api.ledger`); an
    order is written when it ends.
    """

    index: int
    ts_ns: int
    bars: tuple[tuple[int, int], ...]
    equity: float
    cash: float
    orders: npt.NDArray[Any]
    fills: npt.NDArray[Any]
    parts: npt.NDArray[Any]
    blocked: npt.NDArray[Any]


@dataclass(frozen=True)
class Mark:
    """How far the tables of a simulation were written at a moment between two steps."""

    pages: int
    counts: dict[str, int]

    @classmethod
    def of(cls, state: SimulationState) -> Mark:
        """Return the current write positions of the tables."""
        return cls(len(state.pages), {name: int(state.portfolio[name]) for name in _ROWS})

    def rows_since(self, state: SimulationState) -> dict[str, npt.NDArray[Any]]:
        """Return copies of the rows that the one step since then wrote, by table.

        The portfolio's tables are emptied onto a page before a step, never within, so that its rows are still there.
        """
        turned = len(state.pages) > self.pages
        found = {}
        for name, rows_name in _ROWS.items():
            rows = state.portfolio[rows_name]
            start = 0 if turned else self.counts[name]
            found[name] = whole_rows(rows[start : state.portfolio[name]]).copy().view(rows.dtype)
        return found
