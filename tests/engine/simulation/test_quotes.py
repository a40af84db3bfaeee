"""Bid and ask: what a spread changes is what shifting all prices of a side by hand would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset, ScaleInRule
from quantcrafter.engine.api.ledger import OrderKind, Reason
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG
from quantcrafter.engine.api.rules import ExecutionRule, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.driver import simulate
from tests.support.counts import sample
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.random_jobs import jobs

quick = settings(max_examples=sample(150, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
TARGET = (ProtectiveRule(ProtectiveKind.TAKE_PROFIT, offset=0.0010),)


def fills_of(rows: list[Any], flag: int, quotes: str, **more: Any) -> list[tuple[int, int, float]]:
    """Return bar, side and price of the fills of a currency pair with a spread of 2 pips."""
    terms = {"spread": 0.0002, "quotes": quotes}
    job = make_job((make_bars(rows), Setup(flags={0: flag}, tick_size=0.00001, more=terms)), **more)
    return [(int(f["bar"]), int(f["side"]), float(f["price"])) for f in simulate(job).fills]


STILL = (1.1, 1.1005, 1.0995, 1.1)


@pytest.mark.parametrize(
    ("quotes", "flag", "price"),
    [
        ("bid", ENTER_LONG, 1.1002),
        ("bid", ENTER_SHORT, 1.1),
        ("mid", ENTER_LONG, 1.1001),
        ("mid", ENTER_SHORT, 1.0999),
        ("ask", ENTER_LONG, 1.1),
        ("ask", ENTER_SHORT, 1.0998),
    ],
)
def test_an_entry_is_bought_at_the_ask_and_sold_at_the_bid(quotes: str, flag: int, price: float) -> None:
    assert fills_of([STILL] * 2, flag, quotes) == [(1, 1 if flag == ENTER_LONG else -1, price)]


@pytest.mark.parametrize(("high", "count"), [(1.1011, 1), (1.1012, 2)])
def test_a_target_needs_the_bid_there(high: float, count: int) -> None:
    # Bought at 1.1002, to be sold at 1.1012: the bid must reach it.
    rows = [STILL, STILL, (1.1, high, 1.0995, 1.1)]
    assert len(fills_of(rows, ENTER_LONG, "bid", protection=TARGET)) == count


@pytest.mark.parametrize(("low", "count"), [(1.0989, 1), (1.0988, 2)])
def test_a_short_target_needs_the_ask_there(low: float, count: int) -> None:
    # Sold at 1.1, to be bought at 1.099: the ask, two pips above the low, must reach it.
    rows = [STILL, STILL, (1.1, 1.1005, low, 1.1)]
    assert len(fills_of(rows, ENTER_SHORT, "bid", protection=TARGET)) == count


@pytest.mark.parametrize(("high", "fills"), [(1.1007, []), (1.1008, [(1, 1, 1.101)])])
def test_a_buy_stop_is_triggered_by_the_ask(high: float, fills: list[Any]) -> None:
    rule = ExecutionRule(entry=EntryRule(OrderKind.STOP, Offset(ticks=100.0)))
    rows = [STILL, (1.1, high, 1.0995, 1.1)]
    assert fills_of(rows, ENTER_LONG, "bid", execution=rule) == fills


@quick
@given(jobs(account=True))
def test_every_fill_is_a_price_that_its_side_saw(job: EngineJob) -> None:
    ledger = simulate(job)
    for fill in ledger.fills:
        each = job.instruments[fill["instrument"]]
        share = {"bid": 1.0, "mid": 0.5, "ask": 0.0}[each.quotes]
        bar = int(fill["bar"])
        spread = each.spread if each.spreads is None else float(each.spreads[bar])
        offset = spread * share if fill["side"] > 0 else -spread * (1.0 - share)
        if fill["reason"] in (Reason.SPLIT, Reason.ROLL):
            continue
        room = each.tick_size / 10.0
        assert each.bars.low[bar] + offset - room <= fill["price"] <= each.bars.high[bar] + offset + room


def test_a_round_trip_costs_the_spread_once() -> None:
    terms = {"spread": 0.0002, "quotes": "mid", "kind": "contract"}
    setup = Setup(flags={0: ENTER_LONG, 1: EXIT_LONG}, tick_size=0.00001, more=terms)
    size = SizeRule(SizeKind.QUANTITY, 10_000.0)
    ledger = simulate(make_job((make_bars([STILL] * 3), setup), size=size))
    assert ledger.equity[-1] - 100_000.0 == pytest.approx(-2.0)


def test_what_stays_open_at_the_end_is_marked_at_the_close_and_not_at_the_ask() -> None:
    grows = ExecutionRule(scale_in=ScaleInRule(2, Offset(percent=1.0)))
    rows = [(100.0, 101.0, 99.0, 100.0), (100.0, 103.0, 99.0, 102.0), (102.0, 103.0, 101.0, 102.0)]
    terms = {"spread": 0.2, "quotes": "ask", "settlement": "t+1"}
    setup = Setup(flags={0: ENTER_LONG}, more=terms)
    ledger = simulate(make_job((make_bars(rows), setup), execution=grows, settings={"end_of_data": "close_last"}))
    # Bought at 100 and 102; the first is sold at the bid of 101.8, the second can't be sold in its session.
    assert ledger.fills["price"].tolist() == [100.0, 102.0, 101.8]
    assert ledger.equity[-1] == pytest.approx(100_000.0 - 100.0 - 102.0 + 101.8 + 102.0)
