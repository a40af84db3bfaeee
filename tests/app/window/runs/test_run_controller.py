"""Runs started from the window, in real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.edits import SetField, SetValues
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.layout.notice import FailureNotice
from quantcrafter.app.window.runs.run_controller import COMPARE_MS
from quantcrafter.app.window.tabs.tab import StrategyTab
from quantcrafter.engine.runtime.run_store.history import RunHistory
from tests.support.children import child, children
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.running import PATIENCE_MS, SLOW, runs_of, wait_for_run

pytestmark = pytest.mark.logs_errors  # what fails here on purpose is logged

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as desktop:
        yield desktop


def press_run(desktop: Desktop) -> None:
    desktop.shell.actions.refresh()  # as it is once the current event has been processed
    QTest.keyClick(desktop.window, Qt.Key.Key_F5)


def set_period(desktop: Desktop, period: int) -> None:
    tab_of(desktop).document.do(SetValues("fast", {"timeperiod": period}), label="Set timeperiod")


def begin_slow_run(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.file_controller.new(SLOW, "slow")
    press_run(desktop)
    engine = desktop.engine
    qtbot.waitUntil(lambda: engine.running is not None and engine.running.progress is not None, timeout=PATIENCE_MS)


def _notices(tab: StrategyTab) -> list[FailureNotice]:
    return [notice for notice in children(tab, FailureNotice) if not notice.isHidden()]


def badges(desktop: Desktop) -> dict[str, str | None]:
    return {name: item.badge for name, item in tab_of(desktop).canvas.scene.nodes.items()}


def test_f5_runs_the_text_as_it_is_and_keeps_the_run(desktop: Desktop, qtbot: QtBot) -> None:
    set_period(desktop, 30)  # not saved

    press_run(desktop)
    run = wait_for_run(desktop, qtbot)

    assert run.nodes["fast"].parameters["timeperiod"] == 30
    assert run.file == str(tab_of(desktop).path)
    record = RunHistory().get(run.id)
    assert record.metrics["trades"] == len(run.trades)
    assert tab_of(desktop).session.run is run
    assert child(desktop.window.statusBar(), type(desktop.shell.status.run)).result.text() == "Up to date"
    qtbot.waitUntil(lambda: badges(desktop)["fast"] == "done")
    assert badges(desktop)["bars"] is None


def test_what_ran_is_written_into_the_log(desktop: Desktop, qtbot: QtBot) -> None:
    press_run(desktop)
    run = wait_for_run(desktop, qtbot)
    log = tab_of(desktop).session.log

    qtbot.waitUntil(lambda: len(log) > len(run.fills), timeout=PATIENCE_MS)

    texts = [log[number].line.text for number in range(log.first, log.end)]
    assert any(f"{run.bars:,} bars, {len(run.trades)} trades" in text for text in texts)
    bought = [log[number].line for number in range(log.first, log.end) if "BUY" in log[number].line.text]
    assert [line.bar for line in bought] == run.trades["entry_bar"].tolist()


def test_mistakes_are_shown_instead_of_a_run(desktop: Desktop) -> None:
    desktop.docks.docks["problems"].hide()
    set_period(desktop, -3)

    press_run(desktop)

    assert desktop.engine.running is None
    assert desktop.engine.waiting == ()
    assert desktop.docks.docks["problems"].isVisible()
    assert tab_of(desktop).selection == ("fast",)
    assert "timeperiod" in desktop.window.statusBar().currentMessage()


def test_a_change_makes_the_run_out_of_date_and_undoing_it_brings_it_back(desktop: Desktop, qtbot: QtBot) -> None:
    press_run(desktop)
    wait_for_run(desktop, qtbot)
    runs = runs_of(desktop)
    assert not runs.is_stale

    set_period(desktop, 21)
    qtbot.waitUntil(lambda: runs.is_stale)
    qtbot.waitUntil(lambda: desktop.shell.status.run.result.text() == "Out of date")
    qtbot.waitUntil(lambda: badges(desktop)["fast"] is None)
    tab_of(desktop).document.undo()
    qtbot.waitUntil(lambda: not runs.is_stale)
    qtbot.waitUntil(lambda: desktop.shell.status.run.result.text() == "Up to date")

    tab_of(desktop).canvas.select_all()
    tab_of(desktop).canvas.auto_layout()
    QTest.qWait(200)
    assert not runs.is_stale  # where nodes lie does not matter


def test_a_click_on_out_of_date_runs_again(desktop: Desktop, qtbot: QtBot) -> None:
    press_run(desktop)
    first = wait_for_run(desktop, qtbot)
    set_period(desktop, 21)
    qtbot.waitUntil(lambda: desktop.shell.status.run.result.text() == "Out of date")

    qtbot.mouseClick(desktop.shell.status.run.result, Qt.MouseButton.LeftButton)

    second = wait_for_run(desktop, qtbot, other_than=first)
    assert second.nodes["fast"].parameters["timeperiod"] == 21


def test_a_run_is_stopped_by_its_key_and_by_the_button_in_the_status_bar(desktop: Desktop, qtbot: QtBot) -> None:
    begin_slow_run(desktop, qtbot)
    runs = runs_of(desktop)
    qtbot.waitUntil(desktop.shell.actions.actions["run.stop"].isEnabled)

    QTest.keyClick(desktop.window, Qt.Key.Key_F5, SHIFT)

    qtbot.waitUntil(lambda: not runs.jobs, timeout=PATIENCE_MS)
    assert runs.run is None
    assert runs.failure is None
    press_run(desktop)
    qtbot.waitUntil(lambda: desktop.shell.status.run.cancel.isVisible() and desktop.shell.status.run.cancel.isEnabled())
    qtbot.mouseClick(desktop.shell.status.run.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not runs.jobs, timeout=PATIENCE_MS)
    assert runs.run is None


def test_runs_of_several_strategies_wait_for_each_other(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    for name in ("rsi_pullback", "channel_breakout"):
        desktop.file_controller.open(copy_example(name, tmp_path))
    for index in range(3):
        desktop.tabs.setCurrentIndex(index)
        press_run(desktop)
    every = [desktop.runs.of(tab) for tab in desktop.tabs.all()]
    assert all(runs.jobs for runs in every)

    qtbot.waitUntil(lambda: all(runs.run is not None for runs in every), timeout=PATIENCE_MS)

    names = [runs.run.strategy for runs in every if runs.run is not None]
    assert names == ["Golden cross", "RSI pullback", "Channel breakout"]


def test_a_killed_engine_is_told_of_and_the_next_run_works(desktop: Desktop, qtbot: QtBot) -> None:
    begin_slow_run(desktop, qtbot)
    slow = tab_of(desktop)
    pid = desktop.engine.pid
    assert pid is not None

    psutil.Process(pid).kill()

    qtbot.waitUntil(lambda: desktop.runs.of(slow).failure is not None, timeout=PATIENCE_MS)
    failure = desktop.runs.of(slow).failure
    assert failure is not None
    assert "signal 9" in failure.message
    assert any("signal 9" in label.text() for label in _labels(slow))
    desktop.tabs.setCurrentIndex(0)
    press_run(desktop)
    assert len(wait_for_run(desktop, qtbot).trades) > 0
    assert desktop.engine.pid != pid


BROKEN = """\
quantcrafter: 1
name: Lost calendar
instruments:
  - {symbol: AAPL, data: sample, timeframe: 1d}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 20}
