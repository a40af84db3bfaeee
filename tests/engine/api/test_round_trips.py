"""A trade is what lies between flat and flat; its parts add up to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import Ledger, Reason
from quantcrafter.engine.api.round_trips import PART_DTYPE, round_trips, trade_of_parts
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.stats.metrics import compute_metrics
from quantcrafter.engine.stats.tables import parts_table, trades_table
from tests.support.counts import sample
from tests.support.ledgers import Book, Deal, job_of, walk_bars
from tests.support.random_jobs import jobs

few = settings(max_examples=sample(40, of=600), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def part(
    instrument: int, lots: int, left: int, pnl: float = 0.0, price: float = 100.0, *, leave: float = 0.0
) -> tuple[object, ...]:
    """Return a part of a trade from bar 1 to 2."""
    ends = (1, 2, 7, 8, lots, price, leave, pnl, 1.0, 0.5, 2.0, 3.0)
    return (*ends, instrument, 1, Reason.SIGNAL, 0.25, left)


def test_partial_exits_are_one_trade_with_sums_and_averages() -> None:
    """10 at 100 are bought: 4 sold at 110, then 6 at 120: 160 gained, sold at (4 x 110 + 6 x 120) / 10 = 116."""
    parts = np.array([part(0, 4, 6, 40.0, leave=110.0), part(0, 6, 0, 120.0, leave=120.0)], PART_DTYPE)
    (trade,) = round_trips(parts)
    assert (trade["lots"], trade["parts"], trade["pnl"]) == (10, 2, 160.0)
    assert (trade["entry_price"], trade["exit_price"]) == (100.0, 116.0)
    assert (trade["commission"], trade["slippage"], trade["carry"]) == (2.0, 1.0, 0.5)
    assert (trade["mae"], trade["mfe"]) == (2.0, 3.0)


def test_instruments_are_told_apart_and_open_positions_are_no_trades() -> None:
    parts = np.array([part(0, 1, 3), part(1, 5, 0), part(0, 3, 0), part(1, 1, 1), part(0, 2, 0)], PART_DTYPE)
    assert trade_of_parts(parts).tolist() == [1, 0, 1, -1, 2]
    trades = round_trips(parts)
    assert trades["instrument"].tolist() == [1, 0, 0]
    assert trades["lots"].tolist() == [5, 4, 2]
    assert len(round_trips(parts[:0])) == 0


def test_parts_saved_without_what_was_left_count_as_trades_as_they_did_then() -> None:
    parts = np.array([part(0, 4, 0, 40.0), part(0, 6, 0, -10.0)], PART_DTYPE)
    trades = round_trips(parts)
    assert trades["pnl"].tolist() == [40.0, -10.0]
    assert all((trades[name] == parts[name]).all() for name in PART_DTYPE.names or () if name != "left")


def test_a_winner_that_was_closed_in_three_parts_counts_once() -> None:
    bars = walk_bars(60)
    book = Book([job_of(bars)])
    for entry, leave in ((5, 9), (20, 25)):
        book.deal(Deal(0, 1, 100, entry, leave))
    whole = book.ledger()
    rows = np.repeat(whole.parts, [3, 1])
    rows["lots"][:3], rows["left"][:3], rows["pnl"][:3] = [20, 30, 50], [80, 50, 0], [10.0, -5.0, 20.0]
    rows["pnl"][3] = -7.0
    ledger = Ledger(whole.orders, whole.fills, rows, whole.blocked, whole.ts_ns, whole.equity, whole.cash)
    values = compute_metrics(ledger, book.jobs, cash=100_000.0)
    assert (values["trades"], values["win_rate_pct"], values["expectancy"]) == (2, 50.0, 9.0)
    assert (values["longest_win_streak"], values["largest_win"], values["average_loss"]) == (1, 25.0, -7.0)
    shown = parts_table(ledger, book.jobs)
    assert shown["trade"].tolist() == [0, 0, 0, 1]
    assert trades_table(ledger, book.jobs)["parts"].tolist() == [3, 1]


@few
@given(jobs())
def test_parts_add_up_to_trades_and_every_trade_ends_flat(job: EngineJob) -> None:
    ledger = simulate(job)
    numbers, parts, trades = ledger.trade_of_parts, ledger.parts, ledger.trades
    for number, trade in enumerate(trades):
        mine = parts[numbers == number]
        assert len(mine) == trade["parts"]
        assert mine["left"][-1] == 0
        assert (mine["left"][:-1] > 0).all()
        assert set(mine["side"].tolist()) == {int(trade["side"])}
        for name in ("pnl", "commission", "slippage", "carry"):
            assert trade[name] == pytest.approx(mine[name].sum(), rel=1e-12, abs=1e-9)
        value = (mine["lots"] * mine["entry_price"]).sum()
        assert trade["lots"] * trade["entry_price"] == pytest.approx(value, rel=1e-12)
    held = {position.instrument for position in ledger.open_positions}
    assert {int(row) for row in parts["instrument"][numbers < 0]} <= held


@few
@given(jobs())
def test_a_trade_earns_what_its_fills_changed_the_cash_by(job: EngineJob) -> None:
    """Independent of parts: between flat and flat the fills of an instrument sum up to the trade's profit."""
    ledger = simulate(job)
    for number, each in enumerate(job.instruments):
        if each.kind == "contract" or each.split is not None or each.rate_open is not None:
            continue
        held, cash, found = 0, 0.0, []
        for fill in ledger.fills[ledger.fills["instrument"] == number]:
            side, lots, cost = int(fill["side"]), int(fill["lots"]), float(fill["commission"] + fill["slippage"])
            closing = min(lots, abs(held)) if held * side < 0 else 0
            for some in (closing, lots - closing):
                if not some:
                    continue
                held += side * some
                cash -= side * some * each.lot_size * each.multiplier * float(fill["price"]) + cost * some / lots
                if held == 0:
                    found.append(cash)
                    cash = 0.0
        mine = ledger.trades[ledger.trades["instrument"] == number]
        assert (mine["pnl"] - mine["carry"]).tolist() == pytest.approx(found, rel=1e-9, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=40))
def test_parts_of_a_trade_stay_together_whatever_lies_between(rows: list[tuple[int, int]]) -> None:
    parts = np.array([part(instrument, 1, left) for instrument, left in rows], PART_DTYPE)
    numbers = trade_of_parts(parts)
    done = 0
    current: dict[int, list[int]] = {}
    expected = np.full(len(rows), -1)
    for row, (instrument, left) in enumerate(rows):
        current.setdefault(instrument, []).append(row)
        if left == 0:
            expected[current.pop(instrument)] = done
            done += 1
    assert numbers.tolist() == expected.tolist()
    assert len(round_trips(parts)) == done
