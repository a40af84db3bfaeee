"""The position at each bar, derived from the fills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Ledger

IntColumn = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """A position at a bar's close: signed lots, bar and price of its entry, and the number of its execution."""

    lots: int
    since: int
    price: float
    execution: int = 0


@dataclass(frozen=True)
class PositionHistory:
    """The fills of one instrument in order, the signed lots held after each, and the executions that made them."""

    bars: IntColumn
    lots: IntColumn
    prices: npt.NDArray[np.float64]
    executions: IntColumn

    @classmethod
    def of(cls, ledger: Ledger, instrument: int) -> PositionHistory:
        """Return the positions of a run in an instrument."""
        fills = ledger.fills[ledger.fills["instrument"] == instrument]
        signed = fills["lots"] * fills["side"].astype(np.int64)
        return cls(
            fills["bar"].astype(np.int64),
            np.cumsum(signed),
            np.asarray(fills["price"]),
            fills["execution"].astype(np.int64),
        )

    def after(self, bar: int) -> HeldPosition | None:
        """Return the position at the close of a bar, None without a position."""
        last = int(np.searchsorted(self.bars, bar, side="right")) - 1
        if last < 0 or self.lots[last] == 0:
            return None
        side = np.sign(self.lots[last])
        other = np.flatnonzero(np.sign(self.lots[: last + 1]) != side)
        first = int(other[-1]) + 1 if len(other) else 0
        return HeldPosition(
            int(self.lots[last]), int(self.bars[first]), float(self.prices[first]), int(self.executions[first])
        )

    def held_by(self, length: int) -> npt.NDArray[np.int64]:
        """Return the number of the execution of the latest fill, at the close of each of `length` bars; 0 before."""
        if not len(self.bars):
            return np.zeros(length, np.int64)
        last = np.searchsorted(self.bars, np.arange(length), side="right") - 1
        return np.where(last < 0, 0, self.executions[np.maximum(last, 0)])

    def sides(self, length: int) -> npt.NDArray[np.int8]:
        """Return 1 while long, -1 while short, 0 while flat, at the close of each of `length` bars."""
        held = np.zeros(length, np.int8)
        if len(self.bars):
            last = np.searchsorted(self.bars, np.arange(length), side="right") - 1
            held = np.where(last < 0, 0, np.sign(self.lots)[np.maximum(last, 0)]).astype(np.int8)
        return held
