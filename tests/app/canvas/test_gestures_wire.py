from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.scene import PortRef
from tests.support import mouse
from tests.support.canvas import STRATEGY, CanvasEditor


@pytest.fixture
def canvas_editor(qtbot: QtBot) -> Iterator[CanvasEditor]:
    made = CanvasEditor(qtbot)
    yield made
    made.canvas.close()


def test_a_wire_pulled_from_output_to_input_is_one_step(canvas_editor: CanvasEditor) -> None:
    canvas_editor.drag(canvas_editor.out("fast"), canvas_editor.into("slow", "input"))
    assert "slow: {use: ta.SMA, input: fast, timeperiod: 50}" in canvas_editor.text
    assert canvas_editor.document.undo_label == "Connect"
    assert canvas_editor.undo_gives_back()


def test_a_wire_pulled_from_an_input_finds_its_output(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(qtbot, STRATEGY.replace("fast: fast, slow: slow", "slow: slow"))
    canvas_editor.drag(canvas_editor.into("cross", "fast"), canvas_editor.out("fast"))
    assert "cross: {use: crossover, slow: slow, fast: fast}" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_while_a_wire_is_pulled_fitting_ports_light_up_and_the_others_fade(canvas_editor: CanvasEditor) -> None:
    start = canvas_editor.out("fast")
    mouse.press(canvas_editor.viewport, start)
    mouse.travel(canvas_editor.viewport, start, canvas_editor.empty())
    nodes = canvas_editor.canvas.scene.nodes
    assert nodes["cross"].lit == frozenset({PortRef("cross", "in", "fast"), PortRef("cross", "in", "slow")})
    assert nodes["slow"].lit == frozenset({PortRef("slow", "in", "input")})
    assert nodes["entry"].lit == frozenset({PortRef("entry", "in", "rank")})
    assert nodes["size"].lit == frozenset()
    assert nodes["size"].opacity() < 0.5 < nodes["cross"].opacity()
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Escape)
    assert nodes["size"].lit is None
    assert nodes["size"].opacity() == 1.0
    mouse.release(canvas_editor.viewport, canvas_editor.empty())
    assert canvas_editor.text == canvas_editor.before
    assert not canvas_editor.canvas.quick_add_controller.popup.isVisible()


def test_a_wire_snaps_to_the_nearest_port_that_fits(canvas_editor: CanvasEditor) -> None:
    near = canvas_editor.into("slow", "input") + QPoint(-18, -10)
    canvas_editor.drag(canvas_editor.out("fast"), near)
    assert "slow: {use: ta.SMA, input: fast, timeperiod: 50}" in canvas_editor.text


def test_a_wire_dropped_on_a_node_takes_its_first_port_that_fits(canvas_editor: CanvasEditor) -> None:
    canvas_editor.drag(canvas_editor.out("fast"), canvas_editor.title("slow"))
    assert "slow: {use: ta.SMA, input: fast, timeperiod: 50}" in canvas_editor.text


def test_a_wire_of_the_wrong_type_says_why_at_the_mouse_and_in_the_status_bar(canvas_editor: CanvasEditor) -> None:
    start, end = canvas_editor.out("fast"), canvas_editor.into("entry", "filters")
    mouse.press(canvas_editor.viewport, start)
    mouse.travel(canvas_editor.viewport, start, end)
    hint = canvas_editor.canvas.context.hint
    assert hint.isVisible()
    assert hint.text() == "This input accepts a filter, but the output is a series."
    mouse.release(canvas_editor.viewport, end)
    assert canvas_editor.messages == ["This input accepts a filter, but the output is a series."]
    assert not hint.isVisible()
    assert canvas_editor.text == canvas_editor.before


