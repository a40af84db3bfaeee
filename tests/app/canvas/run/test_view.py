"""The canvas shows what the run recorded, at the bar that is pointed at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.run.marks import NO_MARKS
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.services.value_texts import number_text
from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.explain import Facts, firings
from tests.support import mouse
from tests.support.kept_runs import registry, saved_run
from tests.support.run_canvas import RunController

TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def canvas_editor(qtbot: QtBot) -> RunController:
    return RunController(qtbot, "rsi_pullback")


def point_at_entry(canvas_editor: RunController, number: int = 3) -> int:
    """Point at a trade's entry as a table does, and return the bar at which it was decided."""
    bar = int(canvas_editor.saved.ledger.trades["entry_bar"][number])
    canvas_editor.session.go_to(bar, trade=number)
    return bar - 1


def test_a_trade_shows_the_values_of_the_bar_that_decided_it(canvas_editor: RunController) -> None:
    bar = point_at_entry(canvas_editor)
    run = canvas_editor.saved
    assert canvas_editor.mark("rsi").value == number_text(run.column("rsi")[bar])
    assert canvas_editor.mark("average").value == number_text(run.column("average")[bar])
    assert canvas_editor.mark("bars").value == number_text(run.instruments[0].bars.close[bar])
    assert run.column("dip")[bar] == 1
    assert canvas_editor.mark("dip").value == "enter long"
    assert run.column("uptrend")[bar]
    assert canvas_editor.mark("uptrend").value == "passes"
    assert canvas_editor.mark("entry").value == "flat"


def test_its_path_is_lit_and_the_rest_is_dimmed(canvas_editor: RunController) -> None:
    point_at_entry(canvas_editor)
    on_path = {node for node, mark in canvas_editor.view.marks.nodes.items() if mark.part == "path"}
    assert on_path == {"bars", "rsi", "average", "dip", "uptrend", "entry"}
    wires = canvas_editor.canvas.scene.wires
    lit = {wire for wire, item in wires.items() if item.share == "lit"}
    assert lit == {wire for wire in wires if wire.source in on_path and wire.target in on_path}
    assert all(item.share == "dim" for wire, item in wires.items() if wire not in lit)


def test_a_blocking_filter_is_marked_with_how_far_it_was(canvas_editor: RunController) -> None:
    rows = canvas_editor.saved.ledger.blocked
    bar = int(rows["bar"][rows["reason"] == 0][4])
    canvas_editor.session.go_to(bar)
    mark = canvas_editor.mark("uptrend")
    assert mark.part == "blocking"
    close, average = canvas_editor.saved.instruments[0].bars.close[bar], canvas_editor.saved.column("average")[bar]
    assert mark.value == f"{number_text(close)}, needs > {number_text(average)}"
    assert "blocked by 'uptrend'" in canvas_editor.view._caption.text()


def test_a_bar_without_a_trade_shows_what_was_in_the_way(canvas_editor: RunController) -> None:
    canvas_editor.session.go_to(320)
    assert canvas_editor.mark("dip").part == "wanted"
    rsi = canvas_editor.saved.column("rsi")[320]
    assert canvas_editor.mark("dip").value == f"{number_text(rsi)}, must cross above 15"
    assert not canvas_editor.view.marks.has_path


def test_esc_points_at_no_bar_and_without_a_run_nothing_is_left(canvas_editor: RunController) -> None:
    point_at_entry(canvas_editor)
    canvas_editor.canvas.view.setFocus()
    QTest.keyClick(canvas_editor.canvas.view, Qt.Key.Key_Escape)
    assert canvas_editor.session.bar is None
    assert all(not mark.value for mark in canvas_editor.view.marks.nodes.values())
    assert all(item.share == "plain" for item in canvas_editor.canvas.scene.wires.values())
    canvas_editor.session.show_run(None)
    assert canvas_editor.view.marks == NO_MARKS
    shown = set(canvas_editor.canvas.scene.items())
    assert shown == {*canvas_editor.canvas.scene.nodes.values(), *canvas_editor.canvas.scene.wires.values()}


def test_the_marks_can_be_turned_off(canvas_editor: RunController) -> None:
    point_at_entry(canvas_editor)
    canvas_editor.canvas.toggle_marks()
    assert canvas_editor.view.marks == NO_MARKS
    canvas_editor.canvas.toggle_marks()
    assert canvas_editor.mark("dip").value == "enter long"


def test_fire_counts_come_with_the_census_and_nodes_that_changed_nothing_are_said_to(qtbot: QtBot) -> None:
    canvas_editor = RunController(qtbot, "channel_breakout")
    with qtbot.waitSignal(canvas_editor.view.explainer.counted, timeout=10_000):
        pass
    facts = Facts(canvas_editor.saved, registry())
    assert canvas_editor.mark("channel").fired == f"{len(firings(facts, 'channel'))}{TIMES}"
    assert canvas_editor.mark("channel").idle == ""
    assert canvas_editor.mark("tradable").fired == f"2{TIMES} idle"
    item = canvas_editor.canvas.scene.nodes["tradable"]
    at = item.pos() + item.rect().bottomLeft()
    tips = {canvas_editor.canvas.scene.tooltip_at(at + type(at)(x, -y)) for x in (24, 30, 36) for y in (6, 10, 14)}
    assert any("No effect" in tip for tip in tips)


