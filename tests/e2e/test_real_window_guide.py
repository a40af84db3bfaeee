"""The first ten steps of the guide, done with the mouse and the keyboard of a real screen, as the guide tells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import quantcrafter
from tests.support.real_window import Place, RealWindow, center, need_screen, real_window, screen, until

ZOOM_OUT = 3
"""Clicks of the wheel, after which the whole graph has room."""


@pytest.mark.slow
def test_the_first_ten_steps_of_the_guide_are_done_with_the_mouse_in_a_real_window(tmp_path: Path) -> None:
    need_screen()
    file = tmp_path / "my_pullback.yaml"
    with screen() as display, real_window(display, tmp_path / "home") as window:
        begin(window)
        say_what_is_traded(window)
        compute_two_lines(window)
        turn_a_line_into_a_signal(window)
        trade_with_the_trend_only(window)
        limit_the_risk(window)
        bring_it_together(window)
        save(window, file)

    done = quantcrafter("run", str(file), "--no-history", home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert "RSI pullback\nIBM 1d, 3,270 bars from sample" in done.stdout
    assert "Total return 66.65 %" in " ".join(done.stdout.split())


def on_canvas(window: RealWindow, across: float, down: float) -> Place:
    """Return a place of the canvas, by parts of its size."""
    left, top, width, height = window.ask("canvas")
    return round(left + width * across), round(top + height * down)


def begin(window: RealWindow) -> None:
    """Step 1; the tour that a new user sees is skipped."""
    window.press("New strategy", "QPushButton")
    window.press("Skip the tour")
    window.gone("find", "QPushButton", "Skip the tour")
    assert window.ask("nodes") == ["bars"]
    window.wheel(on_canvas(window, 0.5, 0.5), ZOOM_OUT)
    start = center(window.ask("node", "bars"))
    window.drag(start, on_canvas(window, 0.1, 0.3))


def say_what_is_traded(window: RealWindow) -> None:
    """Step 2."""
    window.click(on_canvas(window, 0.9, 0.9))
    window.fill("RSI pullback", "name")
    window.fill("IBM", "symbol")
    until(lambda: "symbol: IBM" in window.ask("text"), "the symbol")


def compute_two_lines(window: RealWindow) -> None:
    """Step 3."""
    search(window, "rsi", "RSI", on_canvas(window, 0.36, 0.15))
    window.drag_wire("bars", "close", "rsi", "input")
    window.select("rsi")
    window.fill("2", "timeperiod")
    search(window, "sma", "SMA", on_canvas(window, 0.36, 0.45))
    window.drag_wire("bars", "close", "sma", "input")
    window.select("sma")
    window.fill("200", "timeperiod")


def turn_a_line_into_a_signal(window: RealWindow) -> None:
    """Step 4."""
    window.drag(center(window.ask("port", "rsi", "out", "value")), on_canvas(window, 0.52, 0.15))
    window.click(center(window.wait("row", "levels", "Components to add")))
    until(lambda: "rsi.value > levels.input" in window.ask("wires"), "levels, wired")
    window.fill("15", "long_entry")
    window.fill("65", "long_exit")
    window.click(center(window.show_field("mode")))
    window.click(center(window.wait("row", "return")))
    until(lambda: "mode: return" in window.ask("text"), "the mode")


def trade_with_the_trend_only(window: RealWindow) -> None:
    """Step 5."""
    pull(window, "Filters", "trend", at=on_canvas(window, 0.62, 0.45))
    window.drag_wire("sma", "value", "trend", "average")


def limit_the_risk(window: RealWindow) -> None:
    """Steps 6 and 7."""
    pull(window, "Risk", "Stop-loss", "percent_stop", at=on_canvas(window, 0.14, 0.8))
    window.fill("10", "percent")
    pull(window, "Risk", "Take-profit", "percent_target", at=on_canvas(window, 0.38, 0.8))
    window.fill("15", "percent")
    pull(window, "Position sizing", "Account", "percent_of_equity", at=on_canvas(window, 0.62, 0.8))


def bring_it_together(window: RealWindow) -> None:
    """Step 8."""
    pull(window, "Execution", "market", at=on_canvas(window, 0.86, 0.3))
    window.drag_wire("levels", "signal", "market", "signals")
    window.drag_wire("trend", "filter", "market", "filters")
    window.drag_wire("percent_stop", "risk", "market", "risk")
    window.drag_wire("percent_target", "risk", "market", "risk")
    window.drag_wire("percent_of_equity", "money", "market", "money")
    window.wait("find", "QAbstractButton", "No problems")
    window.menu("Arrange", "Lay out automatically")


def save(window: RealWindow, file: Path) -> None:
    """Step 9."""
    window.press("Save", "QToolButton")
    window.wait("find", "QFileDialog")
    window.key("ctrl+a")
    window.type(str(file))
    window.key("Return")
    until(lambda: window.ask("title").startswith("my_pullback "), "the saved file")


def search(window: RealWindow, text: str, name: str, at: Place) -> None:
    """Search in the components and drag what is found to a place."""
    window.click(center(window.wait("find", "QLineEdit", "Search the components")[0]["rect"]))
    window.key("ctrl+a")
    window.type(text)
    drop(window, name, at)


def pull(window: RealWindow, *path: str, at: Place) -> None:
    """Open a family of the components, and a group in it, and drag one of them to a place; close the family again."""
    *folders, name = path
    box = window.ask("find", "QLineEdit", "Search the components")[0]
    if box["text"]:
        window.click(center(box["rect"]))
        window.key("ctrl+a", "BackSpace")
    for folder in folders:
        window.click(center(window.show_row(folder, "Components")))
    drop(window, name, at)
    window.click(center(window.show_row(folders[0], "Components")))


def drop(window: RealWindow, name: str, at: Place) -> None:
    """Drag a component to a place of the canvas."""
    before = window.ask("nodes")
    window.drag(center(window.show_row(name, "Components")), at)
    until(lambda: len(window.ask("nodes")) == len(before) + 1, f"a node for '{name}'")
    until(lambda: window.ask("selection") and window.ask("selection")[0] not in before, f"'{name}' selected")
