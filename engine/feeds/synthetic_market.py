"""A made-up market without an end: the price of a symbol at every minute, the same for the same seed.

1. The log of the price at each midnight (UTC) is a random walk from a first day on, which returns to the middle within
   about a year, so that it neither vanishes nor runs away however long it lasts.
2. Within a day, minutes are a Brownian bridge between the two midnights, drawn from a seed of that day: any day can be
   made by itself. High and low of a minute are drawn from the extremes of a bridge, as those of the data provider
   `synthetic`.
3. Longer bars are made of the minutes, so that those of several timeframes agree.
"""

from __future__ import annotations

import math
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from quantcrafter.engine.api import (
    BAR_COLUMNS,
    ROUND_THE_CLOCK,
    Bars,
    BoolColumn,
    FloatColumn,
    Session,
    TimeColumn,
    Timeframe,
)
from quantcrafter.engine.data.resample import resample, take_bars
from quantcrafter.engine.data.resample_slots import slots
from quantcrafter.engine.trading_calendar.trading_days import breaks, trading_days_in_order
from quantcrafter.engine.trading_calendar.zones import DAY_NS, LATEST_NS, MINUTE_NS

FIRST_DAY = 10_957
"""2000-01-01, in days since 1970: there are no bars before."""

MINUTES = DAY_NS // MINUTE_NS
MINUTE = Timeframe(1, "m")

_DAYS_A_YEAR = 365
_RETURN = 1.0 / _DAYS_A_YEAR
_BASE_VOLUME = 100.0
_KEPT_DAYS = 4
_MARGIN_NS = 4 * DAY_NS
_LAST_DAY = LATEST_NS // DAY_NS - 1


@dataclass(frozen=True)
class MarketTerms:
    """What a made-up market is like: `volatility` is the standard deviation of a year's log return, in percent."""

    seed: int = 1
    price: float = 100.0
    volatility: float = 20.0
    tick: float = 0.01


@dataclass
class SyntheticMarket:
    """The prices of one symbol."""

    symbol: str
    terms: MarketTerms
    _midnights: list[float] = field(default_factory=lambda: [0.0])
    _days: OrderedDict[int, FloatColumn] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        """Begin the walk from midnight to midnight."""
        self._walk = np.random.default_rng(self._seeds())

    def bars(self, timeframe: Timeframe, session: Session, after_ns: int, until_ns: int) -> Bars:
        """Return the bars that close after a moment, and at another one or earlier, oldest first; maybe none."""
        margin_ns = 2 * timeframe.nominal_ns + _MARGIN_NS
        first = max(FIRST_DAY, (after_ns - margin_ns) // DAY_NS)
        minutes = self._minutes(first, min(_LAST_DAY, until_ns // DAY_NS), session)
        minutes = minutes.slice(0, int(np.searchsorted(minutes.close_ns, until_ns, side="right")))
        if timeframe.is_intraday and session != ROUND_THE_CLOCK and len(minutes):
            minutes = take_bars(minutes, np.flatnonzero(_is_open(minutes.open_ns, session)))
        made = resample(minutes, timeframe)
        begin = int(np.searchsorted(made.close_ns, after_ns, side="right"))
        whole = int(np.searchsorted(made.open_ns, FIRST_DAY * DAY_NS))
        return made.slice(max(begin, whole), len(made))

    def _minutes(self, first: int, last: int, session: Session) -> Bars:
        """Return the minutes of the days from `first` to `last`."""
        days = range(first, max(first, last + 1))
        columns = np.concatenate([np.empty((len(BAR_COLUMNS), 0)), *map(self._day, days)], axis=1)
        open_ns = np.arange(days.start * MINUTES, days.stop * MINUTES, dtype=np.int64) * MINUTE_NS
        return Bars(
            self.symbol,
            MINUTE,
            open_ns,
            open_ns + MINUTE_NS,
            **dict(zip(BAR_COLUMNS, columns, strict=True)),
            session=session,
            source=f"synthetic (seed {self.terms.seed})",
            synthetic=True,
        )

    def _day(self, day: int) -> FloatColumn:
        """Return open, high, low, close and volume of a day's minutes, shape (5, 1440)."""
        if day in self._days:
            self._days.move_to_end(day)
            return self._days[day]
        self._days[day] = made = self._made(day)
        if len(self._days) > _KEPT_DAYS:
            self._days.popitem(last=False)
        return made

    def _made(self, day: int) -> FloatColumn:
        rng = np.random.default_rng([*self._seeds(), day])
        begin, end = self._midnight(day), self._midnight(day + 1)
        deviation = self.terms.volatility / 100 / math.sqrt(_DAYS_A_YEAR * MINUTES)
        free = np.concatenate(([0.0], np.cumsum(rng.standard_normal(MINUTES) * deviation)))
        way = np.linspace(0.0, 1.0, MINUTES + 1)
        path = begin + free + way * (end - begin - free[-1])
        begins, change = path[:-1], np.diff(path)
        reach, spread = change * change, 2 * deviation * deviation
        above = (change + np.sqrt(reach + spread * rng.standard_exponential(MINUTES))) / 2
        below = (change - np.sqrt(reach + spread * rng.standard_exponential(MINUTES))) / 2
        prices = self._prices(path)
        opens, closes = prices[:-1], prices[1:]
        highs = np.maximum(self._prices(begins + above), np.maximum(opens, closes))
        lows = np.minimum(self._prices(begins + below), np.minimum(opens, closes))
        volume = np.rint(_BASE_VOLUME * np.exp(rng.standard_normal(MINUTES) / 2))
        return np.stack([opens, highs, lows, closes, volume])

    def _midnight(self, day: int) -> float:
        """Return the log of the price at the beginning of a day, relative to the middle."""
        deviation = self.terms.volatility / 100 / math.sqrt(_DAYS_A_YEAR)
        while len(self._midnights) <= day - FIRST_DAY:
            self._midnights.append(self._midnights[-1] * (1 - _RETURN) + deviation * self._walk.standard_normal())
        return self._midnights[day - FIRST_DAY]

    def _seeds(self) -> list[int]:
        return [self.terms.seed, zlib.crc32(self.symbol.encode())]

    def _prices(self, logs: FloatColumn) -> FloatColumn:
        """Return prices rounded to the tick; a tick such as 0.01 gives the numbers nearest to the decimals."""
        tick = self.terms.tick
        prices: FloatColumn = self.terms.price * np.exp(logs)
        inverse = round(1 / tick)
        if abs(inverse * tick - 1) < 1e-9:  # noqa: PLR2004 - a whole number of ticks in 1, up to rounding
            prices = np.rint(prices * inverse) / inverse
        else:
            prices = np.rint(prices / tick) * tick
        return np.maximum(prices, tick)


def _is_open(time_ns: TimeColumn, session: Session) -> BoolColumn:
    """Return whether each moment is in a session, and in no break of it."""
    pauses, resumes, there = breaks(trading_days_in_order(time_ns, session), session)
    paused = there & (pauses <= time_ns) & (time_ns < resumes)
    found: BoolColumn = slots(time_ns, MINUTE, session).inside & ~paused
    return found
