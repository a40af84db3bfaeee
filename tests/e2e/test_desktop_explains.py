"""A trader runs the RSI pullback, asks why it traded and why not, checks it for look-ahead, varies its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu
from pytestqt.qtbot import QtBot

from quantcrafter.app.charts.menu import chart_menu
from quantcrafter.app.dialogs.sweep import SweepDialog
from quantcrafter.app.dialogs.sweep_form import ValueRange
from quantcrafter.app.inspector.inspector import Inspector
from quantcrafter.app.inspector.row import FieldRow
from quantcrafter.app.panes.results import ResultsPane
from quantcrafter.app.panes.why import WhyPane
from quantcrafter.app.services.value_texts import number_text
from quantcrafter.app.session import explainer
from quantcrafter.app.session.explainer import Explainer
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.layout.notice import FailureNotice
from quantcrafter.engine.runtime.explain import take_census
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.children import children
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.running import PATIENCE_MS, wait_for_run

pytestmark = pytest.mark.slow


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("rsi_pullback", tmp_path), size=(1400, 900)) as desktop:
        yield desktop


def run(desktop: Desktop, qtbot: QtBot) -> RunFolder:
    desktop.shell.actions.refresh()  # as it is once the current event has been processed
    QTest.keyClick(desktop.window, Qt.Key.Key_F5)
    return wait_for_run(desktop, qtbot)


def click_trade(desktop: Desktop, number: int) -> None:
    desktop.docks.show("results")
    pane = desktop.docks.frames["results"].pane
    assert isinstance(pane, ResultsPane)
    pane.tabs.setCurrentWidget(pane.trades)
    index = pane.trades.model.index(number, 1)
    pane.trades.view.scrollTo(index)
    place = pane.trades.view.visualRect(index).center()
    QTest.mouseClick(pane.trades.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def why(desktop: Desktop) -> WhyPane:
    desktop.docks.show("why")
    pane = desktop.docks.frames["why"].pane
    assert isinstance(pane, WhyPane)
    return pane


def row_of(inspector: Inspector, field: str) -> FieldRow:
    assert inspector.page is not None
    return next(view.rows[(field,)] for view in inspector.page.views if (field,) in view.rows)


def test_why_it_traded_and_why_not(desktop: Desktop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explainer, "SMALL", 0)  # so that the engine process takes the census, as of a large run
    saved = run(desktop, qtbot)
    canvas = tab_of(desktop).canvas
    reasons = Explainer.of(tab_of(desktop).session)
    qtbot.waitUntil(lambda: reasons.census is not None, timeout=PATIENCE_MS)
    assert reasons.census == take_census(saved, desktop.catalog)
    assert canvas.scene.marks.nodes["dip"].fired == f"{(saved.column('dip') > 0).sum()}\N{MULTIPLICATION SIGN}"

    click_trade(desktop, 3)
    decided = int(saved.ledger.trades["entry_bar"][3]) - 1
    marks = canvas.scene.marks.nodes
    assert marks["rsi"].value == number_text(saved.column("rsi")[decided])
    assert marks["average"].value == number_text(saved.column("average")[decided])
    assert {node for node, mark in marks.items() if mark.part == "path"} == {
        "bars", "rsi", "average", "dip", "uptrend", "entry",
    }  # fmt: skip
    lit = {(wire.source, wire.target) for wire, item in canvas.scene.wires.items() if item.share == "lit"}
    assert {("rsi", "dip"), ("dip", "entry"), ("average", "uptrend"), ("uptrend", "entry")} <= lit
    assert ("stop", "entry") not in lit
    assert "crossed above 15" in why(desktop).text

    rows = saved.ledger.blocked
    bar = int(rows["bar"][rows["reason"] == 0][0])
    tab_of(desktop).session.go_to(bar)
    close, average = saved.instruments[0].bars.close[bar], saved.column("average")[bar]
    assert f"uptrend: close {number_text(close)}, needs > average {number_text(average)}" in why(desktop).text
    assert canvas.scene.marks.nodes["uptrend"].part == "blocking"

    desktop.docks.show("chart")
    menu = chart_menu(desktop.docks.chart)
    next(action for action in menu.actions() if action.objectName() == "why").trigger()
    qtbot.waitUntil(lambda: desktop.docks.is_shown("why"))

    QTest.keyClick(canvas.view, Qt.Key.Key_Escape)
    assert tab_of(desktop).session.bar is None
    assert "Select a bar" in why(desktop).text


def test_a_strategy_that_knows_no_future_is_said_to_be_clean(desktop: Desktop, qtbot: QtBot) -> None:
    said: list[str] = []
    desktop.shell.status.messageChanged.connect(said.append)
    desktop.shell.actions.trigger("explain.lookahead")
    qtbot.waitUntil(lambda: any("No look-ahead" in text for text in said), timeout=PATIENCE_MS)
    assert not children(tab_of(desktop), FailureNotice)


def test_parameters_are_varied_from_the_inspector_and_taken_over(desktop: Desktop, qtbot: QtBot) -> None:
    tab = tab_of(desktop)
    tab.canvas.select(["rsi"])
    row = row_of(desktop.docks.inspector, "timeperiod")
    QTest.mouseClick(row.label, Qt.MouseButton.LeftButton)
    row.vary_asked.emit()
    dialog = desktop.window.findChild(SweepDialog)
    assert isinstance(dialog, SweepDialog)
    assert dialog.across.variable is not None
    assert dialog.across.variable.title == "rsi.timeperiod"
    dialog.across.set_span(ValueRange(2, 4, 1))
    dialog.down.pick.setCurrentIndex(dialog.down.pick.findText("dip.long_entry"))
    dialog.down.set_span(ValueRange(5, 15, 10))

    QTest.mouseClick(dialog.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.sweep is not None, timeout=PATIENCE_MS)
    sweep = dialog.sweep
    assert sweep is not None
    assert [cell.values for cell in sweep.cells] == [(5, 2), (5, 3), (5, 4), (15, 2), (15, 3), (15, 4)]
    data = dialog.heatmap.data
    assert data is not None
    assert data.now == (1, 0)
    metrics = sweep.cells[3].metrics
    assert metrics is not None
    assert data.values[1][0] == metrics["sharpe"]

    before = tab.document.text
    place = dialog.heatmap.cell_rect(0, 2).center().toPoint()
    assert dialog.heatmap.surface is not None
    QTest.mouseClick(dialog.heatmap.surface.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert "timeperiod: 4}" in tab.document.text
    assert "long_entry: 5" in tab.document.text
    assert dialog.heatmap.data is not None
    assert dialog.heatmap.data.now == (0, 2)
    tab.document.undo()
    assert tab.document.text == before

    dialog.close()
    desktop.window.activateWindow()  # what a window manager does when a window closes
    qtbot.waitUntil(desktop.window.isActiveWindow)
    run_result = run(desktop, qtbot)
    assert run_result.metrics == metrics


def test_the_inspector_offers_it_by_the_right_button(desktop: Desktop, qtbot: QtBot) -> None:
    tab_of(desktop).canvas.select(["rsi"])
    row = row_of(desktop.docks.inspector, "timeperiod")
    assert row.can_vary
    row._show_menu(QMenu(row), row.mapToGlobal(row.rect().center()))
    menu = next(menu for menu in children(row, QMenu) if menu.actions())
    action = next(action for action in menu.actions() if action.objectName() == "vary")
    with qtbot.waitSignal(desktop.docks.inspector.vary_asked) as asked:
        action.trigger()
    assert asked.args == ["rsi", "timeperiod"]
    menu.close()
    dialog = desktop.window.findChild(SweepDialog)
    assert isinstance(dialog, SweepDialog)
    assert any("runs" in label.text() for label in children(dialog, QLabel))
    dialog.close()
