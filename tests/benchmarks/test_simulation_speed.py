"""The same strategy by columns and simulation, and by one loop written for it in C; the two take turns."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.ports import ENTER_LONG, EXIT_LONG, FlagColumn
from quantcrafter.engine.api.rules import SizeKind, SizeRule
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import compiled
from quantcrafter.engine.simulation.matcher import BarMatcher
from tests.support.c_loops import cross_in_c
from tests.support.jobs import Setup, make_bars, make_job

FAST, SLOW, CASH, PERCENT, QUANTITY = 10, 30, 1e7, 0.1, 10.0
TURNS = 5


def minute_prices(n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 5e-4, n)))
    open_ = np.concatenate([[100.0], close[:-1]])
    return np.column_stack([open_, np.maximum(open_, close) * 1.0002, np.minimum(open_, close) * 0.9998, close])


def by_columns(bars: Bars) -> FlagColumn:
    import talib

    fast, slow = talib.SMA(bars.close, FAST), talib.SMA(bars.close, SLOW)
    above = fast > slow
    flags = np.zeros(len(bars), np.uint8)
    turned = above[SLOW:] != above[SLOW - 1 : -1]
    flags[SLOW:] = turned * np.where(above[SLOW:], np.uint8(ENTER_LONG), np.uint8(EXIT_LONG))
    return flags


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


@pytest.mark.benchmark_report
@pytest.mark.parametrize("n", [10_000, 100_000, 1_000_000])
def test_simulation_against_a_hand_written_c_loop(n: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loop = cross_in_c(tmp_path)
    bars = make_bars(minute_prices(n))
    pointer = ctypes.POINTER(ctypes.c_double)
    settings = {"cash": CASH, "commission": {"percent": PERCENT}}
    size = SizeRule(SizeKind.QUANTITY, QUANTITY)

    def in_c() -> tuple[int, Any]:
        equity = np.empty(n)
        prices = (bars.open.ctypes.data_as(pointer), bars.close.ctypes.data_as(pointer))
        fills = loop(*prices, n, FAST, SLOW, CASH, PERCENT, QUANTITY, equity.ctypes.data_as(pointer))
        return fills, equity

    times: dict[str, list[float]] = {"c": [], "columns": [], "simulation": []}
    for turn in range(TURNS + 1):
        c_time, (fills, equity) = cpu(in_c)
        column_time, flags = cpu(lambda: by_columns(bars))
        ready = make_job((bars, Setup(flags=flags)), size=size, settings=settings)
        simulation_time, ledger = cpu(partial(simulate, ready, kernel=compiled()))
        if turn:
            for name, spent in (("c", c_time), ("columns", column_time), ("simulation", simulation_time)):
                times[name].append(spent)

    assert len(ledger.fills) == fills
    np.testing.assert_allclose(ledger.equity, equity, rtol=1e-12)
    best = {name: 1e3 * min(values) for name, values in times.items()}
    total = best["columns"] + best["simulation"]
    with capsys.disabled():
        print(  # noqa: T201 - the report is what this is for
            f"\n{n:>9,} bars, {fills:,} fills: C {best['c']:.2f} ms, columns {best['columns']:.2f} ms, "
            f"simulation {best['simulation']:.2f} ms; {total / best['c']:.1f} x C, {total * 1e6 / n:.1f} ns a bar"
        )


@pytest.mark.benchmark_report
def test_the_python_driver_for_one_instrument(capsys: pytest.CaptureFixture[str]) -> None:
    bars = make_bars(minute_prices(100_000))
    job = make_job((bars, Setup(flags=by_columns(bars))), settings={"cash": CASH, "commission": {"percent": PERCENT}})
    simulate_stepwise(make_job((make_bars(minute_prices(100)), Setup())))
    alone, ledger = cpu(lambda: simulate_stepwise(job))
    matched, other = cpu(lambda: simulate_stepwise(job, BarMatcher()))
    assert ledger.fills.tobytes() == other.fills.tobytes()
    with capsys.disabled():
        print(  # noqa: T201 - the report is what this is for
            f"\nPython driver, one instrument: {len(bars) / alone:,.0f} bars/s; "
            f"{len(bars) / matched:,.0f} bars/s with a matcher asked in Python"
        )


@pytest.mark.benchmark_report
def test_a_portfolio_of_two_hundred_instruments_over_ten_years(capsys: pytest.CaptureFixture[str]) -> None:
    count, days = 200, 2_520
    pairs = []
    for k in range(count):
        bars = make_bars(minute_prices(days) + k, f"S{k}")
        pairs.append((bars, Setup(flags=by_columns(bars))))
    job = make_job(*pairs, size=SizeRule(SizeKind.EQUITY_PERCENT, 0.4), settings={"commission": {"percent": PERCENT}})
    simulate(make_job(*[(make_bars(minute_prices(100)), Setup())] * 2))
    spent, ledger = cpu(lambda: simulate(job))
    assert len(ledger.ts_ns) == days
    assert len(ledger.fills) > count
    with capsys.disabled():
        print(  # noqa: T201 - the report is what this is for
            f"\n{count} instruments x {days:,} daily bars, one portfolio: {spent:.2f} s, {len(ledger.fills):,} fills"
        )
