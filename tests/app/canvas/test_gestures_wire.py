from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.scene import PortRef
from tests.support import mouse
from tests.support.canvas import STRATEGY, Desk


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot)
    yield made
    made.canvas.close()


def test_a_wire_pulled_from_output_to_input_is_one_step(desk: Desk) -> None:
    desk.drag(desk.out("fast"), desk.into("slow", "input"))
    assert "slow: {use: ta.SMA, input: fast, timeperiod: 50}" in desk.text
    assert desk.document.undo_label == "Connect"
    assert desk.undo_gives_back()


def test_a_wire_pulled_from_an_input_finds_its_output(qtbot: QtBot) -> None:
    desk = Desk(qtbot, STRATEGY.replace("fast: fast, slow: slow", "slow: slow"))
    desk.drag(desk.into("cross", "fast"), desk.out("fast"))
    assert "cross: {use: crossover, slow: slow, fast: fast}" in desk.text
    assert desk.undo_gives_back()


def test_while_a_wire_is_pulled_fitting_ports_light_up_and_the_others_fade(desk: Desk) -> None:
    start = desk.out("fast")
    mouse.press(desk.viewport, start)
    mouse.travel(desk.viewport, start, desk.empty())
    nodes = desk.canvas.scene.nodes
    assert nodes["cross"].lit == frozenset({PortRef("cross", "in", "fast"), PortRef("cross", "in", "slow")})
    assert nodes["slow"].lit == frozenset({PortRef("slow", "in", "input")})
    assert nodes["entry"].lit == frozenset({PortRef("entry", "in", "rank")})
    assert nodes["size"].lit == frozenset()
    assert nodes["size"].opacity() < 0.5 < nodes["cross"].opacity()
    mouse.key(desk.canvas.view, Qt.Key.Key_Escape)
    assert nodes["size"].lit is None
    assert nodes["size"].opacity() == 1.0
    mouse.release(desk.viewport, desk.empty())
    assert desk.text == desk.before
    assert not desk.canvas.asking.popup.isVisible()


def test_a_wire_snaps_to_the_nearest_port_that_fits(desk: Desk) -> None:
    near = desk.into("slow", "input") + QPoint(-18, -10)
    desk.drag(desk.out("fast"), near)
    assert "slow: {use: ta.SMA, input: fast, timeperiod: 50}" in desk.text


def test_a_wire_dropped_on_a_node_takes_its_first_port_that_fits(desk: Desk) -> None:
    desk.drag(desk.out("fast"), desk.title("slow"))
    assert "slow: {use: ta.SMA, input: fast, timeperiod: 50}" in desk.text


def test_a_wire_of_the_wrong_type_says_why_at_the_mouse_and_in_the_status_bar(desk: Desk) -> None:
    start, end = desk.out("fast"), desk.into("entry", "filters")
    mouse.press(desk.viewport, start)
    mouse.travel(desk.viewport, start, end)
    hint = desk.canvas.stage.hint
    assert hint.isVisible()
    assert hint.text() == "This input accepts a filter, but the output is a series."
    mouse.release(desk.viewport, end)
    assert desk.messages == ["This input accepts a filter, but the output is a series."]
    assert not hint.isVisible()
    assert desk.text == desk.before


def test_a_wire_that_would_make_a_circle_says_so(qtbot: QtBot) -> None:
    desk = Desk(qtbot, STRATEGY.replace("slow: {use: ta.SMA, input: bars.close", "slow: {use: ta.SMA, input: fast"))
    desk.drag(desk.out("slow"), desk.into("fast", "input"))
    assert "cycle" in desk.messages[0]
    assert desk.text == desk.before


def test_the_end_of_a_wire_dragged_away_disconnects(desk: Desk) -> None:
    desk.drag(desk.into("cross", "slow"), desk.empty())
    assert "cross: {use: crossover, fast: fast}" in desk.text
    assert not desk.canvas.asking.popup.isVisible()
    assert desk.undo_gives_back()


