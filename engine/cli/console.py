"""Where the command line prints: plain when piped or when NO_COLOR is set, styled on a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, TextIO

from quantcrafter.engine.cli.streams import results

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 120
_RED, _YELLOW, _BOLD, _DIM = "1;31", "1;33", "1", "2"


def is_terminal(stream: TextIO) -> bool:
    """Return whether a person is likely to be looking at the stream."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def console(*, stderr: bool = False) -> Console:
    """Return a rich console that takes text as it is: no markup, no emoji, no guessing at what to colour."""
    from rich.console import Console

    stream = sys.stderr if stderr else results()
    width = None if is_terminal(stream) or os.environ.get("COLUMNS") else PIPED_WIDTH
    return Console(
        stderr=stderr, file=None if stderr else stream, markup=False, emoji=False, highlight=False, width=width
    )


def table(*columns: str, right: tuple[str, ...] = (), title: str | None = None) -> Table:
    """Return a plain table: bold headings, two blanks between columns, no frame; columns in `right` align right."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title=title, title_justify="left", title_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", header_style="bold", overflow="fold")
    return made


def paint(text: str, code: str, stream: TextIO) -> str:
    """Return the text in a colour (an ANSI code) when the stream is a terminal and NO_COLOR is not set."""
    if not is_terminal(stream) or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def complain(message: str) -> None:
    """Print an error on stderr."""
    sys.stderr.write(f"{paint('error:', _RED, sys.stderr)} {printable(message)}\n")


def warn(message: str) -> None:
    """Print a warning on stderr."""
    sys.stderr.write(f"{paint('warning:', _YELLOW, sys.stderr)} {printable(message)}\n")


def note(message: str) -> None:
    """Print a remark on stderr, where it is not mistaken for a result."""
    sys.stderr.write(f"{printable(message)}\n")


def printable(text: str) -> str:
    """Return the text with control characters made visible, so that a file cannot steer the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def print_json(data: Any) -> None:
    """Print strict JSON on stdout."""
    results().write(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def terminal_width() -> int:
    """Return the number of columns of the terminal."""
    return shutil.get_terminal_size((80, 24)).columns
