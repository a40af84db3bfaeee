"""From a job to the arrays that the simulation works on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.currencies import amount_unit
from quantcrafter.engine.api.engine import EngineJob, ExecutionColumns, InstrumentJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.market import LONG_AGO
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.api.rules import EXECUTION_COLUMNS, GuardRule, ProtectiveKind, ProtectiveRule
from quantcrafter.engine.api.step_program import StepProgram
from quantcrafter.engine.simulation.account_terms import (
    ENTRY_LIMITS,
    account_of,
    check_account,
    empty,
    joined,
    margins_of,
    set_account,
    set_groups,
    spare_rows,
    traits_of,
)
from quantcrafter.engine.simulation.buffers import PORTFOLIOS
from quantcrafter.engine.simulation.execution_terms import (
    SIZE_COLUMN,
    day_edges_of,
    due_steps,
    is_by_day,
    rebalance_of,
    rows_per_bar,
    set_decision_terms,
    slots_needed,
    trades_pairs,
)
from quantcrafter.engine.simulation.joined_bars import LATEST
from quantcrafter.engine.simulation.primitives import whole_inverse
from quantcrafter.engine.simulation.protection import WHOLE
from quantcrafter.engine.simulation.records import (
    HOLDING_DTYPE,
    MOST_BANDS,
    MOST_ROWS,
    RULE_DTYPE,
    STOPS_OF_ALL,
    TARGETS_OF_ALL,
    TARGETS_OF_PARTS,
    UNIT_PLACES,
    MarketArrays,
    Record,
    Table,
    Timeline,
    portfolio_dtype,
)
from quantcrafter.engine.simulation.step_arrays import check_steps
from quantcrafter.engine.simulation.ticks import use_table
from quantcrafter.engine.simulation.venue_columns import (
    NO_DAY,
    expires_at_end,
    has_limits,
    has_rolls,
    has_spreads,
    spread_parts,
    spreads_of,
)
from quantcrafter.engine.trading_calendar.trading_days import trading_days


def check(instrument: InstrumentJob, protection: tuple[ProtectiveRule, ...], steps: StepProgram | None = None) -> None:
    """Reject values that would make the kernel read out of bounds or divide by zero."""
    name, n = instrument.symbol, len(instrument.bars)
    needed = [rule.column is not None for rule in protection]
    if [column is not None for column in instrument.rule_columns] != needed:
        raise RunError(
            Message(
                "{name} must have a column for just the protective rules that name one. Wire their inputs.", name=name
            )
        )
    columns = [column for column in instrument.rule_columns if column is not None]
    if any(len(column) != n for column in columns):
        raise RunError(
            Message(
                "Columns of {name} must have {n} values, one a bar, were {columns}.",
                name=name,
                n=n,
                columns=[len(c) for c in columns],
            )
        )
    if sum(len(bands) for _, bands in instrument.tick_tables) > MOST_BANDS:
        raise RunError(Message("The tick tables of {name} have more than {most} bands.", name=name, most=MOST_BANDS))
    check_account(instrument)
    check_steps(instrument, steps)
    for field, size in (("tick_size", instrument.tick_size), ("lot_size", instrument.lot_size)):
        if not 0.0 < size < math.inf:
            raise RunError(
                Message(
                    "The {field} of {name} must be above 0, was {size}. Set '{field_2}'.",
                    field=word(field.replace("_", " ")),
                    name=name,
                    size=size,
                    field_2=field,
                )
            )


def market_of(job: EngineJob) -> MarketArrays:
    """Return the columns of all instruments; those of a single instrument are not copied."""
    jobs = job.instruments
    open_, high, low, close, _ = LATEST.of([instrument.bars for instrument in jobs])
    groups, executions = shared_columns(job), range(len(job.executions))
    parts = [[np.asarray(each.rule_columns[rules[0]]) for each in jobs] for rules in groups]
    parts += [[column_of(each.executions[e], name) for each in jobs] for e, name in execution_columns_of(job)]
    parts += [[spreads_of(each) for each in jobs]] if has_spreads(job) else []
    parts += [[each.moved_by_rolls for each in jobs]] if has_rolls(job) else []
    columns = _stacked([joined(part, np.float64) for part in parts], len(close), np.float64)
    signals = [joined([each.executions[e].flags for each in jobs], np.uint8) for e in executions]
    allowed = [joined([each.executions[e].allowed for each in jobs], np.bool_) for e in executions]
    flags = signals[0] if len(signals) == 1 else joined([np.bitwise_or.reduce(signals)], np.uint8)
    return MarketArrays(
        *(open_, high, low, close, flags),
        _stacked(signals, len(close), np.uint8),
        _stacked(allowed, len(close), np.bool_),
        *(columns, joined([day_edges_of(job)], np.uint8) if is_by_day(job) else empty(np.uint8), account_of(job)),
    )


def _stacked(rows: list[npt.NDArray[Any]], length: int, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return columns as the rows of one array; a single one is not copied."""
    if len(rows) == 1:
        return rows[0].reshape(1, -1)
    return joined([np.array(rows, dtype).reshape(len(rows), length)], dtype)


