"""The equity curve over time: trading days, spans, drawdowns, exposure, buy-and-hold, months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.bars import ROUND_THE_CLOCK, Session
from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ledger import CashflowKind, Ledger
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.stats import position_worth

DAY_NS = 86_400_000_000_000
YEAR_NS = 365.25 * DAY_NS
_MINUTE_NS = 60_000_000_000
_DAY_MINUTES = 1440
_EPOCH = datetime(1970, 1, 1, 12, tzinfo=UTC)
_STOCK_DAYS, _ALL_DAYS, _WEEKS, _MONTHS = 252.0, 365.0, 52.0, 12.0


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One fall of the equity below its peak.

    `percent` is the depth in percent of the peak; `bars` and `days` (calendar) reach from the peak to the step that
    regains it, or to the end of the run.
    """

    percent: float = 0.0
    bars: int = 0
    days: float = 0.0


def common_session(instruments: Sequence[InstrumentJob]) -> Session:
    """Return the session that all instruments share, or the round-the-clock one (UTC) when they differ."""
    sessions = {job.bars.session for job in instruments}
    return sessions.pop() if len(sessions) == 1 else ROUND_THE_CLOCK


def periods_per_year(instruments: Sequence[InstrumentJob]) -> float:
    """Return how many samples of the daily curve make a year.

    The most trading days of any instrument, as its market or file says. Without that, 252 where every session trades
    on weekdays only, 365 otherwise. Bars longer than a day give fewer samples: 52 a year for weeks, 12 for months.
    """
    daily = max((_days_a_year(job) for job in instruments), default=_ALL_DAYS)
    finest = min((job.bars.timeframe for job in instruments), key=lambda frame: frame.nominal_ns, default=None)
    if finest is None or finest.is_intraday:
        return daily
    return {"d": daily, "w": _WEEKS, "mo": _MONTHS}[finest.unit] / finest.count


def _days_a_year(job: InstrumentJob) -> float:
    if job.trading_days is not None:
        return job.trading_days
    return _STOCK_DAYS if set(job.bars.session.weekdays) <= set(range(5)) else _ALL_DAYS


