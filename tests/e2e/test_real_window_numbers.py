"""Numbers and texts of the inspector in a real window: what is shown is what is used, and what is refused isn't run."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.desktop import copy_example
from tests.support.real_window import RealWindow, center, need_screen, real_window, screen, seen_before, until

pytestmark = pytest.mark.slow

REFUSED = "Allowed: 2 to 100000."


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWindow]:
    """Give one started application to the tests of this module."""
    need_screen()
    home = tmp_path_factory.mktemp("real_window")
    seen_before(home)
    file = copy_example("rsi_pullback", home / "files")
    with screen() as display, real_window(display, home, file) as window:
        until(lambda: window.ask("nodes"), "the strategy")
        yield window


@pytest.fixture
def window(shared: RealWindow) -> RealWindow:
    """Give the application with the strategy as it was opened."""
    shared.start_over()
    return shared


def period(window: RealWindow) -> str:
    """Return the period that the strategy has."""
    found = re.search(r"ta.RSI, input: bars.close, timeperiod: (\d+)", window.ask("text"))
    return found[1] if found else ""


def test_enter_takes_a_number_over_at_once(window: RealWindow) -> None:
    window.select("rsi")
    window.fill("44", "timeperiod")
    until(lambda: period(window) == "44", "44 in the text")
    assert window.ask("field", "timeperiod")["text"] == "44"


def test_a_refused_number_is_marked_and_is_gone_when_the_node_is_selected_again(window: RealWindow) -> None:
    window.select("rsi")
    window.fill("99999999", "timeperiod")
    until(lambda: window.ask("field", "timeperiod")["reason"] == REFUSED, "the reason")
    assert window.ask("field", "timeperiod")["text"] == "99999999"
    window.select("average")
    assert "'99999999' was not accepted and is not used" in window.ask("status")
    window.select("rsi")
    window.show_field("timeperiod")
    shown = window.ask("field", "timeperiod")
    assert (shown["text"], shown["severity"], period(window)) == ("2", "", "2")


def test_escape_brings_the_value_in_use_back(window: RealWindow) -> None:
    window.select("rsi")
    window.fill("1", "timeperiod")
    until(lambda: window.ask("field", "timeperiod")["reason"] == REFUSED, "the reason")
    window.key("Escape")
    until(lambda: window.ask("field", "timeperiod")["text"] == "2", "the value in use")
    assert window.ask("field", "timeperiod")["reason"] == ""


@pytest.mark.parametrize("enter", [True, False], ids=["after Enter", "without Enter"])
def test_a_refused_number_is_not_run(window: RealWindow, *, enter: bool) -> None:
    before = window.ask("runs")
    window.select("rsi")
    window.fill("99999999", "timeperiod", enter=enter)
    window.key("F5")
    until(lambda: "Timeperiod was not accepted" in window.ask("status"), "why nothing is run")
    assert window.ask("runs") == before
    shown = window.ask("field", "timeperiod")
    assert (shown["focus"], shown["reason"]) == (True, REFUSED)
    window.click(center(window.ask("field", "input")["rect"]))
    window.press("Run", "QToolButton")
    until(lambda: window.ask("field", "timeperiod")["focus"], "the focus in the refused field")
    assert window.ask("runs") == before


def test_a_name_or_wire_that_is_refused_is_not_run(window: RealWindow) -> None:
    before = window.ask("runs")
    window.select("rsi")
    window.fill("nowhere", "input")
    window.key("F5")
    until(lambda: "There is no node 'nowhere'" in window.ask("status"), "why nothing is run")
    window.key("Escape")
    window.show_field("timeperiod")
    window.click(center(window.ask("find", "QLineEdit", "Node name")[0]["rect"]))
    window.key("ctrl+a")
    window.type("average")
    window.key("F5")
    until(lambda: "The node name was not accepted" in window.ask("status"), "why nothing is run")
    assert window.ask("runs") == before
    window.key("Escape")


def test_the_arrows_and_a_drag_of_the_name_change_a_number(window: RealWindow) -> None:
    window.select("rsi")
    left, top, width, _ = window.show_field("timeperiod")
    window.click((left + width - 10, top + 8))
    until(lambda: period(window) == "3", "a step up")
    label = center(window.ask("field", "timeperiod")["label"])
    window.drag(label, (label[0] + 40, label[1]))
    until(lambda: period(window) == "13", "ten steps up")


def test_a_number_that_is_typed_but_not_taken_over_is_taken_over_by_a_run(window: RealWindow) -> None:
    window.select("rsi")
    window.fill("3", "timeperiod", enter=False)
    window.key("F5")
    until(lambda: window.ask("runs")["run"], "the run")
    assert period(window) == "3"
    assert "timeperiod: 3}" in window.ask("ran")
