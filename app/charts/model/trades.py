"""Trades on the chart: one by one where there is room, counted where there is none. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import FloatColumn, Ledger, TimeColumn
from quantcrafter.engine.api.ledger import Reason

MOST_SINGLE = 150
"""More trades than this in view are counted, however wide it is."""
_STOPS = (Reason.STOP_LOSS,)
_TARGETS = (Reason.TAKE_PROFIT,)


@dataclass(frozen=True)
class TradeView:
    """Trades that are drawn one by one, in the order of their entries; `rows` are rows of the run's trade table."""

    rows: TimeColumn
    entry_bar: TimeColumn
    exit_bar: TimeColumn
    entry_price: FloatColumn
    exit_price: FloatColumn
    side: npt.NDArray[np.int8]
    pnl: FloatColumn

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class TradeGroup:
    """The trades that were entered in bars `first_bar` to `last_bar`: how many, how many won, and what they made."""

    first_bar: int
    last_bar: int
    count: int
    won: int
    pnl: float


@dataclass(frozen=True, slots=True)
class OrderLevel:
    """The price of a protective order and the bars in which it worked; `kind` is `stop` or `target`."""

    kind: str
    price: float
    from_bar: int
    to_bar: int


class TradeMarks:
    """The closed trades of one instrument, found by bar.

    Args:
        ledger: the books of the run.
        instrument: the index of the instrument in file order.
    """

    def __init__(self, ledger: Ledger, instrument: int) -> None:
        own = np.flatnonzero(ledger.trades["instrument"] == instrument)
        trades = ledger.trades[own]
        order = np.argsort(trades["entry_bar"], kind="stable")
        trades = trades[order]
        self.all = TradeView(
            own[order],
            np.ascontiguousarray(trades["entry_bar"]),
            np.ascontiguousarray(trades["exit_bar"]),
            np.ascontiguousarray(trades["entry_price"]),
            np.ascontiguousarray(trades["exit_price"]),
            np.ascontiguousarray(trades["side"]),
            np.ascontiguousarray(trades["pnl"]),
        )
        self._latest_exit = np.maximum.accumulate(self.all.exit_bar) if len(order) else self.all.exit_bar
        self._pnl = np.concatenate([[0.0], np.cumsum(self.all.pnl)])
        self._won = np.concatenate([[0], np.cumsum(self.all.pnl > 0)])
        self._entry_order = np.ascontiguousarray(trades["entry_order"])
        self._protective = _Protective(ledger.orders, instrument)
        self._place_of = {row: place for place, row in enumerate(self.all.rows.tolist())}

    def __len__(self) -> int:
        return len(self.all)

    def place_of(self, row: int) -> int | None:
        """Return where a row of the run's trade table stands in `all`, None if it is another instrument's."""
        return self._place_of.get(row)

    def row_of_entry(self, bar: int) -> int | None:
        """Return the row of the latest trade that was entered at a bar or before it, None if there is none."""
        place = int(np.searchsorted(self.all.entry_bar, bar, side="right")) - 1
        return int(self.all.rows[place]) if place >= 0 else None

    def row_after(self, bar: int) -> int | None:
        """Return the row of the first trade that was entered after a bar, None if there is none."""
        place = int(np.searchsorted(self.all.entry_bar, bar, side="right"))
        return int(self.all.rows[place]) if place < len(self) else None

    def single(self, left: float, right: float, most: int) -> TradeView | None:
        """Return the trades that were open anywhere in these bars, None if they are more than `most`."""
        end = int(np.searchsorted(self.all.entry_bar, right, side="right"))
        start = int(np.searchsorted(self._latest_exit, left))
        if end - start > min(most, MOST_SINGLE) * 4:
            return None
        places = np.arange(start, max(end, start))
        places = places[self.all.exit_bar[places] >= left]
        return self.at(places) if len(places) <= min(most, MOST_SINGLE) else None

    def at(self, places: npt.NDArray[np.integer[Any]]) -> TradeView:
        """Return some of the trades, by their places in `all`."""
        every = self.all
        return TradeView(
            every.rows[places],
            every.entry_bar[places],
            every.exit_bar[places],
            every.entry_price[places],
            every.exit_price[places],
            every.side[places],
            every.pnl[places],
        )

    def groups(self, left: float, right: float, step: int) -> list[TradeGroup]:
        """Return the trades entered in bars `left` to `right`, counted by groups of `step` bars; none is empty."""
        first, last = int(np.floor(max(left, 0) / step)), int(np.floor(max(right, 0) / step))
        edges = np.arange(first, last + 2) * step
        places = np.searchsorted(self.all.entry_bar, edges)
        return [
            TradeGroup(
                int(edges[number]),
                int(edges[number + 1]) - 1,
                int(places[number + 1] - places[number]),
                int(self._won[places[number + 1]] - self._won[places[number]]),
                float(self._pnl[places[number + 1]] - self._pnl[places[number]]),
            )
            for number in np.flatnonzero(np.diff(places)).tolist()
        ]

    def levels(self, row: int) -> list[OrderLevel]:
        """Return the stops and targets that a trade had."""
        place = self.place_of(row)
        if place is None:
            return []
        return self._protective.of(int(self._entry_order[place]), int(self.all.exit_bar[place]))


class _Protective:
    """The stop and target orders of an instrument, by the order id of their entry."""

    def __init__(self, orders: npt.NDArray[Any], instrument: int) -> None:
        wanted = (orders["instrument"] == instrument) & (orders["parent"] >= 0)
        wanted &= np.isin(orders["reason"], [*_STOPS, *_TARGETS]) & np.isfinite(orders["price"])
        rows = np.flatnonzero(wanted)
        by_parent = np.argsort(orders["parent"][rows], kind="stable")
        self._orders = orders
        self._rows = rows[by_parent]
        self._parents = np.ascontiguousarray(orders["parent"][self._rows])

    def of(self, entry: int, exit_bar: int) -> list[OrderLevel]:
        start, end = np.searchsorted(self._parents, [entry, entry + 1])
        found = []
        for order in self._orders[self._rows[start:end]]:
            kind = "stop" if order["reason"] in _STOPS else "target"
            closed = int(order["closed_bar"])
            until = exit_bar if closed < 0 else min(closed, exit_bar)
            found.append(OrderLevel(kind, float(order["price"]), int(order["created_bar"]), until))
        return found


class HeldUnits:
    """How many units of an instrument were held at each bar's close, below zero when sold short."""

    def __init__(self, ledger: Ledger, instrument: int, lot_size: float) -> None:
        fills = ledger.fills[ledger.fills["instrument"] == instrument]
        order = np.argsort(fills["bar"], kind="stable")
        self._bars = np.ascontiguousarray(fills["bar"][order])
        self._lots = np.concatenate([[0], np.cumsum(fills["lots"][order] * fills["side"][order])])
        self._lot_size = lot_size

    def units(self, bar: int) -> float:
        """Return the units held at the close of a bar."""
        return float(self._lots[np.searchsorted(self._bars, bar, side="right")]) * self._lot_size

    def column(self, count: int) -> FloatColumn:
        """Return the units held at the close of each of `count` bars."""
        places = np.searchsorted(self._bars, np.arange(count), side="right")
        return np.asarray(self._lots[places] * self._lot_size, dtype=np.float64)
