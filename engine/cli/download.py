"""`quantcrafter data download` and `data update`: bars from servers into the bar store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.cli.console import complain, console, is_terminal, note, print_json
from quantcrafter.engine.cli.data_options import Json, Repair, Settings, frame_of, options_of, series_json
from quantcrafter.engine.cli.main import FAILED, WRONG_INPUT

if TYPE_CHECKING:
    from quantcrafter.engine.api import DataError
    from quantcrafter.engine.data.download.batch import Outcome, Task
    from quantcrafter.engine.data.download.download import Progress
    from quantcrafter.engine.data.store import BarStore
    from quantcrafter.engine.plugins import Registry


def download(  # noqa: PLR0913 - the options of a command
    symbols: Annotated[
        list[str],
        typer.Argument(help="Symbols in the notation of the provider, such as BTC/USDT or AAPL.", metavar="SYMBOL..."),
    ],
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="PROVIDER", help="Provider, such as yfinance or ccxt:binance.")
    ],
    timeframe: Annotated[str, typer.Option("--timeframe", "-t", help="Length of the bars, such as 1m or 1d.")] = "1d",
    since: Annotated[
        str | None,
        typer.Option("--since", help="The first year, month, day or time (UTC), such as 2020 or 2024-05-31."),
    ] = None,
    adjust: Annotated[
        str | None, typer.Option("--adjust", help="What prices are adjusted for: none, splits or all.")
    ] = None,
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Store one symbol under another name.")] = "",
    settings: Settings = None,
    repair: Repair = False,
    json: Json = False,
) -> None:
    """Download bars into the store; existing series are continued."""
    from quantcrafter.engine.api import DataError
    from quantcrafter.engine.cli.installed import registry_with_warnings
    from quantcrafter.engine.data.download.batch import Task, provider_of
    from quantcrafter.engine.data.download.download import Wish, check_wish, origin_of
    from quantcrafter.engine.data.download.since import since_ns
    from quantcrafter.engine.data.store import BarStore

    if name and len(symbols) > 1:
        raise typer.BadParameter(f"it names one symbol, {len(symbols)} are given.", param_hint="'--as'")
    registry, store, frame = registry_with_warnings(), BarStore(), frame_of(timeframe)
    try:
        provider = provider_of(registry, source, options_of(settings))
        adjustment = adjust or provider.adjustments[0]
        first_ns = None if since is None else since_ns(since)
        wishes = [Wish(symbol, frame, first_ns, adjustment, name) for symbol in dict.fromkeys(symbols)]
        check_wish(provider, wishes[0])
        for wish in wishes:
            origin_of(provider, wish, store.find(wish.stored_as, frame))
    except DataError as error:
        raise _refused(error) from None
    _download_tasks(registry, store, [Task(provider, wish) for wish in wishes], repair=repair, json=json)


def update(
    symbol: Annotated[str | None, typer.Argument(help="Only this symbol.", metavar="[SYMBOL]")] = None,
    timeframe: Annotated[
        str | None, typer.Argument(help="Only this length of the bars, such as 1m or 1d.", metavar="[TIMEFRAME]")
    ] = None,
    *,
    repair: Repair = False,
    json: Json = False,
) -> None:
    """Download the new bars of all series that were downloaded before."""
    from quantcrafter.engine.cli.installed import registry_with_warnings
    from quantcrafter.engine.data.download.batch import updates
    from quantcrafter.engine.data.store import BarStore

    registry, store = registry_with_warnings(), BarStore()
    if symbol is None:
        series = [each for each in store.list() if each.origin is not None]
        if not series:
            note("Nothing was downloaded yet. 'quantcrafter data download SYMBOL' downloads bars.")
    elif timeframe is None:
        series = store.list(symbol)
        if not series:
            raise store.unknown(symbol)
    else:
        series = [store.series(symbol, frame_of(timeframe))]
    _download_tasks(registry, store, updates(registry, series), repair=repair, json=json)


def _refused(error: DataError) -> typer.Exit:
    """Print why arguments are refused, unless a library is missing."""
    complain(str(error))
    return typer.Exit(WRONG_INPUT if error.field else FAILED)


def _download_tasks(registry: Registry, store: BarStore, tasks: Iterable[Task], *, repair: bool, json: bool) -> None:
    from quantcrafter.engine.data.download.batch import download_tasks
    from quantcrafter.engine.data.download.download import Conduct

    outcomes: list[Outcome] = []
    try:
        with _progress() as step:
            conduct = Conduct("repair" if repair else "refuse", tell=note, step=step)
            for outcome in download_tasks(store, tasks, registry.markets, conduct):
                outcomes.append(outcome)
                _tell(outcome)
    except KeyboardInterrupt:
        note("The downloaded bars are stored. Run the same command again to continue.")
        raise
    if json:
        print_json([_as_json(outcome) for outcome in outcomes])
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(FAILED)


def _tell(outcome: Outcome) -> None:
    from quantcrafter.engine.data.labels import bar_label

    if outcome.done is None:
        complain(outcome.error)
        return
    for text in outcome.done.notes:
        note(text)
    series = outcome.done.series
    first, last = (bar_label(ts_ns, series.timeframe, series.session) for ts_ns in (series.first_ns, series.last_ns))
    missing = f", {series.missing:,} missing" if series.missing else ""
    note(
        f"{series.symbol} {series.timeframe}: {max(outcome.done.added, 0):,} bars downloaded, {_adjusted(outcome)}. "
        f"The store has {series.count:,} now, {first} to {last}{missing}."
    )


def _adjusted(outcome: Outcome) -> str:
    from quantcrafter.engine.data.download.download import ADJUSTED_TEXTS

    origin = outcome.done.series.origin if outcome.done is not None else None
    return "" if origin is None else str(ADJUSTED_TEXTS.get(origin.adjustment, origin.adjustment))


def _as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome for JSON; times are UTC nanoseconds."""
    made: dict[str, Any] = {"symbol": outcome.symbol, "timeframe": str(outcome.timeframe)}
    if outcome.done is None:
        return {**made, "error": outcome.error}
    done = outcome.done
    return {
        **made,
        "added": done.added,
        "adjusted_anew": done.adjusted,
        "notes": list(done.notes),
        "series": series_json(done.series),
    }


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Give a function that shows how far a download is: a bar on a terminal, nothing elsewhere."""
    if not is_terminal(sys.stderr):
        yield lambda _progress: None
        return
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[bars]:,} bars"),
        TimeRemainingColumn(),
    )
    rows: dict[str, TaskID] = {}
    with Bars(*columns, console=console(stderr=True), transient=True, redirect_stdout=False) as shown:

        def step(progress: Progress) -> None:
            if progress.name not in rows:
                for row in rows.values():
                    shown.update(row, visible=False)
                rows[progress.name] = shown.add_task(progress.name, total=1.0, bars=0)
            shown.update(rows[progress.name], completed=progress.share, bars=progress.bars)

        yield step
