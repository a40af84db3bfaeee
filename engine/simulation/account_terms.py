"""Converts a job to the data of the account's rules: terms, guards, and the columns that only some runs need."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.entries import OrderLife
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import ENTER_SHORT, FlagColumn, FloatColumn, TimeColumn
from quantcrafter.engine.api.rules import GuardKind, ProtectiveKind
from quantcrafter.engine.api.settings import Margin
from quantcrafter.engine.simulation.buffers import COLUMNS
from quantcrafter.engine.simulation.financing_columns import (
    FUNDING_COLUMNS,
    NIGHT_COLUMNS,
    funding_counts,
    has_funding_column,
    is_funded,
    night_counts,
)
from quantcrafter.engine.simulation.records import Record
from quantcrafter.engine.simulation.risk_records import CUT_SHORT, MAX_GUARDS, OVERDUE, AccountColumns
from quantcrafter.engine.simulation.venue_columns import has_limits, has_spreads, limits_of, session_days
from quantcrafter.engine.trading_calendar.trading_days import bounds, is_special_day, trading_days_in_order

MINUTE_NS = 60_000_000_000
QUARTER_MONTHS = 3
ENTRY_LIMITS = (GuardKind.ENTRIES_TODAY, GuardKind.OPEN_ENTRIES)
_HALTS = (GuardKind.MAX_DRAWDOWN, GuardKind.DAILY_LOSS, GuardKind.LOSING_STREAK)


def joined(parts: Sequence[npt.NDArray[Any]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return the parts concatenated and read-only: all runs use the same types, so that one compilation is enough."""
    if len(parts) > 1:
        column = COLUMNS.take(sum(map(len, parts)), dtype)
        np.concatenate(parts, out=column, casting="unsafe")
    elif parts[0].dtype == dtype and parts[0].flags.c_contiguous and parts[0].flags.aligned:
        column = parts[0]
    else:
        column = np.require(parts[0], dtype, ["C", "A"])
    view = column.view(np.ndarray)
    view.flags.writeable = False
    return view


