"""What positions are worth in the account's currency: fills, entries of trades, and holding an instrument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.ports import FloatColumn

Rows = npt.NDArray[Any]


def points(instruments: Sequence[InstrumentJob], index: Rows) -> FloatColumn:
    """Return lot size x multiplier for rows that name their instrument by `index`."""
    return np.asarray(np.array([job.lot_size * job.multiplier for job in instruments] or [1.0], np.float64)[index])


def fill_values(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> FloatColumn:
    """Return the value of each fill, never negative, at its own rate."""
    fills = ledger.fills
    return np.asarray(np.abs(fills["lots"] * points(instruments, fills["instrument"]) * fills["price"]) * _rates(fills))


def entry_values(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> FloatColumn:
    """Return the value of each trade's entry, never negative, at the rate of the fill that opened its position."""
    trades, fills = ledger.trades, ledger.fills
    value = np.abs(trades["lots"] * points(instruments, trades["instrument"]) * trades["entry_price"])
    if not len(fills):
        return np.asarray(value)
    order = np.argsort(fills["order_id"], kind="stable")
    ids = fills["order_id"][order]
    place = np.minimum(np.searchsorted(ids, trades["entry_order"]), len(ids) - 1)
    rates = np.where(ids[place] == trades["entry_order"], _rates(fills)[order][place], 1.0)
    return np.asarray(value * rates)


def _rates(fills: Rows) -> FloatColumn:
    """Return the rate of each fill; runs kept before there were currencies have none."""
    known = "rate" in (fills.dtype.names or ())
    return np.asarray(fills["rate"]) if known else np.ones(len(fills))


def holding(job: InstrumentJob, begin: int = 0) -> FloatColumn:
    """Return what one unit of money that holds the instrument from its first open has become at each close, shape (n,).

    In the account's currency: at the rates of the bars, with splits and dividends, which are kept as money. A contract
    of that value keeps the money and adds its profit; rolls cost nothing. The first open is that of the first bar from
    `begin` on that has a rate; before it the money is 1. NaN everywhere where the first price is not above zero.
    """
    bars = job.bars
    rates = np.ones(len(bars)) if job.rate_close is None else job.rate_close
    opening = np.ones(len(bars)) if job.rate_open is None else job.rate_open
    known = np.flatnonzero((opening[begin:] > 0.0) & (rates[begin:] > 0.0)) + begin
    held = np.ones(len(bars))
    if not len(known):
        return held
    first = int(known[0])
    price = float(bars.open[first])
    if not price > 0.0:
        return np.full(len(bars), np.nan)
    units, came = np.ones(len(bars) - first), np.zeros(len(bars) - first)
    if job.split is not None and job.dividend is not None:
        units[1:] = np.cumprod(job.split[first + 1 :])
        came[1:] = np.cumsum(units[1:] * job.dividend[first + 1 :] * opening[first + 1 :])
    value = units * bars.close[first:] - (job.moved_by_rolls[first:] - job.moved_by_rolls[first])
    if job.kind == "contract":
        held[first:] = 1.0 + ((value - price) * rates[first:] + came) / (price * opening[first])
    else:
        held[first:] = (value * rates[first:] + came) / (price * opening[first])
    return held
