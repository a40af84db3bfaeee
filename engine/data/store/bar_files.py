"""Import of files into the store, and export to files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from quantcrafter.engine.api import BAR_COLUMNS, DataError, DataRequest, Market, Session, Timeframe
from quantcrafter.engine.api.csv_text import safe_text
from quantcrafter.engine.api.currencies import currency_code
from quantcrafter.engine.api.home import usual_modes
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.opening import find_named
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.schema_words import must, own_words
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.data.findings import Finding, remark
from quantcrafter.engine.data.gaps import describe
from quantcrafter.engine.data.load import LoadedBars, load_as_they_are
from quantcrafter.engine.data.markets import market_for, market_request
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.files import FileProvider, reading_once
from quantcrafter.engine.data.providers.parquet_file import ParquetProvider
from quantcrafter.engine.data.providers.session_guess import assumed_zone, parse_session
from quantcrafter.engine.data.store.bar_columns import Overlap
from quantcrafter.engine.data.store.index import Series
from quantcrafter.engine.data.store.series_rules import check_source
from quantcrafter.engine.data.store.store import BarStore, Put
from quantcrafter.engine.data.store.symbol_guess import exchange_in, kind_in, symbol_in
from quantcrafter.engine.trading_calendar.trading_days import is_round_the_clock

_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".zip")
_PARQUET = (".parquet", ".pq")
SUFFIXES = (*_TEXT, *_PARQUET)
"""How the names of files end that bars can be imported from."""

_DAY = Timeframe(1, "d")


@dataclass(frozen=True)
class ImportOptions:
    """How files are read and kept: `options` are those of the provider, such as `timezone`.

    With `negative_prices` prices may be zero or less, as those of futures may. `market` names their market, which
    brings trading hours and time zone where `options` don't set them; without it, the end of a symbol names one of
    `markets`.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    on_bad_bars: str = "refuse"
    overlap: Overlap = Overlap.REPLACE
    fresh: bool = False
    negative_prices: bool = False
    market: str = ""
    markets: Sequence[Market] = ()

    def market_of(self, symbol: str) -> Market | None:
        """Return the market of a symbol, None if neither its name nor `market` says it.

        Raises:
            DataError: there is no market of that name.
        """
        return market_for(symbol, self.markets, self.market)


class Imported(NamedTuple):
    """The result of the import of one symbol of a file."""

    path: str
    put: Put
    findings: tuple[Finding, ...]


def file_provider(path: str, options: Mapping[str, Any]) -> FileProvider:
    """Return the provider that reads a file, by the end of its name.

    Raises:
        DataError: no provider reads such files, it is not a file at all, or an option is wrong.
    """
    name = path.lower()
    provider = CsvProvider if name.endswith(_TEXT) else ParquetProvider if name.endswith(_PARQUET) else None
    if provider is None:
        find_named(path)  # a folder, a pipe or a device is called that, whatever its name
        raise DataError(
            Message(
                "'{path}' must be a CSV or Parquet file, its name ends otherwise. Rename it to end "
                "in .csv or .parquet.",
                path=path,
            ),
            field="path",
        )
    names = sorted(set(CsvProvider.model_fields) - {"path"})
    for key in options:
        if key not in names:
            hint = did_you_mean(key, names) or Message("Available: {names}.", names=", ".join(names))
            raise DataError(
                Message("'{path}': files have no option '{key}'. {hint}", path=path, key=key, hint=hint), field=key
            )
    known = {key: value for key, value in options.items() if key in provider.model_fields}
    try:
        return provider(path=path, **known)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        wish = must(dict(first))
        text = Message("it must {wish}", wish=wish) if wish else own_words(dict(first))
        raise DataError(
            Message("'{path}': '{where}' is wrong: {text}.", path=shown_path(path), where=where, text=text), field=where
        ) from error


def symbol_of(path: str, *others: str) -> str:
    """Return the symbol in a file's name: `spy_1d.csv` is SPY. Where it has none, `others` are asked in turn.

    Raises:
        DataError: the name could mean several symbols, or none.
    """
    found = next((symbol for name in (path, *others) if (symbol := symbol_in(name)) is not None), None)
    if found is None:
        raise DataError(
            Message(
                "'{name}': neither the file nor its name says for certain whose bars these are. Name the symbol "
                "with '--symbol'.",
                name=shown_path(Path(path).name),
            ),
            field="symbol",
        )
    return found


