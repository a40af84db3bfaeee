"""Calendar values of the newest bar, identical to those that a whole run computes over all of its bars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quantcrafter.engine.api.bars import Session
from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.rules import GuardKind
from quantcrafter.engine.simulation.account_terms import MINUTE_NS, counts_days, has_venue_rules
from quantcrafter.engine.simulation.closed_bar import ClosedBar
from quantcrafter.engine.simulation.execution_terms import is_by_day, rebalance_of
from quantcrafter.engine.simulation.financing_columns import (
    FUNDING_COLUMNS,
    NIGHT_COLUMNS,
    Due,
    TimesOfBar,
    fundings_in,
    is_funded,
    nights_in,
)
from quantcrafter.engine.simulation.plain import is_same
from quantcrafter.engine.simulation.records import DAY_BEGINS, DAY_ENDS
from quantcrafter.engine.simulation.risk_records import CLOSING, CUT_SHORT, OVERDUE
from quantcrafter.engine.simulation.venue_columns import NO_DAY, has_limits, has_rolls, limits_at, reference_price
from quantcrafter.engine.trading_calendar.trading_days import bounds, day_edges, is_special_day, trading_days


class Days:
    """Trading days of one session, and when their sessions end; a day is looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._from_ns = self._until_ns = 0
        self._day = self._ends_ns = NO_DAY
        self._is_special = False

    def day_of(self, time_ns: int) -> int:
        """Return the trading day of a moment."""
        if not self._from_ns <= time_ns < self._until_ns:
            self._look_up(time_ns)
        return self._day

    def end_of(self, time_ns: int) -> int:
        """Return when the session of a moment's trading day ends, in UTC ns."""
        self.day_of(time_ns)
        return self._ends_ns

    def is_special(self, time_ns: int) -> bool:
        """Return whether a moment is on a day on which the exchange has no regular session."""
        self.day_of(time_ns)
        return self._is_special

    def _look_up(self, time_ns: int) -> None:
        day = trading_days(np.array([time_ns], np.int64), self._session)
        edges = np.concatenate(day_edges(day, self._session))
        self._day, self._ends_ns = int(day[0]), int(bounds(day, self._session)[1][0])
        self._is_special = bool(is_special_day(day, self._session)[0])
        # If clocks are set back at midnight, a day begins twice: then every time is looked up.
        whole = (trading_days(edges - np.array([0, 1]), self._session) == day).all()
        self._from_ns, self._until_ns = edges.tolist() if whole else (0, 0)


@dataclass
class Seen:
    """The state of one instrument's calendar: the days of its last open and close.

    `closing` is whether the end of the latter's session was announced, `short` whether the close is before it.
    `reference` is the price from which the limits of session `limit_day` are counted, `last_close` the latest close;
    `close_ns` is when it was, where swap or funding is counted from it. `moved` is how far rolls have moved
    prices up to the bar whose close was `roll_close`.
    """

    open_day: int = NO_DAY
    close_day: int = NO_DAY
    closing: bool = False
    short: bool = False
    last_close: float = math.nan
    limit_day: int = NO_DAY
    reference: float = math.nan
    close_ns: int = NO_DAY
    moved: float = 0.0
    roll_close: float = math.nan


