"""A window of the program, with everything in it, for tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytestqt.qtbot import QtBot

from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.shell import Shell
from quantcrafter.app.window.startup.application import make_application
from quantcrafter.app.window.tabs.tab import StrategyTab

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "resources" / "examples"


@contextmanager
def open_window(qtbot: QtBot, *files: Path, size: tuple[int, int] = (1280, 720)) -> Iterator[Desktop]:
    """Give a window with these files open, on the screen and painted; it is gone afterwards."""
    make_application("light")
    desktop = Shell(Settings()).desktop
    desktop.window.resize(*size)
    with qtbot.waitExposed(desktop.window):
        desktop.window.show()
    for file in files:
        desktop.file_controller.open(file)
    try:
        yield desktop
    finally:
        desktop.shell.shut()
        desktop.window.hide()
        desktop.window.deleteLater()


def copy_example(name: str, folder: Path) -> Path:
    """Return a copy of a shipped example that a test may change."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(EXAMPLES / f"{name}.yaml", folder / f"{name}.yaml"))


def tab_of(desktop: Desktop) -> StrategyTab:
    """Return the current strategy."""
    tab = desktop.tab
    if tab is None:
        raise AssertionError("No strategy is open.")
    return tab
