"""Trades as people count them: from flat to flat, put together from the parts in which they were closed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.ports import FloatColumn, TimeColumn

PART_DTYPE = np.dtype(
    [
        ("entry_bar", np.int64),
        ("exit_bar", np.int64),
        ("entry_order", np.int64),
        ("exit_order", np.int64),
        ("lots", np.int64),
        ("entry_price", np.float64),
        ("exit_price", np.float64),
        ("pnl", np.float64),
        ("commission", np.float64),
        ("slippage", np.float64),
        ("mae", np.float64),
        ("mfe", np.float64),
        ("instrument", np.int32),
        ("side", np.int8),
        ("exit_reason", np.uint8),
        ("carry", np.float64),
        ("left", np.int64),
    ],
    align=True,
)
"""A part of a position that was closed, in one fill: `left` is how many lots of the position are still open after it.
Runs saved before trades were counted from flat to flat have 0 there, so that each part counts as a trade, as then.

`side` +1 long, -1 short; `pnl` is in the account's currency, net of commission and slippage of entry and exit,
and includes `carry`: dividends received minus borrow fees paid while it was held. `mae` and `mfe` are the largest
moves against and for the position, in price units, not negative.
"""

TRADE_DTYPE = np.dtype(
    [*((name, PART_DTYPE[name]) for name in PART_DTYPE.names or ()), ("parts", np.int64)], align=True
)
"""A trade, from flat to flat. Lots, profit, costs and carry are the sums of its `parts`, prices their averages by lots,
`mae` and `mfe` the largest of them; the exit is that of the last part."""


def trade_of_parts(parts: npt.NDArray[Any]) -> TimeColumn:
    """Return the number of each part's trade, counted by their ends; -1 where the position is still open."""
    order, starts = _by_trade(parts)
    numbers = np.full(len(parts), -1, np.int64)
    if not len(parts):
        return numbers
    lasts = np.append(starts[1:], len(parts)) - 1
    closed = parts["left"][order[lasts]] == 0
    rank = np.full(len(starts), -1, np.int64)
    ended = np.flatnonzero(closed)
    rank[ended[np.argsort(order[lasts[ended]])]] = np.arange(len(ended))
    numbers[order] = np.repeat(rank, np.diff(np.append(starts, len(parts))))
    return numbers


def round_trips(parts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the closed trades that the parts make up, in the order in which they ended (`TRADE_DTYPE`)."""
    numbers = trade_of_parts(parts)
    mine = np.flatnonzero(numbers >= 0)
    mine = mine[np.argsort(numbers[mine], kind="stable")]
    rows = parts[mine]
    trades = np.zeros(int(numbers.max(initial=-1)) + 1, TRADE_DTYPE)
    if not len(trades):
        return trades
    starts = np.searchsorted(numbers[mine], np.arange(len(trades)))
    counts = np.diff(np.append(starts, len(rows)))
    lasts = starts + counts - 1
    for name in ("entry_bar", "entry_order", "instrument", "side", "entry_price"):
        trades[name] = rows[name][starts]
    for name in ("exit_bar", "exit_order", "exit_reason", "exit_price"):
        trades[name] = rows[name][lasts]
    for name in ("lots", "pnl", "commission", "slippage", "carry"):
        trades[name] = np.add.reduceat(rows[name], starts)
    for name in ("mae", "mfe"):
        trades[name] = np.maximum.reduceat(rows[name], starts)
    trades["parts"] = counts
    several = counts > 1
    for name in ("entry_price", "exit_price"):
        value = np.add.reduceat(rows[name] * rows["lots"], starts)
        trades[name][several] = _average(value, trades["lots"])[several]
    return trades


def _average(value: FloatColumn, lots: npt.NDArray[Any]) -> FloatColumn:
    return np.asarray(value / np.maximum(lots, 1))


def _by_trade(parts: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the order of the parts by instrument, and where in it each trade begins."""
    order = np.argsort(parts["instrument"], kind="stable")
    rows = parts[order]
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = (rows["left"][:-1] == 0) | (rows["instrument"][1:] != rows["instrument"][:-1])
    return order, np.flatnonzero(begins)