@cache
def empty(dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return a column that is not needed: without rows, and of the same type as one that is."""
    return joined([np.empty(0, dtype)], dtype)


def check_account(instrument: InstrumentJob) -> None:
    """Reject columns of an instrument that don't fit its bars, invalid rates, and an impossible contract."""
    name, n = instrument.symbol, len(instrument.bars)
    if instrument.kind == "contract":
        if not 0.0 < instrument.multiplier < math.inf:
            raise RunError(
                Message(
                    "The multiplier of {name} must be above 0, was {multiplier}. Set 'multiplier'.",
                    name=name,
                    multiplier=instrument.multiplier,
                )
            )
        if instrument.borrow_percent > 0.0:
            raise RunError(
                Message("{name} is a contract, which is not borrowed. Leave out 'borrow_percent'.", name=name)
            )
    elif instrument.multiplier != 1.0:
        raise RunError(Message("{name} has a multiplier, which contracts have. Set 'kind: contract'.", name=name))
    names = ("rate_open", "rate_close", "split", "dividend", "roll", "spreads")
    columns = [column for name in names if (column := getattr(instrument, name)) is not None]
    if any(len(column) != n for column in columns):
        raise RunError(
            Message(
                "Columns of {name} must have {n} values, one a bar, were {columns}.",
                name=name,
                n=n,
                columns=[len(c) for c in columns],
            )
        )
    pairs = ((instrument.rate_open, instrument.rate_close), (instrument.split, instrument.dividend))
    if any((one is None) != (other is None) for one, other in pairs):
        raise RunError(
            Message("{name} must have rates for both opens and closes, and splits along with dividends.", name=name)
        )
    _check_costs(instrument)
    if instrument.split is not None and not (instrument.split > 0.0).all():
        raise RunError(
            Message(
                "A split of {name} must be above 0, was {least:g}. Correct its data.",
                name=name,
                least=np.min(instrument.split),
            )
        )


def _check_costs(instrument: InstrumentJob) -> None:
    """Reject spreads below zero, costs that exclude each other, and rolls of what is no contract."""
    name = instrument.symbol
    if instrument.spreads is not None and not (instrument.spreads >= 0.0).all():
        raise RunError(
            Message(
                "A spread of {name} must not be negative, was {least:g}. Correct its data.",
                name=name,
                least=np.min(instrument.spreads),
            )
        )
    if instrument.swap is not None and instrument.swap.dated is not None and is_funded(instrument):
        raise RunError(Message("{name} can't have both funding and a swap that changes. Leave one out.", name=name))
    if instrument.roll is not None and (instrument.kind != "contract" or instrument.split is not None):
        raise RunError(Message("{name} rolls, as only contracts without splits do. Set 'kind: contract'.", name=name))


def event_columns(instrument: InstrumentJob) -> tuple[FloatColumn | None, FloatColumn | None]:
    """Return the columns `split` and `dividend` of the account: those of an instrument, or what its rolls become there.

    At a roll, the split is NaN and the dividend the last close of the new contract.
    """
    if instrument.roll is None:
        return instrument.split, instrument.dividend
    is_roll = ~np.isnan(instrument.roll)
    return np.where(is_roll, np.nan, 1.0), np.where(is_roll, instrument.roll, 0.0)


def is_financed(job: EngineJob) -> bool:
    """Return whether anything is booked in addition to fills: fees, funding, dividends, splits, rolls, or rates."""
    return any(
        each.borrow_percent > 0.0
        or each.rate_open is not None
        or each.split is not None
        or each.roll is not None
        or is_funded(each)
        or each.swap is not None
        for each in job.instruments
    )


def has_venue_rules(job: EngineJob) -> bool:
    """Return whether the session of a bar matters for its fills.

    It does where an instrument has rules of its exchange: a later session to close in, limits of its price, or ticks
    that changed on some day; and where entries are counted by the day.
    """
    if counts_entries_of_a_day(job):
        return True
    return any(each.settlement == "t+1" or has_limits(each) or len(each.tick_tables) > 1 for each in job.instruments)


def counts_entries_of_a_day(job: EngineJob) -> bool:
    """Return whether any guard limits the entries of a trading day."""
    return any(guard.kind is GuardKind.ENTRIES_TODAY for guard in job.guards)


def is_moving(job: EngineJob) -> bool:
    """Return whether any protective order moves after its entry."""
    moving = (ProtectiveKind.TRAILING_STOP, ProtectiveKind.BREAK_EVEN)
    return any(rule.kind in moving or rule.follow for rule in job.protection)


def trailing_rule(job: EngineJob) -> int:
    """Return the only rule that moves stops, if it is a trailing stop at a fixed distance, or -1."""
    moving = (ProtectiveKind.TRAILING_STOP, ProtectiveKind.BREAK_EVEN)
    found = [r for r, rule in enumerate(job.protection) if rule.kind in moving]
    if len(found) != 1 or is_restless(job):
        return -1
    rule = job.protection[found[0]]
    return found[0] if rule.kind is ProtectiveKind.TRAILING_STOP and not rule.line and rule.multiple == 0.0 else -1


def is_restless(job: EngineJob) -> bool:
    """Return whether orders may move or a position may grow at any close, regardless of the best price so far."""
    moving = (ProtectiveKind.TRAILING_STOP, ProtectiveKind.BREAK_EVEN)
    by_value = any(rule.kind in moving and (rule.column is not None or rule.cash > 0.0) for rule in job.protection)
    grows = any(each.rule.scale_in is not None or each.rule.pair is not None for each in job.executions)
    return by_value or grows or any(rule.follow for rule in job.protection)


def counts_days(job: EngineJob) -> bool:
    """Return whether anything depends on the trading day: a halt that ends with it, its loss, or a withdrawal."""
    return withdraws(job) or any(guard.kind in _HALTS for guard in job.guards)


def withdraws(job: EngineJob) -> bool:
    """Return whether profit is withdrawn."""
    return job.settings.withdrawal.percent > 0.0


class Margins(NamedTuple):
    """The margin of an instrument's positions.

    As shares of their value: initial, maintenance of a long position, and of a short one. As amounts per unit, in the
    currency of the prices: maintenance of any position, and initial.
    """

    entry: float
    long: float
    short: float
    unit: float
    unit_entry: float


def margins_of(instrument: InstrumentJob, run: Margin) -> Margins:
    """Return the margins of an instrument: its own, or those of the run.

    The maintenance margin of a contract is the same for both sides: the given one, or half of the initial margin.
    """
    own, is_contract = instrument.margin, instrument.kind == "contract"
    if own is not None and own.per_contract is not None:
        return Margins(0.0, 0.0, 0.0, own.kept_per_contract, own.per_contract)
    margin = run if own is None else own.over(run)
    entry, given = margin.initial_percent, margin.maintenance_percent
    if is_contract:
        kept = (entry / 2.0 if given is None else given) / 100.0
        return Margins(entry / 100.0, kept, kept, 0.0, 0.0)
    return Margins(entry / 100.0, margin.maintenance / 100.0, margin.maintenance_short / 100.0, 0.0, 0.0)


class AccountTraits(NamedTuple):
    """What several terms of an account depend on.

    The margins of each instrument, whether any position may be short, and whether the account is checked at every
    close.
    """

    margins: tuple[Margins, ...]
    may_be_short: bool
    watched: bool


def traits_of(job: EngineJob) -> AccountTraits:
    """Return the traits of a job's account."""
    margins, short = tuple(margins_of(each, job.settings.margin) for each in job.instruments), may_be_short(job)
    called = any(each.long > 0.0 or each.unit > 0.0 or (short and each.short > 0.0) for each in margins)
    return AccountTraits(margins, short, called or counts_days(job))


def may_be_short(job: EngineJob, flags: FlagColumn | None = None) -> bool:
    """Return whether any decision of a job could open a short position; signals of later bars are unknown.

    `flags` are the signals of all instruments together, if they are at hand.
    """
    by_steps = job.steps is not None and any(flags >= 0 for flags, _ in job.steps.heads)
    by_rule = any(each.rule.rebalance is not None or each.rule.pair is not None for each in job.executions)
    if by_rule or job.components or by_steps or not all(len(each.bars) for each in job.instruments):
        return True
    columns = [each.flags for instrument in job.instruments for each in instrument.executions]
    if flags is not None:
        columns = [flags]
    return any(asked_for(flags) & ENTER_SHORT for flags in columns)


def asked_for(flags: FlagColumn) -> int:
    """Return all flags that any bar has, eight bars at a time where they lie side by side."""
    if not flags.flags.c_contiguous:
        return int(np.bitwise_or.reduce(flags))
    whole = len(flags) & ~7
    found = int(np.bitwise_or.reduce(flags[:whole].view(np.uint64))) if whole else 0
    for shift in (32, 16, 8):
        found |= found >> shift
    return (found & 255) | int(np.bitwise_or.reduce(flags[whole:]))


def needs_volume(job: EngineJob) -> bool:
    """Return whether the volume of a bar limits its fills."""
    return job.settings.slippage.volume_percent > 0.0 or job.settings.fills.zero_volume == "none"


def spare_rows(traits: AccountTraits) -> int:
    """Return how many rows of each table a step may need beyond those of its bars: when everything is closed."""
    return 4 * len(traits.margins) + (2 * MAX_GUARDS if traits.watched else 1)


def set_account(portfolio: Record, job: EngineJob, traits: AccountTraits) -> None:
    """Write costs, margin and guards of a job to the portfolio.

    Raises:
        RunError: there are too many guards, or one names an instrument that doesn't exist.
    """
    settings = job.settings
    commission, slippage = settings.commission, settings.slippage
    for name in ("percent", "per_unit", "per_lot", "per_order", "minimum"):
        portfolio[f"commission_{name}"] = getattr(commission, name)
    maker = commission.maker_percent
    portfolio["commission_maker_percent"] = commission.percent if maker is None else maker
    portfolio["slippage_bps"], portfolio["slippage_ticks"] = slippage.bps, slippage.ticks
    portfolio["slippage_range_percent"], portfolio["volume_percent"] = slippage.range_percent, slippage.volume_percent
    portfolio["maintained"] = any(part > 0.0 for margins in traits.margins for part in margins[1:])
    portfolio["paid_up"] = not traits.may_be_short and all(
        each.kind == "spot" and margins.entry >= 1.0
        for each, margins in zip(job.instruments, traits.margins, strict=True)
    )
    portfolio["peak"] = portfolio["last_equity"] = portfolio["day_equity"] = portfolio["highest_equity"] = settings.cash
    portfolio["stepped"] = job.steps is not None
    portfolio["day"] = np.iinfo(np.int64).min
    portfolio["financed"], portfolio["moving"] = is_financed(job), is_moving(job)
    portfolio["watched"] = traits.watched
    portfolio["restless"] = is_restless(job)
    portfolio["spare_rows"] = spare_rows(traits)
    portfolio["skip_empty"] = settings.fills.zero_volume == "none"
    special = slippage.range_percent > 0.0 or needs_volume(job)
    portfolio["venue_rules"] = has_venue_rules(job)
    special = special or bool(job.components) or has_venue_rules(job) or has_spreads(job)
    portfolio["opening"] = special or bool(job.guards) or portfolio["financed"] or portfolio["watched"]
    portfolio["plain"] = not (portfolio["opening"] or portfolio["moving"])
    by_session = any(guard.kind is GuardKind.SESSION_END for guard in job.guards)
    withdrawal = settings.withdrawal
    portfolio["withdraw_percent"], portfolio["withdraw_above"] = withdrawal.percent, withdrawal.of == "new_high"
    portfolio["withdraw_months"] = QUARTER_MONTHS if withdrawal.every == "quarter" else 1
    portfolio["trailing"] = trailing_rule(job)
    by_day = any(each.rule.entry.life is OrderLife.DAY for each in job.executions) or counts_entries_of_a_day(job)
    in_turn = any(each.rule.entry.kind is OrderKind.AT_CLOSE or each.rule.pair is not None for each in job.executions)
    portfolio["simple"] = not (portfolio["financed"] or portfolio["watched"] or by_session or by_day or in_turn)
    _set_guards(portfolio, job)


def check_volume(job: EngineJob) -> None:
    """Reject bars without volume if the volume limits fills.

    Raises:
        RunError: there are some.
    """
    if needs_volume(job):
        slippage = job.settings.slippage
        what = "volume_percent" if slippage.volume_percent > 0.0 else "zero_volume"
        for each in job.instruments:
            if len(each.bars) and not each.bars.volume.any():
                raise RunError(
                    Message(
                        "'{what}' fills orders by the volume of a bar, but {symbol} has none. "
                        "Give data with volume, or leave '{what}' out.",
                        what=what,
                        symbol=each.symbol,
                    )
                )


def _set_guards(portfolio: Record, job: EngineJob) -> None:
    if len(job.guards) > MAX_GUARDS:
        raise RunError(
            Message(
                "A run can have at most {max_guards} guards, had {count}. Leave some out.",
                max_guards=MAX_GUARDS,
                count=len(job.guards),
            )
        )
    symbols = [each.symbol for each in job.instruments]
    portfolio["guards"] = len(job.guards)
    portfolio["entry_limits"] = any(guard.kind in ENTRY_LIMITS for guard in job.guards)
    for number, guard in enumerate(job.guards):
        row = portfolio["guard_rows"][number]
        for symbol in (*((guard.symbol,) if guard.symbol else ()), *guard.symbols):
            if symbol not in symbols:
                raise RunError(
                    Message(
                        "A guard names the instrument '{symbol}'; there are {symbols}.",
                        symbol=symbol,
                        symbols=", ".join(symbols),
                    )
                )
        row["kind"], row["value"], row["action"] = int(guard.kind), guard.value, int(guard.action)
        row["in_cash"], row["in_units"] = guard.in_cash, guard.in_units
        row["instrument"] = symbols.index(guard.symbol) if guard.symbol else -1
        row["number"] = len(job.protection) + number
        row["side"], row["grouped"], row["shared"] = guard.side, bool(guard.within), guard.shared


def set_groups(holdings: npt.NDArray[Any], job: EngineJob) -> None:
    """Note to which group of each guard that counts by groups an instrument belongs."""
    holdings["guard_group"] = -1
    for number, guard in enumerate(job.guards):
        if guard.within:
            said = [str(each.values.get(guard.within, "")) for each in job.instruments]
            names = [name for name in dict.fromkeys(said) if name and guard.group in ("", name)]
            for holding, name in zip(holdings, said, strict=True):
                holding["guard_group"][number] = names.index(name) if name in names else -1


@cache
def no_columns() -> AccountColumns:
    """Return the columns of an account without rules."""
    times = dict.fromkeys(("open_ns", "close_ns", "day", "session_day"), empty(np.int64))
    others = dict.fromkeys(AccountColumns._fields, empty(np.float64))
    return AccountColumns(**others | times | {"closing": empty(np.uint8)})


def account_of(job: EngineJob) -> AccountColumns:
    """Return the columns that the account's rules need; columns that this job doesn't need are empty."""
    jobs = job.instruments
    financed, nothing, no_times = is_financed(job), empty(np.float64), empty(np.int64)
    if not (financed or needs_volume(job) or job.guards or has_venue_rules(job) or withdraws(job)):
        return no_columns()

    def column_of(of: Callable[[InstrumentJob], Any], default: float) -> npt.NDArray[Any]:
        """Return one column of all instruments, filled where an instrument has none; empty where none has one."""
        if all(of(each) is None for each in jobs):
            return nothing
        parts = [np.full(len(each.bars), default) if of(each) is None else of(each) for each in jobs]
        return joined(parts, np.float64)

    funded = [funding_counts(each) for each in jobs] if any(map(has_funding_column, jobs)) else []
    swapped = [night_counts(each) for each in jobs] if any(each.swap for each in jobs) else []
    limited = [limits_of(each) for each in jobs] if any(map(has_limits, jobs)) else []
    return AccountColumns(
        open_ns=joined([each.bars.open_ns for each in jobs], np.int64) if financed else no_times,
        close_ns=joined([each.bars.close_ns for each in jobs], np.int64) if financed else no_times,
        volume=joined([each.bars.volume for each in jobs] if needs_volume(job) else [nothing], np.float64),
        rate_open=column_of(lambda each: each.rate_open, 1.0),
        rate_close=column_of(lambda each: each.rate_close, 1.0),
        split=column_of(lambda each: event_columns(each)[0], 1.0),
        dividend=column_of(lambda each: event_columns(each)[1], 0.0),
        closing=joined([_closing(job, each) for each in jobs], np.uint8),
        day=_days(job) if counts_days(job) else no_times,
        session_day=joined([session_days(each) for each in jobs], np.int64) if has_venue_rules(job) else no_times,
        limit_up=joined([limits[0] for limits in limited] or [nothing], np.float64),
        limit_down=joined([limits[1] for limits in limited] or [nothing], np.float64),
        **{
            name: joined([counts[n] for counts in counted] or [nothing], np.float64)
            for counted, names in ((funded, FUNDING_COLUMNS), (swapped, NIGHT_COLUMNS))
            for n, name in enumerate(names)
        },
    )


def _closing(job: EngineJob, instrument: InstrumentJob) -> FlagColumn:
    """Return the closes at which the session is about to end: within the guard's minutes and the length of a bar.

    If the last bars of a session are missing, the first bar of the next one is OVERDUE. If there was a bar at whose
    close the session was about to end, but no later bar in the session, it is CUT_SHORT; a session with a single bar
    never has one. The end of a special session, on a day without a regular one, isn't known: each close may be the
    last one.
    """
    minutes = [guard.value for guard in job.guards if guard.kind is GuardKind.SESSION_END]
    if not minutes:
        return np.empty(0, np.uint8)
    bars = instrument.bars
    days = trading_days_in_order(bars.close_ns - 1, bars.session)
    _, ends = bounds(days, bars.session)
    reach = bars.timeframe.nominal_ns + int(max(minutes) * MINUTE_NS)
    closing: FlagColumn = ((bars.close_ns + reach >= ends) | is_special_day(days, bars.session)).astype(np.uint8)
    starts = np.flatnonzero(np.diff(days, prepend=days[:1] - 1))
    if len(starts):
        firsts = starts[1:]
        chances = np.add.reduceat(closing, starts, dtype=np.int64)[:-1]
        seen = chances != 0
        short = (bars.close_ns[firsts - 1] < ends[firsts - 1]) | ((chances == 1) & (np.diff(starts) > 1))
        late = firsts[~seen]
        closing[late[closing[late] == 0]] = OVERDUE
        closing[firsts[seen & short]] |= CUT_SHORT
    return closing


def _days(job: EngineJob) -> TimeColumn:
    """Return the trading day of every step, by the session of the first instrument."""
    closes = job.instruments[0].bars.close_ns
    if len(job.instruments) > 1:
        closes = np.sort(np.concatenate([each.bars.close_ns for each in job.instruments]))
        closes = closes[np.diff(closes, prepend=closes[:1] - 1) > 0]
    return joined([trading_days_in_order(closes - 1, job.instruments[0].bars.session)], np.int64)
