"""`quantcrafter run`: run a strategy file and show what happened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from engine.cli.catalog import registry_with_warnings
from engine.cli.console import console, note, warn
from engine.cli.interrupt import cancel_on_interrupt
from engine.cli.problems import print_problems
from engine.cli.progress import show_progress

if TYPE_CHECKING:
    from engine.api import EngineAdapter
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
    from engine.runtime.source import load_graph

    _check_mode(mode)
    registry = registry_with_warnings()
    graph = load_graph(file, registry, settings or ())
    print_problems(graph.warnings)
    if not quiet:
        _say_if_compiling(registry.engine(engine or graph.spec.run.engine))
    with cancel_on_interrupt() as cancelled, show_progress(quiet=quiet) as progress:
        result = run_strategy(
            graph, registry=registry, mode=mode, engine=engine, progress=progress, cancelled=cancelled
        )
    for finding in result.findings:
        warn(finding)
    for guess in result.notes:
        note(guess)
    run_id = None if no_history else _keep(result)
    written = _write(result, json, trades, report)
    if json == STDOUT:
        from pydantic_core import to_json

        sys.stdout.write(to_json(result.to_json(), indent=2).decode() + "\n")
    if not quiet:
        from engine.cli.summary import print_summary

        print_summary(console(stderr=json == STDOUT), result, run_id, written)


def _check_mode(mode: str | None) -> None:
    from engine.api import RunSettings

    modes = get_args(RunSettings.model_fields["mode"].annotation)
    if mode is not None and mode not in modes:
        raise typer.BadParameter(f"there is no mode '{mode}'; there are {', '.join(modes)}.", param_hint="'--mode'")


def _say_if_compiling(engine: type[EngineAdapter] | None) -> None:
    if engine is not None and not engine().is_ready():
        note("Compiling the simulator for this machine, once; about 10 s ...")


def _write(result: RunResult, json: Path | None, trades: Path | None, report: Path | None) -> dict[str, Path]:
    """Write the files asked for and return them by what they are."""
    written: dict[str, Path] = {}
    if json is not None and json != STDOUT:
        written["Result"] = result.write_json(json)
    if trades is not None:
        written["Trades"] = result.write_trades_csv(trades)
    if report is not None:
        written["Report"] = result.write_report(report)
    return written


def _keep(result: RunResult) -> str | None:
    """Put the run into the history and return its id; a history that cannot be used does not spoil the run."""
    from engine.api import RunError
    from engine.runtime.history import RunHistory, RunRecord

    try:
        return RunHistory().add(RunRecord.from_result(result))
    except RunError as error:
        warn(f"The run is not kept: {error}")
        return None