def test_f9_goes_from_firing_to_firing_of_the_selected_node(canvas_editor: RunController) -> None:
    canvas_editor.canvas.go_to_firing(forward=True)
    assert "select one node" in canvas_editor.messages[-1]
    canvas_editor.canvas.select(["uptrend"])
    bars = firings(Facts(canvas_editor.saved, registry()), "uptrend")
    column = canvas_editor.saved.column("uptrend")
    for bar in bars[:3].tolist():
        canvas_editor.canvas.go_to_firing(forward=True)
        assert canvas_editor.session.bar == bar
        assert column[bar]
        assert not column[bar - 1]
    canvas_editor.canvas.go_to_firing(forward=False)
    assert canvas_editor.session.bar == bars[1]
    canvas_editor.session.go_to(int(bars[0]))
    canvas_editor.canvas.go_to_firing(forward=False)
    assert "didn't fire before" in canvas_editor.messages[-1]


def test_resting_on_a_wire_shows_its_value_and_course(canvas_editor: RunController, qtbot: QtBot) -> None:
    bar = point_at_entry(canvas_editor)
    viewport = canvas_editor.canvas.view.viewport()
    wire = canvas_editor.wire("rsi", "dip")
    mouse.hover(viewport, canvas_editor.on_wire(wire))
    qtbot.waitUntil(lambda: canvas_editor.view.sparkline is not None and canvas_editor.view.sparkline.isVisible())
    sparkline = canvas_editor.view.sparkline
    assert sparkline is not None
    course = sparkline.course
    assert course is not None
    assert course.value == number_text(canvas_editor.saved.column("rsi")[bar])
    np.testing.assert_array_equal(
        course.values, canvas_editor.saved.column("rsi")[bar + 1 - len(course.values) : bar + 1]
    )
    mouse.hover(viewport, canvas_editor.canvas.view.mapFromScene(canvas_editor.canvas.scene.content_rect().topLeft()))
    assert not sparkline.isVisible()


def test_a_block_is_lit_as_one_node_and_shows_what_is_inside_once_opened(qtbot: QtBot) -> None:
    canvas_editor = RunController(qtbot, "weekly_trend_daily_entry")
    bar = point_at_entry(canvas_editor, 5)
    assert canvas_editor.mark("week").part == "path"
    assert canvas_editor.canvas.scene.wires[canvas_editor.wire("week", "entry")].share == "lit"
    assert canvas_editor.canvas.scene.wires[canvas_editor.wire("weekly", "week")].share == "lit"
    assert canvas_editor.mark("week").value == "passes"
    assert canvas_editor.saved.column("week/gate")[bar]


IN_A_BLOCK = """\
quantcrafter: 1
instruments: [{symbol: AAPL, data: sample, timeframe: 1d}]
blocks:
  rising:
    inputs: {price: {type: series, default: bars.close}}
    parameters: {period: line.timeperiod}
    outputs: {up: above, line: line}
    indicators: {line: {use: ta.SMA, input: price, timeperiod: 20}}
    logic: {above: {use: crosses_above, left: price, right: line}}
logic: {quick: {use: rising, period: 10}}
advisors: {go: {use: rule, enter_long: [quick.up]}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [go], money: size, risk: [stop]}}
risk: {stop: {use: percent_stop, percent: 3}}
"""


def test_the_inside_of_a_block_shows_the_values_of_its_first_use(qtbot: QtBot, tmp_path: Path) -> None:
    run = saved_run(IN_A_BLOCK, tmp_path)
    canvas_editor = RunController(qtbot, text=IN_A_BLOCK, run=run)
    bar = point_at_entry(canvas_editor, 2)
    assert canvas_editor.mark("quick").value == "true"
    assert canvas_editor.canvas.scene.wires[canvas_editor.wire("quick", "go")].share == "lit"
    canvas_editor.canvas.open_block("quick")
    assert canvas_editor.mark("line").value == number_text(run.column("quick/line")[bar])
    assert canvas_editor.mark("above").part == "path"
    assert canvas_editor.canvas.scene.wires[canvas_editor.wire("line", "above")].share == "lit"


def test_a_run_whose_columns_are_lost_is_said_to_be(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = saved_run(IN_A_BLOCK, tmp_path)

    def lost(*_: object) -> None:
        raise RunError("The run is missing 'column.0.0': the file or folder doesn't exist. Run it again.")

    monkeypatch.setattr(type(run), "column", lost)
    canvas_editor = RunController(qtbot, text=IN_A_BLOCK, run=run)
    canvas_editor.session.go_to(100)
    assert canvas_editor.view.marks == NO_MARKS
    assert "Run it again" in canvas_editor.messages[-1]


def test_an_edit_of_the_strategy_keeps_the_marks_of_what_is_still_there(canvas_editor: RunController) -> None:
    point_at_entry(canvas_editor)
    canvas_editor.document.do(SetValues("rsi", {"timeperiod": 3}), label="Set")
    assert canvas_editor.mark("dip").value == "enter long"


def test_the_caption_says_when_the_run_is_out_of_date(canvas_editor: RunController) -> None:
    point_at_entry(canvas_editor)
    caption = canvas_editor.view._caption
    assert "Ordered to enter long" in caption.text()
    assert "Out of date" not in caption.text()
    canvas_editor.canvas.show_stale(stale=True)
    assert caption.text().endswith("Out of date")
    canvas_editor.canvas.show_stale(stale=False)
    assert "Out of date" not in caption.text()