advisors:
  cross: {use: crossover, fast: fast, slow: bars.close}
filters:
  news: {use: event_calendar, path: lost.csv, before: 60m, group: block}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [cross], filters: [news], money: size}
run: {cash: 100000}
"""


def test_a_node_that_fails_in_the_run_is_marked_and_can_be_shown(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.file_controller.new(BROKEN, "broken")
    press_run(desktop)
    tab = tab_of(desktop)
    qtbot.waitUntil(lambda: any("doesn't exist" in label.text() for label in _labels(tab)), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: badges(desktop)["news"] == "error")
    assert badges(desktop)["fast"] is None
    log = tab.session.log
    assert [log[number].line.node for number in range(log.first, log.end)] == ["news"]

    show = next(button for button in children(tab, QPushButton) if button.text() == "Show 'news'")
    qtbot.mouseClick(show, Qt.MouseButton.LeftButton)

    assert tab.selection == ("news",)
    tab.document.set_text(BROKEN.replace("event_calendar, path: lost.csv, before: 60m", "weekdays, days: [mon]"))
    press_run(desktop)
    wait_for_run(desktop, qtbot)
    assert not any(label.isVisible() and "doesn't exist" in label.text() for label in _labels(tab))


def test_the_bar_about_a_failed_run_goes_once_the_strategy_is_another(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.file_controller.new(BROKEN, "broken")
    press_run(desktop)
    tab = tab_of(desktop)
    qtbot.waitUntil(lambda: bool(_notices(tab)), timeout=PATIENCE_MS)
    tab.document.set_text(BROKEN.replace("name: ", "# a comment\nname: ", 1))
    qtbot.wait(3 * COMPARE_MS)
    assert _notices(tab), "what it does is the same, and fails alike"
    tab.document.set_text(BROKEN.replace("event_calendar, path: lost.csv, before: 60m", "weekdays, days: [mon]"))
    qtbot.waitUntil(lambda: not _notices(tab))
    qtbot.waitUntil(lambda: badges(desktop)["news"] is None)


def test_a_mode_that_cannot_be_run_is_among_the_problems_and_leaves_no_bar(desktop: Desktop) -> None:
    desktop.file_controller.new(
        BROKEN.replace("event_calendar, path: lost.csv, before: 60m", "weekdays, days: [mon]"), "live"
    )
    tab = tab_of(desktop)
    tab.document.do(SetField(("run", "mode"), "live"), label="Mode")
    tab.document.do(SetField(("run", "engine"), "backtrader"), label="Engine")
    press_run(desktop)
    assert "can't run in mode 'live'" in desktop.shell.status.currentMessage()
    assert not _notices(tab)
    tab.document.undo()
    assert not [each for each in tab.document.problems if each.path == "run.mode"]


def test_a_strategy_that_is_to_be_started_is_not_run_and_says_how_to_start_it(desktop: Desktop, qtbot: QtBot) -> None:
    tab = tab_of(desktop)
    tab.document.do(SetField(("run", "mode"), "paper"), label="Mode")
    press_run(desktop)
    qtbot.waitUntil(lambda: bool(_notices(tab)))
    (notice,) = _notices(tab)
    assert "quantcrafter start" in notice.text.text()


def test_after_every_change_the_strategy_runs_by_itself_without_filling_the_history(
    desktop: Desktop, qtbot: QtBot
) -> None:
    desktop.shell.actions.refresh()
    desktop.shell.actions.trigger("run.auto")
    first = wait_for_run(desktop, qtbot)

    for period in range(20, 30):
        set_period(desktop, period)

    def is_last() -> bool:
        run = runs_of(desktop).run
        return run is not None and run is not first and run.nodes["fast"].parameters["timeperiod"] == 29

    qtbot.waitUntil(is_last, timeout=PATIENCE_MS)

    assert RunHistory().list() == []
    assert desktop.settings.auto_run
    shown = runs_of(desktop).run
    tab_of(desktop).canvas.select_all()
    tab_of(desktop).canvas.auto_layout()
    QTest.qWait(300)
    assert runs_of(desktop).run is shown  # nothing that matters has changed


def test_the_window_works_while_a_run_is_under_way_and_closes_in_the_middle(qtbot: QtBot, tmp_path: Path) -> None:
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as desktop:
        begin_slow_run(desktop, qtbot)
        pid = desktop.engine.pid
        assert pid is not None
        desktop.tabs.setCurrentIndex(0)
        set_period(desktop, 44)
        assert "44" in tab_of(desktop).document.text

    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def _labels(tab: StrategyTab) -> list[QLabel]:
    return children(tab, QLabel)
