from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from tests.support import mouse
from tests.support.canvas import STRATEGY, CanvasEditor

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
LOOSE = STRATEGY.replace("\nadvisors:", "  ema: {use: ta.EMA, timeperiod: 5}\n\nadvisors:") + "  ema: [0, 320]\n"


@pytest.fixture
def canvas_editor(qtbot: QtBot) -> Iterator[CanvasEditor]:
    made = CanvasEditor(qtbot)
    yield made
    made.canvas.close()


def selected(canvas_editor: CanvasEditor) -> tuple[str, ...]:
    return canvas_editor.canvas.context.selection.nodes


def test_a_dragged_node_lands_on_the_grid_in_one_step(canvas_editor: CanvasEditor) -> None:
    start = canvas_editor.title("size")
    canvas_editor.drag(start, start + QPoint(37, 92))
    assert "  size: [340, 330]\n" in canvas_editor.text
    assert canvas_editor.document.undo_label == "Move"
    assert canvas_editor.undo_gives_back()
    assert canvas_editor.canvas.scene.nodes["size"].pos().toTuple() == (300.0, 240.0)


def test_a_node_near_another_ones_edge_is_pulled_into_line(canvas_editor: CanvasEditor) -> None:
    start = canvas_editor.title("size")
    mouse.press(canvas_editor.viewport, start)
    mouse.travel(canvas_editor.viewport, start, start + QPoint(-297, 90))
    assert canvas_editor.canvas.scene.nodes["size"].x() == 0.0
    mouse.release(canvas_editor.viewport, start + QPoint(-297, 90))
    assert "  size: [0, 330]\n" in canvas_editor.text


def test_all_selected_nodes_move_together(canvas_editor: CanvasEditor) -> None:
    mouse.click(canvas_editor.viewport, canvas_editor.title("fast"))
    mouse.click(canvas_editor.viewport, canvas_editor.title("slow"), SHIFT)
    assert selected(canvas_editor) == ("fast", "slow")
    start = canvas_editor.title("fast")
    canvas_editor.drag(start, start + QPoint(-40, -150))
    assert "  fast: [-40, -150]\n  slow: [-40, -10]\n" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_escape_puts_dragged_nodes_back(canvas_editor: CanvasEditor) -> None:
    start = canvas_editor.title("fast")
    mouse.press(canvas_editor.viewport, start)
    mouse.travel(canvas_editor.viewport, start, start + QPoint(90, 300))
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Escape)
    mouse.release(canvas_editor.viewport, start + QPoint(90, 300))
    assert canvas_editor.canvas.scene.nodes["fast"].pos().toTuple() == (0.0, 0.0)
    assert canvas_editor.text == canvas_editor.before


def test_clicks_select_and_shift_adds_and_ctrl_toggles(canvas_editor: CanvasEditor) -> None:
    with_signal: list[object] = []
    canvas_editor.canvas.selection_changed.connect(with_signal.append)
    mouse.click(canvas_editor.viewport, canvas_editor.title("fast"))
    mouse.click(canvas_editor.viewport, canvas_editor.title("cross"), SHIFT)
    mouse.click(canvas_editor.viewport, canvas_editor.title("fast"), CONTROL)
    assert selected(canvas_editor) == ("cross",)
    mouse.click(canvas_editor.viewport, canvas_editor.title("fast"), CONTROL)
    assert selected(canvas_editor) == ("fast", "cross")
    mouse.click(canvas_editor.viewport, canvas_editor.title("fast"))
    assert selected(canvas_editor) == ("fast",)
    mouse.click(canvas_editor.viewport, canvas_editor.empty())
    assert selected(canvas_editor) == ()
    assert with_signal[0] == ("fast",)
    assert with_signal[-1] == ()


def test_a_box_selects_what_it_touches(canvas_editor: CanvasEditor) -> None:
    canvas_editor.drag(canvas_editor.at(-40, -60), canvas_editor.at(100, 180))
    assert selected(canvas_editor) == ("fast", "slow")
    canvas_editor.drag(canvas_editor.at(260, 30), canvas_editor.at(400, 80), modifiers=SHIFT)
    assert selected(canvas_editor) == ("fast", "slow", "cross")
    canvas_editor.drag(canvas_editor.at(-40, -60), canvas_editor.at(100, 30), modifiers=CONTROL)
    assert selected(canvas_editor) == ("slow", "cross")
    assert canvas_editor.text == canvas_editor.before


def test_a_click_on_a_wire_selects_it_and_delete_disconnects(canvas_editor: CanvasEditor) -> None:
    wire = next(wire for wire in canvas_editor.canvas.graph.wires if wire.target == "cross" and wire.port == "slow")
    x, y = canvas_editor.canvas.scene.wires[wire].points()[12]
    mouse.click(canvas_editor.viewport, canvas_editor.at(x, y))
    assert canvas_editor.canvas.scene.selected_wires() == (wire,)
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Delete)
    assert "cross: {use: crossover, fast: fast}" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_a_line_with_alt_cuts_all_wires_that_it_crosses_in_one_step(canvas_editor: CanvasEditor) -> None:
    canvas_editor.drag(
        canvas_editor.at(250, -40), canvas_editor.at(250, 300), modifiers=Qt.KeyboardModifier.AltModifier
    )
    assert "cross: {use: crossover}" in canvas_editor.text
    assert "signals: [cross]" in canvas_editor.text
    assert canvas_editor.document.undo_label == "Cut wires"
    assert canvas_editor.undo_gives_back()


def test_a_loose_node_dropped_on_a_wire_goes_into_it(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(qtbot, LOOSE)
    wire = next(wire for wire in canvas_editor.canvas.graph.wires if wire.target == "cross" and wire.port == "slow")
    x, y = canvas_editor.canvas.scene.wires[wire].points()[12]
    start, end = canvas_editor.title("ema"), canvas_editor.at(x, y - 20)
    mouse.press(canvas_editor.viewport, start)
    mouse.travel(canvas_editor.viewport, start, end)
    assert canvas_editor.canvas.scene.wires[wire].hovered
    mouse.release(canvas_editor.viewport, end)
    assert "ema: {use: ta.EMA, timeperiod: 5, input: slow}" in canvas_editor.text
    assert "cross: {use: crossover, fast: fast, slow: ema}" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_a_node_that_does_not_fit_a_wire_is_only_moved_onto_it(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(qtbot, STRATEGY.replace("money: size}", "}"))
    wire = next(wire for wire in canvas_editor.canvas.graph.wires if wire.target == "cross" and wire.port == "slow")
    x, y = canvas_editor.canvas.scene.wires[wire].points()[12]
    canvas_editor.drag(canvas_editor.title("size"), canvas_editor.at(x, y - 20))
    assert canvas_editor.document.undo_label == "Move"
    assert "slow: slow}" in canvas_editor.text
