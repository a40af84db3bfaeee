from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from tests.support import mouse
from tests.support.canvas import STRATEGY, Desk

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
LOOSE = STRATEGY.replace("\nadvisors:", "  ema: {use: ta.EMA, timeperiod: 5}\n\nadvisors:") + "  ema: [0, 320]\n"


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot)
    yield made
    made.canvas.close()


def selected(desk: Desk) -> tuple[str, ...]:
    return desk.canvas.stage.selection.nodes


def test_a_dragged_node_lands_on_the_grid_in_one_step(desk: Desk) -> None:
    start = desk.title("size")
    desk.drag(start, start + QPoint(37, 92))
    assert "  size: [340, 330]\n" in desk.text
    assert desk.document.undo_label == "Move"
    assert desk.undo_gives_back()
    assert desk.canvas.scene.nodes["size"].pos().toTuple() == (300.0, 240.0)


def test_a_node_near_another_ones_edge_is_pulled_into_line(desk: Desk) -> None:
    start = desk.title("size")
    mouse.press(desk.viewport, start)
    mouse.travel(desk.viewport, start, start + QPoint(-297, 90))
    assert desk.canvas.scene.nodes["size"].x() == 0.0
    mouse.release(desk.viewport, start + QPoint(-297, 90))
    assert "  size: [0, 330]\n" in desk.text


def test_all_selected_nodes_move_together(desk: Desk) -> None:
    mouse.click(desk.viewport, desk.title("fast"))
    mouse.click(desk.viewport, desk.title("slow"), SHIFT)
    assert selected(desk) == ("fast", "slow")
    start = desk.title("fast")
    desk.drag(start, start + QPoint(-40, -150))
    assert "  fast: [-40, -150]\n  slow: [-40, -10]\n" in desk.text
    assert desk.undo_gives_back()


def test_escape_puts_dragged_nodes_back(desk: Desk) -> None:
    start = desk.title("fast")
    mouse.press(desk.viewport, start)
    mouse.travel(desk.viewport, start, start + QPoint(90, 300))
    mouse.key(desk.canvas.view, Qt.Key.Key_Escape)
    mouse.release(desk.viewport, start + QPoint(90, 300))
    assert desk.canvas.scene.nodes["fast"].pos().toTuple() == (0.0, 0.0)
    assert desk.text == desk.before


def test_clicks_select_and_shift_adds_and_ctrl_toggles(desk: Desk) -> None:
    with_signal: list[object] = []
    desk.canvas.selection_changed.connect(with_signal.append)
    mouse.click(desk.viewport, desk.title("fast"))
    mouse.click(desk.viewport, desk.title("cross"), SHIFT)
    mouse.click(desk.viewport, desk.title("fast"), CONTROL)
    assert selected(desk) == ("cross",)
    mouse.click(desk.viewport, desk.title("fast"), CONTROL)
    assert selected(desk) == ("fast", "cross")
    mouse.click(desk.viewport, desk.title("fast"))
    assert selected(desk) == ("fast",)
    mouse.click(desk.viewport, desk.empty())
    assert selected(desk) == ()
    assert with_signal[0] == ("fast",)
    assert with_signal[-1] == ()


def test_a_box_selects_what_it_touches(desk: Desk) -> None:
    desk.drag(desk.at(-40, -60), desk.at(100, 180))
    assert selected(desk) == ("fast", "slow")
    desk.drag(desk.at(260, 30), desk.at(400, 80), modifiers=SHIFT)
    assert selected(desk) == ("fast", "slow", "cross")
    desk.drag(desk.at(-40, -60), desk.at(100, 30), modifiers=CONTROL)
    assert selected(desk) == ("slow", "cross")
    assert desk.text == desk.before


def test_a_click_on_a_wire_selects_it_and_delete_disconnects(desk: Desk) -> None:
    wire = next(wire for wire in desk.canvas.graph.wires if wire.target == "cross" and wire.port == "slow")
    x, y = desk.canvas.scene.wires[wire].points()[12]
    mouse.click(desk.viewport, desk.at(x, y))
    assert desk.canvas.scene.selected_wires() == (wire,)
    mouse.key(desk.canvas.view, Qt.Key.Key_Delete)
    assert "cross: {use: crossover, fast: fast}" in desk.text
    assert desk.undo_gives_back()


def test_a_line_with_alt_cuts_all_wires_that_it_crosses_in_one_step(desk: Desk) -> None:
    desk.drag(desk.at(250, -40), desk.at(250, 300), modifiers=Qt.KeyboardModifier.AltModifier)
    assert "cross: {use: crossover}" in desk.text
    assert "signals: [cross]" in desk.text
    assert desk.document.undo_label == "Cut wires"
    assert desk.undo_gives_back()


def test_a_loose_node_dropped_on_a_wire_goes_into_it(qtbot: QtBot) -> None:
    desk = Desk(qtbot, LOOSE)
    wire = next(wire for wire in desk.canvas.graph.wires if wire.target == "cross" and wire.port == "slow")
    x, y = desk.canvas.scene.wires[wire].points()[12]
    start, end = desk.title("ema"), desk.at(x, y - 20)
    mouse.press(desk.viewport, start)
    mouse.travel(desk.viewport, start, end)
    assert desk.canvas.scene.wires[wire].hovered
    mouse.release(desk.viewport, end)
    assert "ema: {use: ta.EMA, timeperiod: 5, input: slow}" in desk.text
    assert "cross: {use: crossover, fast: fast, slow: ema}" in desk.text
    assert desk.undo_gives_back()


def test_a_node_that_does_not_fit_a_wire_is_only_moved_onto_it(qtbot: QtBot) -> None:
    desk = Desk(qtbot, STRATEGY.replace("money: size}", "}"))
    wire = next(wire for wire in desk.canvas.graph.wires if wire.target == "cross" and wire.port == "slow")
    x, y = desk.canvas.scene.wires[wire].points()[12]
    desk.drag(desk.title("size"), desk.at(x, y - 20))
    assert desk.document.undo_label == "Move"
    assert "slow: slow}" in desk.text
