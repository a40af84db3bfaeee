"""`quantcrafter start`: keep strategies running, in hosts of this process, or of an orchestrator that runs already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quantcrafter.engine.api import RunError, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.place import settings_from_folder
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.cli.config import ConfigFolder, check_places, configured
from quantcrafter.engine.cli.console import note
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.problems import print_problems
from quantcrafter.engine.cli.run import STDOUT, STDOUT_FILES

if TYPE_CHECKING:
    from quantcrafter.engine.api import Broker, Feed, Problem
    from quantcrafter.engine.graph import BoundGraph
    from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
    from quantcrafter.engine.plugins import Registry


@dataclass(frozen=True)
class Starting:
    """A strategy file that is to be started: its graph, what it is called, in which mode it runs, and whose it is."""

    graph: BoundGraph
    folder: Path
    mode: str
    user_id: str | None = None


def start(  # noqa: PLR0913 - its options
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Strategy files; without any, the strategies of the store, and what ran when it was killed.",
            metavar="[FILE]...",
            show_default=False,
        ),
    ] = None,
    *,
    mode: Annotated[
        str | None,
        typer.Option("--mode", "-m", help="Overrides run.mode: paper, or replay. A backtest starts as paper."),
    ] = None,
    feed: Annotated[
        str | None,
        typer.Option(
            "--feed", "-f", metavar="NAME[:TEXT]", help="Where bars come from; that of the configuration: replay:60x."
        ),
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option(
            "--broker", "-b", metavar="NAME[:TEXT]", help="Who fills the orders; that of the configuration: paper."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="PATH=VALUE", help="Change a value, such as run.cash=5000; repeatable."),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Trade real money, with a broker that does.")] = False,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background.")] = False,
    no_api: Annotated[bool, typer.Option("--no-api", help="Serve no API and web page.")] = False,
    until_end: Annotated[bool, typer.Option("--until-end", help="End when the feeds have ended.")] = False,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="OUT", help="With --until-end: write the result as 'run' does; - is stdout."),
    ] = None,
    config: ConfigFolder = None,
    user_id: Annotated[
        str | None, typer.Option("--user-id", "-u", metavar="USER", help="Whose workers they are; part of their keys.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")] = False,
) -> None:
    """Keep strategies running on a feed. A worker that ran before goes on where it was."""
    _check_options(files or (), mode, json, until_end=until_end, detach=detach, live=live)
    configuration = configured(config, user_id)
    registry = registry_with_warnings()
    if feed is None or broker is None:
        check_places(configuration, registry)
    feed = settings_from_folder(configuration.settings.feed, configuration.folder) if feed is None else feed
    broker = settings_from_folder(configuration.settings.broker, configuration.folder) if broker is None else broker
    between = _feed_of(feed, registry), _broker_of(broker, registry)
    if until_end:
        from quantcrafter.engine.cli.until_end import run_until_end

        json = STDOUT if json in STDOUT_FILES else json
        run_until_end(
            lambda: _starting(files or (), registry, between, settings or (), mode, user_id, live=False),
            between,
            json,
            quiet=quiet,
        )
        return
    from quantcrafter.engine.cli.orchestrating import (
        hand_over,
        in_background,
        in_foreground,
        refuse_silent_money,
        show_account,
    )
    from quantcrafter.engine.cli.store_rows import rows_of
    from quantcrafter.engine.orchestrator.worker_config import WorkerConfig

    starting = _starting(files or (), registry, between, settings or (), mode, user_id, live=live)
    if live and starting:
        show_account(between[1].beside(str(starting[0].graph.spec.base_dir)))
    if not live:
        refuse_silent_money()
    configs = [
        WorkerConfig.of(each.graph, each.folder.name, feed=feed, broker=broker, mode=each.mode, user_id=user_id)
        for each in starting
    ]
    if detach:
        in_background(configs, live=live, api=not no_api)
    elif not hand_over(configs):
        rows = None if files else rows_of(configuration, live=live)
        in_foreground(configs, rows, notices=configuration.settings.notices, quiet=quiet, api=not no_api)


# ------------------------------------------------------------------------------------------------------------- options


def _check_options(
    files: Sequence[Path], mode: str | None, json: Path | None, *, until_end: bool, detach: bool, live: bool
) -> None:
    """Refuse options that don't go together."""
    from quantcrafter.engine.orchestrator.worker_config import LIVE, MODES

    if mode is not None and mode not in (*MODES, LIVE):
        known = ", ".join((*MODES, LIVE))
        raise typer.BadParameter(f"there is no mode '{mode}'; there are {known}.", param_hint="'--mode'")
    if json is not None and not until_end:
        raise typer.BadParameter("it needs --until-end.", param_hint="'--json'")
    for given, name in ((detach, "'--detach'"), (live, "'--live'")):
        if until_end and given:
            raise typer.BadParameter("with --until-end it can't be used.", param_hint=name)
    if until_end and not files:
        raise typer.BadParameter("--until-end needs a file.", param_hint="'[FILE]...'")


