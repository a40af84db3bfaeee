"""BarStore: adds, loads, lists and deletes a user's own bars.

1. `put` reads the row of the series, merges its bars with the new ones, and writes the result to new files.
2. The row is swapped for one that names the new files, in one transaction; from then on the bars are kept.
3. If another process swapped it first, the merge is repeated with the current bars, so that no writer undoes another.
4. Old files are removed. Processes that are reading them keep them; processes that were about to open them look up the
   row again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import BAR_COLUMNS, Bars, DataError, Session, Timeframe
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.data.store.bar_columns import (
    BarColumns,
    Overlap,
    columns_of,
    merge,
    names_in,
    read,
    remove,
    write,
)
from quantcrafter.engine.data.store.index import Index, Series
from quantcrafter.engine.data.store.origin import Origin
from quantcrafter.engine.data.store.series_rules import (
    check_columns,
    check_currency,
    check_prices,
    file_stem,
    gone_columns,
    incomplete_columns,
    listed,
    together,
    usual,
)
from quantcrafter.engine.data.store.stored_gaps import gaps_of

_ATTEMPTS = 50
_ORPHAN_AGE_S = 3600.0
_MOST_SOURCES = 8
_SOURCE = "store"


class Put(NamedTuple):
    """The result of `put`: the current series, the number of added bars, and the number of replaced bars.

    `notes` say which further columns some of the bars lack, or went with the stored bars.
    """

    series: Series
    added: int
    replaced: int
    notes: tuple[str, ...] = ()


class BarStore:
    """A user's own bars, by default under `bars` in the user's directory.

    Args:
        folder: where the files are.
        timeout_s: how long to wait for another process.
    """

    def __init__(self, folder: Path | None = None, *, timeout_s: float = 10.0) -> None:
        self.folder = home() / "bars" if folder is None else Path(folder)
        self._index = Index(self.folder / "index.db", timeout_s=timeout_s)

    # ------------------------------------------------------------------ looking

    def list(self, symbol: str | None = None) -> list[Series]:
        """Return all series, by symbol and length of the bars.

        Raises:
            DataError: the store cannot be read.
        """
        return self._index.rows(symbol)

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that there are bars of."""
        return tuple(dict.fromkeys(series.symbol for series in self.list()))

    def find(self, symbol: str, timeframe: Timeframe) -> Series | None:
        """Return one series, None if it is not kept."""
        return self._index.row(symbol, usual(timeframe))

    def series(self, symbol: str, timeframe: Timeframe) -> Series:
        """Return one series.

        Raises:
            DataError: it is not kept; the message names a similar symbol, or the timeframes there are.
        """
        found = self.find(symbol, timeframe)
        if found is not None:
            return found
        kept = self.list(symbol)
        if not kept:
            raise self.unknown(symbol)
        frames = ", ".join(str(series.timeframe) for series in kept)
        raise DataError(
            Message(
                "The bar store has {symbol} in {frames}, not in {timeframe}. Name one of these, or import those bars.",
                symbol=symbol,
                frames=frames,
                timeframe=timeframe,
            ),
            field="timeframe",
        )

    def unknown(self, symbol: str) -> DataError:
        """Return the error that a symbol is not kept."""
        names = self.symbols()
        hint = did_you_mean(symbol, names)
        if not hint:
            there = Message("It has {names}.", names=listed(names)) if names else Message("It is empty.")
            hint = Message("{there} Import bars with 'quantcrafter data import', or in the data pane.", there=there)
        return DataError(Message("The bar store has no '{symbol}'. {hint}", symbol=symbol, hint=hint), field="symbol")

    def read(self, symbol: str, timeframe: Timeframe, start_ns: int | None = None, end_ns: int | None = None) -> Bars:
        """Return the bars that open within [start_ns, end_ns), memory-mapped; there may be none.

        Raises:
            DataError: the series is not kept, or its files are damaged.
        """
        series, columns = self._read(self.series(symbol, timeframe))
        return _bars(series, _cut(columns, start_ns, end_ns))

    # ------------------------------------------------------------------ changing

    def put(
        self,
        bars: Bars,
        *,
        overlap: Overlap = Overlap.REPLACE,
        fresh: bool = False,
        market: str = "",
        origin: Origin | None = None,
        currency: str = "",
        assumed_zone: str = "",
    ) -> Put:
        """Keep checked bars in the series of their symbol and timeframe.

        Where a new bar and a stored one overlap in time, the new one stays, or with `Overlap.KEEP` the stored one; all
        others stay. With `fresh` everything stored of the series goes first. `market` is the name of their market,
        `origin` where they were downloaded from, and `currency` that of their prices, the stored ones if left out.
        `assumed_zone` is the zone in which their times were read if nothing says that they are of it. A further column
        that either the new or the stored bars lack stays, with NaN where nothing has a value.

        Raises:
            DataError: there are no bars; they have other trading hours than those stored, or are generated and those
                stored are not (or the other way round); their prices are in another currency, or far from those stored
                for the same times; there would be too many columns; or they cannot be written.
        """
        if not len(bars):
            raise DataError(Message("{symbol}: there are no bars to keep. Give others.", symbol=bars.symbol))
        if not bars.symbol.strip():
            raise DataError(Message("Bars in the store need a symbol. Name it."), field="symbol")
        new = columns_of(bars)
        counts, notes = (0, 0), tuple[str, ...]()

        def change(stored: Series | None) -> Series:
            nonlocal counts, notes
            if stored is None or fresh:
                counts = (new.bars, 0 if stored is None else stored.count)
                notes = () if stored is None else gone_columns(stored, new)
                written = self._written(bars, new, stored, (), bars.session)
                return replace(written, market=market, origin=origin, currency=currency, assumed_zone=assumed_zone)
            session = together(stored, bars)
            check_currency(stored, currency)
            stored, columns = self._read(stored)
            check_prices(stored, columns, new)
            merged, *changes = merge(columns, new, overlap)
            check_columns(stored, merged)
            counts = (changes[0], changes[1])
            notes = incomplete_columns(stored, new, merged)
            told = replace(stored, market=market or stored.market, currency=currency or stored.currency)
            if counts[0]:
                gone = counts[1] == stored.count
                zone = assumed_zone or ("" if gone else stored.assumed_zone)
                told = replace(told, assumed_zone=zone, decimals=bars.decimals if gone else _common(stored, bars))
            if not counts[0] and told == stored and merged.names == stored.columns:
                return stored
            written = self._written(bars, merged, stored, stored.sources, session)
            written = replace(written, market=told.market, currency=told.currency, assumed_zone=told.assumed_zone)
            return replace(written, origin=origin or stored.origin, decimals=told.decimals)

        series = self._swap(bars.symbol, usual(bars.timeframe), change)
        if series is None:
            raise DataError(Message("{symbol}: nothing was saved. Try again.", symbol=bars.symbol))
        return Put(series, *counts, notes)

    def delete(self, symbol: str, timeframe: Timeframe, start_ns: int | None = None, end_ns: int | None = None) -> int:
        """Delete the bars that open within [start_ns, end_ns), or the whole series; return how many went.

        Raises:
            DataError: the series is not kept, or the store cannot be written.
        """
        first = self.series(symbol, timeframe)
        gone = 0

        def change(stored: Series | None) -> Series | None:
            nonlocal gone
            gone = 0
            if stored is None:
                return None
            if start_ns is None and end_ns is None:
                gone = stored.count
                return None
            stored, columns = self._read(stored)
            inside = _inside(columns, start_ns, end_ns)
            gone = inside.stop - inside.start
            if not gone:
                return stored
            left = np.delete(np.arange(columns.bars), inside)
            if not len(left):
                return None
            kept = columns.take(left)
            written = self._written(_bars(stored, kept), kept, stored, stored.sources, stored.session)
            written = replace(written, market=stored.market, origin=stored.origin, currency=stored.currency)
            return replace(written, assumed_zone=stored.assumed_zone, decimals=stored.decimals)

        self._swap(symbol, first.timeframe, change)
        return gone

    def set_origin(self, symbol: str, timeframe: Timeframe, origin: Origin) -> None:
        """Note where a series was downloaded from; its bars stay.

        Raises:
            DataError: the series is not kept, or the store cannot be written.
        """
        for _ in range(_ATTEMPTS):
            before = self.series(symbol, timeframe)
            if before.origin == origin or self._index.swap(before, replace(before, origin=origin)):
                return
        raise self._too_busy(symbol)

    # ------------------------------------------------------------------ inside

    def _swap(
        self, symbol: str, timeframe: Timeframe, change: Callable[[Series | None], Series | None]
    ) -> Series | None:
        """Change the row of a series with a function, and repeat it if another process was faster."""
        for _ in range(_ATTEMPTS):
            before = self._index.row(symbol, timeframe)
            after = change(before)
            if after is before:
                return after
            if self._index.swap(before, after):
                if before is not None:
                    remove(self.folder, before.file)
                self._sweep()
                return after
            if after is not None:
                remove(self.folder, after.file)
        raise self._too_busy(symbol)

    def _too_busy(self, symbol: str) -> DataError:
        return DataError(
            Message(
                "{symbol}: other programs kept changing its bars in '{folder}'. Try again.",
                symbol=symbol,
                folder=self.folder,
            )
        )

    def _written(
        self,
        bars: Bars,
        columns: BarColumns,
        before: Series | None,
        sources: tuple[str, ...],
        session: Session,
    ) -> Series:
        """Write bars to new files and return the row that names them."""
        timeframe = usual(bars.timeframe)
        name = f"{file_stem(bars.symbol)}-{timeframe}-{secrets.token_hex(6)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            size = write(self.folder, name, columns)
        except OSError as error:
            cause, remedy = fault(error, "home")
            text = Message(
                "{symbol}: its bars can't be written to '{folder}': {cause}. {remedy}",
                symbol=bars.symbol,
                folder=shown_path(self.folder),
                cause=cause,
                remedy=remedy,
            )
            raise DataError(text) from error
        times = columns.times
        names = (*(name for name in sources if name != bars.source), bars.source)
        row = Series(
            symbol=bars.symbol,
            timeframe=timeframe,
            count=columns.bars,
            first_ns=int(times[0, 0]),
            last_ns=int(times[0, -1]),
            end_ns=int(times[1, -1]),
            gaps=0,
            missing=0,
            size=size,
            session=session,
            sources=tuple(name for name in names if name not in ("", _SOURCE))[-_MOST_SOURCES:],
            synthetic=bars.synthetic,
            updated=datetime.now(UTC).isoformat(timespec="seconds"),
            file=name,
            version=before.version + 1 if before is not None else 1,
            columns=columns.names,
            decimals=bars.decimals,
        )
        gaps = gaps_of(_bars(row, columns))
        return replace(row, gaps=len(gaps), missing=sum(gap.missing for gap in gaps))

    def _read(self, series: Series) -> tuple[Series, BarColumns]:
        """Return a series with its columns; as it is now, if it was changed since it was looked up."""
        for _ in range(_ATTEMPTS):
            try:
                return series, read(self.folder, series.file, series.count, series.columns)
            except FileNotFoundError:
                now = self.series(series.symbol, series.timeframe)
                if now.file == series.file:
                    raise DataError(
                        Message(
                            "{symbol} {timeframe}: the files of its bars are missing from '{folder}'. Delete the "
                            "series and import it again.",
                            symbol=series.symbol,
                            timeframe=series.timeframe,
                            folder=self.folder,
                        )
                    ) from None
                series = now
        raise self._too_busy(series.symbol)

    def _sweep(self) -> None:
        """Remove files that no row names, which a process may leave that died, once they are an hour old."""
        old = time.time() - _ORPHAN_AGE_S
        stray = [name for name, changed in names_in(self.folder).items() if changed < old]
        if stray:
            named = {series.file for series in self.list()}
            for name in stray:
                if name not in named:
                    remove(self.folder, name)


def _common(stored: Series, bars: Bars) -> int | None:
    """Return with how many decimals the prices of both are written, None if one of them doesn't show it."""
    if stored.decimals is None or bars.decimals is None:
        return None
    return max(stored.decimals, bars.decimals)


def _bars(series: Series, columns: BarColumns) -> Bars:
    open_ns, close_ns = columns.times
    opens, highs, lows, closes, volume = columns.values[: len(BAR_COLUMNS)]
    return Bars(
        symbol=series.symbol,
        timeframe=series.timeframe,
        open_ns=open_ns,
        close_ns=close_ns,
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=volume,
        session=series.session,
        source=_SOURCE,
        synthetic=series.synthetic,
        extra=columns.further,
        decimals=series.decimals,
    )


def _inside(columns: BarColumns, start_ns: int | None, end_ns: int | None) -> slice:
    opens = columns.times[0]
    start = 0 if start_ns is None else int(np.searchsorted(opens, start_ns))
    stop = columns.bars if end_ns is None else int(np.searchsorted(opens, end_ns))
    return slice(start, max(start, stop))


def _cut(columns: BarColumns, start_ns: int | None, end_ns: int | None) -> BarColumns:
    return columns.take(_inside(columns, start_ns, end_ns))