def execution_columns_of(job: EngineJob) -> list[tuple[int, str]]:
    """Return execution and name of the executions' columns, in the order of their rows after those of the protection.

    That of a size rule is called SIZE_COLUMN.
    """
    found = []
    for e, columns in enumerate(job.instruments[0].executions):
        found += [(e, name) for name in EXECUTION_COLUMNS if name in columns.columns]
        if any(each.executions[e].size is not None for each in job.instruments):
            found.append((e, SIZE_COLUMN))
    return found


def column_of(columns: ExecutionColumns, name: str) -> FloatColumn:
    """Return a column of an execution by its name; NaN where an instrument lacks that of the size rule."""
    if name != SIZE_COLUMN:
        return np.asarray(columns.columns[name])
    return np.full(len(columns.flags), np.nan) if columns.size is None else np.asarray(columns.size)


def shared_columns(job: EngineJob) -> list[list[int]]:
    """Return the rules that have a column, grouped by those that share one: a stop and a target on the same ATR."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for r, rule in enumerate(job.protection):
        if rule.column is not None:
            columns = tuple(id(instrument.rule_columns[r]) for instrument in job.instruments)
            groups.setdefault(columns, []).append(r)
    return list(groups.values())


def timeline_of(job: EngineJob) -> tuple[TimeColumn, Timeline]:
    """Return the close time of every step, and the bars that close at it."""
    jobs = job.instruments
    nothing = np.empty(0, np.int64)
    if are_side_by_side(job):
        return np.asarray(jobs[0].bars.close_ns), Timeline(nothing, nothing, nothing, np.empty(0, np.bool_))
    close_ns = np.concatenate([job.bars.close_ns for job in jobs])
    counts = [len(job.bars) for job in jobs]
    in_time = np.argsort(close_ns, kind="stable")
    instrument = np.repeat(np.arange(len(jobs)), counts)[in_time]
    bar = in_time - np.repeat(np.cumsum([0, *counts[:-1]]), counts)[in_time]
    close_ns = close_ns[in_time]
    first_event = np.flatnonzero(np.diff(close_ns, prepend=close_ns[0] - 1))
    ts_ns = close_ns[first_event]
    return ts_ns, Timeline(np.append(first_event, len(close_ns)), instrument, bar, due_steps(job, ts_ns))


def are_side_by_side(job: EngineJob) -> bool:
    """Return whether all instruments have bars at the same times, so that no events of steps are needed."""
    jobs = job.instruments
    ranked = len(jobs) > 1 and any("rank" in columns.columns for columns in jobs[0].executions)
    if rebalance_of(job) is not None or ranked or trades_pairs(job):
        return False
    return LATEST.of([instrument.bars for instrument in jobs]).same_times


def portfolio_of(job: EngineJob, table_rows: int) -> Table:
    """Return terms, account and empty tables: one record."""
    settings = job.settings
    traits = traits_of(job)
    needed = (slots_needed(job) + rows_per_bar(job)) * len(job.instruments) + spare_rows(traits)
    portfolios = PORTFOLIOS.take(1, portfolio_dtype(max(MOST_ROWS, 1 << (needed - 1).bit_length())))
    head_of(portfolios)[:] = 0
    portfolio = portfolios[0]
    portfolio["capacity"] = min(max(table_rows, needed), len(portfolio["order_rows"]))
    portfolio["rows_per_bar"] = rows_per_bar(job)
    portfolio["cash"] = settings.cash
    set_account(portfolio, job, traits)
    first = len(shared_columns(job))
    set_decision_terms(portfolio, job, {key: first + k for k, key in enumerate(execution_columns_of(job))})
    portfolio["spread_row"] = first + len(execution_columns_of(job)) if has_spreads(job) else -1
    portfolio["arm_delay"] = settings.fills.arm == "next_bar"
    portfolio["reject"] = settings.insufficient_cash == "reject"
    portfolio["close_last"] = settings.end_of_data == "close_last"
    portfolio["has_rare"] = has_rare_rules(portfolio, job)
    return portfolios


def has_rare_rules(portfolio: Record, job: EngineJob) -> bool:
    """Return whether a job needs any of the functions marked as `engine.simulation.jit.rare`."""
    terms = ("staged", "opposing", "at_close", "following", "venue_rules", "stepped", "withdraw_percent")
    rules = [each.rule for each in job.executions]
    waits = any(rule.grid is not None or (rule.scale_in is not None and rule.scale_in.resting) for rule in rules)
    return waits or has_rolls(job) or any(portfolio[term] for term in terms)


def head_of(portfolios: Table) -> npt.NDArray[np.uint8]:
    """Return a view of the portfolio's terms, account and counts, without its tables."""
    return portfolios.view(np.uint8)[: portfolios.dtype.fields["order_rows"][1]]  # type: ignore[index]  # it has fields


