"""The window is composed in one place: no part reaches the others through what holds them all."""

from __future__ import annotations

import ast
from pathlib import Path

APP = Path(__file__).resolve().parents[3] / "app"
WHOLE = {"quantcrafter.app.window.shell", "quantcrafter.app.window.desktop"}
KNOW_THE_WHOLE = {
    "main.py",  # the entry point
    "window/shell.py",  # composes the first half, and knows how to get at the second
    "window/desktop.py",  # composes the second half
    "window/startup/start_steps.py",  # takes the steps of a start
}


def test_no_part_knows_the_whole() -> None:
    knowing = set()
    for path in APP.rglob("*.py"):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
        if imported & WHOLE:
            knowing.add(path.relative_to(APP).as_posix())

    assert knowing == KNOW_THE_WHOLE