class Calendar:
    """The columns of a job that follow from the times of its bars, for the newest ones."""

    def __init__(self, job: EngineJob) -> None:
        self._days = [Days(each.bars.session) for each in job.instruments]
        self._closing_days = [Days(each.bars.session) for each in job.instruments]
        self._account_days = Days(job.instruments[0].bars.session) if counts_days(job) else None
        minutes = [guard.value for guard in job.guards if guard.kind is GuardKind.SESSION_END]
        nominal = [each.bars.timeframe.nominal_ns for each in job.instruments]
        self._reach = [each + int(max(minutes) * MINUTE_NS) for each in nominal] if minutes else []
        self._by_day = is_by_day(job)
        self._instruments = job.instruments
        self._has_rules, self._has_limits = has_venue_rules(job), any(map(has_limits, job.instruments))
        self._is_carried = any(is_funded(each) or each.swap for each in job.instruments)
        self._rolls = has_rolls(job)
        self._rebalance = rebalance_of(job)
        self.seen = [_seen_before(each) for each in job.instruments]
        self.due_first = -1
        """The first step at which weights are restored; -1 before it."""

    def of_bar(self, i: int, bar: ClosedBar) -> dict[str, Any]:
        """Return the values for the next bar of an instrument, by column."""
        found: dict[str, Any] = {}
        seen, open_ns, close_ns = self.seen[i], bar.open_ns, bar.close_ns
        if self._has_rules:
            found |= self._rules_at(i, bar)
        if self._rolls:
            found["moved"] = self._moved_to(seen, bar)
        if self._is_carried:
            times = TimesOfBar(seen.close_ns if seen.close_ns != NO_DAY else open_ns, open_ns, close_ns)
            due = Due(bar.funding, bar.swap)
            found |= dict(zip(FUNDING_COLUMNS, fundings_in(self._instruments[i], times, due), strict=True))
            found |= dict(zip(NIGHT_COLUMNS, nights_in(self._instruments[i], times, due), strict=True))
            seen.close_ns = int(close_ns)
        if self._by_day:
            day = self._days[i].day_of(open_ns)
            ends = close_ns >= self._days[i].end_of(open_ns)
            found["day_edge"] = (DAY_BEGINS if day != seen.open_day else 0) + (DAY_ENDS if ends else 0)
            seen.open_day = day
        if self._reach:
            found["closing"] = self._closing(i, close_ns)
        return found

    @staticmethod
    def _moved_to(seen: Seen, bar: ClosedBar) -> float:
        """Return how far rolls have moved prices up to the newest bar."""
        if bar.roll is not None and not math.isnan(bar.roll) and not math.isnan(seen.roll_close):
            seen.moved += bar.roll - seen.roll_close
        seen.roll_close = float(bar.close)
        return seen.moved

    def _rules_at(self, i: int, bar: ClosedBar) -> dict[str, Any]:
        """Return the session of the newest bar, and the limits of its price."""
        seen, instrument = self.seen[i], self._instruments[i]
        day = self._days[i].day_of(bar.open_ns)
        found: dict[str, Any] = {"session_day": day}
        if self._has_limits:
            if day != seen.limit_day:
                split = 1.0 if bar.split is None else bar.split
                dividend = 0.0 if bar.dividend is None else bar.dividend
                seen.reference = reference_price(seen.last_close, split, dividend)
                seen.limit_day = day
            found["limit_up"], found["limit_down"] = limits_at(instrument, day, seen.reference)
            seen.last_close = float(bar.close)
        return found

    def _closing(self, i: int, close_ns: int) -> int:
        """Return the value of `AccountColumns.closing` for the newest bar."""
        days, seen = self._closing_days[i], self.seen[i]
        day, end_ns = days.day_of(close_ns - 1), days.end_of(close_ns - 1)
        begins = seen.close_day not in {day, NO_DAY}
        late = begins and not seen.closing
        cut_short = int(CUT_SHORT) if begins and seen.closing and seen.short else 0
        is_first = day != seen.close_day
        if is_first:
            seen.close_day, seen.closing = day, False
        seen.short = close_ns < end_ns
        if close_ns + self._reach[i] >= end_ns or days.is_special(close_ns - 1):
            # The last bar of a session is the first one that closes near its end: there was no bar for an exit.
            seen.short = seen.short or not (is_first or seen.closing)
            seen.closing = True
            return int(CLOSING) | cut_short
        return int(OVERDUE) if late else cut_short

    def state(self, i: int) -> dict[str, Any]:
        """Return the state of an instrument's calendar, without initial values."""
        return {name: value for name, value in asdict(self.seen[i]).items() if not is_same(value, getattr(Seen, name))}

    def resume(self, i: int, kept: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.seen[i] = Seen(**kept)

    def day_of_step(self, close_ns: int) -> int:
        """Return the trading day of a step, by the session of the first instrument."""
        return NO_DAY if self._account_days is None else self._account_days.day_of(close_ns - 1)

    def is_due(self, step: int, close_ns: int, last_ns: int, *, first_ready: bool) -> bool:
        """Return whether weights are restored at a step, regardless of their drift.

        `last_ns` is the close of the step before, and `first_ready` is whether decisions are possible for an instrument
        for the first time at this one.
        """
        rule = self._rebalance
        if rule is None:
            return False
        if self.due_first < 0:
            if not first_ready:
                return False
            self.due_first = step
            return True
        if rule.every_bars > 0 and (step - self.due_first) % rule.every_bars == 0:
            return True
        return rule.monthly and _month(close_ns) != _month(last_ns)


def _seen_before(instrument: InstrumentJob) -> Seen:
    """Return the state of an instrument's calendar after the bars that are known before the first one."""
    before, seen = instrument.history, Seen()
    if before is not None and len(before) and has_limits(instrument):
        days = trading_days(before.open_ns, before.session)
        first = int(np.searchsorted(days, days[-1]))
        seen.limit_day, seen.last_close = int(days[-1]), float(before.close[-1])
        seen.reference = float(before.close[first - 1]) if first else math.nan
    return seen


def _month(time_ns: int) -> int:
    return int(np.datetime64(time_ns, "ns").astype("datetime64[M]").astype(np.int64))