def holdings_of(job: EngineJob) -> Table:
    """Return a flat position for each instrument."""
    holdings = np.zeros(len(job.instruments), HOLDING_DTYPE)
    start = 0
    before = len(shared_columns(job)) + len(execution_columns_of(job)) + int(has_spreads(job))
    holdings["roll_row"] = before if has_rolls(job) else -1
    for i, (holding, instrument) in enumerate(zip(holdings, job.instruments, strict=True)):
        holding["index"], holding["start"], holding["bars"] = i, start, len(instrument.bars)
        holding["last_bar"] = len(instrument.bars) - 1
        holding["first_bar"] = instrument.first_bar
        holding["tick_size"], holding["tick_inverse"] = instrument.tick_size, whole_inverse(instrument.tick_size)
        set_bands(holding, instrument)
        holding["lot_size"], holding["lot_inverse"] = instrument.lot_size, whole_inverse(instrument.lot_size)
        holding["min_quantity"], holding["borrow_percent"] = instrument.min_quantity, instrument.borrow_percent
        holding["buy_duty"], holding["sell_duty"] = instrument.buy_duty_percent, instrument.sell_duty_percent
        unit = amount_unit(instrument.currency, job.settings.currency)
        holding["amount_unit"] = unit
        holding["ask_part"], holding["bid_part"] = spread_parts(instrument)
        holding["ask_offset"] = instrument.spread * holding["ask_part"]
        holding["bid_offset"] = instrument.spread * holding["bid_part"]
        holding["expires"] = expires_at_end(instrument)
        holding["funding_percent"] = instrument.funding_percent if instrument.funding is None else 1.0
        if instrument.swap is not None:
            is_dated = instrument.swap.dated is not None
            holding["swap_long"] = 1.0 if is_dated else instrument.swap.long
            holding["swap_short"] = 1.0 if is_dated else instrument.swap.short
            holding["swap_by_value"], holding["swap_dated"] = instrument.swap.by_value, is_dated
        holding["next_session"], holding["limited"] = instrument.settlement == "t+1", has_limits(instrument)
        for name in ("session_day", "fresh_day", "held_back_day", "locked_day", "entries_day"):
            holding[name] = NO_DAY
        holding["pip_size"], holding["multiplier"] = instrument.pip_size or 0.0, instrument.multiplier
        holding["contract"] = instrument.kind == "contract"
        margins = margins_of(instrument, job.settings.margin)
        holding["initial_margin"], holding["unit_margin"] = margins.entry, margins.unit_entry * unit
        holding["maintenance_margin"], holding["short_margin"] = margins.long, margins.short
        holding["unit_maintenance"] = margins.unit * unit
        holding["rate"], holding["lost_bar"], holding["inside_bar"] = 1.0, -1, -1
        holding["last_result"] = holding["last_r"] = math.nan
        holding["guarded"] = sum(1 << g for g, guard in enumerate(job.guards) if limits_entries(guard, instrument))
        start += len(instrument.bars)
    set_groups(holdings, job)
    return holdings


