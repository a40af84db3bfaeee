"""`quantcrafter run`: run a strategy file, or a class written for another engine, and show the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import console, note, warn
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.interrupt import cancel_on_interrupt, not_halfway
from quantcrafter.engine.cli.problems import print_problems
from quantcrafter.engine.cli.progress import show_progress
from quantcrafter.engine.cli.run_class import benchmark_change, check_alone, class_source, run_source
from quantcrafter.engine.cli.streams import results

if TYPE_CHECKING:
    from quantcrafter.engine.api import EngineAdapter
    from quantcrafter.engine.plugins import Registry
    from quantcrafter.engine.runtime.results.result import RunResult

STDOUT = Path("-")
STDOUT_FILES = (Path("/dev/stdout"), Path("/dev/fd/1"), Path("/proc/self/fd/1"))


def run(  # noqa: PLR0913 - one argument an option
    file: Annotated[Path | None, typer.Argument(help="Strategy file.", metavar="FILE", show_default=False)] = None,
    *,
    mode: Annotated[str | None, typer.Option("--mode", "-m", help="Overrides run.mode: backtest.")] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", "-e", help="Overrides run.engine: native, backtrader or vnpy.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "-s",
            metavar="PATH=VALUE",
            help="Change a value, such as indicators.fast.timeperiod=20; repeatable.",
        ),
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            "--benchmark",
            "-b",
            metavar="DATA",
            help="Overrides run.benchmark: what to compare with, such as sample:IBM or spy.csv.",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write the whole result as JSON; - is stdout.")
    ] = None,
    trades: Annotated[Path | None, typer.Option("--trades", metavar="CSV", help="Write the trades as CSV.")] = None,
    report: Annotated[Path | None, typer.Option("--report", metavar="HTML", help="Write the report.")] = None,
    engine_class: Annotated[
        str | None,
        typer.Option(
            "--engine-class", metavar="PACKAGE.MODULE.CLASS", help="Run a strategy class of --engine instead."
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="DATA", help="Data of the class: a file, or provider:SYMBOL; repeatable."),
    ] = None,
    params: Annotated[
        list[str] | None,
        typer.Option("--params", "-p", metavar="NAME=VALUE", help="A parameter of the class; repeatable."),
    ] = None,
    timeframe: Annotated[
        str, typer.Option("--timeframe", help="Timeframe of --data, such as 1h.", show_default=False)
    ] = "",
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Of the first generation: the strategy file.", show_default=False
        ),
    ] = None,
    no_history: Annotated[bool, typer.Option("--no-history", help="Don't store the run in the history.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")] = False,
) -> None:
    """Run a strategy file, or a class written for another engine, and show the results."""
    _check_mode(mode)
    if config is not None and file is not None:
        raise typer.BadParameter("it names the strategy file, which is given already.", param_hint="'--config'")
    file = file or config
    json = STDOUT if json in STDOUT_FILES else json
    registry = registry_with_warnings()
    settings = [*(settings or ()), *([] if benchmark is None else [benchmark_change(benchmark, file)])]
    with cancel_on_interrupt() as cancelled:
        if engine_class is not None and file is None:
            source = class_source(engine_class, engine, data or (), params or (), timeframe, settings)
            result = run_source(source, registry, quiet=quiet)
        else:
            check_alone(file, bool(engine_class or data or params or timeframe))
            result = _run_file(file, registry, (mode, engine), settings, quiet=quiet)
        for finding in result.findings:
            warn(finding)
        for guess in result.notes:
            note(guess)
        run_id, written, text = _finish(result, (json, trades, report), cancelled, keep=not no_history)
    results().write(text)
    if not quiet:
        from quantcrafter.engine.cli.summary import print_summary

        print_summary(console(stderr=json == STDOUT), result, run_id, written)


def _run_file(
    file: Path | None,
    registry: Registry,
    choices: tuple[str | None, str | None],
    settings: Sequence[str],
    *,
    quiet: bool,
) -> RunResult:
    from quantcrafter.engine.runtime.running.load_graph import load_graph
    from quantcrafter.engine.runtime.running.run import PENCE
    from quantcrafter.engine.runtime.running.run import run as run_strategy

    mode, engine = choices
    graph = load_graph(Path(file or ""), registry, settings, by_hand=True)
    print_problems(each for each in graph.warnings if each.code != PENCE)  # the data may contradict it
    if not quiet:
        say_if_compiling(registry.engine(engine or graph.spec.run.engine))
    with cancel_on_interrupt() as cancelled, show_progress(quiet=quiet) as progress:
        result = run_strategy(
            graph, registry=registry, mode=mode, engine=engine, progress=progress, cancelled=cancelled
        )
    print_problems(each for each in result.warnings if each.code == PENCE)
    return result


def _check_mode(mode: str | None) -> None:
    from quantcrafter.engine.api import RunSettings

    modes = get_args(RunSettings.model_fields["mode"].annotation)
    if mode is not None and mode not in modes:
        raise typer.BadParameter(f"there is no mode '{mode}'; there are {', '.join(modes)}.", param_hint="'--mode'")


def say_if_compiling(engine: type[EngineAdapter] | None) -> None:
    """Print a note if this is the first run on this machine, which takes longer."""
    from quantcrafter.engine.runtime.running.engines import is_ready

    if engine is not None and not is_ready(engine):
        note("Compiling the simulator for this machine, once; this can take a minute ...")


def _finish(
    result: RunResult,
    places: tuple[Path | None, Path | None, Path | None],
    cancelled: Callable[[], bool],
    *,
    keep: bool,
) -> tuple[str | None, dict[str, Path], str]:
    """Write the requested files and store the run, either all or nothing.

    Returns the run's id, the files by kind, and the text for standard output.

    Raises:
        RunError: a file cannot be written; the run itself is stored anyway.
        RunCancelledError: Ctrl-C was pressed before everything was ready.
    """
    from quantcrafter.engine.api import RunCancelledError, RunError
    from quantcrafter.engine.stats.whole_files import together

    with together() as files:
        try:
            written, text = _write(result, *places)
            if cancelled():
                raise RunCancelledError(Message("The run was cancelled; nothing was written."))  # noqa: TRY301 - as a run does
            with not_halfway():
                files.commit()
                return (_keep(result) if keep else None), written, text
        except RunCancelledError:
            raise
        except RunError:
            run_id = _keep(result) if keep else None
            if run_id is not None:
                note(f"The run itself is stored: 'quantcrafter runs show {run_id}' shows it.")
            raise


def _write(
    result: RunResult, json: Path | None, trades: Path | None, report: Path | None
) -> tuple[dict[str, Path], str]:
    """Write the requested files; return them by kind, and the text for standard output."""
    from pydantic_core import to_json

    written: dict[str, Path] = {}
    text = to_json(result.to_json(), indent=2).decode() + "\n" if json == STDOUT else ""
    if json is not None and json != STDOUT:
        written["Result"] = result.write_json(json)
    if trades is not None:
        written["Trades"] = result.write_trades_csv(trades)
    if report is not None:
        written["Report"] = result.write_report(report)
    return written, text


def _keep(result: RunResult) -> str | None:
    """Store the run in the history and return its id; if the history cannot be used, print a warning."""
    from quantcrafter.engine.api import RunError
    from quantcrafter.engine.runtime.run_store.cleanup import clean
    from quantcrafter.engine.runtime.run_store.history import RunHistory

    history = RunHistory()
    try:
        run_id = history.add(result, columns=False)
    except RunError as error:
        warn(f"The run is not saved: {error}")
        return None
    try:
        clean([history.folder / run_id])
    except RunError as error:
        warn(str(error))
    return run_id
