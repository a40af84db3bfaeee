"""Popups, menus and drags in a real window: they open, keep what is clicked in them, and go away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.desktop import copy_example
from tests.support.real_window import Place, RealWindow, center, need_screen, real_window, screen, seen_before, until

pytestmark = pytest.mark.slow

SEARCH = "Search for a node"


@pytest.fixture(scope="module", params=[True, False], ids=["with a window manager", "without one"])
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[RealWindow]:
    """Give one started application to the tests of this module."""
    need_screen()
    home = tmp_path_factory.mktemp("real_window")
    seen_before(home)
    file = copy_example("rsi_pullback", home / "files")
    with screen(window_manager=request.param) as display, real_window(display, home, file) as window:
        until(lambda: window.ask("nodes"), "the strategy")
        yield window


@pytest.fixture
def window(shared: RealWindow) -> RealWindow:
    """Give the application with the strategy as it was opened."""
    shared.start_over()
    return shared


def empty_place(window: RealWindow) -> Place:
    """Return a place of the canvas with nothing around it."""
    left, top, _, height = window.ask("canvas")
    return left + 60, top + height - 90


def open_quick_add(window: RealWindow) -> list[int]:
    """Double-click the canvas and return where the search is."""
    window.double_click(empty_place(window))
    found: list[int] = window.wait("find", "QuickAdd")[0]["rect"]
    return found


def test_a_click_on_an_entry_of_quick_add_adds_it(window: RealWindow) -> None:
    open_quick_add(window)
    window.type("ema")
    window.click(center(window.wait("row", "EMA", "Components to add")))
    until(lambda: "ema" in window.ask("nodes"), "the node")
    assert window.ask("find", "QuickAdd") == []
    assert window.ask("selection") == ["ema"]
    assert window.ask("focus")["name"] == "Canvas"


def test_a_wire_dropped_on_the_canvas_is_wired_to_what_is_clicked(window: RealWindow) -> None:
    window.drag(center(window.ask("port", "bars", "out", "close")), empty_place(window))
    window.wait("find", "QuickAdd")
    window.type("ema")
    window.click(center(window.wait("row", "EMA", "Components to add")))
    until(lambda: "bars.close > ema.input" in window.ask("wires"), "the wire")


def test_quick_add_opens_by_tab_and_adds_by_arrows_and_enter(window: RealWindow) -> None:
    window.click(empty_place(window))
    window.key("Tab")
    window.wait("find", "QuickAdd")
    window.type("ema")
    window.wait("row", "DEMA", "Components to add")
    window.key("Down", "Return")
    until(lambda: "dema" in window.ask("nodes"), "the second entry")


def test_the_wheel_and_clicks_inside_leave_quick_add_open(window: RealWindow) -> None:
    place, zoom = open_quick_add(window), window.ask("zoom")
    window.wheel(center(place), 3)
    window.click(center(window.ask("find", "QLineEdit", SEARCH)[0]["rect"]))
    window.click(center(window.ask("find", "QLabel", "Add a node")[0]["rect"]))
    window.click(center(window.ask("find", "QLineEdit", SEARCH)[0]["rect"]), 3)
    assert "Select All" in str(window.wait("entries"))
    window.key("Escape")
    window.gone("entries")
    window.type("ema")
    window.wait("row", "EMA", "Components to add")
    assert window.ask("zoom") == zoom
    assert window.ask("focus")["name"] == SEARCH
    window.key("Escape")
    window.gone("find", "QuickAdd")
    assert window.ask("focus")["name"] == "Canvas"


def test_a_click_outside_closes_quick_add_and_does_what_it_is_on(window: RealWindow) -> None:
    open_quick_add(window)
    window.click(center(window.ask("node", "rsi")))
    window.gone("find", "QuickAdd")
    until(lambda: window.ask("selection") == ["rsi"], "the node that was clicked")
    open_quick_add(window)
    window.click(center(window.show_field("symbol")))
    window.gone("find", "QuickAdd")
    until(lambda: window.ask("field", "symbol")["focus"], "the field that was clicked")


def test_an_action_is_run_by_a_click_in_the_command_palette(window: RealWindow) -> None:
    window.key("ctrl+shift+p")
    window.wait("find", "CommandPalette")
    window.type("select all")
    window.click(center(window.wait("row", "Select all", "Actions")))
    until(lambda: len(window.ask("selection")) == len(window.ask("nodes")), "all nodes selected")
    assert window.ask("find", "CommandPalette") == []


def test_a_name_typed_on_the_canvas_is_taken_by_a_click_elsewhere_and_survives_a_menu(window: RealWindow) -> None:
    window.click(center(window.ask("node", "stop")), 3)
    window.menu("Rename...")
    line = window.wait("find", "NameEditor")[0]["rect"]
    window.key("ctrl+a")
    window.type("halt")
    window.click((line[0] + 12, line[1] + 12), 3)
    window.wait("entries")
    window.key("Escape")
    window.gone("entries")
    assert window.ask("focus")["text"] == "halt"
    window.click(center(window.show_field("percent")))
    until(lambda: "halt" in window.ask("nodes"), "the new name")
    until(lambda: window.ask("field", "percent")["focus"], "the field that was clicked")
    assert window.ask("selection") == ["halt"]


def test_a_name_typed_in_the_inspector_is_taken_by_a_click_on_a_field(window: RealWindow) -> None:
    window.select("stop")
    window.show_field("percent")
    window.click(center(window.ask("find", "QLineEdit", "Node name")[0]["rect"]))
    window.key("ctrl+a")
    window.type("halt")
    window.click(center(window.show_field("percent")))
    until(lambda: window.ask("selection") == ["halt"], "the new name, still selected")
    until(lambda: window.ask("field", "percent")["focus"], "the field that was clicked")


def test_a_component_is_dragged_from_the_palette_and_a_double_click_opens_its_family(window: RealWindow) -> None:
    window.double_click(center(window.show_row("Filters", "Components")))
    row = window.wait("row", "weekdays", "Components")
    window.drag(center(row), empty_place(window))
    until(lambda: window.ask("selection") == ["weekdays"], "the node, selected")
    window.click(center(window.show_row("Filters", "Components")))
    until(lambda: window.ask("row", "weekdays", "Components") is None, "the family closed")


def test_nodes_are_selected_by_a_box_and_dragged(window: RealWindow) -> None:
    rsi, average = window.ask("body", "rsi"), window.ask("body", "average")
    window.drag((rsi[0] - 20, rsi[1] - 8), (average[0] + average[2] + 15, average[1] + average[3] + 12))
    until(lambda: window.ask("selection") == ["rsi", "average"], "both nodes selected")
    start = center(window.ask("node", "rsi"))
    window.drag(start, (start[0], start[1] - 60))
    until(lambda: window.ask("body", "average")[1] < average[1] - 30, "both nodes moved")


def test_a_reference_and_a_choice_are_picked_from_their_lists(window: RealWindow) -> None:
    window.select("rsi")
    left, top, width, height = window.show_field("input")
    window.click((left + width - 9, top + height // 2))
    window.click(center(window.wait("row", "bars.high")))
    until(lambda: "input: bars.high, timeperiod" in window.ask("text"), "the wire")
    window.select("dip")
    window.click(center(window.show_field("mode")))
    window.click(center(window.wait("row", "inside")))
    until(lambda: "mode: inside" in window.ask("text"), "the choice")


def test_a_day_is_picked_from_the_calendar(window: RealWindow) -> None:
    window.click(empty_place(window))
    window.scroll_to_field("run", "start")
    window.click(center(window.ask("field", "run", "start")["buttons"][0]))
    window.wait("find", "CalendarPopup")
    window.click(center(window.wait("row", "15")))
    window.gone("find", "CalendarPopup")
    until(lambda: "start: " in window.ask("text"), "the day")
    assert window.ask("field", "run", "start")["text"].endswith("-15")


def test_what_is_completed_in_the_text_can_be_clicked(window: RealWindow) -> None:
    left, top, width, height = window.ask("find", "CodeEditor")[0]["rect"]
    window.click((left + width // 2, top + height // 2))
    window.key("ctrl+Home")
    lines = window.ask("text").splitlines()
    window.key(*["Down"] * lines.index("filters:"), "End", "Return")
    window.type("days: {use: weekd")
    popup = window.wait("find", "CompletionPopup")[0]["rect"]
    window.click((popup[0] + 60, popup[1] + 12))
    window.gone("find", "CompletionPopup")
    until(lambda: "days: {use: weekdays" in window.ask("text"), "the completed word")
    assert window.ask("focus")["class"] == "CodeEditor"


def test_panes_are_resized_and_their_tabs_dragged(window: RealWindow) -> None:
    before = window.ask("canvas")
    edge = before[1] + before[3] + 2
    window.drag((before[0] + 300, edge), (before[0] + 300, edge - 60))
    until(lambda: window.ask("canvas")[3] < before[3] - 40, "the canvas lower")
    window.drag((before[0] + 300, edge - 60), (before[0] + 300, edge))
    start, end = window.ask("tab", "Log"), window.ask("tab", "Why")
    window.drag(center(start), center(end))
    until(lambda: window.ask("tab", "Log")[0] < window.ask("tab", "Why")[0], "the tab before the other")