def limits_entries(guard: GuardRule, instrument: InstrumentJob) -> bool:
    """Return whether a guard limits the entries in an instrument."""
    return guard.kind in ENTRY_LIMITS and (not guard.symbols or instrument.symbol in guard.symbols)


def set_bands(holding: Record, instrument: InstrumentJob) -> None:
    """Set the bands of an instrument's ticks; those of its first bar's session are in use."""
    rows = [(since, low, tick) for since, bands in instrument.tick_tables for low, tick in bands]
    if not rows:
        return
    for k, (since, low, tick) in enumerate(rows):
        holding["band_since"][k], holding["band_from"][k] = since, low
        holding["band_tick"][k], holding["band_inverse"][k] = tick, whole_inverse(tick)
    holding["bands"] = len(rows)
    bars = instrument.bars
    use_table(holding, int(trading_days(bars.open_ns[:1], bars.session)[0]) if len(bars) else LONG_AGO)


SCOPES = {"position": 0, "unit": 1, "last_entry": 2}
"""How a rule's record has its scope, in `unit`."""


def rules_of(job: EngineJob) -> Table:
    """Return the protective rules as records."""
    rules = np.zeros(len(job.protection), RULE_DTYPE)
    rules["column"] = -1
    for row, rule in zip(rules, job.protection, strict=True):
        row["kind"] = int(rule.kind)
        row["percent"], row["multiple"], row["offset"] = rule.percent, rule.multiple, rule.offset
        row["share"] = rule.share
        row["ticks"], row["pips"], row["cash"] = rule.ticks, rule.pips, rule.cash
        row["lock_percent"] = rule.lock_percent
        row["line"], row["follow"] = rule.line, rule.follow
        row["unit"], row["place"], row["side"] = SCOPES[rule.scope], _place_of(rule), rule.side
    for e in range(len(job.executions)):
        chosen = job.executions[e].protection
        rules["executions"][slice(None) if chosen is None else list(chosen)] |= 1 << e
    for column, members in enumerate(shared_columns(job)):
        rules["column"][members] = column
    return rules


def _place_of(rule: ProtectiveRule) -> int:
    """Return which orders of an entry a rule belongs to: a bit of `RULE_DTYPE`'s `place`."""
    if rule.kind in (ProtectiveKind.BREAK_EVEN, ProtectiveKind.COMPONENT):
        return 0
    place = STOPS_OF_ALL if rule.kind is not ProtectiveKind.TAKE_PROFIT else TARGETS_OF_ALL
    if rule.share < WHOLE:
        place = TARGETS_OF_PARTS
    return int(place << UNIT_PLACES if rule.scope == "unit" else place)