def test_the_end_of_a_wire_dragged_to_another_port_rewires_in_one_step(desk: Desk) -> None:
    desk.drag(desk.into("cross", "slow"), desk.into("slow", "input"))
    assert "  slow: {use: ta.SMA, input: bars.close" in desk.text  # a circle: refused
    desk.drag(desk.into("cross", "fast"), desk.into("slow", "input"))
    assert "cross: {use: crossover, slow: slow}" in desk.text
    assert "slow: {use: ta.SMA, input: fast, timeperiod: 50}" in desk.text
    assert desk.undo_gives_back()


def test_the_end_of_a_wire_put_back_changes_nothing(desk: Desk) -> None:
    end = desk.into("cross", "slow")
    desk.drag(end, desk.empty(), end)
    assert desk.text == desk.before
    assert desk.document.undo_label == ""


def test_a_list_port_takes_one_more_wire_at_its_free_place_and_replaces_at_a_taken_one(qtbot: QtBot) -> None:
    more = "  other: {use: levels, input: fast}\n\nmoney:"
    desk = Desk(qtbot, STRATEGY.replace("\nmoney:", more) + "  other: [300, 380]\n")
    desk.drag(desk.out("other", "signal"), desk.into("entry", "signals", 1))
    assert "signals: [cross, other]" in desk.text
    assert desk.undo_gives_back()
    desk.drag(desk.out("other", "signal"), desk.into("entry", "signals", 0))
    assert "signals: [other]" in desk.text
    assert desk.undo_gives_back()


def test_a_press_on_a_port_without_a_drag_does_nothing(desk: Desk) -> None:
    mouse.click(desk.viewport, desk.out("fast"))
    assert desk.text == desk.before
    assert not desk.canvas.asking.popup.isVisible()


def test_a_wire_dropped_on_empty_canvas_offers_what_fits_and_wires_the_choice_in_one_step(desk: Desk) -> None:
    desk.drag(desk.out("fast"), desk.empty())
    popup = desk.canvas.asking.popup
    assert popup.isVisible()
    assert popup.title.text() == "Accepts: Series"
    names = [offer.use for offer in popup.model.offers]
    assert "levels" in names
    assert "fixed_quantity" not in names
    mouse.type_text(popup.search, "levels")
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert "levels: {use: levels, input: fast}" in desk.text
    assert not popup.isVisible()
    assert desk.undo_gives_back()


def test_a_wire_dropped_from_an_input_also_offers_the_columns_of_bars(qtbot: QtBot) -> None:
    desk = Desk(qtbot, STRATEGY.replace("fast: fast, slow: slow", "slow: slow"))
    desk.drag(desk.into("cross", "fast"), desk.empty())
    popup = desk.canvas.asking.popup
    names = [offer.use for offer in popup.model.offers]
    assert {"bars.close", "bars.high", "ta.EMA"} <= set(names)
    assert "levels" not in names
    mouse.type_text(popup.search, "bars.close")
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert "cross: {use: crossover, slow: slow, fast: bars.close}" in desk.text
    assert desk.undo_gives_back()


def test_a_new_node_before_an_input_is_wired_to_it(qtbot: QtBot) -> None:
    desk = Desk(qtbot, STRATEGY.replace("fast: fast, slow: slow", "slow: slow"))
    desk.drag(desk.into("cross", "fast"), desk.empty())
    popup = desk.canvas.asking.popup
    mouse.type_text(popup.search, "MACD")
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert "macd: {use: ta.MACD}" in desk.text
    assert "cross: {use: crossover, slow: slow, fast: macd.macd}" in desk.text
    assert desk.canvas.stage.selection.nodes == ("macd",)
    assert desk.undo_gives_back()


def test_escape_in_the_search_leaves_the_wire_undone(desk: Desk) -> None:
    desk.drag(desk.out("fast"), desk.empty())
    mouse.key(desk.canvas.asking.popup.search, Qt.Key.Key_Escape)
    assert not desk.canvas.asking.popup.isVisible()
    assert desk.text == desk.before