def symbols_in(path: str, options: Mapping[str, Any], base_dir: str = "") -> tuple[str, ...]:
    """Return the symbols of a file: those of its own column or header, else the one that its name gives away.

    The name of a table in a zip archive counts before that of the archive, which counts only if it has one table.

    Raises:
        DataError: the file cannot be read, or nothing says whose bars it has.
    """
    provider = file_provider(path, options)
    names = provider.names_of_bars(base_dir)
    folder = Path(base_dir, path).absolute().parent
    return provider.known_symbols(base_dir) or (
        symbol_of(*(str(folder / Path(path).name if name == path else folder / name) for name in names)),
    )


def load_file(store: BarStore, path: str, symbol: str, choices: ImportOptions, base_dir: str = "") -> LoadedBars:
    """Return the bars of one symbol in a file, in its own timeframe.

    Where no trading hours and no market are set and the store has the series, its hours are taken.

    Raises:
        DataError: the file cannot be read, its bars are bad and not to be repaired, or there is no such market.
    """
    provider = file_provider(path, choices.options)
    request = DataRequest(
        symbol,
        provider.source_timeframe or _DAY,
        base_dir,
        negative_prices=choices.negative_prices,
        keeps_columns=True,
    )
    request = market_request(request, choices.market_of(symbol))
    found = load_as_they_are(provider, request, on_bad_bars=choices.on_bad_bars)
    stored = None if choices.fresh else store.find(symbol, found.bars.timeframe)
    set_by_user = provider.session != "auto" or bool(choices.market)
    if stored is None or set_by_user or _same_hours(stored.session, found.bars.session):
        return found
    provider = provider.model_copy(update={"session": session_text(stored.session)})
    return load_as_they_are(provider, request, on_bad_bars=choices.on_bad_bars)


def import_file(
    store: BarStore,
    path: str,
    symbols: tuple[str, ...],
    choices: ImportOptions,
    *,
    base_dir: str = "",
    step: Callable[[str], None] = lambda _symbol: None,
    joins: bool | None = None,
) -> list[Imported]:
    """Import the bars of a file, symbol by symbol; `step` is called before each and may raise an exception to stop.

    With `joins`, bars are added to a series even if they seem to be of another exchange or instrument; without it they
    are if `symbols` are given.

    Raises:
        DataError: the file cannot be read, its bars are bad and not to be repaired, or the store refuses them.
    """
    made = []
    with reading_once():
        for symbol in symbols or symbols_in(path, choices.options, base_dir):
            step(symbol)
            found = load_file(store, path, symbol, choices, base_dir)
            source = _source_of(path, choices.options, base_dir)
            found = found._replace(bars=replace(found.bars, source=source))
            is_one = bool(symbols) if joins is None else joins
            stored = None if is_one or choices.fresh else store.find(symbol, found.bars.timeframe)
            if stored is not None:
                _check_exchange(stored, source)
                _check_kind(stored, source)
                span = int(found.bars.open_ns[0]), int(found.bars.open_ns[-1]) + 1
                check_source(stored, store.read(symbol, stored.timeframe, *span), found.bars)
            market = choices.market_of(symbol)
            named = "" if market is None else market.name
            put = store.put(
                found.bars,
                overlap=choices.overlap,
                fresh=choices.fresh,
                market=named,
                currency=found.currency,
                assumed_zone=assumed_zone(found.findings),
            )
            made.append(Imported(path, put, (*found.findings, *map(remark, put.notes))))
    return made


def _source_of(path: str, options: Mapping[str, Any], base_dir: str) -> str:
    """Return the path of the bars: of a table in a zip archive with its name there.

    Folders above a relative path are added as far as they say of which exchange or instrument the bars are.
    """
    table = file_provider(path, options).names_of_bars(base_dir)[0]
    given = path if table == path else f"{path}/{table}"
    parts = Path(base_dir, given).absolute().parts
    whole = str(Path(*parts))
    told = exchange_in(whole), kind_in(whole)
    for count in range(len(Path(given).parts), len(parts)):
        tail = given if count == len(Path(given).parts) else str(Path(*parts[-count:]))
        if (exchange_in(tail), kind_in(tail)) == told:
            return tail
    return whole


