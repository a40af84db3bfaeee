"""Momentum top 3 on the sample stocks against a plain script: ranks, lots, fills and cash, month by month."""

from __future__ import annotations

from datetime import date
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quantcrafter
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph
from tests.e2e.test_golden_cross_oracle import adjusted_rows

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "momentum_top_three.yaml"
SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
START = date(2005, 3, 1)
LOOK_BACK, BEST, WEIGHT, COMMISSION = 126, 3, 0.32, 0.001


Fill = tuple[date, str, int, int, float]
"""Day, symbol, side, lots and price."""


def by_hand() -> tuple[list[Fill], float]:
    """Return every fill, and the equity at the end."""
    tables = {symbol: {row[0].date(): row for row in adjusted_rows(symbol)} for symbol in SYMBOLS}
    days = sorted({day for table in tables.values() for day in table if day >= START})
    cash, held, mark = 100_000.0, dict.fromkeys(SYMBOLS, 0), dict.fromkeys(SYMBOLS, 0.0)
    fills: list[Fill] = []
    orders: list[tuple[str, int]] = []
    for before, day in zip([date.min, *days], days, strict=False):
        for symbol, lots in sorted(orders, key=lambda order: order[1] > 0):  # what is sold goes first
            price = tables[symbol][day][1]
            cash -= lots * price + abs(lots) * price * COMMISSION
            assert cash > 0, "an entry would have been cut"
            held[symbol] += lots
            fills.append((day, symbol, 1 if lots > 0 else -1, abs(lots), price))
        mark |= {symbol: table[day][4] for symbol, table in tables.items() if day in table}
        equity = cash + sum(held[symbol] * mark[symbol] for symbol in SYMBOLS)
        orders = []
        if day.month != before.month and day != days[-1]:
            momentum = {symbol: value for symbol in SYMBOLS if (value := momentum_of(tables[symbol], day)) is not None}
            best = sorted(momentum, key=lambda symbol: -momentum[symbol])[:BEST]
            wanted = {symbol: floor(WEIGHT * equity / mark[symbol]) if symbol in best else 0 for symbol in momentum}
            orders = [(symbol, lots - held[symbol]) for symbol, lots in wanted.items() if lots != held[symbol]]
    for symbol in SYMBOLS:
        cash += held[symbol] * mark[symbol] * (1 - COMMISSION)
        fills += [(days[-1], symbol, -1, held[symbol], mark[symbol])] if held[symbol] else []
    return fills, cash


def momentum_of(table: dict[date, Any], day: date) -> float | None:
    """Return the change of the close over 126 sessions in percent; None if there are not that many."""
    days = [each for each in table if each <= day]
    if day not in table or len(days) <= LOOK_BACK:
        return None
    return float((table[day][4] / table[days[-1 - LOOK_BACK]][4] - 1) * 100)


@pytest.mark.parametrize("engine", ["native", "backtrader", "vnpy"])
def test_every_fill_and_the_equity_are_those_of_the_plain_script(engine: str) -> None:
    expected, equity = by_hand()
    result = quantcrafter.run(EXAMPLE, engine=engine)
    assert [job.symbol for job in result.instruments] == list(SYMBOLS)
    found = []
    for fill in result.ledger.fills:
        job = result.instruments[fill["instrument"]]
        day = np.datetime64(int(job.bars.open_ns[fill["bar"]]), "ns").astype("datetime64[D]").item()
        found.append((day, job.symbol, int(fill["side"]), int(fill["lots"]), float(fill["price"])))
    assert len(found) > 250
    assert not result.findings
    assert [each[:4] for each in sorted(found)] == [each[:4] for each in sorted(expected)]
    prices = [each[4] for each in sorted(found)]
    assert prices == pytest.approx([each[4] for each in sorted(expected)], rel=1e-9)
    assert result.ledger.equity[-1] == pytest.approx(equity, rel=1e-9)


def test_a_stock_that_is_listed_late_is_compared_from_its_first_value_on() -> None:
    fills, _ = by_hand()
    first = {symbol: min(day for day, each, *_ in fills if each == symbol) for symbol in SYMBOLS}
    assert first["AAPL"] == date(2005, 3, 2)
    assert first["FB"] > date(2012, 11, 1)
    result = quantcrafter.run(EXAMPLE)
    symbols = [job.symbol for job in result.instruments]
    bars = result.instruments[symbols.index("FB")].bars
    assert np.datetime64(int(bars.open_ns[0]), "ns").astype("datetime64[Y]").item().year == 2012
    assert "universe" in load_graph(EXAMPLE, load_registry()).spec.text
