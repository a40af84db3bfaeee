"""From the gallery to the comparison of two runs, by mouse and keyboard; once more on a real screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QTableWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.comparison import ComparisonDialog
from quantcrafter.app.dialogs.gallery import GalleryDialog
from quantcrafter.app.panes.history import HistoryPane
from quantcrafter.app.panes.results import ResultsPane
from quantcrafter.app.panes.why import WhyPane
from quantcrafter.app.services.value_texts import number_text
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.engine.api.ledger import BlockReason
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.children import cell, child
from tests.support.command_line import ROOT, clean_environment
from tests.support.desktop import open_window, tab_of
from tests.support.modal import answering
from tests.support.running import PATIENCE_MS, wait_for_run
from tests.support.trader import Trader

pytestmark = pytest.mark.slow
ON_A_SCREEN = "QUANTCRAFTER_TEST_SCREEN"


def run(desktop: Desktop, qtbot: QtBot, *, other_than: RunFolder | None = None) -> RunFolder:
    desktop.shell.actions.refresh()  # as it is once the current event has been processed
    QTest.keyClick(desktop.window, Qt.Key.Key_F5)
    return wait_for_run(desktop, qtbot, other_than=other_than)


def results_of(desktop: Desktop) -> ResultsPane:
    desktop.docks.show("results")
    pane = desktop.docks.frames["results"].pane
    assert isinstance(pane, ResultsPane)
    return pane


def history_of(desktop: Desktop) -> HistoryPane:
    desktop.docks.show("history")
    pane = desktop.docks.frames["history"].pane
    assert isinstance(pane, HistoryPane)
    return pane


def pick_the_pullback(dialog: GalleryDialog) -> None:
    """Choose the RSI pullback among the cards and open it by Enter."""
    dialog.search.setFocus()
    QTest.keyClicks(dialog.search, "rsi recovers")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)


def test_from_the_gallery_to_the_comparison_of_two_runs(qtbot: QtBot) -> None:
    with open_window(qtbot, size=(1400, 900)) as desktop:
        desktop.window.activateWindow()
        with answering(GalleryDialog, pick_the_pullback):
            desktop.shell.actions.actions["file.gallery"].trigger()
        desktop.window.activateWindow()  # what a window manager does when a dialog closes
        qtbot.waitUntil(desktop.window.isActiveWindow)
        trader = Trader(desktop, can_drag=False)
        assert {"rsi", "dip", "uptrend", "entry"} <= trader.nodes

        first = run(desktop, qtbot)
        pane = results_of(desktop)
        pane.tabs.setCurrentWidget(pane.trades)
        place = pane.trades.view.visualRect(pane.trades.model.index(5, 1)).center()
        QTest.mouseClick(pane.trades.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        marks = tab_of(desktop).canvas.scene.marks.nodes
        decided = int(first.ledger.trades["entry_bar"][5]) - 1
        assert marks["rsi"].value == number_text(first.column("rsi")[decided])
        assert marks["dip"].part == "path"

        held_back = first.ledger.blocked[first.ledger.blocked["reason"] == BlockReason.FILTER]
        tab_of(desktop).session.go_to(int(held_back["bar"][0]))
        desktop.docks.show("why")
        why = desktop.docks.frames["why"].pane
        assert isinstance(why, WhyPane)
        assert "uptrend: close" in why.text
        assert marks is not tab_of(desktop).canvas.scene.marks.nodes
        assert tab_of(desktop).canvas.scene.marks.nodes["uptrend"].part == "blocking"

        trader.select("dip")
        trader.fill("25", "long_entry")
        qtbot.waitUntil(lambda: "Out of date" in desktop.shell.status.run.result.text(), timeout=PATIENCE_MS)
        second = run(desktop, qtbot, other_than=first)
        qtbot.waitUntil(lambda: desktop.shell.status.run.result.text() == "Up to date", timeout=PATIENCE_MS)
        assert len(second.trades) > len(first.trades)

        history = history_of(desktop)
        qtbot.waitUntil(lambda: history.model.rowCount() == 2, timeout=PATIENCE_MS)
        for row, held in ((0, Qt.KeyboardModifier.NoModifier), (1, Qt.KeyboardModifier.ControlModifier)):
            at = history.view.visualRect(history.model.index(row, 1)).center()
            QTest.mouseClick(history.view.viewport(), Qt.MouseButton.LeftButton, held, at)
        QTest.mouseClick(history.compare_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: desktop.window.findChild(ComparisonDialog) is not None, timeout=PATIENCE_MS)
        dialog = child(desktop.window, ComparisonDialog)
        assert isinstance(dialog.trades, QTableWidget)
        kinds = [cell(dialog.trades, row, 0).text() for row in range(dialog.trades.rowCount())]
        assert kinds.count("added") - kinds.count("removed") == len(second.trades) - len(first.trades)
        assert isinstance(dialog.file, QPlainTextEdit)
        assert "+  dip: {use: levels, input: rsi, long_entry: 25" in dialog.file.toPlainText()
        dialog.close()


@pytest.mark.skipif(
    shutil.which("xvfb-run") is None or ON_A_SCREEN in os.environ, reason="needs a screen of its own, as Xvfb is one"
)
def test_the_same_on_a_real_screen(tmp_path: Path) -> None:
    story = "tests/e2e/test_desktop_story.py"
    done = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", sys.executable, "-m", "pytest", "-q", "-n", "0", story],
        cwd=ROOT,
        env={
            **clean_environment(tmp_path / "home"),
            "QT_QPA_PLATFORM": "xcb",
            "PATH": os.environ["PATH"],
            "NUMBA_CACHE_DIR": os.environ["NUMBA_CACHE_DIR"],
            ON_A_SCREEN: "yes",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
