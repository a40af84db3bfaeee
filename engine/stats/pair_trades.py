"""Trades of pairs: the two legs of a pair, each a trade of its instrument, are one trade of the strategy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.ledger import Ledger, Reason
from quantcrafter.engine.api.ports import TimeColumn


def leading_trades(ledger: Ledger) -> TimeColumn:
    """Return for each trade the row of the trade of its pair's first leg, shape (n,); its own row if it has no pair."""
    trades, orders = ledger.trades, ledger.orders
    rows = np.arange(len(trades))
    entries = orders[(orders["parent"] >= 0) & (orders["rule"] < 0) & (orders["reason"] == Reason.ENTRY)]
    if not len(entries):
        return rows
    parents = dict(zip(entries["id"].tolist(), entries["parent"].tolist(), strict=True))
    opened = {(order, i): row for row, (order, i) in enumerate(trades[["entry_order", "instrument"]].tolist())}
    row_of = {order: row for (order, _), row in opened.items()}
    for (order, i), row in opened.items():
        lead = row_of.get(parents.get(order, -1), row)
        # An entry of the same instrument is no leg.
        if trades["instrument"][lead] != i:
            rows[row] = lead
    return rows


def pair_numbers(ledger: Ledger) -> npt.NDArray[Any] | None:
    """Return for each trade the number of its pair, that of the first leg's trade counted from 1; 0 without a pair.

    None if no trade has one.
    """
    rows = leading_trades(ledger)
    legs = np.bincount(rows, minlength=len(rows)) if len(rows) else rows
    return np.where(legs[rows] > 1, rows + 1, 0) if (legs > 1).any() else None
