"""The main task of the desktop: the RSI pullback, built from an empty canvas and saved. Run it on a real screen."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.shell import Shell
from quantcrafter.app.window.startup.application import make_application
from tests.support.trader import CONTROL, Trader

SIZE = (1500, 950)


@dataclass(frozen=True, slots=True)
class Story:
    """The strategy's text at each stage, the steps taken back and done again, and what validation said at the end."""

    empty: str
    built: str
    undone: str
    redone: str
    undo_steps: int
    redo_steps: int
    problems: list[str]
    reopened: bool


def build(desktop: Desktop, file: Path, *, can_drag: bool) -> Story:
    """Build the strategy in a window that has none open, save it to a file, undo, redo, save, close and reopen."""
    trader = Trader(desktop, can_drag=can_drag)
    QTest.keyClick(desktop.window, Qt.Key.Key_N, CONTROL)
    trader.wait(lambda: desktop.tab is not None, "a new strategy")
    blank = trader.tab.document.text
    _add_nodes(trader)
    trader.arrange()
    _wire(trader)
    trader.arrange()
    _set_parameters(trader)
    trader.save_as(file)
    built = trader.tab.document.text
    undo_steps = trader.undo_all()
    undone = trader.tab.document.text
    redo_steps = trader.redo_all()
    redone = trader.tab.document.text
    problems = [str(problem) for problem in trader.tab.document.problems]
    graph = trader.tab.document.graph()
    QTest.keyClick(desktop.window, Qt.Key.Key_W, CONTROL)
    trader.wait(lambda: desktop.tab is None, "the strategy closed")
    desktop.file_controller.open(file)
    reopened = trader.tab.document.graph() == graph
    return Story(blank, built, undone, redone, undo_steps, redo_steps, problems, reopened)


def _add_nodes(trader: Trader) -> None:
    trader.add_from_palette("ta.RSI", "rsi", (0.3, 0.2))
    trader.add_from_palette("ta.SMA", "average", (0.3, 0.6))
    trader.add_by_quick_add("levels", "dip")
    trader.add_by_quick_add("trend", "uptrend")
    trader.add_from_palette("percent_stop", "stop", (0.6, 0.2))
    trader.add_from_palette("percent_target", "target", (0.6, 0.5))
    trader.add_by_quick_add("percent_of_equity", "size")
    trader.add_by_quick_add("market", "entry")


def _wire(trader: Trader) -> None:
    trader.wire("bars", "close", "rsi", "input")
    trader.wire("bars", "close", "average", "input")
    trader.wire("rsi", "value", "dip", "input")
    trader.wire("bars", "close", "uptrend", "input")
    trader.wire("average", "value", "uptrend", "average")
    trader.wire("dip", "signal", "entry", "signals")
    trader.wire("uptrend", "filter", "entry", "filters")
    trader.wire("stop", "risk", "entry", "risk")
    trader.wire("target", "risk", "entry", "risk")
    trader.wire("size", "money", "entry", "money")


def _set_parameters(trader: Trader) -> None:
    for node, values in {
        "rsi": {"timeperiod": "2"},
        "average": {"timeperiod": "200"},
        "dip": {"long_entry": "15", "long_exit": "65", "mode": "return", "direction": "long"},
        "uptrend": {"direction": "up", "group": "trade"},
        "stop": {"percent": "10"},
        "target": {"percent": "15"},
        "size": {"percent": "95"},
    }.items():
        trader.select(node)
        for field, value in values.items():
            trader.fill(value, field)
    trader.select_nothing()
    trader.fill("RSI pullback", "name")
    trader.fill("IBM", "symbol")
    trader.fill("0.01", "tick_size")
    trader.fill("1", "lot_size")
    trader.fill("0.05", "run", "commission", "percent")
    trader.fill("1", "run", "commission", "minimum")
    trader.fill("2", "run", "slippage", "bps")


def main(file: Path) -> None:
    """Build it on the screen that there is, by dragging, and print the story."""
    application = make_application("light")
    desktop = Shell(Settings()).desktop
    desktop.window.resize(*SIZE)
    desktop.window.show()
    QTest.qWaitForWindowExposed(desktop.window)
    desktop.window.activateWindow()
    QTest.qWaitForWindowActive(desktop.window)
    story = build(desktop, file, can_drag=True)
    sys.stdout.write(json.dumps(asdict(story)))
    desktop.shell.shut()
    application.processEvents()
    QApplication.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