def _starting(
    files: Sequence[Path],
    registry: Registry,
    between: tuple[Feed, Broker],
    settings: Sequence[str],
    mode: str | None,
    user_id: str | None,
    *,
    live: bool,
) -> list[Starting]:
    """Load the strategy files."""
    from quantcrafter.engine.live.places import folders_for

    changes = [*settings, *_span(between[0])]
    folders = folders_for(files, user_id)
    keys = [folder.name for folder in folders]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise typer.BadParameter(f"the worker '{twice}' is named twice.", param_hint="'FILE...'")
    graphs = _loaded(files, registry, changes)
    return [
        replace(_prepared(file, folder, graph, registry, between, mode, live=live), user_id=user_id)
        for file, folder, graph in zip(files, folders, graphs, strict=True)
    ]


def _loaded(files: Sequence[Path], registry: Registry, changes: Sequence[str]) -> list[BoundGraph]:
    """Load the strategies, before anything is done with their workers.

    Raises:
        SpecError: some of them can't run; it has the problems of all of them.
    """
    from quantcrafter.engine.orchestrator.worker_config import check_engine
    from quantcrafter.engine.runtime.running.load_graph import load_graph

    graphs: list[BoundGraph] = []
    problems: list[Problem] = []
    for file in files:
        try:
            graph = load_graph(file, registry, changes, by_hand=True)
            check_engine(graph, registry)
            graphs.append(graph)
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    print_problems([each for graph in graphs for each in graph.warnings])
    return graphs


def _prepared(
    file: Path,
    folder: Path,
    graph: BoundGraph,
    registry: Registry,
    between: tuple[Feed, Broker],
    mode: str | None,
    *,
    live: bool,
) -> Starting:
    """Return a strategy that is to be started; its worker begins anew if it can't go on.

    That is if its replay has ended, the strategy of a replay has changed, or it is given another feed or broker.

    Raises:
        RunError: its worker runs otherwise; or it can't be started in its mode, or with this broker.
    """
    from quantcrafter.engine.live.input_log import LOG, is_running
    from quantcrafter.engine.live.origin import why_begins_anew
    from quantcrafter.engine.live.worker_folder import check_log_is_there, put_aside_if_over
    from quantcrafter.engine.orchestrator.registry import registered_workers
    from quantcrafter.engine.orchestrator.worker_config import WorkerConfig, mode_of
    from quantcrafter.engine.spec.identity import strategy_hash

    feed, broker = between
    found = mode_of(graph, mode, feed, broker, live=live)
    known = registered_workers().get(folder.name)
    if known is not None and not (folder / LOG).exists() and known.config.file != str(file.absolute()):
        raise RunError(
            Message(
                "The worker '{key}' is registered for '{other}' and has not begun. Rename one of the files.",
                key=folder.name,
                other=shown_path(known.config.file),
            )
        )
    if known is not None and folder.exists() and is_running(folder):
        if known.config.strategy_hash != strategy_hash(graph.spec):
            raise RunError(
                Message(
                    "The worker '{key}' runs with another strategy. Stop it first: quantcrafter stop {key}",
                    key=folder.name,
                )
            )
        if isinstance(known.config, WorkerConfig) and (why := _runs_elsewhere(known.config, registry, between)):
            raise RunError(
                Message(
                    "The worker '{key}' runs: {why}. Stop it first: quantcrafter stop {key}", key=folder.name, why=why
                )
            )
        note(f"Worker '{folder.name}' is running already.")
        return Starting(graph, folder, found)
    place, previous = str(graph.spec.base_dir), shown_path(folder / "previous")
    if feed.own_clock and put_aside_if_over(folder, graph):
        why = "its replay has ended, or its strategy has changed"
        note(f"Worker '{folder.name}' begins anew: {why}. Its log is in {previous}.")
        return Starting(graph, folder, found)
    check_log_is_there(folder)
    if why := why_begins_anew(folder, feed.beside(place), broker.beside(place)):
        note(f"Worker '{folder.name}' begins anew: {why}. Its log goes to {previous}.")
    return Starting(graph, folder, found)


def _runs_elsewhere(config: WorkerConfig, registry: Registry, between: tuple[Feed, Broker]) -> str:
    """Return what differs between the feed and the broker of a worker that runs and those that it is to have."""
    from quantcrafter.engine.live.origin import elsewhere, origin_of
    from quantcrafter.engine.orchestrator.worker_config import broker_named, feed_named

    runs = feed_named(config.feed, registry), broker_named(config.broker, registry)
    return elsewhere(origin_of(*runs), *between)


def _feed_of(text: str, registry: Registry) -> Feed:
    from quantcrafter.engine.orchestrator.worker_config import feed_named

    try:
        return feed_named(text, registry)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="'--feed'") from error


def _broker_of(text: str, registry: Registry) -> Broker:
    from quantcrafter.engine.orchestrator.worker_config import broker_named

    try:
        return broker_named(text, registry)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="'--broker'") from error


def _span(feed: Feed) -> list[str]:
    """Return the changes of the strategy that a feed's span makes: a replay begins and ends as a backtest does."""
    span = {"run.start": getattr(feed, "begin", ""), "run.end": getattr(feed, "end", "")} if feed.replays else {}
    return [f"{path}={value}" for path, value in span.items() if value]
