"""Bars: the market data of one instrument as numpy columns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

import numpy as np

from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.api.timeframe import Timeframe

BAR_COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Session:
    """The regular trading hours of a venue, in its own time zone.

    `open` and `close` are minutes after local midnight; equal values mean round the clock. `weekdays` counts Monday
    as 0. A close at or before the open is on the next day. `calendar` is the code of the exchange whose holidays,
    half days and breaks hold, such as XNYS; without one every weekday named has a session.
    """

    timezone: str = "UTC"
    open_minute: int = 0
    close_minute: int = 1440
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    calendar: str = ""


NEW_YORK_STOCKS = Session("America/New_York", 570, 960, (0, 1, 2, 3, 4), "XNYS")
ROUND_THE_CLOCK = Session()


@dataclass(frozen=True, slots=True)
class CorporateActions:
    """What happened at the open of each bar, shape (n,).

    `split` is how many units one becomes (1 for none, 2 for two for one, 0.1 for a reverse split), `dividend` the cash
    that each unit after the split gets (0 for none).
    """

    split: FloatColumn
    dividend: FloatColumn

    def take(self, rows: TimeColumn | slice) -> CorporateActions:
        """Return those of some bars."""
        return CorporateActions(self.split[rows], self.dividend[rows])


@dataclass(frozen=True)
class Bars:
    """Checked bars of one instrument, oldest first; all columns have shape (n,).

    `open_ns` and `close_ns` are UTC nanoseconds since 1970: the start and end of a bar. Both are strictly increasing,
    and a bar's values are known from its `close_ns` on. Prices are in the instrument's quote currency, volume in units
    of the instrument. `synthetic` marks generated data, which is labelled wherever it is shown.

    If the engine adjusted the prices for corporate actions, `traded` holds the same bars with prices as traded, and its
    `actions` the adjustments. Columns are computed on adjusted prices, orders fill at prices as traded.
    `session_source` is the source of the session: `file`, `market`, `guess`, or '' for the provider.
    """

    symbol: str
    timeframe: Timeframe
    open_ns: TimeColumn
    close_ns: TimeColumn
    open: FloatColumn
    high: FloatColumn
    low: FloatColumn
    close: FloatColumn
    volume: FloatColumn
    session: Session = ROUND_THE_CLOCK
    source: str = ""
    synthetic: bool = False
    traded: Bars | None = None
    actions: CorporateActions | None = None
    session_source: str = ""

    def __len__(self) -> int:
        return len(self.close)

    def column(self, name: str) -> FloatColumn:
        """Return one of `open`, `high`, `low`, `close`, `volume`.

        Raises:
            KeyError: there is no such column.
        """
        if name not in BAR_COLUMNS:
            raise KeyError(name)
        column: FloatColumn = getattr(self, name)
        return column

    def slice(self, start: int, stop: int) -> Bars:
        """Return bars `start` to `stop` (exclusive) as views, without copying."""
        arrays = {f.name: getattr(self, f.name)[start:stop] for f in fields(self) if f.name in _ARRAYS}
        traded = None if self.traded is None else self.traded.slice(start, stop)
        actions = None if self.actions is None else self.actions.take(slice(start, stop))
        return replace(self, traded=traded, actions=actions, **arrays)

    @cached_property
    def content_hash(self) -> str:
        """Return a hash of times and prices, which shows whether two runs used the same data."""
        import hashlib

        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(_ARRAYS):
            digest.update(np.ascontiguousarray(getattr(self, name)).view(np.uint8).data)
        if self.actions is not None:
            for column in (self.actions.split, self.actions.dividend):
                digest.update(np.ascontiguousarray(column).view(np.uint8).data)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar that has closed; times are UTC nanoseconds.

    `split` is how many units one became at its open, `dividend` the cash that each unit after the split got then. If
    prices are adjusted, `traded` is the same bar with prices as traded.
    """

    open_ns: int
    close_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    split: float = 1.0
    dividend: float = 0.0
    traded: Bar | None = None


_ARRAYS = frozenset({"open_ns", "close_ns", *BAR_COLUMNS})


@dataclass(frozen=True, slots=True)
class DataRequest:
    """A request to a data provider.

    `start` and `end` (exclusive) are UTC nanoseconds or None; `base_dir` is the folder for relative paths. Bars outside
    the range may be returned: the engine cuts them. A run asks for all bars from the beginning of the data, since nodes
    see those before its start. `session` is that of the instrument's market, if set, and
    `timezone` the zone of its times without a zone.
    """

    symbol: str
    timeframe: Timeframe
    base_dir: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    session: Session | None = None
    timezone: str = ""
    negative_prices: bool = False


@dataclass(frozen=True)
class RawBars:
    """Unchecked bars from a provider. The engine handles order, duplicates, NaN and impossible prices.

    `time_ns` holds UTC nanoseconds; `stamp` says whether they mark the open or the close of a bar, or only its `date`
    (UTC midnight of the local trading day). `rows` is the position of each bar in the source, as a user would count it
    (a line of the file). Columns have shape (n,). `timeframe` is the length of the source's bars, None to detect it;
    `notes` are the provider's guesses for the user, one sentence each. If the source has the close time of each bar,
    set `close_ns` (UTC ns) and the stamp `open`; otherwise it is derived from length and session. With `actions`, or an
    `adjusted_close` from which they are derived, prices are as traded, and the engine adjusts them. `session_source` is
    `file` if the user set the session, `guess` if it was guessed, and '' if the provider has it; the session of the
    request's market takes precedence over the latter.
    """

    time_ns: TimeColumn
    open: FloatColumn
    high: FloatColumn
    low: FloatColumn
    close: FloatColumn
    volume: FloatColumn
    rows: TimeColumn
    stamp: str = "open"
    session: Session = ROUND_THE_CLOCK
    source: str = ""
    synthetic: bool = False
    timeframe: Timeframe | None = None
    notes: tuple[str, ...] = ()
    close_ns: TimeColumn | None = None
    actions: CorporateActions | None = None
    adjusted_close: FloatColumn | None = None
    session_source: Literal["", "file", "guess"] = ""
