"""`quantcrafter app`: open the desktop application, if it is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message

GROUP = "quantcrafter.desktop"
NEEDED = ("PySide6", "networkx")


def app(
    files: Annotated[list[Path] | None, typer.Argument(help="Strategy files to open.", metavar="[FILE]...")] = None,
    *,
    screenshot: Annotated[
        Path | None, typer.Option("--screenshot", metavar="PNG", help="Save a screenshot of the window and exit.")
    ] = None,
    size: Annotated[str, typer.Option("--size", metavar="WxH", help="Size of the screenshot.")] = "1280x720",
    theme: Annotated[str, typer.Option("--theme", help="Theme of the screenshot: light or dark.")] = "light",
) -> int:
    """Open the desktop application."""
    picture = ["--screenshot", str(screenshot), "--size", size, "--theme", theme] if screenshot else []
    return _desktop()([*picture, "--", *(str(file) for file in files or ())])


def _desktop() -> Callable[[Sequence[str]], int]:
    """Return the desktop's entry point.

    Raises:
        RunError: the desktop, or a library that it needs, is not installed.
    """
    found = next(iter(entry_points(group=GROUP, name="main")), None)
    if found is None:
        raise RunError(Message("The desktop application is not part of this installation. {remedy}", remedy=_remedy()))
    for module in NEEDED:
        if find_spec(module) is None:
            raise RunError(
                Message(
                    "The desktop application needs '{module}', which is not installed. {remedy}",
                    module=module,
                    remedy=_remedy(),
                )
            )
    main: Callable[[Sequence[str]], int] = found.load()
    return main


def _remedy() -> str:
    return f'Install it: {Path(sys.executable).name} -m pip install "quantcrafter[desktop]"'
