"""What a trader feels while strategies run: late timers, the log's stalls, the wait for a redrawn equity curve."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.charts.pane import ChartPane
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.panes.log import LogPane
from quantcrafter.app.session.log_lines import CAPACITY
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.startup.application import make_application
from quantcrafter.engine.runtime.compute_process.jobs import LogLine
from tests.support.desktop import open_window, tab_of
from tests.support.running import PATIENCE_MS, wait_for_run

pytestmark = pytest.mark.benchmark_report

TICK_MS = 5
LATE_WANTED_MS, STALL_WANTED_MS, REDRAW_WANTED_MS = 20.0, 40.0, 100.0
LINES_A_SECOND, LOG_SECONDS, BATCH_MS = 20_000, 4, 33

FIVE_YEARS = """\
quantcrafter: 1
name: Five years of days
instruments:
  - {symbol: AAPL, data: sample, timeframe: 1d}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 20}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 50}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
money:
  size: {use: percent_of_equity, percent: 95}
execution:
  entry: {use: market, signals: [cross], money: size}
run: {cash: 100000, start: "2008-03-01"}
"""

MILLION = """\
quantcrafter: 1
name: A million bars
instruments:
  - {symbol: MADE, data: synthetic, timeframe: 1m, bars: 1000000}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 18}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [cross], money: size}
run: {cash: 1000000}
"""


class Lateness:
    """A timer that wants to tick every few milliseconds, how late it does, and what its thread worked meanwhile.

    On a machine that has other things to do, only the latter tells something.
    """

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.work_ms: list[float] = []
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.ms.append((now - self._last) * 1e3 - TICK_MS)
        self.work_ms.append((worked - self._worked) * 1e3)
        self._last, self._worked = now, worked

    @contextmanager
    def measured(self) -> Iterator[None]:
        self.ms.clear()
        self.work_ms.clear()
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer.start()
        yield
        self._timer.stop()


class Paints(QObject):
    """When a widget was painted last."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.last = 0.0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Paint:
            self.last = time.perf_counter()
        return super().eventFilter(watched, event)


def share(values: list[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def report(capsys: pytest.CaptureFixture[str], name: str, values: list[float], wanted: str) -> None:
    figures = ", ".join(f"p{100 * part:g} {share(values, part):.1f}" for part in (0.5, 0.95, 0.99))
    with capsys.disabled():
        sys.stdout.write(f"\n  {name}: {figures}, worst {max(values):.1f} ms of {len(values)} ({wanted})\n")


def tell(capsys: pytest.CaptureFixture[str], name: str, lateness: Lateness, wanted: str) -> None:
    report(capsys, name, lateness.ms, wanted)
    report(capsys, "    of it the thread's own work", lateness.work_ms, "CPU time")


def test_timers_are_on_time_while_a_million_bars_run_and_their_trades_arrive(
    qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_window(qtbot) as desktop:
        desktop.file_controller.new(FIVE_YEARS, "warm")
        _run(desktop)
        wait_for_run(desktop, qtbot)
        desktop.file_controller.new(MILLION, "million")
        lateness = Lateness()
        qtbot.wait(500)
        with lateness.measured():
            qtbot.wait(2000)
        tell(capsys, "timer lateness at rest", lateness, "for comparison")
        with lateness.measured():
            _run(desktop)
            run = wait_for_run(desktop, qtbot)
        tell(capsys, "timer lateness while 1M bars run", lateness, f"wanted: p99 {LATE_WANTED_MS} ms")
        log = tab_of(desktop).session.log
        desktop.docks.show("log")
        with lateness.measured():
            qtbot.waitUntil(lambda: len(log) >= len(run.ledger.fills), timeout=PATIENCE_MS)
        name = f"timer lateness while {len(run.ledger.trades):,} trades arrive, {len(log):,} lines"
        tell(capsys, name, lateness, f"wanted: p99 {LATE_WANTED_MS} ms")


def test_the_log_takes_twenty_thousand_lines_a_second(qtbot: QtBot, capsys: pytest.CaptureFixture[str]) -> None:
    make_application("light")
    pane = LogPane()
    qtbot.addWidget(pane)
    pane.resize(900, 400)
    with qtbot.waitExposed(pane):
        pane.show()
    session = RunSession(pane)
    session.log.begin(1, "Run 1")
    pane.set_session(session)
    batch = LINES_A_SECOND * BATCH_MS // 1000
    feed = QTimer(pane, timerType=Qt.TimerType.PreciseTimer, interval=BATCH_MS)
    made = 0

    def add() -> None:
        nonlocal made
        due = round((time.perf_counter() - began) * LINES_A_SECOND)
        lines = [
            LogLine(
                logging.INFO if number % 50 else logging.ERROR, f"order #{number} filled at 101.5", number, 0, number
            )
            for number in range(made, max(due, made))
        ]
        made += len(lines)
        session.log.add(1, lines)

    feed.timeout.connect(add)
    lateness = Lateness()
    began = time.perf_counter()
    feed.start()
    with lateness.measured():
        qtbot.wait(LOG_SECONDS * 1000)
    feed.stop()
    pane.flush()
    assert pane.model.rowCount() == min(made, CAPACITY)
    assert made > batch
    name = f"stalls of the log at {made / LOG_SECONDS:,.0f} lines/s"
    tell(capsys, name, lateness, f"wanted: p99 {STALL_WANTED_MS} ms")


def test_the_chart_follows_a_dragged_parameter(qtbot: QtBot, capsys: pytest.CaptureFixture[str]) -> None:
    with open_window(qtbot) as desktop:
        desktop.file_controller.new(FIVE_YEARS, "five_years")
        _run(desktop)
        wait_for_run(desktop, qtbot)
        desktop.runs.toggle_auto()
        desktop.docks.show("chart")
        pane = desktop.docks.frames["chart"].pane
        assert isinstance(pane, ChartPane)
        qtbot.waitUntil(lambda: pane.is_ready, timeout=PATIENCE_MS)
        qtbot.wait(500)
        paints = Paints(pane.view)
        drawn: list[float] = []
        pane.shown.connect(lambda: drawn.append(time.perf_counter()))
        spent, steps = [], []
        for number in range(40):
            drawn.clear()
            begun, worked = time.perf_counter(), time.thread_time()
            tab_of(desktop).document.do(SetValues("fast", {"timeperiod": 10 + number % 20}), label="Set timeperiod")
            steps.append((time.thread_time() - worked) * 1e3)
            qtbot.waitUntil(lambda: bool(drawn) and paints.last > drawn[-1], timeout=20_000)
            spent.append((paints.last - begun) * 1e3)
        report(capsys, "a changed parameter is in the text", steps, "CPU time, part of the next figure")
        report(capsys, "a changed parameter is on the chart", spent, f"wanted: {REDRAW_WANTED_MS} ms")


def _run(desktop: Desktop) -> None:
    desktop.runs.run()
