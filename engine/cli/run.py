"""`quantcrafter run`: run a strategy file and show what happened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.catalog import registry_with_warnings
from engine.cli.console import console, warn
from engine.cli.interrupt import cancel_on_interrupt
from engine.cli.progress import show_progress

if TYPE_CHECKING:
    from engine.plugins import Registry
    from engine.runtime.result import RunResult

STDOUT = Path("-")


def run(  # noqa: PLR0913 - one argument an option
    file: Annotated[Path, typer.Argument(help="Strategy file.", metavar="FILE")],
    *,
    mode: Annotated[str | None, typer.Option("--mode", "-m", help="Instead of run.mode: backtest.")] = None,
    engine: Annotated[str | None, typer.Option("--engine", "-e", help="Instead of run.engine: native.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "-s",
            metavar="PATH=VALUE",
            help="Change a value, such as indicators.fast.timeperiod=20; repeatable.",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write the whole result as JSON; - is stdout.")
    ] = None,
    trades: Annotated[Path | None, typer.Option("--trades", metavar="CSV", help="Write the trades as CSV.")] = None,
    report: Annotated[Path | None, typer.Option("--report", metavar="HTML", help="Write the report.")] = None,
    no_history: Annotated[bool, typer.Option("--no-history", help="Do not keep the run for 'runs'.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")] = False,
) -> None:
    """Run a strategy file and show what happened."""
    from engine.runtime.run import run as run_strategy

    registry = registry_with_warnings()
    with cancel_on_interrupt() as cancelled, show_progress(quiet=quiet) as progress:
        result = run_strategy(
            file,
            registry=registry,
            overrides=settings or (),
            mode=mode,
            engine=engine,
            progress=progress,
            cancelled=cancelled,
        )
    for finding in result.findings:
        warn(finding)
    written = _write(result, json, trades, report)
    run_id = None if no_history else _keep(result, file, settings or [], registry)
    if json == STDOUT:
        from pydantic_core import to_json

        sys.stdout.write(to_json(result.to_json(), indent=2).decode() + "\n")
    if not quiet:
        from engine.cli.summary import print_summary

        print_summary(console(stderr=json == STDOUT), result, run_id, written)


def _write(result: RunResult, json: Path | None, trades: Path | None, report: Path | None) -> dict[str, Path]:
    """Write the files asked for and return them by what they are."""
    written: dict[str, Path] = {}
    if json is not None and json != STDOUT:
        written["Result"] = result.write_json(json)
    if trades is not None:
        written["Trades"] = result.write_trades_csv(trades)
    if report is not None:
        from engine.stats.report import write_report

        written["Report"] = write_report(result, report)
    return written


def _keep(result: RunResult, file: Path, settings: list[str], registry: Registry) -> str | None:
    """Put the run into the history and return its id; a history that cannot be used does not spoil the run."""
    from engine.api import RunError
    from engine.runtime.history import RunHistory, RunRecord
    from engine.runtime.run import spec_hash
    from engine.runtime.source import load_graph
    from engine.spec import read_strategy_text

    record = RunRecord.from_result(
        result,
        file=file.resolve(),
        spec_text=read_strategy_text(file),
        spec_hash=spec_hash(load_graph(file, registry, settings)),
        overrides=settings,
    )
    try:
        return RunHistory().add(record)
    except RunError as error:
        warn(f"The run is not kept: {error}")
        return None
