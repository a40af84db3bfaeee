"""Orders that are good for a day end by what is known at the time, never by bars that are still to come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, Bars
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset, OrderLife
from quantcrafter.engine.api.ledger import Ledger, OrderKind, OrderStatus, StatusReason
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import ExecutionRule
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, compiled
from tests.support.jobs import Setup, make_job

HOUR_NS = 3_600_000_000_000
OPENING_NS = 1_704_205_800_000_000_000  # 2 January 2024, 09:30 in New York
BARS = 7  # six of an hour, and the half hour from 15:30 on
FAR_BELOW = EntryRule(OrderKind.LIMIT, Offset(percent=2.0), life=OrderLife.DAY)


def sessions(missing: int) -> Bars:
    """Return hourly bars of two sessions at a price of 100, the first without its last bars; the second dips to 98."""
    starts = np.array([OPENING_NS + day * 24 * HOUR_NS + k * HOUR_NS for day in range(2) for k in range(BARS)])
    ends = starts + HOUR_NS
    ends[BARS - 1 :: BARS] -= HOUR_NS // 2
    price = np.full(len(starts), 100.0)
    low = price.copy()
    low[BARS:] = 97.0
    kept = np.r_[0 : BARS - missing, BARS : len(starts)]
    starts, ends, price, low = starts[kept], ends[kept], price[kept], low[kept]
    volume = np.full(len(starts), 1000.0)
    return Bars("TEST", Timeframe(1, "h"), starts, ends, price, price, low, price, volume, NEW_YORK_STOCKS)


def run(job: EngineJob, how: str) -> Ledger:
    if how == "stepwise":
        return simulate_stepwise(job)
    return simulate(job, kernel=compiled() if how == "compiled" else INTERPRETED)


@pytest.mark.parametrize("how", ["compiled", "interpreted", "stepwise"])
@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_day_order_is_not_filled_on_the_next_day_whatever_bars_are_missing(missing: int, how: str) -> None:
    job = make_job((sessions(missing), Setup(flags={1: ENTER_LONG})), execution=ExecutionRule(entry=FAR_BELOW))
    ledger = run(job, how)
    assert len(ledger.fills) == 0
    (order,) = ledger.orders
    assert (order["status"], order["status_reason"]) == (OrderStatus.CANCELLED, StatusReason.EXPIRED)
    assert order["expires"] == order["closed_bar"] == BARS - missing - 1


@pytest.mark.parametrize("how", ["compiled", "interpreted", "stepwise"])
def test_a_day_order_made_on_the_last_close_of_a_session_is_good_for_the_next_one(how: str) -> None:
    job = make_job((sessions(0), Setup(flags={BARS - 1: ENTER_LONG})), execution=ExecutionRule(entry=FAR_BELOW))
    ledger = run(job, how)
    assert ledger.fills["bar"].tolist() == [BARS]


def test_an_order_that_follows_its_line_keeps_the_day_on_which_it_began() -> None:
    bars = sessions(3)
    line = np.where(np.arange(len(bars)) < BARS - 3, 100.0, 99.5)
    line[2:] -= 0.5  # it moves on the day's third bar: the order is replaced, its end stays
    entry = replace(FAR_BELOW, follow=True)
    setup = Setup(flags={0: ENTER_LONG}, execution_columns={"line": line})
    ledger = simulate(make_job((bars, setup), execution=ExecutionRule(entry=entry)))
    assert len(ledger.fills) == 0
    assert StatusReason(ledger.orders[-1]["status_reason"]) is StatusReason.EXPIRED
