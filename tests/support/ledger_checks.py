"""What must hold of every ledger, computed again from its fills and from nothing else."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn

Table = npt.NDArray[Any]

TABLES = ("orders", "fills", "parts", "blocked", "interventions", "cashflows", "ts_ns", "equity", "cash")


def assert_same_bits(one: Ledger, other: Ledger) -> None:
    """Compare two ledgers byte for byte."""
    for name in TABLES:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.tobytes() == theirs.tobytes(), f"{name}:\n{mine}\ninstead of\n{theirs}"
    assert one.open_positions == other.open_positions
    assert (one.steps is None) == (other.steps is None)
    if one.steps is not None and other.steps is not None:
        for name in ("values", "flags", "allowed"):
            mine, theirs = getattr(one.steps, name), getattr(other.steps, name)
            assert [each.tobytes() for each in mine] == [each.tobytes() for each in theirs], f"steps: {name}"


def assert_money_is_conserved(job: EngineJob, ledger: Ledger) -> None:
    """Check cash, and cash plus positions, at every step against the fills with all their fees and all cash flows."""
    fills = ledger.fills
    order, when = _in_time(job, fills)
    fills = fills[order]
    lot = np.array([each.lot_size for each in job.instruments])[fills["instrument"]]
    value = fills["side"] * fills["lots"] * lot * fills["price"] * fills["rate"]
    multiplier = np.array([each.multiplier for each in job.instruments])[fills["instrument"]]
    spot = np.array([each.kind == "spot" for each in job.instruments])[fills["instrument"]]
    spent = np.cumsum(np.append(0.0, np.where(spot, value, 0.0) + fills["commission"] + fills["slippage"]))
    cash = job.settings.cash - spent[np.searchsorted(when, ledger.ts_ns, side="right")]
    value *= multiplier
    flow_order, flow_when = _in_time(job, ledger.cashflows, ledger.ts_ns)
    came = np.cumsum(np.append(0.0, ledger.cashflows["amount"][flow_order]))
    cash += came[np.searchsorted(flow_when, ledger.ts_ns, side="right")]
    worth = np.zeros(len(ledger.ts_ns))
    for i, each in enumerate(job.instruments):
        if each.kind == "contract":
            realised, open_profit = _contract(each, fills[fills["instrument"] == i])
            last = np.searchsorted(each.bars.close_ns, ledger.ts_ns, side="right") - 1
            cash += np.where(last >= 0, np.cumsum(realised)[last], 0.0)
            worth += np.where(last >= 0, open_profit[last], 0.0)
            continue
        held = _held(each, fills[fills["instrument"] == i])
        rate = np.ones(len(held)) if each.rate_close is None else each.rate_close
        last = np.searchsorted(each.bars.close_ns, ledger.ts_ns, side="right") - 1
        worth += np.where(last >= 0, (held * rate * each.bars.close)[last], 0.0)
    scale = 1e-9 * (np.abs(value).sum() + np.abs(ledger.cashflows["amount"]).sum() + job.settings.cash)
    assert np.abs(ledger.cash - cash).max() <= scale
    assert np.abs(ledger.equity - (cash + worth)).max() <= scale


def _contract(instrument: InstrumentJob, fills: Table) -> tuple[FloatColumn, FloatColumn]:
    """Return what a contract's fills realise at each bar, and its open profit at each close, in the account's currency.

    Every fill on the other side of the position realises its distance from the average price of the entries, at its
    own rate; nothing else moves the cash.
    """
    bars = instrument.bars
    realised, open_profit = np.zeros(len(bars)), np.zeros(len(bars))
    lots, price = 0, 0.0
    points = instrument.lot_size * instrument.multiplier
    for bar in range(len(bars)):
        if instrument.split is not None:
            after = math.floor(abs(lots) * Fraction(float(instrument.split[bar])))
            if after > 0:
                lots, price = after * (1 if lots > 0 else -1), price / float(instrument.split[bar])
        for fill in fills[fills["bar"] == bar]:
            side, filled, at = int(fill["side"]), int(fill["lots"]), float(fill["price"])
            if lots * side < 0:
                realised[bar] += (at - price) * -side * filled * points * float(fill["rate"])
            else:
                price = (price * abs(lots) + at * filled) / (abs(lots) + filled)
            lots += side * filled
        rate = 1.0 if instrument.rate_close is None else float(instrument.rate_close[bar])
        open_profit[bar] = (float(bars.close[bar]) - price) * lots * points * rate
    return realised, open_profit


def _in_time(job: EngineJob, rows: Table, steps: TimeColumn | None = None) -> tuple[Table, TimeColumn]:
    """Return the order of rows by the close of their bar, of rows of the account by that of their step, and closes."""
    closes = np.concatenate([*(each.bars.close_ns for each in job.instruments), () if steps is None else steps])
    offsets = np.cumsum([0, *(len(each.bars) for each in job.instruments)])
    when = closes[offsets[rows["instrument"]] + rows["bar"]]
    order = np.argsort(when, kind="stable")
    return order, when[order]


def _held(instrument: InstrumentJob, fills: Table) -> FloatColumn:
    """Return the quantity held at each close, from the fills of the instrument and its splits."""
    held = np.zeros(len(instrument.bars))
    lots, signed = 0, np.zeros(len(held), np.int64)
    np.add.at(signed, fills["bar"], fills["side"].astype(np.int64) * fills["lots"])
    for bar in range(len(held)):
        if instrument.split is not None:
            after = math.floor(abs(lots) * Fraction(float(instrument.split[bar])))
            # Where no whole lot is left the position is closed before the split, by a fill of this bar.
            lots = after * (1 if lots > 0 else -1) if after > 0 else lots
        lots += int(signed[bar])
        held[bar] = lots * instrument.lot_size
    return held
