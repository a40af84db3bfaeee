"""`synthetic`: a made-up market with a clock of its own, which never ends unless it is told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pydantic import Field

from quantcrafter.engine.api import Bar, Bars, DataError, FeedConnection, Session, Subscription, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.feeds.clocked import ClockedConnection, ClockedFeed, moment_of
from quantcrafter.engine.feeds.synthetic_market import FIRST_DAY, MINUTE, MarketTerms, SyntheticMarket
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.trading_calendar.exchange_calendar import DAY_MINUTES
from quantcrafter.engine.trading_calendar.trading_days import WEEK_DAYS, hours
from quantcrafter.engine.trading_calendar.zones import DAY_NS, LATEST_NS

MOST_HISTORY = 20_000
"""How many bars before its beginning it has at most."""

_CHUNK = 500


class SyntheticFeed(ClockedFeed):
    """Bars of a made-up market, such as `synthetic:60x` or `synthetic:max@2024-01-01..2024-02-01,seed=7`.

    The same seed, symbol and moment always give the same bar, after a restart too, and bars of several timeframes
    agree. The clock begins at `begin` and runs `speed` times as fast as ours; `max` brings bars as fast as they are
    used. Without `end` it goes on and on. The price returns to `price` within about a year. Bars have a length of a
    minute or more, and keep to the session of the instrument.
    """

    name = "synthetic"

    begin: str = Field("2024-01-01", description="Where its clock begins, a day or a time in UTC.")
    end: str = Field("", description="The last day or time; empty for no end.")
    seed: int = Field(1, ge=0, description="Another seed gives other bars.")
    price: float = Field(100.0, gt=0, le=1e9, description="The price around which it moves.")
    volatility: float = Field(20.0, ge=0, le=500, description="Standard deviation of a year's log return, in percent.")
    tick: float = Field(0.01, ge=1e-9, le=1e9, description="Prices are multiples of this.")

    def open(self, subscriptions: Sequence[Subscription], base_dir: str = "") -> FeedConnection:
        del base_dir
        begin_ns = max(moment_of(self.begin or "2024-01-01"), FIRST_DAY * DAY_NS)
        end_ns = moment_of(self.end) if self.end else LATEST_NS - 2 * DAY_NS
        terms = MarketTerms(self.seed, self.price, self.volatility, self.tick)
        for each in subscriptions:
            if each.timeframe.nominal_ns % MINUTE.nominal_ns:
                raise DataError(
                    Message(
                        "The feed 'synthetic' has bars of a minute and its multiples, '{name}' asks for {timeframe}. "
                        "Set another timeframe.",
                        name=each.name,
                        timeframe=each.timeframe,
                    )
                )
        return SyntheticConnection(subscriptions, terms, begin_ns, end_ns, self.factor)


def _spread(timeframe: Timeframe, session: Session) -> float:
    """Return about how much longer the time of some bars is than they are together, as the market closes."""
    opening, closing, _ = hours(session)
    open_share = (closing - opening) / DAY_MINUTES if timeframe.is_intraday else 1.0
    week = 1.0 if len(session.weekdays) == WEEK_DAYS else 1.05 * WEEK_DAYS / max(1, len(session.weekdays))
    return week / open_share


class SyntheticConnection(ClockedConnection):
    """Made-up markets behind a clock.

    Args:
        subscriptions: what there are bars of.
        terms: what the markets are like.
        begin_ns: where the clock begins.
        end_ns: the last moment at which a bar may close.
        factor: how fast the clock runs.
        clock: our clock, in seconds; for tests.
        sleep: waits for some seconds; for tests.
    """

    def __init__(
        self,
        subscriptions: Sequence[Subscription],
        terms: MarketTerms,
        begin_ns: int,
        end_ns: int,
        factor: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._subscriptions = {each.name: each for each in subscriptions}
        super().__init__(self._subscriptions, begin_ns, factor, clock=clock, sleep=sleep)
        markets = {each.symbol: SyntheticMarket(each.symbol, terms) for each in subscriptions}
        self._markets = {each.name: markets[each.symbol] for each in subscriptions}
        self._end_ns = end_ns
        self._ahead: dict[str, Bars] = {}
        self._next: dict[str, int] = {}
        self._seek(begin_ns)

    def history(self, name: str, before_ns: int, count: int) -> Bars:
        wanted, first_ns = min(count, MOST_HISTORY), FIRST_DAY * DAY_NS
        timeframe = self._subscriptions[name].timeframe
        span_ns = round(wanted * timeframe.nominal_ns * _spread(timeframe, self._subscriptions[name].session))
        while True:
            after_ns = max(first_ns, before_ns - span_ns)
            bars = self._between(name, after_ns, before_ns)
            if len(bars) >= wanted or after_ns == first_ns:
                return bars.slice(max(0, len(bars) - wanted), len(bars))
            span_ns *= 2

    def missed(self, name: str, after_ns: int, until_ns: int) -> Sequence[Bar]:
        bars = self._between(name, after_ns, min(until_ns, self._end_ns))
        return [bar_of(bars, number) for number in range(len(bars))]

    def _between(self, name: str, after_ns: int, until_ns: int) -> Bars:
        wanted = self._subscriptions[name]
        return self._markets[name].bars(wanted.timeframe, wanted.session, after_ns, until_ns)

    def _seek(self, at_ns: int) -> None:
        for name in self._subscriptions:
            self._load(name, at_ns)

    def _load(self, name: str, after_ns: int) -> None:
        """Make the next bars that close after a moment, with one beyond the end if there is an end."""
        span_ns = max(_CHUNK * self._subscriptions[name].timeframe.nominal_ns, DAY_NS)
        latest_ns = LATEST_NS - DAY_NS
        while True:
            until_ns = min(after_ns + span_ns, latest_ns)
            bars = self._between(name, after_ns, until_ns)
            if len(bars) > 1 or until_ns == latest_ns:
                break
            span_ns *= 2
        self._ahead[name], self._next[name] = bars, 0

    def _next_close(self, name: str) -> int | None:
        bars, number = self._ahead[name], self._next[name]
        if number >= len(bars):
            return None
        closed = int(bars.close_ns[number])
        return closed if closed <= self._end_ns else None

    def _take(self, name: str) -> tuple[Bar, bool]:
        bar = bar_of(self._ahead[name], self._next[name])
        self._next[name] += 1
        if self._next[name] >= len(self._ahead[name]):
            self._load(name, bar.close_ns)
        return bar, self._next_close(name) is None
