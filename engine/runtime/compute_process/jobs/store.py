"""The jobs on the bar store: list, import, export, delete, gaps and filling them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from quantcrafter.engine.api import DataError, RunCancelledError, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, LogLine, Request

if TYPE_CHECKING:
    from quantcrafter.engine.data.store import BarStore, Gap, Series
    from quantcrafter.engine.data.store.bar_files import ImportOptions


@dataclass(frozen=True, slots=True)
class StoreListRequest(Request):
    """List every series of the store; the result is a tuple of `Series`."""

    kind: ClassVar[str] = "store_list"

    def execute(self, context: JobContext) -> tuple[Series, ...]:
        return list_series(self, context)


def list_series(_request: StoreListRequest, _context: JobContext) -> tuple[Series, ...]:
    """Carry out a StoreListRequest."""
    from quantcrafter.engine.data.store import BarStore

    return tuple(BarStore().list())


@dataclass(frozen=True, slots=True)
class GapsRequest(Request):
    """Find the gaps of a series; the result is a tuple of `Gap`, oldest first."""

    kind: ClassVar[str] = "store_gaps"

    symbol: str
    timeframe: str

    def execute(self, context: JobContext) -> tuple[Gap, ...]:
        return list_gaps(self, context)


def list_gaps(request: GapsRequest, _context: JobContext) -> tuple[Gap, ...]:
    """Carry out a GapsRequest."""
    from quantcrafter.engine.data.store import BarStore, gaps_of

    return gaps_of(BarStore().read(request.symbol, Timeframe.parse(request.timeframe)))


@dataclass(frozen=True, slots=True)
class FileImport:
    """One file to import: the symbols (none: all symbols in the file), how it is read, and the market of its bars."""

    path: str
    symbols: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    repair: bool = False
    market: str = ""


@dataclass(frozen=True, slots=True)
class StoreImportRequest(Request):
    """Import the bars of files into the store.

    Args:
        files: what to import.
        keep: where bars overlap, keep the stored ones.
        fresh: delete each stored series first.
    """

    kind: ClassVar[str] = "store_import"

    files: tuple[FileImport, ...]
    keep: bool = False
    fresh: bool = False

    def execute(self, context: JobContext) -> tuple[ImportDone, ...]:
        return import_bars(self, context)


@dataclass(frozen=True, slots=True)
class ImportDone:
    """The result for one symbol of a file: imported bars and replaced stored ones, or why there are none."""

    path: str
    symbol: str
    timeframe: str = ""
    added: int = 0
    replaced: int = 0
    error: str = ""


def import_bars(request: StoreImportRequest, context: JobContext) -> tuple[ImportDone, ...]:
    """Carry out a StoreImportRequest; a file that is refused does not stop the others.

    Raises:
        RunCancelledError: it was cancelled; imported bars are kept.
    """
    from quantcrafter.engine.data.providers.files import reading_once
    from quantcrafter.engine.data.store import BarStore, Overlap
    from quantcrafter.engine.data.store.bar_files import ImportOptions, symbols_in
    from quantcrafter.engine.plugins import load_registry

    store, made = BarStore(), list[ImportDone]()
    for number, file in enumerate(request.files):
        choices = ImportOptions(
            file.options,
            "repair" if file.repair else "refuse",
            Overlap.KEEP if request.keep else Overlap.REPLACE,
            request.fresh,
            market=file.market,
            markets=load_registry().markets,
        )
        with reading_once():
            shown = tuple[str, ...]()
            try:
                shown = symbols_in(file.path, file.options)
            except DataError as error:
                if not file.symbols:
                    made.append(ImportDone(file.path, "", error=str(error)))
                    context.log(LogLine(logging.ERROR, str(error)))
            symbols = file.symbols or shown
            for place, symbol in enumerate(symbols):
                context.progress("import", number * 1000 + place * 1000 // len(symbols), len(request.files) * 1000)
                _stop_if_cancelled(context)
                joins = symbol not in shown  # the user named it
                made.append(_imported(store, file.path, symbol, choices, context, joins=joins))
    context.progress("import", 1, 1)
    return tuple(made)


def _imported(
    store: BarStore, path: str, symbol: str, choices: ImportOptions, context: JobContext, *, joins: bool
) -> ImportDone:
    """Import one symbol of a file, and log what it shows."""
    from quantcrafter.engine.data.store.bar_files import import_file

    try:
        (found,) = import_file(store, path, (symbol,), choices, joins=joins)
    except DataError as error:
        context.log(LogLine(logging.ERROR, str(error)))
        return ImportDone(path, symbol, error=str(error))
    for finding in found.findings:
        context.log(LogLine(logging.INFO if finding.kind == "guess" else logging.WARNING, str(finding)))
    series = found.put.series
    return ImportDone(path, symbol, str(series.timeframe), found.put.added, found.put.replaced)


@dataclass(frozen=True, slots=True)
class StoreDeleteRequest(Request):
    """Delete series, named by symbol and timeframe, or of each the bars that open within [start_ns, end_ns).

    The result is how many bars went.
    """

    kind: ClassVar[str] = "store_delete"

    series: tuple[tuple[str, str], ...]
    start_ns: int | None = None
    end_ns: int | None = None

    def execute(self, context: JobContext) -> int:
        return delete_series(self, context)


def delete_series(request: StoreDeleteRequest, context: JobContext) -> int:
    """Carry out a StoreDeleteRequest."""
    from quantcrafter.engine.data.store import BarStore

    store, gone = BarStore(), 0
    for number, (symbol, timeframe) in enumerate(request.series):
        _stop_if_cancelled(context)
        gone += store.delete(symbol, Timeframe.parse(timeframe), request.start_ns, request.end_ns)
        context.progress("delete", number + 1, len(request.series))
    return gone


@dataclass(frozen=True, slots=True)
class StoreFillRequest(Request):
    """Fill the gaps of a series from a data provider.

    Args:
        symbol: the series' symbol.
        timeframe: and the length of its bars.
        provider: name of the provider to take bars from.
        options: its parameters.
        source_symbol: the name of the symbol there; the same if empty.
        base_dir: the folder for relative paths.
        repair: fix bad bars instead of refusing them.
    """

    kind: ClassVar[str] = "store_fill"

    symbol: str
    timeframe: str
    provider: str
    options: Mapping[str, Any] = field(default_factory=dict)
    source_symbol: str = ""
    base_dir: str = ""
    repair: bool = False

    def execute(self, context: JobContext) -> FillDone:
        return fill_series(self, context)


@dataclass(frozen=True, slots=True)
class FillDone:
    """The result of filling: bars that were missing, that were added, and that are still missing."""

    missing: int
    added: int
    left: int


def fill_series(request: StoreFillRequest, context: JobContext) -> FillDone:
    """Carry out a StoreFillRequest.

    Raises:
        DataError: the source has no bars for the gaps, or they are refused.
    """
    from quantcrafter.engine.data.store import BarStore
    from quantcrafter.engine.data.store.fill import fill_gaps
    from quantcrafter.engine.data.store.sources import source_of
    from quantcrafter.engine.plugins import load_registry

    context.progress("fill", 0, 1)
    _stop_if_cancelled(context)
    done = fill_gaps(
        BarStore(),
        request.symbol,
        Timeframe.parse(request.timeframe),
        source_of(load_registry(), request.provider, request.options),
        source_symbol=request.source_symbol,
        base_dir=request.base_dir,
        on_bad_bars="repair" if request.repair else "refuse",
    )
    return FillDone(sum(gap.missing for gap in done.gaps), done.added, done.series.missing)


@dataclass(frozen=True, slots=True)
class StoreExportRequest(Request):
    """Write series to files; the result is how many bars were written.

    Args:
        files: symbol, timeframe and the path of a file ending in .csv or .parquet.
    """

    kind: ClassVar[str] = "store_export"

    files: tuple[tuple[str, str, str], ...]

    def execute(self, context: JobContext) -> int:
        return export_series(self, context)


def export_series(request: StoreExportRequest, context: JobContext) -> int:
    """Carry out a StoreExportRequest."""
    from quantcrafter.engine.data.store import BarStore
    from quantcrafter.engine.data.store.bar_files import export_bars

    store, written = BarStore(), 0
    for number, (symbol, timeframe, path) in enumerate(request.files):
        _stop_if_cancelled(context)
        written += export_bars(store, symbol, Timeframe.parse(timeframe), Path(path))
        context.progress("export", number + 1, len(request.files))
    return written


def _stop_if_cancelled(context: JobContext) -> None:
    if context.cancelled():
        raise RunCancelledError(Message("It was cancelled; completed work is kept."))
