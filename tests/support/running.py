"""Runs in a window: what tests of the run side wait for."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.runs.strategy import StrategyRuns
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.desktop import tab_of

PATIENCE_MS = 240_000

SLOW = """\
quantcrafter: 1
name: Slow
instruments:
  - {symbol: MADE, data: synthetic, timeframe: 1m, bars: 1500000}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 20}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 50}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [cross], money: size}
run: {cash: 100000}
"""
"""A strategy that takes some seconds."""


def runs_of(desktop: Desktop) -> StrategyRuns:
    """Return the runs of the current strategy."""
    return desktop.runs.of(tab_of(desktop))


def wait_for_run(desktop: Desktop, qtbot: QtBot, *, other_than: RunFolder | None = None) -> RunFolder:
    """Wait until the current strategy shows a run, other than the one before; return it."""
    runs = runs_of(desktop)
    qtbot.waitUntil(lambda: runs.run is not None and runs.run is not other_than, timeout=PATIENCE_MS)
    assert runs.run is not None
    return runs.run