def run_start_ns(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> int | None:
    """Return the moment (UTC ns) the first bar of the run opens, or None for a run without bars."""
    if not len(ledger.ts_ns):
        return None
    return min((int(job.bars.open_ns[0]) for job in instruments if len(job.bars)), default=int(ledger.ts_ns[0]))


def trading_days(ts_ns: TimeColumn, session: Session) -> tuple[TimeColumn, TimeColumn]:
    """Return each trading day that has a step, as days since 1970, and the index of its last step.

    The day turns in the middle of the hours in which the venue is closed, in its own time zone, so that a session
    across midnight is one day (named by the date on which it ends); round the clock it turns at local midnight. A
    bar that closes exactly then belongs to the day before. `ts_ns` holds close times of shape (n,).
    """
    if not len(ts_ns):
        return ts_ns, ts_ns
    length = (session.close_minute - session.open_minute) % _DAY_MINUTES or _DAY_MINUTES
    turn = (session.close_minute + (_DAY_MINUTES - length) // 2) % _DAY_MINUTES
    if turn > _DAY_MINUTES // 2:
        turn -= _DAY_MINUTES
    days = np.arange(int(ts_ns[0]) // DAY_NS - 2, int(ts_ns[-1]) // DAY_NS + 3)
    ends_ns = (days + 1) * DAY_NS + turn * _MINUTE_NS - _utc_offsets_ns(days, session.timezone)
    counts = np.searchsorted(ts_ns, ends_ns, side="right")
    has_step = np.flatnonzero(np.diff(counts, prepend=0))
    return days[has_step], counts[has_step] - 1


def _utc_offsets_ns(days: TimeColumn, timezone: str) -> TimeColumn:
    """Return what a time zone adds to UTC at noon of each day (days since 1970)."""
    if timezone == "UTC":
        return np.zeros(len(days), dtype=np.int64)
    zone = ZoneInfo(timezone)
    offsets = [(_EPOCH + timedelta(days=int(day))).astimezone(zone).utcoffset() or timedelta() for day in days]
    return np.array([offset.total_seconds() for offset in offsets], dtype=np.int64) * 1_000_000_000


def withdrawn(ledger: Ledger) -> tuple[TimeColumn, FloatColumn]:
    """Return the steps before whose open profit was withdrawn, and the amounts, above zero; shape (n,) each."""
    rows = ledger.cashflows[ledger.cashflows["kind"] == CashflowKind.WITHDRAWAL]
    return np.asarray(rows["bar"]), np.asarray(-rows["amount"])


def grown_equity(ledger: Ledger) -> FloatColumn:
    """Return the equity as it would be if what was withdrawn had stayed and grown as the rest did, shape (steps,).

    Its changes are the time-weighted returns of the account: from one close to the next, of the equity that was left
    after a withdrawal. Without withdrawals it is the equity. Source: Z. Bodie, A. Kane, A. Marcus: Investments, 10th
    ed. McGraw-Hill, 2014, ch. 24.
    """
    steps, amounts = withdrawn(ledger)
    if not len(steps):
        return ledger.equity
    before = ledger.equity[steps - 1]
    factor = np.ones(len(ledger.equity))
    factor[steps] = before / (before - amounts)
    return np.asarray(ledger.equity * np.cumprod(factor))


def daily_equity(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> tuple[TimeColumn, FloatColumn]:
    """Return each trading day (days since 1970) and the grown equity at its last step; two columns of shape (days,)."""
    days, last = trading_days(ledger.ts_ns, common_session(instruments))
    return days, grown_equity(ledger)[last]


def daily_returns(equity: FloatColumn, cash: float) -> FloatColumn:
    """Return the change from one daily equity to the next as fractions, the first against the starting cash.

    The last one is that of the first day that ends at zero or below: an account that is lost earns no more returns,
    and changes from an equity that is not positive have no meaning.
    """
    lost = np.flatnonzero(equity <= 0.0)
    lived = equity[: lost[0] + 1] if len(lost) else equity
    before = np.concatenate(([cash], lived[:-1])) if len(lived) else lived
    return np.asarray(lived / before - 1.0)


def drawdown_curve(equity: FloatColumn, cash: float) -> FloatColumn:
    """Return how far each equity is below the highest one so far, in percent; the starting cash counts as one."""
    peak = np.maximum.accumulate(np.maximum(equity, cash))
    return np.asarray(100.0 * (1.0 - equity / peak))


def drawdowns(ledger: Ledger, cash: float, start_ns: int) -> tuple[Drawdown, float]:
    """Return the deepest drawdown of the grown equity over all steps, and the length of the longest in calendar days.

    A drawdown lasts from a peak of the equity to the step that regains it, or to the end of the run. The run has at
    least one step; its first peak is the starting cash at `start_ns`.
    """
    equity, times = grown_equity(ledger), ledger.ts_ns
    peak = np.maximum.accumulate(equity)
    np.maximum(peak, cash, out=peak)
    at_peak = np.flatnonzero(equity >= peak)
    fall = np.divide(equity, peak)
    trough = int(np.argmin(fall))
    marks = np.concatenate(([-1], at_peak, [len(equity)]))
    after = int(np.searchsorted(marks, trough, side="right"))
    start, end = int(marks[after - 1]), min(int(marks[after]), len(equity) - 1)
    mark_times = np.concatenate(([start_ns], times[at_peak], times[-1:]))
    under = np.diff(marks) > 1
    longest = float(np.diff(mark_times)[under].max(initial=0)) / DAY_NS
    if not fall[trough] < 1:
        return Drawdown(), longest
    began_ns = int(mark_times[after - 1])
    return Drawdown(100.0 * (1.0 - float(fall[trough])), end - start, (int(times[end]) - began_ns) / DAY_NS), longest


def steps_of(ledger: Ledger, job: InstrumentJob, bars: npt.NDArray[np.integer]) -> TimeColumn:
    """Return the step of the ledger at which each of the instrument's bars closes."""
    return np.asarray(np.searchsorted(ledger.ts_ns, job.bars.close_ns[bars]), dtype=np.int64)


def exposure_percent(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> float | None:
    """Return the share of steps, in percent, at whose close any position was open; None for a run without steps."""
    count = len(ledger.ts_ns)
    if not count:
        return None
    held = np.zeros(count + 2, dtype=np.int64)
    for index, job in enumerate(instruments):
        trades = ledger.trades[ledger.trades["instrument"] == index]
        if len(trades):
            held += np.bincount(steps_of(ledger, job, trades["entry_bar"]), minlength=count + 2)
            held -= np.bincount(steps_of(ledger, job, trades["exit_bar"]), minlength=count + 2)
    for position in ledger.open_positions:
        job = instruments[position.instrument]
        held[int(steps_of(ledger, job, np.array([position.entry_bar]))[0])] += 1
    return 100.0 * float(np.count_nonzero(np.cumsum(held[:count]) > 0)) / count


def buy_and_hold_percent(instruments: Sequence[InstrumentJob]) -> float | None:
    """Return the return of equal shares of the cash in every instrument, in percent, as in `values.holding`."""
    growth = [float(position_worth.holding(job)[-1]) - 1.0 for job in instruments if len(job.bars)]
    return 100.0 * sum(growth) / len(growth) if growth else None


def buy_and_hold_curve(ledger: Ledger, instruments: Sequence[InstrumentJob], cash: float) -> FloatColumn:
    """Return the equity of buy-and-hold at every step of the ledger; a share is cash until its instrument begins."""
    jobs = [job for job in instruments if len(job.bars)]
    curve = np.zeros(len(ledger.ts_ns))
    for job in jobs:
        latest = np.searchsorted(job.bars.close_ns, ledger.ts_ns, side="right") - 1
        growth = position_worth.holding(job)[np.maximum(latest, 0)]
        curve += np.where(latest < 0, 1.0, growth) * (cash / len(jobs))
    return curve


def monthly_returns(ledger: Ledger, instruments: Sequence[InstrumentJob], cash: float) -> dict[int, dict[int, float]]:
    """Return percent by year and month (0: the whole year), from the daily curve.

    Months that begin with an equity that is not positive are left out.
    """
    days, equity = daily_equity(ledger, instruments)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    table: dict[int, dict[int, float]] = {}
    for last, before in _period_ends(months, equity, cash):
        year, month = divmod(int(months[last]), 12)
        table.setdefault(1970 + year, {})[month + 1] = 100.0 * (float(equity[last]) / before - 1.0)
    for last, before in _period_ends(months // 12, equity, cash):
        table.setdefault(1970 + int(months[last]) // 12, {})[0] = 100.0 * (float(equity[last]) / before - 1.0)
    return table


def _period_ends(periods: TimeColumn, equity: FloatColumn, cash: float) -> list[tuple[int, float]]:
    """Return the index of each period's last day and the equity with which the period began, where positive."""
    if not len(periods):
        return []
    last = np.append(np.flatnonzero(np.diff(periods)), len(periods) - 1)
    before = np.concatenate(([cash], equity[last[:-1]]))
    return [(int(index), float(value)) for index, value in zip(last, before, strict=True) if value > 0]
