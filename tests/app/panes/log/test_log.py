from __future__ import annotations

import logging
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from quantcrafter.app.panes.log import LogPane
from quantcrafter.app.panes.log.model import TEXT
from quantcrafter.app.session.log_lines import RunLog
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.window.startup.application import make_application
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.compute_process.jobs import LogLine
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run
from tests.support.desktop import EXAMPLES


@pytest.fixture
def pane(qtbot: QtBot) -> LogPane:
    make_application("light")
    made = LogPane()
    qtbot.addWidget(made)
    made.resize(700, 300)
    with qtbot.waitExposed(made):
        made.show()
    return made


def lines(count: int, *, level: int = logging.INFO, start: int = 0) -> list[LogLine]:
    return [LogLine(level, f"line {number}", bar=number) for number in range(start, start + count)]


def shown(pane: LogPane) -> list[str]:
    return [str(pane.model.index(row, TEXT).data()) for row in range(pane.model.rowCount())]


def begin(pane: LogPane, *runs: int) -> RunLog:
    session = RunSession(pane)
    for number in runs or (1,):
        session.log.begin(number, f"Run {number}")
    pane.set_session(session)
    return session.log


def test_the_oldest_lines_go_when_the_ring_is_full() -> None:
    log = RunLog(capacity=10)
    for start in range(0, 35, 5):
        log.add(1, lines(5, start=start))
        held = [log[number].line.bar for number in range(log.first, log.end)]
        assert held == list(range(max(start - 5, 0), start + 5))
        assert len(log) == len(held)
    assert log.end == 35


def test_lines_appear_and_the_end_stays_in_sight(pane: LogPane, qtbot: QtBot) -> None:
    log = begin(pane)
    log.add(1, lines(500))
    qtbot.waitUntil(lambda: pane.model.rowCount() == 500)
    bar = pane.view.verticalScrollBar()
    assert bar.value() == bar.maximum()
    assert pane.state.text() == "Lines: 500"

    bar.setValue(100)
    log.add(1, lines(50, start=500))
    pane.flush()
    assert bar.value() == 100
    assert shown(pane)[-1] == "line 549"


def test_rows_that_go_at_the_top_do_not_move_what_is_in_sight(pane: LogPane) -> None:
    session = RunSession(pane)
    session.log = RunLog(capacity=300)
    session.log.begin(1, "Run 1")
    pane.set_session(session)
    session.log.add(1, lines(300))
    pane.flush()
    bar = pane.view.verticalScrollBar()
    pane.view.selectRow(200)
    bar.setValue(150)

    session.log.add(1, lines(50, start=300))
    pane.flush()

    assert pane.model.rowCount() == 300
    assert shown(pane)[bar.value()] == "line 150"
    assert pane.view.selected_text().endswith("line 200")


def test_levels_text_and_runs_filter_the_lines(pane: LogPane) -> None:
    log = begin(pane, 1, 2)
    log.add(1, [LogLine(logging.INFO, "of the first run")])
    log.add(2, [LogLine(logging.DEBUG, "detail"), LogLine(logging.WARNING, "Odd bar", node="fast")])
    log.add(2, [LogLine(logging.ERROR, "failed"), LogLine(logging.INFO, "done")])
    pane.flush()
    assert shown(pane) == ["Odd bar", "failed", "done"]

    pane.levels.setCurrentIndex(pane.levels.findData(logging.DEBUG))
    assert shown(pane) == ["detail", "Odd bar", "failed", "done"]
    pane.levels.setCurrentIndex(pane.levels.findData(logging.ERROR))
    assert shown(pane) == ["failed"]
    pane.levels.setCurrentIndex(pane.levels.findData(logging.INFO))
    pane.search.setText("FAST")
    assert shown(pane) == ["Odd bar"]
    pane.search.clear()
    pane.runs.setCurrentIndex(pane.runs.findText("All runs"))
    assert shown(pane) == ["of the first run", "Odd bar", "failed", "done"]
    pane.runs.setCurrentIndex(pane.runs.findText("Run 1"))
    assert shown(pane) == ["of the first run"]


def test_a_new_run_replaces_the_one_before_where_the_latest_is_wanted(pane: LogPane) -> None:
    log = begin(pane)
    log.add(1, lines(3))
    pane.flush()
    log.begin(2, "Run 2")
    log.add(2, lines(2, start=10))
    pane.flush()
    assert shown(pane) == ["line 10", "line 11"]


def test_while_paused_nothing_moves_and_what_waits_is_counted(pane: LogPane, qtbot: QtBot) -> None:
    log = begin(pane)
    log.add(1, lines(3))
    pane.flush()
    qtbot.mouseClick(pane.pause, Qt.MouseButton.LeftButton)
    log.add(1, lines(1200, start=3))
    qtbot.waitUntil(lambda: pane.state.text() == "Paused. New lines: 1,200")
    assert len(shown(pane)) == 3

    qtbot.mouseClick(pane.pause, Qt.MouseButton.LeftButton)
    assert len(shown(pane)) == 1203


def test_lines_are_copied_and_saved_with_their_columns(
    pane: LogPane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    log = begin(pane)
    log.add(1, [LogLine(logging.WARNING, "Odd bar", 1, 0, 7, "fast", "2023-11-14 22:13 New York"), *lines(1)])
    pane.flush()
    pane.view.selectRow(0)
    QTest.keyClick(pane.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "2023-11-14 22:13 New York\tWarning\tfast\tOdd bar"

    target = tmp_path / "run.log"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_options: (str(target), ""))
    qtbot.mouseClick(pane.save, Qt.MouseButton.LeftButton)
    assert target.read_text(encoding="utf-8").splitlines()[0] == "2023-11-14 22:13 New York\tWarning\tfast\tOdd bar"
    assert len(target.read_text(encoding="utf-8").splitlines()) == 2


def test_a_click_on_a_line_goes_to_its_bar(pane: LogPane, tmp_path: Path, qtbot: QtBot) -> None:
    result = run(EXAMPLES / "golden_cross.yaml", registry=load_registry())
    session = RunSession(pane)
    session.show_run(RunFolder.open(save_run(result, tmp_path / "run")))
    bars = result.instruments[0].bars
    session.log.begin(1, "Run 1")
    session.log.add(1, [LogLine(20, "by number", bar=300), LogLine(20, "by time", int(bars.close_ns[700]))])
    session.log.add(1, [LogLine(20, "of no bar"), LogLine(20, "at the open", int(bars.open_ns[800]), bar=800)])
    pane.set_session(session)

    for row, bar in ((0, 300), (1, 700), (2, 700), (3, 800)):
        place = pane.view.visualRect(pane.model.index(row, TEXT)).center()
        qtbot.mouseClick(pane.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert session.bar == bar


def test_the_log_can_be_cleared(pane: LogPane, qtbot: QtBot) -> None:
    log = begin(pane)
    log.add(1, lines(30))
    pane.flush()
    qtbot.mouseClick(pane.clear, Qt.MouseButton.LeftButton)
    assert shown(pane) == []
    log.begin(2, "Run 2")
    log.add(2, lines(1))
    pane.flush()
    assert shown(pane) == ["line 0"]
