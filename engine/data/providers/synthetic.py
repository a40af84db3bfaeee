"""`synthetic`: made-up bars, the same for the same seed."""

from __future__ import annotations

import math
import zlib
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from quantcrafter.engine.api import (
    NEW_YORK_STOCKS,
    ROUND_THE_CLOCK,
    DataError,
    DataProvider,
    DataRequest,
    FloatColumn,
    RawBars,
    Session,
    TimeColumn,
    Timeframe,
    param,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.trading_calendar.trading_days import bounds, hours, is_round_the_clock, is_session_day
from quantcrafter.engine.trading_calendar.zones import DAY_NS, EARLIEST_NS, LATEST_NS, MINUTE_NS

_DAY = Timeframe(1, "d")
_EPOCH = date(1970, 1, 1)
_EARLIEST, _LATEST = (_EPOCH + timedelta(days=ns // DAY_NS) for ns in (EARLIEST_NS, LATEST_NS))
_OVERNIGHT_SHARE = 0.3  # of a session's variance, in the jump to the next open
_BASE_VOLUME = 1000.0
_DAYS_A_YEAR = 365
_SESSIONS_A_YEAR = 252
_LARGEST_LOG = 40.0  # keeps prices finite, whatever the parameters

_EVERY_WEEKDAY = replace(NEW_YORK_STOCKS, calendar="")
"""Made-up stocks know no holidays."""


class SyntheticProvider(DataProvider):
    """Synthetic bars from a seeded geometric random walk; labelled as synthetic wherever they are shown.

    The same seed, symbol, timeframe and parameters give the same bars. Within a bar the price moves as a Brownian
    bridge, from which its high and low are drawn. With `session: us_stocks` bars cover 09:30 to 16:00 New York time
    from Monday to Friday (no holidays), and the price jumps overnight. Bars longer than a day are made from daily ones.
    """

    name = "synthetic"

    bars: int = param(
        "How many bars to make (about as many, for bars longer than a day).", default=1000, ge=1, le=20_000_000
    )
    seed: int = param("Another seed gives other bars.", default=1, ge=0)
    start_date: date = param("Day of the first bar.", default=date(2010, 1, 4))
    price: float = param("Price at the start.", default=100.0, gt=0, le=1e9)
    volatility: float = param("Standard deviation of a year's log return.", default=20.0, unit="%", ge=0, le=500)
    drift: float = param("Expected growth in a year.", default=5.0, unit="%", ge=-100, le=1000)
    tick: float = param("Prices are multiples of this.", default=0.01, ge=1e-9, le=1e9)
    session: Literal["24x7", "us_stocks"] = param("When the market is open.", default="24x7")

    def known_timeframes(self, symbol: str, base_dir: str = "") -> tuple[Timeframe, ...]:  # noqa: ARG002 - the contract
        return (Timeframe(1, "s"),)

    def load(self, request: DataRequest) -> RawBars:
        session = _EVERY_WEEKDAY if self.session == "us_stocks" else ROUND_THE_CLOCK
        timeframe, count = request.timeframe, self.bars
        if not timeframe.is_intraday:
            count *= max(timeframe.nominal_ns // DAY_NS * len(session.weekdays) // 7, 1)
            timeframe = _DAY
        time_ns, per_session = self._times(timeframe, count, session)
        rng = np.random.default_rng([self.seed, zlib.crc32(request.symbol.encode())])
        opens, highs, lows, closes, volume = self._walk(rng, count, per_session, session)
        return RawBars(
            time_ns=time_ns,
            open=opens,
            high=highs,
            low=lows,
            close=closes,
            volume=volume,
            rows=np.arange(1, count + 1),
            stamp="open",
            session=session,
            source=f"synthetic (seed {self.seed})",
            synthetic=True,
            timeframe=timeframe,
        )

    def data_version(self, request: DataRequest) -> str:
        del request
        return str(self.seed)

    @model_validator(mode="after")
    def _starts_within_the_calendar(self) -> Self:
        if not _EARLIEST <= self.start_date < _LATEST:
            raise ValueError(
                Message(
                    "start_date must lie from {earliest} to {latest}, was {start_date}",
                    earliest=_EARLIEST,
                    latest=_LATEST - timedelta(days=1),
                    start_date=self.start_date,
                )
            )
        return self

    @model_validator(mode="after")
    def _price_is_a_tick_or_more(self) -> Self:
        if self.price < self.tick:
            raise ValueError(
                Message("the price must be at least a tick of {tick}, was {price}", tick=self.tick, price=self.price)
            )
        return self

    def _times(self, timeframe: Timeframe, count: int, session: Session) -> tuple[TimeColumn, int]:
        """Return opening times (UTC ns) of `count` bars, and how many bars a session has."""
        opening, closing, _ = hours(session)
        per_session = 1
        if timeframe.is_intraday:
            per_session = max(-(-(closing - opening) * MINUTE_NS // timeframe.nominal_ns), 1)
        sessions = -(-count // per_session)
        first = (self.start_date - _EPOCH).days
        if (first + sessions * 7 // len(session.weekdays) + 7) * DAY_NS >= LATEST_NS:
            raise DataError(
                Message(
                    "Synthetic bars must end before the year 2200, {bars:,} bars of {timeframe} from "
                    "{start_date} don't. Lower 'bars', or set an earlier 'start_date'.",
                    bars=self.bars,
                    timeframe=timeframe,
                    start_date=self.start_date,
                ),
                field="bars",
            )
        days = np.arange(first, first + sessions * 7 // len(session.weekdays) + 7, dtype=np.int64)
        days = days[is_session_day(days, session)][:sessions]
        opens, _ = bounds(days, session)
        within = np.arange(per_session, dtype=np.int64) * timeframe.nominal_ns
        return (opens[:, np.newaxis] + within).reshape(-1)[:count], per_session

    def _walk(
        self, rng: np.random.Generator, count: int, per_session: int, session: Session
    ) -> tuple[FloatColumn, FloatColumn, FloatColumn, FloatColumn, FloatColumn]:
        """Return open, high, low, close and volume of a geometric Brownian motion.

        High and low are drawn from the extremes of a Brownian bridge between open and close: with a log return r and
        a variance v, (r +- sqrt(r^2 - 2 v ln U)) / 2 above the open (Glasserman, Monte Carlo Methods in Financial
        Engineering, section 6.4); the two are drawn independently.
        """
        share = 0.0 if is_round_the_clock(session) else _OVERNIGHT_SHARE
        bar_years = 1 / (per_session * (_DAYS_A_YEAR if is_round_the_clock(session) else _SESSIONS_A_YEAR))
        yearly = (self.volatility / 100) ** 2
        variance = yearly * (1 - share) * bar_years
        trend = (math.log1p(max(self.drift / 100, -0.9999)) - yearly / 2) * bar_years
        change = rng.standard_normal(count) * math.sqrt(variance) + trend
        jump = np.zeros(count)
        firsts = np.arange(per_session, count, per_session)
        jump[firsts] = rng.standard_normal(len(firsts)) * math.sqrt(yearly * share / _SESSIONS_A_YEAR)
        ends = np.clip(np.cumsum(change + jump), -_LARGEST_LOG, _LARGEST_LOG)
        begins = np.append(0.0, ends[:-1]) + jump
        change = ends - begins
        reach, spread = change * change, 2 * variance
        above = (change + np.sqrt(reach + spread * rng.standard_exponential(count))) / 2
        below = (change - np.sqrt(reach + spread * rng.standard_exponential(count))) / 2
        closes = self._prices(ends)
        opens = self._prices(begins) if share else np.append(self._prices(begins[:1]), closes[:-1])
        highs = np.maximum(self._prices(begins + above), np.maximum(opens, closes))
        lows = np.minimum(self._prices(begins + below), np.minimum(opens, closes))
        volume = np.rint(_BASE_VOLUME * np.exp(rng.standard_normal(count) / 2))
        return opens, highs, lows, closes, volume

    def _prices(self, logs: FloatColumn) -> FloatColumn:
        """Return prices rounded to the tick; a tick such as 0.01 gives the numbers nearest to the decimals."""
        prices: FloatColumn = self.price * np.exp(logs)
        inverse = round(1 / self.tick)
        if abs(inverse * self.tick - 1) < 1e-9:  # noqa: PLR2004 - a whole number of ticks in 1, up to rounding
            prices = np.rint(prices * inverse) / inverse
        else:
            prices = np.rint(prices / self.tick) * self.tick
        return np.maximum(prices, self.tick)
