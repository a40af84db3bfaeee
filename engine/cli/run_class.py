"""Options of `quantcrafter run`: a strategy class to run, and a benchmark that overrides that of the file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from quantcrafter.engine.cli.interrupt import cancel_on_interrupt
from quantcrafter.engine.cli.progress import show_progress

if TYPE_CHECKING:
    from quantcrafter.engine.plugins import Registry
    from quantcrafter.engine.runtime.results.result import RunResult
    from quantcrafter.engine.runtime.strategy_classes.class_run import ClassSource


def class_source(
    path: str,
    engine: str | None,
    data: Sequence[str],
    parameters: Sequence[str],
    timeframe: str,
    changes: Sequence[str],
) -> ClassSource:
    """Return the strategy class with its data and parameters.

    Raises:
        typer.BadParameter: an option is missing, or cannot be read.
    """
    from quantcrafter.engine.runtime.strategy_classes.class_run import ClassSource

    if engine is None:
        raise typer.BadParameter(
            "say which engine the class is written for, such as --engine backtrader.", param_hint="'--engine-class'"
        )
    if not data:
        raise typer.BadParameter(
            "say what to run it on, such as --data prices.csv or --data sample:AAPL.", param_hint="'--engine-class'"
        )
    return ClassSource(path, engine, tuple(data), dict(map(_parameter, parameters)), timeframe, tuple(changes))


def check_alone(file: Path | None, class_options: bool) -> None:  # noqa: FBT001 - one fact
    """Refuse options of a strategy class together with a file, and a run without either.

    Raises:
        typer.BadParameter: the options do not go together.
    """
    if file is None:
        raise typer.BadParameter("name a strategy file, or a class by --engine-class.", param_hint="'FILE'")
    if class_options:
        raise typer.BadParameter(
            "--data, --params and --timeframe belong to --engine-class; a strategy file has its own. Use --set to"
            " change a value of it.",
            param_hint="'FILE'",
        )


def benchmark_change(written: str, strategy: Path | None) -> str:
    """Return the setting of `--benchmark`. A path is relative to the current folder, and is allowed to be read."""
    from json import dumps

    from quantcrafter.engine.api.folders import allow_for_now

    here = Path(written).expanduser()
    if here.suffix and here.is_file():
        allow_for_now(here.absolute())
        beside = Path() if strategy is None else strategy.parent
        written = str(here.absolute()) if here.absolute().parent != beside.absolute() else here.name
    return f"run.benchmark={dumps(written, ensure_ascii=False)}"


def run_source(source: ClassSource, registry: Registry, *, quiet: bool) -> RunResult:
    """Run a strategy class; what it prints goes to stderr, where it is not mistaken for a result."""
    from quantcrafter.engine.runtime.strategy_classes.class_run import run_class

    with (
        cancel_on_interrupt() as cancelled,
        show_progress(quiet=quiet) as progress,
        contextlib.redirect_stdout(sys.stderr),
    ):
        return run_class(source, registry=registry, progress=progress, cancelled=cancelled)


def _parameter(text: str) -> tuple[str, Any]:
    """Return name and value of `name=value`; the value is read as in a strategy file."""
    from quantcrafter.engine.spec.compose import compose_setting
    from quantcrafter.engine.spec.source import ProblemLog
    from quantcrafter.engine.spec.tree import plain

    name, equals, value = text.partition("=")
    log = ProblemLog()
    node = compose_setting(value, "--params", log) if value.strip() else None
    if not equals or not name.isidentifier() or node is None or log.in_order():
        raise typer.BadParameter(f"a parameter is NAME=VALUE, such as fast=10, was '{text}'.", param_hint="'--params'")
    return name, plain(node)
