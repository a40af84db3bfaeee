"""The list of finished runs, and what can be done with one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPlainTextEdit, QPushButton, QTableWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.comparison import ComparisonDialog
from quantcrafter.app.panes.history import HistoryPane
from quantcrafter.app.panes.history.model import PIN
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.runtime.run_store.comparison import RunComparison
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.trace_folders import trace_folder
from tests.support.children import cell, children
from tests.support.modal import answering, pressing
from tests.support.saved_runs import run_into_history


@pytest.fixture
def runs() -> tuple[str, str, str]:
    """Three runs: another strategy's, and two of one with a parameter changed."""
    return (
        run_into_history("golden_cross"),
        run_into_history("rsi_pullback"),
        run_into_history("rsi_pullback", "advisors.dip.long_entry=25"),
    )


@pytest.fixture
def pane(qtbot: QtBot, runs: tuple[str, str, str]) -> Iterator[HistoryPane]:
    pane = HistoryPane()
    qtbot.addWidget(pane)
    pane.resize(940, 260)
    session = RunSession()
    session.show_run(RunFolder.open(trace_folder(runs[2])))
    pane.set_session(session)
    with qtbot.waitExposed(pane):
        pane.show()
    qtbot.waitUntil(lambda: pane.model.rowCount() == 2)
    yield pane
    pane.set_session(None)


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def pick(pane: HistoryPane, *rows: int) -> None:
    for number, row in enumerate(rows):
        place = pane.view.visualRect(pane.model.index(row, 1)).center()
        held = Qt.KeyboardModifier.ControlModifier if number else Qt.KeyboardModifier.NoModifier
        QTest.mouseClick(pane.view.viewport(), Qt.MouseButton.LeftButton, held, place)


def test_the_runs_of_the_strategy_are_listed_latest_first(
    qtbot: QtBot, pane: HistoryPane, runs: tuple[str, ...]
) -> None:
    assert [record.id for record in pane.model.records] == [runs[2], runs[1]]
    pane.whose.setCurrentIndex(1)
    qtbot.waitUntil(lambda: pane.model.rowCount() == 3)
    assert pane.model.index(0, 4).data() == "46.11 %"
    assert pane.model.index(2, 1).data() == "Golden cross"


def test_another_run_is_shown_in_every_pane(qtbot: QtBot, pane: HistoryPane, runs: tuple[str, ...]) -> None:
    session = pane.session
    assert session is not None
    pick(pane, 1)
    with qtbot.waitSignal(session.run_changed):
        press(pane.show_button)
    assert session.run is not None
    assert session.run.id == runs[1]


def test_a_run_whose_columns_are_gone_says_what_to_do(qtbot: QtBot, pane: HistoryPane, runs: tuple[str, ...]) -> None:
    (trace_folder(runs[1]) / "run.json").unlink()
    pick(pane, 1)
    with qtbot.waitSignal(pane.message) as told:
        press(pane.show_button)
    assert "Run it again" in str(told.args)


def test_two_runs_are_compared_in_figures_trades_and_file(
    qtbot: QtBot, pane: HistoryPane, runs: tuple[str, ...]
) -> None:
    assert not pane.compare_button.isEnabled()
    pick(pane, 0, 1)
    with qtbot.waitSignal(pane.compared) as asked:
        press(pane.compare_button)
    (comparison,) = asked.args
    assert isinstance(comparison, RunComparison)
    assert (comparison.a.id, comparison.b.id) == (runs[1], runs[2])
    dialog = ComparisonDialog(comparison)
    qtbot.addWidget(dialog)
    dialog.show()
    figures = {cell(dialog.figures, row, 0).text(): row for row in range(dialog.figures.rowCount())}
    assert {"Max. drawdown length, days", "Max. drawdown length, bars"} <= set(figures)
    row = figures["Trades"]
    assert [cell(dialog.figures, row, column).text() for column in (1, 2, 3)] == ["96", "132", "+36"]
    trades = dialog.trades
    assert isinstance(trades, QTableWidget)
    kinds = [cell(trades, row, 0).text() for row in range(trades.rowCount())]
    assert comparison.added is not None
    assert kinds.count("added") == len(comparison.added) == 48
    dialog.tabs.setCurrentWidget(dialog.trades)
    with qtbot.waitSignal(dialog.trade_chosen) as chosen:
        QTest.mouseClick(
            trades.viewport(), Qt.MouseButton.LeftButton, pos=trades.visualItemRect(cell(trades, 0, 1)).center()
        )
    assert chosen.args is not None
    assert chosen.args[0]["instrument"] == "IBM"
    others = dialog.others
    assert isinstance(others, QTableWidget)
    assert "overrides" in [cell(others, row, 0).text() for row in range(others.rowCount())]


def test_the_lines_of_the_file_that_differ_are_shown(qtbot: QtBot, runs: tuple[str, ...]) -> None:
    from quantcrafter.engine.runtime.run_store.comparison import compare_runs

    history = RunHistory()
    dialog = ComparisonDialog(compare_runs(history.open(runs[0]), history.open(runs[1])))
    qtbot.addWidget(dialog)
    assert isinstance(dialog.file, QPlainTextEdit)
    lines = dialog.file.toPlainText().splitlines()
    assert "-name: Golden cross" in lines
    assert "+name: RSI pullback" in lines


