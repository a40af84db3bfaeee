"""`quantcrafter data`: your own bars."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.cli.console import complain, console, is_terminal, note, print_json, table, warn
from quantcrafter.engine.cli.data_options import Json, Repair, Settings, frame_of, options_of, series_json
from quantcrafter.engine.cli.download import download, update
from quantcrafter.engine.cli.main import WRONG_INPUT
from quantcrafter.engine.cli.time_format import moment_ns

if TYPE_CHECKING:
    from quantcrafter.engine.api import Bars
    from quantcrafter.engine.data.findings import Finding
    from quantcrafter.engine.data.store import BarStore, Series
    from quantcrafter.engine.data.store.bar_files import ImportOptions

Symbol = Annotated[str, typer.Argument(help="Symbol in the store, such as SPY.", metavar="SYMBOL")]
Frame = Annotated[str, typer.Argument(help="Length of the bars, such as 1m or 1d.", metavar="TIMEFRAME")]
OneOrAll = Annotated[
    str | None, typer.Argument(help="Length of the bars, such as 1m or 1d; all if left out.", metavar="[TIMEFRAME]")
]
Start = Annotated[str | None, typer.Option("--start", help="Only bars that open at or after this day or time (UTC).")]
End = Annotated[str | None, typer.Option("--end", help="Only bars that open before this day or time (UTC).")]


def data_app() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(
        help="Manage your own bars: import, download, list, export, delete, fill gaps.", invoke_without_command=True
    )
    group.callback()(_data)
    group.command("list")(list_series)
    group.command("import")(import_files)
    group.command("export")(export)
    group.command("delete")(delete)
    group.command("gaps")(gaps)
    group.command("fill")(fill)
    group.command("download")(download)
    group.command("update")(update)
    return group


def _data(context: typer.Context, *, json: Json = False) -> None:
    """Manage your own bars: import, download, list, export, delete, fill gaps. Without a command, list them."""
    if context.invoked_subcommand is None:
        list_series(json=json)


def list_series(
    symbol: Annotated[str | None, typer.Argument(help="Only this symbol.", metavar="[SYMBOL]")] = None,
    *,
    json: Json = False,
) -> None:
    """List symbols and timeframes with their first and last bar, number of bars, gaps, source and size."""
    from quantcrafter.engine.data.store import BarStore

    store = BarStore()
    kept = store.list(symbol)
    if json:
        print_json([series_json(series) for series in kept])
    elif kept:
        console().print(_overview(kept))
        if any(series.synthetic for series in kept):
            console().print("* generated bars")
    elif symbol is not None:
        raise store.unknown(symbol)
    else:
        note("The bar store is empty. Add bars with 'quantcrafter data import FILE' or 'data download SYMBOL'.")


def _overview(kept: list[Series]) -> Any:
    from quantcrafter.engine.data.labels import zone_name

    numbers = ("Bars", "Gaps", "Missing", "Size")
    further = ("Columns",) if any(series.columns for series in kept) else ()
    made = table("Symbol", "Bar", "First", "Last", "Times of", *numbers, *further, "Source", right=numbers)
    for column in made.columns[:-1]:
        column.no_wrap = True
    for series in kept:
        made.add_row(
            series.symbol + (" *" if series.synthetic else ""),
            str(series.timeframe),
            _moment(series.first_ns, series),
            _moment(series.last_ns, series),
            zone_name(series.session.timezone) if series.timeframe.is_intraday else "",
            f"{series.count:,}",
            f"{series.gaps:,}",
            f"{series.missing:,}",
            size_text(series.size),
            *(", ".join(series.columns) for _ in further),
            _source(series),
        )
    return made


def _source(series: Series) -> str:
    """Return where bars came from, and what downloaded prices are adjusted for."""
    from quantcrafter.engine.data.download.download import ADJUSTED_TEXTS

    origin = series.origin
    return series.source if origin is None else f"{series.source} ({ADJUSTED_TEXTS.get(origin.adjustment, '')})"


def size_text(size: int) -> str:
    """Return a number of bytes with a unit."""
    if size < 100_000:  # noqa: PLR2004 - below that, megabytes say little
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e6:,.1f} MB"


def _moment(ts_ns: int, of: Series | Bars, *, named: bool = False) -> str:
    from quantcrafter.engine.data.labels import bar_label

    return bar_label(ts_ns, of.timeframe, of.session, named=named)


def import_files(  # noqa: PLR0913 - one argument an option
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files.", metavar="FILE...")],
    *,
    symbol: Annotated[
        list[str] | None,
        typer.Option("--symbol", help="Symbol to import, or the symbol of the bars; repeatable."),
    ] = None,
    settings: Settings = None,
    repair: Repair = False,
    keep: Annotated[bool, typer.Option("--keep", help="Where bars overlap, keep the stored ones.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the stored bars of the series first.")] = False,
    negative_prices: Annotated[
        bool, typer.Option("--negative-prices", help="Accept prices of zero or less, as futures may have.")
    ] = False,
    market: Annotated[
        str,
        typer.Option("--market", help="Market of the bars, such as us_stocks: it sets trading hours and time zone."),
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="Show what would be imported; import nothing.")] = False,
) -> None:
    """Import files into the bar store; where bars overlap, the new ones replace the stored ones."""
    from quantcrafter.engine.api import DataError
    from quantcrafter.engine.cli.installed import registry_with_warnings
    from quantcrafter.engine.data.store import BarStore, Overlap
    from quantcrafter.engine.data.store.bar_files import ImportOptions

    choices = ImportOptions(
        options=options_of(settings),
        on_bad_bars="repair" if repair else "refuse",
        overlap=Overlap.KEEP if keep else Overlap.REPLACE,
        fresh=fresh,
        negative_prices=negative_prices,
        market=market,
        markets=registry_with_warnings().markets,
    )
    store, failed = BarStore(), 0
    for path in files:
        try:
            (_check if check else _import)(store, path, tuple(symbol or ()), choices)
        except DataError as error:
            complain(str(error))
            failed += 1
    if failed:
        raise typer.Exit(1)


def _import(store: BarStore, path: Path, symbols: tuple[str, ...], choices: ImportOptions) -> None:
    from quantcrafter.engine.data.store.bar_files import import_file

    for done in import_file(store, str(path), symbols, choices):
        _tell(f"{done.put.series.symbol} from {path}", done.findings)
        series = done.put.series
        changed = f"{done.put.added:,} bars of {series.timeframe} imported, {done.put.replaced:,} stored ones replaced"
        span = f"{_moment(series.first_ns, series)} to {_moment(series.last_ns, series, named=True)}"
        note(f"{series.symbol}: {changed}. The store has {series.count:,} now, {span}.")


def _check(store: BarStore, path: Path, symbols: tuple[str, ...], choices: ImportOptions) -> None:
    from quantcrafter.engine.data.store.bar_files import load_file, symbols_in

    for symbol in symbols or symbols_in(str(path), choices.options):
        found = load_file(store, str(path), symbol, choices)
        _tell(f"{symbol} from {path}", found.findings)
        bars = found.bars
        span = f"{_moment(int(bars.open_ns[0]), bars)} to {_moment(int(bars.open_ns[-1]), bars, named=True)}"
        note(f"{symbol}: {len(bars):,} bars of {bars.timeframe}, {span}. Nothing was imported.")


def _tell(subject: str, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        (note if finding.kind == "guess" else warn)(f"{subject}: {finding}")


def export(
    symbol: Symbol,
    timeframe: Frame,
    out: Annotated[Path, typer.Argument(help="File to write, ending in .csv or .parquet.", metavar="FILE")],
    *,
    start: Start = None,
    end: End = None,
) -> None:
    """Write stored bars to a CSV or Parquet file."""
    from quantcrafter.engine.data.store import BarStore
    from quantcrafter.engine.data.store.bar_files import export_bars

    count = export_bars(BarStore(), symbol, frame_of(timeframe), out, moment_ns(start), moment_ns(end))
    note(f"{count:,} bars were written to {out}.")


def delete(
    symbol: Symbol,
    timeframe: OneOrAll = None,
    *,
    start: Start = None,
    end: End = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete bars from the store: a symbol, one of its timeframes, or a range of it."""
    from quantcrafter.engine.data.store import BarStore

    store = BarStore()
    span = moment_ns(start), moment_ns(end)
    for series in _of(store, symbol, timeframe):
        within = "all" if span == (None, None) else "the range's"
        if not yes and not _agreed(f"Delete {within} bars of {symbol} {series.timeframe} ({series.count:,} stored)?"):
            raise typer.Exit(WRONG_INPUT)
        gone = store.delete(symbol, series.timeframe, *span)
        note(f"{symbol} {series.timeframe}: {gone:,} bars were deleted.")


