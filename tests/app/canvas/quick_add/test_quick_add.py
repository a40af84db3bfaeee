from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.candidates import OfferIndex, Wanted, component_id
from quantcrafter.app.canvas.ranking import rank
from quantcrafter.engine.api import PortType
from tests.support import mouse
from tests.support.canvas import CanvasEditor, registry


@pytest.fixture
def canvas_editor(qtbot: QtBot) -> Iterator[CanvasEditor]:
    made = CanvasEditor(qtbot)
    yield made
    made.canvas.close()


def found(query: str, wanted: Wanted | None = None, counts: dict[str, int] | None = None) -> list[str]:
    offers = OfferIndex(registry()).all()
    return [offer.use for offer in rank(offers, query, counts or {}, wanted)]


@pytest.mark.parametrize(
    ("query", "first"),
    [("rsi", "ta.RSI"), ("SMA", "ta.SMA"), ("ema", "ta.EMA"), ("cross", "crossover"), ("ta.macd", "ta.MACD")],
)
def test_a_name_finds_its_component_first(query: str, first: str) -> None:
    assert found(query)[0] == first


def test_words_are_looked_for_in_name_category_and_help() -> None:
    assert "percent_stop" in found("risk stop")
    assert "ta.RSI" in found("relative strength")
    assert "ta.BBANDS" in found("bollinger")
    assert found("there is no such thing") == []


def test_letters_in_order_find_a_name() -> None:
    assert "percent_of_equity" in found("pctequity") or "percent_of_equity" in found("poe")
    assert "ta.SMA" in found("sm")


def test_a_new_strategy_begins_with_what_most_begin_with() -> None:
    assert found("")[:3] == ["ta.SMA", "ta.RSI", "ta.EMA"]


def test_only_what_fits_a_wire_is_offered_the_usual_first() -> None:
    readers = found("", Wanted(PortType.SERIES, gives=False, use="ta.RSI"))
    assert readers[0] == "levels"
    assert "fixed_quantity" not in readers
    assert found("", Wanted(PortType.SIGNAL, gives=False))[0] == "market"
    assert found("", Wanted(PortType.MONEY, gives=True))[:2] == ["percent_of_equity", "risk_percent"]


def test_what_the_user_connects_comes_first_after_a_few_times() -> None:
    wanted = Wanted(PortType.SERIES, gives=False, use="ta.RSI")
    assert found("", wanted, {"ta.RSI>between": 7})[0] == "between"
    assert found("", wanted, {"ta.SMA>between": 7})[0] == "levels"
    assert found("", None, {"logic:zscore": 40})[0] == "zscore"


@pytest.mark.parametrize(
    ("use", "node"), [("ta.RSI", "rsi"), ("blocks/trend gate.yaml", "trend_gate"), ("3d", "n3d"), ("", "node")]
)
def test_a_node_is_named_after_its_component(use: str, node: str) -> None:
    assert component_id(use) == node


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Space])
def test_a_key_opens_the_search_and_a_choice_adds_the_node_in_one_step(
    canvas_editor: CanvasEditor, key: Qt.Key
) -> None:
    mouse.key(canvas_editor.canvas.view, key)
    popup = canvas_editor.canvas.quick_add_controller.popup
    assert popup.isVisible()
    assert popup.search.hasFocus()
    mouse.type_text(popup.search, "rsi")
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert not popup.isVisible()
    assert "  rsi: {use: ta.RSI}\n" in canvas_editor.text
    assert canvas_editor.canvas.context.selection.nodes == ("rsi",)
    assert canvas_editor.canvas.view.hasFocus()
    assert canvas_editor.undo_gives_back()


def test_a_double_click_opens_the_search_at_the_mouse_and_the_node_comes_there(canvas_editor: CanvasEditor) -> None:
    mouse.double_click(canvas_editor.viewport, canvas_editor.empty())
    popup = canvas_editor.canvas.quick_add_controller.popup
    assert popup.isVisible()
    mouse.type_text(popup.search, "rsi")
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert canvas_editor.canvas.graph.nodes["rsi"].position == (0.0, 330.0)


def test_a_new_node_covers_no_other(canvas_editor: CanvasEditor) -> None:
    for _ in range(3):
        mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Tab)
        mouse.type_text(canvas_editor.canvas.quick_add_controller.popup.search, "sma")
        mouse.key(canvas_editor.canvas.quick_add_controller.popup.search, Qt.Key.Key_Return)
    boxes = list(canvas_editor.canvas.context.boxes().values())
    assert not any(one.meets(other) for index, one in enumerate(boxes) for other in boxes[:index])


def test_arrows_choose_and_a_click_takes(canvas_editor: CanvasEditor) -> None:
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Tab)
    popup = canvas_editor.canvas.quick_add_controller.popup
    assert popup.list.currentIndex().data() == "SMA"
    mouse.key(popup.search, Qt.Key.Key_Down)
    mouse.key(popup.search, Qt.Key.Key_Down)
    mouse.key(popup.search, Qt.Key.Key_Up)
    assert popup.list.currentIndex().data() == "RSI"
    third = popup.list.visualRect(popup.model.index(2)).center()
    mouse.click(popup.list.viewport(), third)
    assert "  ema: {use: ta.EMA}\n" in canvas_editor.text


def test_escape_and_a_click_elsewhere_close_the_search(canvas_editor: CanvasEditor) -> None:
    popup = canvas_editor.canvas.quick_add_controller.popup
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Tab)
    mouse.key(popup.search, Qt.Key.Key_Escape)
    assert not popup.isVisible()
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Tab)
    canvas_editor.canvas.view.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not popup.isVisible()
    assert canvas_editor.text == canvas_editor.before


def test_a_search_without_matches_says_so(canvas_editor: CanvasEditor) -> None:
    popup = canvas_editor.canvas.quick_add_controller.popup
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Tab)
    mouse.type_text(popup.search, "qqqq")
    assert popup.empty.isVisible()
    assert "No matches" in popup.empty.text()
    mouse.key(popup.search, Qt.Key.Key_Return)
    assert popup.isVisible()
    assert canvas_editor.text == canvas_editor.before


def test_what_is_wired_is_counted_and_ranks_higher_next_time(canvas_editor: CanvasEditor) -> None:
    for _ in range(6):
        canvas_editor.drag(canvas_editor.out("fast"), canvas_editor.into("slow", "input"))
        canvas_editor.document.undo()
    assert canvas_editor.canvas.context.settings.quick_add_counts["ta.SMA>ta.SMA"] == 6
    canvas_editor.drag(canvas_editor.out("fast"), canvas_editor.empty())
    assert canvas_editor.canvas.quick_add_controller.popup.model.offers[0].use == "ta.SMA"
