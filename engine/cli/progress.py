"""The progress bar of a run: on stderr, only on a terminal, with one line for each stage."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from quantcrafter.engine.cli.console import console, is_terminal

STAGES = {
    "load": "Loading data",
    "columns": "Computing columns",
    "simulate": "Simulating",
    "check": "Checking",
}
Progress = Callable[[str, int, int], None]


@contextmanager
def show_progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Give a function to call with a stage, and how much of how much is done."""
    if quiet or not is_terminal(sys.stderr):
        yield _ignore
    else:
        with _bars() as bars:
            yield bars


def _ignore(_stage: str, _done: int, _total: int) -> None:
    """Show nothing."""


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console(stderr=True), transient=True, redirect_stdout=False) as shown:

        def update(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(f"{STAGES.get(stage, stage):<18}", total=total)
            shown.update(tasks[stage], completed=done, total=total)

        yield update
