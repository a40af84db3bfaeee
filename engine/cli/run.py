"""`quantcrafter run`: run a strategy file and show what happened."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from engine.cli.catalog import registry_with_warnings
from engine.cli.console import console, note, warn
from engine.cli.interrupt import cancel_on_interrupt
from engine.cli.problems import has_errors, print_problems
from engine.cli.progress import show_progress

if TYPE_CHECKING:
    from engine.api import EngineAdapter, Problem
    from engine.graph import BoundGraph
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
    from engine.runtime.source import load_graph

    _check_mode(mode)
    registry = registry_with_warnings()
    print_problems(_warnings(file, registry, settings or []))
    graph = load_graph(file, registry, settings or ())
    if not quiet:
        _say_if_compiling(registry.engine(engine or graph.spec.run.engine))
    with cancel_on_interrupt() as cancelled, show_progress(quiet=quiet) as progress:
        result = run_strategy(
            graph.spec, registry=registry, mode=mode, engine=engine, progress=progress, cancelled=cancelled
        )
    for finding in result.findings:
        warn(finding)
    origin = _Origin(graph, tuple(settings or ()))
    run_id = None if no_history else _keep(result, origin)
    written = _write(result, origin, json, trades, report)
    if json == STDOUT:
        from pydantic_core import to_json

        sys.stdout.write(to_json(result.to_json(), indent=2).decode() + "\n")
    if not quiet:
        from engine.cli.summary import print_summary

        print_summary(console(stderr=json == STDOUT), result, run_id, written)


def _warnings(file: Path, registry: Registry, settings: list[str]) -> list[Problem]:
    """Return the warnings about the file; raise if there are errors."""
    from engine.api import SpecError
    from engine.runtime.source import validate_file

    problems = validate_file(file, registry, settings)
    if has_errors(problems):
        raise SpecError(problems)
    return problems


def _check_mode(mode: str | None) -> None:
    from engine.api import RunSettings

    modes = get_args(RunSettings.model_fields["mode"].annotation)
    if mode is not None and mode not in modes:
        raise typer.BadParameter(f"there is no mode '{mode}'; there are {', '.join(modes)}.", param_hint="'--mode'")


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a run came from."""

    graph: BoundGraph
    overrides: tuple[str, ...]


def _say_if_compiling(engine: type[EngineAdapter] | None) -> None:
    if engine is not None and not engine().is_ready():
        note("Compiling the simulator for this machine, once; about 10 s ...")


def _write(
    result: RunResult, origin: _Origin, json: Path | None, trades: Path | None, report: Path | None
) -> dict[str, Path]:
    """Write the files asked for and return them by what they are."""
    written: dict[str, Path] = {}
    if json is not None and json != STDOUT:
        written["Result"] = result.write_json(json)
    if trades is not None:
        written["Trades"] = result.write_trades_csv(trades)
    if report is not None:
        from engine.cli.report_view import report_data
        from engine.stats.report import write_report

        written["Report"] = write_report(report, report_data(result, origin.graph, origin.overrides))
    return written


def _keep(result: RunResult, origin: _Origin) -> str | None:
    """Put the run into the history and return its id; a history that cannot be used does not spoil the run."""
    from engine.api import RunError
    from engine.runtime.history import RunHistory, RunRecord
    from engine.runtime.run import spec_hash

    spec = origin.graph.spec
    record = RunRecord.from_result(
        result,
        file=Path(spec.file).absolute(),
        spec_text=spec.text,
        spec_hash=spec_hash(origin.graph),
        overrides=origin.overrides,
    )
    try:
        return RunHistory().add(record)
    except RunError as error:
        warn(f"The run is not kept: {error}")
        return None
