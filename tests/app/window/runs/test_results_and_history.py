"""Runs in the window: results, the history, a comparison, the strategy as it was, the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QTableWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.comparison import ComparisonDialog
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.panes.history import HistoryPane
from quantcrafter.app.panes.results import ResultsPane
from quantcrafter.app.window.desktop import Desktop
from tests.support.children import cell, child, children
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.modal import answering, choosing
from tests.support.running import PATIENCE_MS, wait_for_run


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("rsi_pullback", tmp_path)) as desktop:
        yield desktop


def run(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.shell.actions.refresh()  # as it is once the current event has been processed
    QTest.keyClick(desktop.window, Qt.Key.Key_F5)
    wait_for_run(desktop, qtbot)


def history_of(desktop: Desktop) -> HistoryPane:
    desktop.docks.show("history")
    pane = desktop.docks.frames["history"].pane
    assert isinstance(pane, HistoryPane)
    return pane


def test_a_click_on_a_trade_moves_the_session(desktop: Desktop, qtbot: QtBot) -> None:
    run(desktop, qtbot)
    desktop.docks.show("results")
    pane = desktop.docks.frames["results"].pane
    assert isinstance(pane, ResultsPane)
    pane.tabs.setCurrentWidget(pane.trades)
    place = pane.trades.view.visualRect(pane.trades.model.index(2, 1)).center()
    QTest.mouseClick(pane.trades.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    session = tab_of(desktop).session
    assert session.run is not None
    assert (session.trade, session.bar) == (2, int(session.run.trades["entry_bar"][2]))


def test_in_a_small_window_the_text_makes_room_for_the_results(desktop: Desktop, qtbot: QtBot) -> None:
    assert tab_of(desktop).yaml.isVisible()
    run(desktop, qtbot)
    qtbot.waitUntil(lambda: not tab_of(desktop).yaml.isVisible(), timeout=PATIENCE_MS)
    assert tab_of(desktop).canvas.height() >= 240
    desktop.shell.actions.actions["view.yaml_below"].trigger()
    assert tab_of(desktop).yaml.isVisible()


def test_two_runs_are_compared_and_the_older_one_opened_as_it_was(desktop: Desktop, qtbot: QtBot) -> None:
    run(desktop, qtbot)
    before = tab_of(desktop).document.text
    tab_of(desktop).document.do(SetValues("dip", {"long_entry": 25}), label="Set long_entry")
    run(desktop, qtbot)
    pane = history_of(desktop)
    qtbot.waitUntil(lambda: pane.model.rowCount() == 2, timeout=PATIENCE_MS)
    pane.view.selectAll()
    QTest.mouseClick(pane.compare_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desktop.window.findChild(ComparisonDialog) is not None, timeout=PATIENCE_MS)
    dialog = child(desktop.window, ComparisonDialog)
    assert "48 added" in children(dialog, type(dialog.heading))[1].text()
    dialog.tabs.setCurrentWidget(dialog.trades)
    trades = dialog.trades
    assert isinstance(trades, QTableWidget)
    row = next(row for row in range(trades.rowCount()) if cell(trades, row, 0).text() == "added")
    trades.scrollToItem(cell(trades, row, 0))
    place = trades.visualItemRect(cell(trades, row, 3)).center()
    QTest.mouseClick(trades.viewport(), Qt.MouseButton.LeftButton, pos=place)
    session = tab_of(desktop).session
    assert session.run is not None
    assert session.trade is not None
    entered = session.run.trades["entry_ts_ns"][session.trade].astype("datetime64[ns]")
    assert str(entered).startswith(cell(trades, row, 3).text()[:10])
    dialog.close()
    pane.view.selectRow(1)
    QTest.mouseClick(pane.reopen_button, Qt.MouseButton.LeftButton)
    assert tab_of(desktop).document.text == before
    assert tab_of(desktop).path is None


def test_the_report_is_opened_in_the_browser_and_saved(
    desktop: Desktop, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []

    def open_url(url: QUrl) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    desktop.shell.actions.refresh()
    assert not desktop.shell.actions.actions["run.report"].isEnabled()
    run(desktop, qtbot)
    desktop.shell.actions.refresh()
    desktop.shell.actions.actions["run.report"].trigger()
    qtbot.waitUntil(lambda: bool(opened), timeout=PATIENCE_MS)
    assert "RSI pullback" in Path(opened[0].toLocalFile()).read_text(encoding="utf-8")
    with answering(QFileDialog, choosing(tmp_path / "mine")):
        desktop.shell.actions.actions["run.save_report"].trigger()
    qtbot.waitUntil((tmp_path / "mine.html").exists, timeout=PATIENCE_MS)