def test_a_wire_that_would_make_a_circle_says_so(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(
        qtbot, STRATEGY.replace("slow: {use: ta.SMA, input: bars.close", "slow: {use: ta.SMA, input: fast")
    )
    canvas_editor.drag(canvas_editor.out("slow"), canvas_editor.into("fast", "input"))
    assert "cycle" in canvas_editor.messages[0]
    assert canvas_editor.text == canvas_editor.before


def test_the_end_of_a_wire_dragged_away_disconnects(canvas_editor: CanvasEditor) -> None:
    canvas_editor.drag(canvas_editor.into("cross", "slow"), canvas_editor.empty())
    assert "cross: {use: crossover, fast: fast}" in canvas_editor.text
    assert not canvas_editor.canvas.quick_add_controller.popup.isVisible()
    assert canvas_editor.undo_gives_back()


def test_the_end_of_a_wire_dragged_to_another_port_rewires_in_one_step(canvas_editor: CanvasEditor) -> None:
    canvas_editor.drag(canvas_editor.into("cross", "slow"), canvas_editor.into("slow", "input"))
    assert "  slow: {use: ta.SMA, input: bars.close" in canvas_editor.text  # a circle: refused
    canvas_editor.drag(canvas_editor.into("cross", "fast"), canvas_editor.into("slow", "input"))
    assert "cross: {use: crossover, slow: slow}" in canvas_editor.text
    assert "slow: {use: ta.SMA, input: fast, timeperiod: 50}" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_the_end_of_a_wire_put_back_changes_nothing(canvas_editor: CanvasEditor) -> None:
    end = canvas_editor.into("cross", "slow")
    canvas_editor.drag(end, canvas_editor.empty(), end)
    assert canvas_editor.text == canvas_editor.before
    assert canvas_editor.document.undo_label == ""


def test_a_list_port_takes_one_more_wire_at_its_free_place_and_replaces_at_a_taken_one(qtbot: QtBot) -> None:
    more = "  other: {use: levels, input: fast}\n\nmoney:"
    canvas_editor = CanvasEditor(qtbot, STRATEGY.replace("\nmoney:", more) + "  other: [300, 380]\n")
    canvas_editor.drag(canvas_editor.out("other", "signal"), canvas_editor.into("entry", "signals", 1))
    assert "signals: [cross, other]" in canvas_editor.text
    assert canvas_editor.undo_gives_back()
    canvas_editor.drag(canvas_editor.out("other", "signal"), canvas_editor.into("entry", "signals", 0))
    assert "signals: [other]" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_a_press_on_a_port_without_a_drag_does_nothing(canvas_editor: CanvasEditor) -> None:
    mouse.click(canvas_editor.viewport, canvas_editor.out("fast"))
    assert canvas_editor.text == canvas_editor.before
    assert not canvas_editor.canvas.quick_add_controller.popup.isVisible()


def test_a_wire_dropped_on_empty_canvas_offers_what_fits_and_wires_the_choice_in_one_step(
    canvas_editor: CanvasEditor,
) -> None:
    canvas_editor.drag(canvas_editor.out("fast"), canvas_editor.empty())
    popup = canvas_editor.canvas.quick_add_controller.popup
    assert popup.isVisible()
    assert popup.title.text() == "Accepts: Series"
    names = [offer.use for offer in popup.model.offers]
    assert "levels" in names
    assert "fixed_quantity" not in names
    mouse.type_text(popup.search, "levels")
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert "levels: {use: levels, input: fast}" in canvas_editor.text
    assert not popup.isVisible()
    assert canvas_editor.undo_gives_back()


def test_a_wire_dropped_from_an_input_also_offers_the_columns_of_bars(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(qtbot, STRATEGY.replace("fast: fast, slow: slow", "slow: slow"))
    canvas_editor.drag(canvas_editor.into("cross", "fast"), canvas_editor.empty())
    popup = canvas_editor.canvas.quick_add_controller.popup
    names = [offer.use for offer in popup.model.offers]
    assert {"bars.close", "bars.high", "ta.EMA"} <= set(names)
    assert "levels" not in names
    mouse.type_text(popup.search, "bars.close")
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert "cross: {use: crossover, slow: slow, fast: bars.close}" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_a_new_node_before_an_input_is_wired_to_it(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(qtbot, STRATEGY.replace("fast: fast, slow: slow", "slow: slow"))
    canvas_editor.drag(canvas_editor.into("cross", "fast"), canvas_editor.empty())
    popup = canvas_editor.canvas.quick_add_controller.popup
    mouse.type_text(popup.search, "MACD")
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert "macd: {use: ta.MACD}" in canvas_editor.text
    assert "cross: {use: crossover, slow: slow, fast: macd.macd}" in canvas_editor.text
    assert canvas_editor.canvas.context.selection.nodes == ("macd",)
    assert canvas_editor.undo_gives_back()


def test_escape_in_the_search_leaves_the_wire_undone(canvas_editor: CanvasEditor) -> None:
    canvas_editor.drag(canvas_editor.out("fast"), canvas_editor.empty())
    mouse.key(canvas_editor.canvas.quick_add_controller.popup.search, Qt.Key.Key_Escape)
    assert not canvas_editor.canvas.quick_add_controller.popup.isVisible()
    assert canvas_editor.text == canvas_editor.before
