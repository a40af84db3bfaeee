"""A window of the program, with everything in it, for tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.services.settings import Settings
from app.window.application import make_application
from app.window.main_window import MainWindow
from app.window.tab import StrategyTab
from engine.api import Problem

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "resources" / "examples"


@contextmanager
def open_window(qtbot: QtBot, *files: Path, size: tuple[int, int] = (1280, 720)) -> Iterator[MainWindow]:
    """Give a window with these files open, on the screen and painted; it is gone afterwards."""
    make_application("light")
    window = MainWindow(Settings())
    window.resize(*size)
    with qtbot.waitExposed(window):
        window.show()
    for file in files:
        window.desk.open(file)
    try:
        yield window
    finally:
        window.shut()
        window.hide()
        window.deleteLater()


def copy_example(name: str, folder: Path) -> Path:
    """Return a copy of a shipped example that a test may change."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(EXAMPLES / f"{name}.yaml", folder / f"{name}.yaml"))


def tab_of(window: MainWindow) -> StrategyTab:
    """Return the strategy in front."""
    tab = window.tab
    if tab is None:
        raise AssertionError("No strategy is open.")
    return tab


def errors_of(window: MainWindow) -> list[Problem]:
    """Return what validation finds about the strategy in front."""
    return list(tab_of(window).document.problems)
