"""The hours of a strategy's schedule, as a worker asks for them.

1. Entries may be decided on a bar that closes while a session is open, and before its positions are to be closed. Its
   close counts, not when it was seen: bars that were missed are acted on as in a backtest of them.
2. The last bar of a session or before a break may lead to an entry too if the market closes with it: the order waits
   for the market's next opening, as in a backtest. If the market goes on, it would be filled outside the hours.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from quantcrafter.engine.api import Session
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.hours_side import HoursNow
from quantcrafter.engine.live.inputs import BarsClosed
from quantcrafter.engine.orchestrator.lifecycle import TradingScheduler
from quantcrafter.engine.orchestrator.schedule import SchedulePhase, TradingSchedule, schedule_of
from quantcrafter.engine.orchestrator.trading_hours import MarketHours, Tables
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar

log = logging.getLogger("quantcrafter.live")


class ScheduledHours:
    """The hours of a schedule.

    Args:
        schedule: the schedule.
        sessions: the sessions of the instruments' markets, by symbol.
        clock: gives the computer's time in UTC nanoseconds.
        tables: gives the calendars of exchanges by name.
    """

    def __init__(
        self,
        schedule: TradingSchedule,
        sessions: Mapping[str, Session],
        clock: Callable[[], int] = time.time_ns,
        tables: Tables = calendar,
    ) -> None:
        self._clock, self._notice = clock, ""
        self._now, self._before = (TradingScheduler(schedule, tables=tables) for _ in range(2))
        self._markets = {
            symbol: TradingScheduler(TradingSchedule(MarketHours(session)), tables=tables)
            for symbol, session in sessions.items()
        }

    def now_ns(self) -> int:
        """Return the computer's time (UTC nanoseconds)."""
        return self._clock()

    def at(self, now_ns: int) -> HoursNow:
        """Return what holds at a moment (UTC nanoseconds). The end of a calendar is told once, in the log."""
        state = self._now.state(now_ns)
        if state.notice and not self._notice:
            self._notice = state.notice
            log.warning("%s", state.notice)
        return HoursNow(state.phase is SchedulePhase.OPEN, state.closed_ns, state.flat_ns)

    def allows(self, given: BarsClosed) -> bool:
        """Return whether entries may be decided on bars that have closed."""
        if self._now.state(max(bar.close_ns for bar in given.bars.values())).phase is SchedulePhase.OPEN:
            return True
        closes = [(market, given.bars[name].close_ns) for name, market in self._markets.items() if name in given.bars]
        return bool(closes) and all(self._ends_with(market, close) for market, close in closes)

    def _ends_with(self, market: TradingScheduler, close_ns: int) -> bool:
        """Return whether a market closes with a bar that closed while a session was open."""
        was_open = self._before.state(close_ns - 1).phase is SchedulePhase.OPEN
        return was_open and not market.is_trading_time(close_ns)


def hours_of(
    graph: BoundGraph, clock: Callable[[], int] = time.time_ns, tables: Tables = calendar
) -> ScheduledHours | None:
    """Return the hours of a strategy's schedule; None if it always runs.

    `clock` gives the computer's time, `tables` the calendars of exchanges.
    """
    schedule = schedule_of(graph)
    if schedule.hours is None:
        return None
    sessions = {each.spec.symbol: each.terms.session or Session() for each in graph.instruments}
    return ScheduledHours(schedule, sessions, clock, tables)
