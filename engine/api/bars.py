"""Bars: the market data of one instrument as numpy columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple

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


@dataclass(frozen=True, slots=True)
class Rolls:
    """The contracts of a continuous series of futures; columns have shape (n,).

    `price` is the last close of the contract whose first bar a bar is, NaN at all other bars; the close of the bar
    before is that of the contract before. `contract` is the number of each bar's contract among `names`, and `expiries`
    are their last days (since 1970; None if unknown). A real price is `factor` x the price that columns are computed
    on + `offset`.
    """

    price: FloatColumn
    contract: TimeColumn
    factor: FloatColumn
    offset: FloatColumn
    names: tuple[str, ...]
    expiries: tuple[int | None, ...]

    @classmethod
    def of(cls, contracts: Sequence[HeldContract]) -> Rolls:
        """Return the rolls of bars at real prices, by the contract that each of them names; there is at least one."""
        n = len(contracts)
        begins = [0, *(row for row in range(1, n) if contracts[row].name != contracts[row - 1].name)]
        price = np.array([np.nan if each.roll is None else each.roll for each in contracts], np.float64)
        number = np.searchsorted(begins, np.arange(n), side="right") - 1
        expiries = (*(None for _ in begins[1:]), contracts[-1].expiry_day)
        names = tuple(contracts[row].name for row in begins)
        return cls(price, number, np.ones(n), np.zeros(n), names, expiries)

    def take(self, rows: TimeColumn | slice) -> Rolls:
        """Return those of some bars."""
        return replace(
            self,
            price=self.price[rows],
            contract=self.contract[rows],
            factor=self.factor[rows],
            offset=self.offset[rows],
        )


@dataclass(frozen=True, eq=False)
class DatedAmounts:
    """Amounts that are due at moments (UTC nanoseconds, increasing), for long and for short positions, shape (m,)."""

    times_ns: TimeColumn
    long: FloatColumn
    short: FloatColumn

    @classmethod
    def of(cls, amounts: Iterable[DatedAmount] = ()) -> DatedAmounts:
        """Return single amounts, in the order of their times, as columns."""
        times, long, short = tuple(zip(*amounts, strict=True)) or ((), (), ())
        return cls(np.array(times, np.int64), np.array(long, np.float64), np.array(short, np.float64))

    def within(self, begin_ns: int, end_ns: int) -> DatedAmounts:
        """Return those from one moment on and before another."""
        span = slice(*np.searchsorted(self.times_ns, (begin_ns, end_ns)).tolist())
        return DatedAmounts(self.times_ns[span], self.long[span], self.short[span])


class DatedAmount(NamedTuple):
    """One of `DatedAmounts`: its moment (UTC nanoseconds), and the amount for long and for short positions."""

    time_ns: int
    long: float
    short: float


@dataclass(frozen=True)
class Bars:
    """Checked bars of one instrument, oldest first; all columns have shape (n,).

    `open_ns` and `close_ns` are UTC nanoseconds since 1970: the start and end of a bar. Both are strictly increasing,
    and a bar's values are known from its `close_ns` on. Prices are in the instrument's quote currency, volume in units
    of the instrument. `synthetic` marks generated data, which is labelled wherever it is shown.

    If the engine adjusted the prices for corporate actions, `traded` holds the same bars with prices as traded, and its
    `actions` the adjustments. Columns are computed on adjusted prices, orders fill at prices as traded.
    `session_source` is the source of the session: `file`, `market`, `guess`, or '' for the provider. `extra` holds
    further columns of the source by name, such as a score; like the prices, a value is known from its bar's close on,
    and NaN where there is none. `rolls` are those of a continuous series, on the bars with prices as traded. `funding`
    and `swap` are rates that change, of the instrument, whichever bars there are. `spread` is the distance of bid and
    ask of each bar as the source counts it, `open_interest` that of each bar; None if they weren't asked for.
    `decimals` is the number of decimals with which the source writes each price, None if it doesn't show that.
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
    extra: Mapping[str, FloatColumn] = field(default_factory=dict)
    rolls: Rolls | None = None
    spread: FloatColumn | None = None
    open_interest: FloatColumn | None = None
    funding: DatedAmounts | None = None
    swap: DatedAmounts | None = None
    decimals: int | None = None

    def __len__(self) -> int:
        return len(self.close)

    def column(self, name: str) -> FloatColumn:
        """Return one of `open`, `high`, `low`, `close`, `volume`, or a further column.

        Raises:
            KeyError: there is no such column.
        """
        if name not in BAR_COLUMNS:
            return self.extra[name]
        column: FloatColumn = getattr(self, name)
        return column

    def slice(self, start: int, stop: int) -> Bars:
        """Return bars `start` to `stop` (exclusive) as views, without copying."""
        arrays = {f.name: getattr(self, f.name)[start:stop] for f in fields(self) if f.name in _ARRAYS}
        traded = None if self.traded is None else self.traded.slice(start, stop)
        actions = None if self.actions is None else self.actions.take(slice(start, stop))
        extra = {name: column[start:stop] for name, column in self.extra.items()}
        rolls = None if self.rolls is None else self.rolls.take(slice(start, stop))
        arrays |= {name: column[start:stop] for name in _OPTIONAL if (column := getattr(self, name)) is not None}
        return replace(self, traded=traded, actions=actions, extra=extra, rolls=rolls, **arrays)

    @cached_property
    def content_hash(self) -> str:
        """Return a hash of times and prices, which shows whether two runs used the same data."""
        import hashlib

        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(_ARRAYS):
            digest.update(np.ascontiguousarray(getattr(self, name)).view(np.uint8).data)
        for name in sorted(self.extra):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(self.extra[name]).view(np.uint8).data)
        if self.actions is not None:
            for column in (self.actions.split, self.actions.dividend):
                digest.update(np.ascontiguousarray(column).view(np.uint8).data)
        if self.rolls is not None:
            digest.update(np.ascontiguousarray(self.rolls.price).view(np.uint8).data)
        if self.spread is not None:
            digest.update(np.ascontiguousarray(self.spread).view(np.uint8).data)
        return digest.hexdigest()