def _agreed(question: str) -> bool:
    if not is_terminal(sys.stdin):
        complain("Nothing was deleted: use --yes if the input is not a terminal.")
        return False
    return typer.confirm(question, err=True)


def gaps(
    symbol: Symbol,
    timeframe: OneOrAll = None,
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of the largest gaps to list.")] = 20,
    json: Json = False,
) -> None:
    """List where bars are missing within sessions, largest gaps first."""
    from quantcrafter.engine.data.labels import moment_text, with_zone
    from quantcrafter.engine.data.store import BarStore, gaps_of

    store = BarStore()
    kept = _of(store, symbol, timeframe)
    found = {series.timeframe: gaps_of(store.read(symbol, series.timeframe)) for series in kept}
    zones = {series.timeframe: series.session.timezone for series in kept}
    if json:
        print_json([{"timeframe": str(frame), **gap._asdict()} for frame, all_ in found.items() for gap in all_])
        return
    for frame, all_ in found.items():
        if not all_:
            note(f"{symbol} {frame}: no bars are missing.")
            continue
        heads = ("Bar", *(with_zone(head, zones[frame]) for head in ("From", "To")), "Missing")
        made = table(*heads, right=("Missing",), title=f"{symbol} {frame}: {_gaps(len(all_))}")
        for gap in sorted(all_, key=lambda gap: -gap.missing)[:limit]:
            ends = (moment_text(ts_ns, zones[frame]) for ts_ns in (gap.after_ns, gap.until_ns))
            made.add_row(str(frame), *ends, f"{gap.missing:,}")
        console().print(made)


