"""Trades on the chart, found by bar, one by one or counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.charts.model.trades import HeldUnits, TradeMarks
from quantcrafter.engine.api import Ledger
from quantcrafter.engine.api.ledger import ORDER_DTYPE, Reason
from quantcrafter.engine.api.round_trips import PART_DTYPE
from tests.support.ledgers import curve_ledger, walk_run


def ledger_of(spans: list[tuple[int, int, float]]) -> Ledger:
    """Return books with trades from one bar to another that made so much, the entry order's id being their number."""
    ledger = curve_ledger(np.arange(2), np.ones(2))
    trades = np.zeros(len(spans), PART_DTYPE)
    for number, (entry, leave, pnl) in enumerate(spans):
        trades[number]["entry_bar"], trades[number]["exit_bar"], trades[number]["pnl"] = entry, leave, pnl
        trades[number]["entry_order"], trades[number]["side"] = number, 1
    return Ledger(ledger.orders, ledger.fills, trades, ledger.blocked, ledger.ts_ns, ledger.equity, ledger.cash)


SPANS = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 200), st.integers(-50, 50)).map(
        lambda span: (span[0], span[0] + span[1], float(span[2]))
    ),
    max_size=60,
)


@given(SPANS, st.integers(0, 600), st.integers(0, 300))
def test_a_trade_is_in_view_while_any_of_its_bars_is(
    spans: list[tuple[int, int, float]], left: int, width: int
) -> None:
    view = TradeMarks(ledger_of(spans), 0).single(left, left + width, 1000)
    assert view is not None
    expected = {row for row, (entry, leave, _) in enumerate(spans) if entry <= left + width and leave >= left}
    assert set(view.rows.tolist()) == expected


@given(SPANS, st.sampled_from([1, 2, 16, 64, 256]))
def test_groups_count_every_trade_once(spans: list[tuple[int, int, float]], step: int) -> None:
    groups = TradeMarks(ledger_of(spans), 0).groups(-5, 1000, step)
    assert sum(group.count for group in groups) == len(spans)
    assert sum(group.won for group in groups) == sum(pnl > 0 for *_, pnl in spans)
    assert sum(group.pnl for group in groups) == pytest.approx(sum(pnl for *_, pnl in spans))
    for group in groups:
        assert group.count == sum(group.first_bar <= entry <= group.last_bar for entry, *_ in spans) > 0


def test_too_many_trades_are_not_drawn_one_by_one() -> None:
    marks = TradeMarks(ledger_of([(bar, bar + 1, 1.0) for bar in range(500)]), 0)
    assert marks.single(0, 500, 100) is None
    near = marks.single(100, 120, 100)
    assert near is not None
    assert len(near) == 22


def test_stops_and_targets_belong_to_the_trade_whose_entry_they_protect() -> None:
    ledger = ledger_of([(5, 20, 1.0), (30, 44, -1.0)])
    orders = np.zeros(4, ORDER_DTYPE)
    for number, (parent, reason, price, closed) in enumerate(
        [
            (0, Reason.STOP_LOSS, 90.0, 20),
            (0, Reason.TAKE_PROFIT, 120.0, -1),
            (1, Reason.STOP_LOSS, 70.0, 44),
            (1, Reason.SIGNAL, 75.0, 44),
        ]
    ):
        orders[number]["parent"], orders[number]["reason"] = parent, reason
        orders[number]["price"], orders[number]["closed_bar"] = price, closed
        orders[number]["created_bar"] = 5 + 25 * parent
    books = Ledger(orders, ledger.fills, ledger.parts, ledger.blocked, ledger.ts_ns, ledger.equity, ledger.cash)
    marks = TradeMarks(books, 0)
    told = [(level.kind, level.price, level.from_bar, level.to_bar) for level in marks.levels(0)]
    assert told == [("stop", 90.0, 5, 20), ("target", 120.0, 5, 20)]
    assert [(level.kind, level.price) for level in marks.levels(1)] == [("stop", 70.0)]
    assert marks.levels(7) == []


def test_neighbouring_trades_are_found_from_a_bar() -> None:
    marks = TradeMarks(ledger_of([(30, 31, 1.0), (10, 12, 1.0)]), 0)
    assert (marks.row_after(10), marks.row_after(9), marks.row_after(30)) == (0, 1, None)
    assert (marks.row_of_entry(29), marks.row_of_entry(30), marks.row_of_entry(9)) == (1, 0, None)


def test_holdings_are_the_fills_added_up() -> None:
    ledger, jobs = walk_run(300, seed=3, every=30)
    holdings = HeldUnits(ledger, 0, jobs[0].lot_size)
    column = holdings.column(300)
    held = 0.0
    for bar in range(300):
        for fill in ledger.fills[(ledger.fills["bar"] == bar) & (ledger.fills["instrument"] == 0)]:
            held += float(fill["side"] * fill["lots"]) * jobs[0].lot_size
        assert column[bar] == pytest.approx(held) == holdings.units(bar)
    assert np.ptp(column) > 0