class HeldContract(NamedTuple):
    """The contract of a continuous series whose bar a bar is.

    `roll` is its last close before this bar if the series has changed to it since the last one, None otherwise.
    `expiry_day` is the last day (since 1970) of the series' last contract, None for all others.
    """

    name: str
    roll: float | None = None
    expiry_day: int | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar that has closed; times are UTC nanoseconds.

    `split` is how many units one became at its open, `dividend` the cash that each unit after the split got then. If
    prices are adjusted, `traded` is the same bar with prices as traded. `extra` holds the values of further columns by
    name; one that is left out is missing (NaN).

    What follows is None if the instrument doesn't need it. `spread` is the distance of bid and ask as the source counts
    it. `funding` are the fundings from the close of the bar before up to this one's close (exclusive): what long
    positions pay to short ones, in percent. `swap` are what positions earn in the nights that began in that time; the
    moment of each is its date, UTC midnight. `contract` is that of a continuous series.
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
    extra: Mapping[str, float] = field(default_factory=dict)
    spread: float | None = None
    funding: tuple[DatedAmount, ...] | None = None
    swap: tuple[DatedAmount, ...] | None = None
    contract: HeldContract | None = None


_ARRAYS = frozenset({"open_ns", "close_ns", *BAR_COLUMNS})
_OPTIONAL = ("spread", "open_interest")


@dataclass(frozen=True, slots=True)
class DataRequest:
    """A request to a data provider.

    `start` and `end` (exclusive) are UTC nanoseconds or None; `base_dir` is the folder for relative paths. Bars outside
    the range may be returned: the engine cuts them. A run asks for all bars from the beginning of the data, since nodes
    see those before its start. `session` is that of the instrument's market, if set, and
    `timezone` the zone of its times without a zone. `spread_column` is the name of the column with spreads, '' if none
    is wanted; `open_interest` says whether that is. `keeps_columns` is set for an import: a file's own columns of
    spread and open interest are wanted as further columns of these names. `expiry` is the day on which a contract
    expires: bars after its last session are not used, and no longer bar is made of them.
    """

    symbol: str
    timeframe: Timeframe
    base_dir: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    session: Session | None = None
    timezone: str = ""
    negative_prices: bool = False
    spread_column: str = ""
    open_interest: bool = False
    keeps_columns: bool = False
    expiry: date | None = None


@dataclass(frozen=True)
class RawBars:
    """Unchecked bars from a provider. The engine handles order, duplicates, NaN and impossible prices.

    `time_ns` holds UTC nanoseconds; `stamp` says whether they mark the open or the close of a bar, or only its `date`
    (UTC midnight of the local trading day). `rows` is the position of each bar in the source, as a user would count it
    (a line of the file). Columns have shape (n,). `timeframe` is the length of the source's bars, None to detect it;
    `notes` are the provider's guesses for the user, one sentence each, `warnings` what is likely to be wrong. If the
    source has the close time of each bar, set `close_ns` (UTC ns) and the stamp `open`; otherwise it is derived from
    length and session. With `actions`, or an `adjusted_close` from which they are derived, prices are as traded, and
    the engine adjusts them. `session_source` is `file` if the user set the session, `guess` if it was guessed, and ''
    if the provider has it; the session of the request's market takes precedence over the latter. `extra` holds further
    columns by name; missing values are NaN. `currency` is that of the prices where the source names it. `decimals` is
    the number of decimals with which it writes each price, None if it doesn't show that.
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
    warnings: tuple[str, ...] = ()
    close_ns: TimeColumn | None = None
    actions: CorporateActions | None = None
    adjusted_close: FloatColumn | None = None
    session_source: Literal["", "file", "guess"] = ""
    extra: Mapping[str, FloatColumn] = field(default_factory=dict)
    currency: str = ""
    spread: FloatColumn | None = None
    open_interest: FloatColumn | None = None
    decimals: int | None = None