def _gaps(count: int) -> str:
    return f"{count:,} gap{'' if count == 1 else 's'}"


def fill(
    symbol: Symbol,
    timeframe: Frame,
    *,
    source: Annotated[str, typer.Option("--from", metavar="SOURCE", help="A data provider's name, or a file.")],
    name: Annotated[str, typer.Option("--symbol", help="Name of the symbol there, if different.")] = "",
    settings: Settings = None,
    repair: Repair = False,
) -> None:
    """Fill gaps with bars of another source; stored bars are never changed."""
    from quantcrafter.engine.cli.installed import registry_with_warnings
    from quantcrafter.engine.data.store import BarStore
    from quantcrafter.engine.data.store.fill import fill_gaps
    from quantcrafter.engine.data.store.sources import source_of

    provider = source_of(registry_with_warnings(), source, options_of(settings))
    done = fill_gaps(
        BarStore(),
        symbol,
        frame_of(timeframe),
        provider,
        source_symbol=name,
        on_bad_bars="repair" if repair else "refuse",
    )
    _tell(f"{symbol} from {source}", done.findings)
    left = done.series.missing
    note(f"{symbol} {done.series.timeframe}: {done.added:,} bars filled in, {left:,} still missing.")


def _of(store: BarStore, symbol: str, timeframe: str | None) -> list[Series]:
    """Return one series, or all series of a symbol."""
    if timeframe is not None:
        return [store.series(symbol, frame_of(timeframe))]
    kept = store.list(symbol)
    if not kept:
        raise store.unknown(symbol)
    return kept