def _check_kind(stored: Series, path: str) -> None:
    """Refuse a file that its name or folder says to be of another kind of instrument than the stored bars.

    Raises:
        DataError: it is: the future of a share or coin is never one series with the thing itself.
    """
    mine = kind_in(path)
    other = next((kind for source in reversed(stored.sources) if (kind := kind_in(source)) != mine), None)
    if other is None:
        return
    names = {"": Message("spot prices"), "perpetual": Message("perpetuals"), "futures": Message("futures")}
    names |= {"coin-margined": Message("coin-margined futures"), "options": Message("options")}
    raise DataError(
        Message(
            "'{name}': the store has {symbol} {timeframe} of {other}, this file is of {mine}, as names or folders say. "
            "Give its bars a symbol of their own with '--symbol', or the same one to join them.",
            name=shown_path(Path(path).name),
            symbol=stored.symbol,
            timeframe=stored.timeframe,
            other=names[other],
            mine=names[mine],
        ),
        field="symbol",
    )


def _check_exchange(stored: Series, path: str) -> None:
    """Refuse a file that its name says to be of another exchange than the stored bars of the symbol."""
    mine = exchange_in(path)
    other = next((name for source in stored.sources if (name := exchange_in(source))), "")
    if mine and other and mine != other:
        raise DataError(
            Message(
                "'{name}': the store has {symbol} {timeframe} of {other}, this file is of {mine}. Give its bars "
                "a symbol of their own with '--symbol', or the same one to join them.",
                name=shown_path(Path(path).name),
                symbol=stored.symbol,
                timeframe=stored.timeframe,
                other=other.upper(),
                mine=mine.upper(),
            ),
            field="symbol",
        )


def session_text(session: Session) -> str:
    """Return the session as an option of a file says it."""
    if is_round_the_clock(session) and session.open_minute == 0:
        return f"00:00-24:00 {session.timezone}"
    if parse_session("us_stocks", "UTC") == session:
        return "us_stocks"
    return describe(session)


def _same_hours(one: Session, other: Session) -> bool:
    return (one.timezone, one.open_minute, one.close_minute) == (other.timezone, other.open_minute, other.close_minute)


def export_bars(
    store: BarStore,
    symbol: str,
    timeframe: Timeframe,
    path: Path,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> int:
    """Write stored bars to a CSV or Parquet file, by the end of its name, and return how many there were.

    Columns are time (when the bar opens, UTC), open, high, low, close, volume, further columns, symbol, and currency
    where it is known.

    Raises:
        DataError: the series is not kept, or the file cannot be written; nothing half-written is left then.
    """
    import polars as pl

    bars = store.read(symbol, timeframe, start_ns, end_ns)
    if not len(bars):
        raise DataError(
            Message(
                "{symbol} {timeframe}: no bar opens within that range. Give another one.",
                symbol=symbol,
                timeframe=timeframe,
            )
        )
    name = path.name.lower()
    if not name.endswith((".csv", *_PARQUET)):
        raise DataError(Message("'{path}' must end in .csv or .parquet. Give another name.", path=path), field="path")
    currency = store.series(symbol, timeframe).known_currency
    told = {
        "symbol": safe_text(symbol) if name.endswith(".csv") else symbol,
        "currency": "" if "currency" in bars.extra else currency_code(currency),
    }
    frame = pl.DataFrame(
        {
            "time": pl.Series(bars.open_ns).cast(pl.Datetime("ns", "UTC")),
            **{column: bars.column(column) for column in BAR_COLUMNS},
            **{column: pl.Series(values).fill_nan(None) for column, values in bars.extra.items()},
            **{key: pl.repeat(text, len(bars), eager=True) for key, text in told.items() if text},
        }
    )
    beside = path.with_name(f".{path.name}.part")
    try:
        with usual_modes(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".csv"):
                frame.write_csv(beside, datetime_format="%Y-%m-%dT%H:%M:%SZ")
            else:
                frame.write_parquet(beside)
        beside.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        cause, remedy = fault(error)
        raise DataError(
            Message("'{path}' can't be written: {cause}. {remedy}", path=shown_path(path), cause=cause, remedy=remedy),
            field="path",
        ) from error
    return len(bars)