def test_the_strategy_of_a_run_can_be_opened_as_it_was(qtbot: QtBot, pane: HistoryPane, runs: tuple[str, ...]) -> None:
    pick(pane, 1)
    with qtbot.waitSignal(pane.reopen_asked) as asked:
        press(pane.reopen_button)
    assert asked.args is not None
    assert asked.args[0].id == runs[1]
    assert "RSI pullback" in asked.args[0].spec_text


def test_runs_are_deleted_only_after_a_question(qtbot: QtBot, pane: HistoryPane, runs: tuple[str, ...]) -> None:
    pick(pane, 1)
    with answering(QMessageBox, pressing(QMessageBox.StandardButton.No)):
        press(pane.delete_button)
    assert len(RunHistory().list()) == 3
    with answering(QMessageBox, pressing(QMessageBox.StandardButton.Yes)):
        press(pane.delete_button)
    qtbot.waitUntil(lambda: pane.model.rowCount() == 1)
    assert [record.id for record in RunHistory().list()] == [runs[2], runs[0]]
    assert not trace_folder(runs[1]).exists()


@pytest.mark.parametrize("width", [430, 496, 700])
def test_every_button_has_room_for_its_words(qtbot: QtBot, width: int) -> None:
    page = QWidget()
    pane = HistoryPane(page)
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(pane)
    page.resize(width, 400)
    with qtbot.waitExposed(page):
        page.show()
    assert pane.width() == width
    for button in children(pane, QPushButton):
        assert button.width() >= button.sizeHint().width(), button.text()
        assert pane.rect().contains(button.geometry())
    assert pane.whose.width() >= pane.whose.sizeHint().width()


@pytest.mark.parametrize(
    ("count", "question"), [(1, "Permanently delete this run?"), (2, "Permanently delete 2 runs?")]
)
def test_enter_deletes_no_run(pane: HistoryPane, runs: tuple[str, ...], count: int, question: str) -> None:
    pane.view.selectAll() if count > 1 else pick(pane, 0)
    count = len(pane.selected())
    asked: list[str] = []

    def press_enter(box: QMessageBox) -> None:
        asked.append(box.text())
        QTest.keyClick(box, Qt.Key.Key_Return)

    with answering(QMessageBox, press_enter):
        press(pane.delete_button)
    assert asked == [question]
    assert len(RunHistory().list()) == len(runs)


def test_a_history_that_cannot_be_read_is_told_of(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    (tmp_path / "history.db").write_text("no database", encoding="utf-8")
    pane = HistoryPane()
    qtbot.addWidget(pane)
    with qtbot.waitSignal(pane.message) as told:
        pane.set_session(RunSession())
    assert "history.db" in str(told.args)


def test_a_run_is_pinned_and_unpinned_and_the_space_is_shown(
    qtbot: QtBot, pane: HistoryPane, runs: tuple[str, ...]
) -> None:
    assert pane.usage.text().startswith("Runs use ")
    assert pane.usage.text().endswith(" of 5 GB")
    pick(pane, 0)
    press(pane.pin_button)
    qtbot.waitUntil(lambda: pane.model.records[0].pinned)
    assert pane.usage.text().endswith("; 1 pinned")
    assert pane.model.index(0, PIN).data(Qt.ItemDataRole.DecorationRole) is not None
    assert pane.model.index(1, PIN).data(Qt.ItemDataRole.DecorationRole) is None
    assert pane.view.horizontalHeader().visualIndex(PIN) == 0
    assert RunHistory().find(runs[2]).pinned
    pick(pane, 0)
    assert pane.pin_button.accessibleName() == "Unpin"
    press(pane.pin_button)
    qtbot.waitUntil(lambda: not pane.model.records[0].pinned)


def test_a_damaged_run_is_shown_beside_the_others_and_can_only_be_deleted(
    qtbot: QtBot, pane: HistoryPane, runs: tuple[str, ...]
) -> None:
    with sqlite3.connect(RunHistory().path) as connection:
        connection.execute("UPDATE runs SET started = 'yesterday' WHERE id = ?", (runs[1],))
    connection.close()
    pane.refresh()
    qtbot.waitUntil(lambda: any(record.damage for record in pane.model.records))
    assert pane.model.rowCount() == 2
    row = next(row for row, record in enumerate(pane.model.records) if record.damage)
    assert pane.model.index(row, 0).data() == ""
    assert pane.model.index(row, 1).data() == "RSI pullback (damaged)"
    assert "'started' must be a time" in pane.model.index(row, PIN).data(Qt.ItemDataRole.ToolTipRole)
    pick(pane, row)
    assert not pane.show_button.isEnabled()
    assert not pane.reopen_button.isEnabled()
    with answering(QMessageBox, pressing(QMessageBox.StandardButton.Yes)):
        press(pane.delete_button)
    qtbot.waitUntil(lambda: pane.model.rowCount() == 1)
    assert not trace_folder(runs[1]).exists()
