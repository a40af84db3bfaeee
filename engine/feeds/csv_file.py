"""`csv`: bars from a file to which another program appends rows.

1. The file is read by the rules of the data provider `csv`, whenever it has changed; only whole lines count.
2. The rows that are there when a worker begins are its history. Those that come later are brought as they come.
3. A row whose bar closes in the future, by the computer's clock, waits until then.
4. While the file is gone or wrong the connection is lost; afterwards the engine asks for what was missed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, ValidationError

from quantcrafter.engine.api import (
    BAR_COLUMNS,
    ROUND_THE_CLOCK,
    Bar,
    BarClosed,
    BarRevised,
    Bars,
    DataError,
    DataRequest,
    Feed,
    FeedConnection,
    FeedEvent,
    FeedState,
    FeedStatus,
    Session,
    Subscription,
    Timeframe,
    TryAgainError,
    bars_from,
)
from quantcrafter.engine.api.frozen import frozen_bars
from quantcrafter.engine.api.place import place_and_options
from quantcrafter.engine.api.schema_words import must, own_words
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.load import length_of, raw_bars, timed
from quantcrafter.engine.data.providers.files import find_file, reading_once
from quantcrafter.engine.data.providers.growing_csv import GrowingCsvProvider
from quantcrafter.engine.data.quality import check
from quantcrafter.engine.data.resample import check_multiple, resample
from quantcrafter.engine.graph.history import bar_of

_LOOK_S = 0.1
"""How often it looks for a change of the file while it waits."""

FileState = tuple[int, int, int]
"""Inode, size and time of change (ns) of a file."""


class CsvFeed(Feed):
    """Bars from a CSV file that grows, such as `csv:bars.csv` or `csv:bars/{symbol}.csv,timezone=Europe/Berlin`.

    A relative path begins at the folder of the strategy file; `{symbol}` stands for the symbol, with `_` for `/`. The
    layout is recognised as by the data provider `csv`, and the options are those of it. Rows are appended, each with
    the end of its line. A file can have several symbols, if a column names them.
    """

    name = "csv"
    place = "path"

    path: str = Field(min_length=1, description="The file.")
    separator: Literal["auto", ",", ";", "\t", "|"] = Field("auto", description="What separates columns.")
    decimal: Literal["auto", ".", ","] = Field("auto", description="The decimal sign of numbers.")
    columns: dict[str, str | int] = Field(default={}, description="Names or places of columns, by role.")
    time_format: str | None = Field(None, description="How times are written.")
    timezone: str = Field("auto", description="Time zone of times that have none.")
    stamp: Literal["auto", "open", "close"] = Field("auto", description="What times mark of a bar.")
    session: str = Field("auto", description="Trading hours.")
    source_timeframe: Timeframe | None = Field(None, description="Length of the file's bars, such as 1m.")

    @classmethod
    def from_place(cls, text: str) -> Self:
        path, options = place_and_options(text)
        made = cls.model_validate({"path": path} | options)
        try:
            made.provider("ONE")
        except ValidationError as error:  # the provider knows more of its options than their types
            first = dict(error.errors(include_url=False)[0])
            wish = must(first)
            raise ValueError(f"it must {wish}" if wish else own_words(first)) from error
        return made

    def provider(self, symbol: str) -> GrowingCsvProvider:
        """Return what reads the file of a symbol."""
        path = self.path.replace("{symbol}", symbol.replace("/", "_"))
        return GrowingCsvProvider(**(dict(self) | {"path": path}))

    def open(self, subscriptions: Sequence[Subscription], base_dir: str = "") -> FeedConnection:
        providers = {each.name: self.provider(each.symbol) for each in subscriptions}
        for each in providers.values():
            find_file(each.path, base_dir)
        return CsvConnection(subscriptions, providers, base_dir)


class CsvConnection(FeedConnection):
    """Files that are read again when they have changed.

    Args:
        subscriptions: what there are bars of.
        providers: what reads the file of each name.
        base_dir: where relative paths begin.
        now_ns: the computer's clock; for tests.
        sleep: waits for some seconds; for tests.
    """

    def __init__(
        self,
        subscriptions: Sequence[Subscription],
        providers: dict[str, GrowingCsvProvider],
        base_dir: str,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._subscriptions = {each.name: each for each in subscriptions}
        self._providers, self._base_dir = dict(providers), base_dir
        self._now_ns, self._sleep = now_ns, sleep
        self._bars: dict[str, Bars] = {}
        self._files: dict[Path, FileState] = {}
        self._given_ns = dict.fromkeys(self._subscriptions, -(2**62))
        self._sessions: dict[str, Session] = {}
        self._state: FeedStatus | None = None
        self._fault: DataError | None = None

    def history(self, name: str, before_ns: int, count: int) -> Bars:
        bars = self._asked(name)
        end = int(np.searchsorted(bars.close_ns, before_ns, side="right"))
        found = bars.slice(max(0, end - count), end)
        self._note_given(name, found.close_ns[-1:].tolist())
        return found

    def missed(self, name: str, after_ns: int, until_ns: int) -> Sequence[Bar]:
        bars = self._asked(name)
        begin, end = (int(np.searchsorted(bars.close_ns, each, side="right")) for each in (after_ns, until_ns))
        self._note_given(name, [after_ns, *bars.close_ns[begin:end].tolist()])
        return [bar_of(bars, number) for number in range(begin, end)]

    def poll(self, timeout_s: float) -> Sequence[FeedEvent]:
        waited = 0.0
        while True:
            events = self._new()
            if events or waited >= timeout_s:
                return events
            pause = min(_LOOK_S, timeout_s - waited)
            self._sleep(pause)
            waited += pause

    def now_ns(self) -> int:
        return self._now_ns()

    def close(self) -> None:
        self._bars, self._subscriptions = {}, {}

    def _new(self) -> list[FeedEvent]:
        if not self._subscriptions:
            return []
        before = self._bars
        try:
            self._refresh()
        except (OSError, DataError) as error:
            return self._changed("lost", str(error))
        now_ns = self._now_ns()
        events: list[FeedEvent] = []
        if self._bars is not before:
            for name, old in before.items():
                events += self._revised(name, old, now_ns)
        for name, bars in self._bars.items():
            begin, end = np.searchsorted(bars.close_ns, (self._given_ns[name], now_ns), side="right").tolist()
            events += [BarClosed(name, bar_of(bars, number), now_ns) for number in range(begin, end)]
            self._note_given(name, bars.close_ns[begin:end].tolist())
        return [*self._changed("connected"), *events]

    def _revised(self, name: str, old: Bars, now_ns: int) -> list[FeedEvent]:
        """Return the bars that were given out, and have other values now."""
        new = self._bars[name]
        _, here, there = np.intersect1d(old.close_ns, new.close_ns, assume_unique=True, return_indices=True)
        differs = np.zeros(len(here), np.bool_)
        for column in BAR_COLUMNS:
            differs |= old.column(column)[here] != new.column(column)[there]
        differs &= new.close_ns[there] <= self._given_ns[name]
        return [BarRevised(name, bar_of(new, int(number)), now_ns) for number in there[differs]]

    def _changed(self, state: FeedStatus, text: str = "") -> list[FeedEvent]:
        changed, self._state = state != self._state, state
        return [FeedState(state, self._now_ns(), text)] if changed else []

    def _note_given(self, name: str, closes: Sequence[int]) -> None:
        self._given_ns[name] = max(self._given_ns[name], *closes, -(2**62))

    # ------------------------------------------------------------------ reading

    def _asked(self, name: str) -> Bars:
        try:
            self._refresh()
        except OSError as error:
            raise TryAgainError(str(error)) from error
        return self._bars[name]

    def _refresh(self) -> None:
        """Read the files again if one of them has changed.

        Raises:
            OSError, DataError: a file is gone or wrong.
        """
        paths = {name: find_file(each.path, self._base_dir) for name, each in self._providers.items()}
        files = {path: _state_of(path) for path in paths.values()}
        if files == self._files:
            if self._fault is not None:
                raise self._fault
            return
        self._files, self._fault = files, None
        try:
            with reading_once():
                self._bars = {name: self._read(name, path) for name, path in paths.items()}
        except DataError as error:
            self._fault = error
            raise

    def _read(self, name: str, path: Path) -> Bars:
        wanted, provider = self._subscriptions[name], self._providers[name]
        if not provider.has_rows(path, shown_path(provider.path)):
            return bars_from(wanted, [], provider.path)
        session = self._sessions.get(name)
        if session is None and wanted.session != ROUND_THE_CLOCK:
            session = wanted.session
        request = DataRequest(wanted.symbol, wanted.timeframe, self._base_dir, session=session)
        raw = raw_bars(provider, request)
        length = length_of(raw, request)
        check_multiple(length, wanted.timeframe, wanted.symbol)
        raw, _ = check(raw, length, symbol=wanted.symbol, on_bad_bars="refuse", negative_prices=False)
        bars = frozen_bars(resample(timed(raw, length, wanted.symbol), wanted.timeframe))
        self._sessions.setdefault(name, bars.session)  # a guess stays as it is
        return bars


def _state_of(path: Path) -> FileState:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
