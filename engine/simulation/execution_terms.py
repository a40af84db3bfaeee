"""Writes the executions of a job to the portfolio's terms, with the calendars that they need."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from quantcrafter.engine.api.component import ExecutionLogic
from quantcrafter.engine.api.engine import MOST_EXECUTIONS, EngineJob
from quantcrafter.engine.api.entries import MOST_ENTRIES, MOST_LEVELS, Offset, OrderLife, PairRule, RebalanceRule
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.ports import BoolColumn, FlagColumn, TimeColumn
from quantcrafter.engine.api.rules import (
    EXECUTION_COLUMNS,
    ExecutionRule,
    OnOpposite,
    ProtectiveRule,
    SizeKind,
    SizeRule,
)
from quantcrafter.engine.api.unit_rules import unit_fault
from quantcrafter.engine.simulation.account_terms import counts_entries_of_a_day, has_venue_rules, needs_volume
from quantcrafter.engine.simulation.records import (
    DAY_BEGINS,
    DAY_ENDS,
    ROWS_PER_BAR,
    USUAL_SLOTS,
    WORKING_SLOTS,
    Record,
)
from quantcrafter.engine.simulation.venue_columns import has_rolls
from quantcrafter.engine.trading_calendar.trading_days import bounds, trading_days_in_order

VENUE_ROWS = 2
"""How many rows a bar may take to note what the exchange's rules held back: one for each of them."""

WAITING = (OrderKind.LIMIT, OrderKind.STOP, OrderKind.STOP_LIMIT)
"""The kinds of entry orders that wait for a price."""
PAIR_ROWS = 8
"""How many rows a bar may take for orders of the other leg of a pair."""

SIZE_COLUMN = "size"
"""How the column of a size rule is called among those of its execution."""


def check_executions(job: EngineJob) -> None:
    """Reject executions that the kernel can't process.

    Raises:
        RunError: there are none or too many, one can't be combined with others, needs a column that doesn't exist, or
            too many orders at the same time.
    """
    count = len(job.executions)
    if not 1 <= count <= MOST_EXECUTIONS:
        raise RunError(
            Message("A run has 1 to {most} execution nodes, had {count}.", most=MOST_EXECUTIONS, count=count)
        )
    for each in job.instruments:
        if len(each.executions) != count:
            raise RunError(
                Message(
                    "{symbol} must have columns for {count} executions, had {had}.",
                    symbol=each.symbol,
                    count=count,
                    had=len(each.executions),
                )
            )
    _check_combination(job)
    for number in range(count):
        _check_columns(job, number)
        _check_execution(job, number)
        _check_pair(job, number)
    if len(job.protection) > MOST_LEVELS:
        raise RunError(
            Message(
                "There can be at most {most_levels} protective rules, had {count}.",
                most_levels=MOST_LEVELS,
                count=len(job.protection),
            )
        )


def _check_combination(job: EngineJob) -> None:
    """Reject combinations with an execution that must be the only one of a run."""
    if len(job.executions) == 1:
        return
    for each in job.executions:
        if each.rule.rebalance is not None:
            raise RunError(
                Message(
                    "Rebalancing sets whole positions, so it can't be combined with another execution node. Remove one."
                ),
                node=each.node,
            )
    for part in job.components:
        if isinstance(part.component, ExecutionLogic):
            raise RunError(
                Message(
                    "An execution node written in Python can't be combined with another execution node. Remove one."
                ),
                node=part.node,
            )


def _check_pair(job: EngineJob, number: int) -> None:
    """Refuse a pair of instruments that don't exist, or of one, and what can't be combined with pairs."""
    execution = job.executions[number]
    pair = execution.rule.pair
    if pair is None:
        return
    symbols = [each.symbol for each in job.instruments]
    legs = legs_of(pair, symbols)
    if None in legs or legs[0] == legs[1]:
        raise RunError(
            Message(
                "A pair needs two different instruments, was '{first}' and '{second}' of {symbols}.",
                first=pair.first,
                second=pair.second,
                symbols=", ".join(symbols),
            ),
            node=execution.node,
        )
    if "ratio" not in columns_of(job, number):
        raise RunError(Message("A pair needs a ratio of its legs. Wire the port 'ratio'."), node=execution.node)
    if job.components:
        raise RunError(
            Message("Components that decide in Python can't be combined with a pair. Remove one."),
            node=job.components[0].node,
        )
    if protection_of(job, number) or execution.size.kind is SizeKind.RISK_PERCENT:
        raise RunError(
            Message(
                "Stops and targets of one leg would leave the other one alone. "
                "Use 'stop_percent', 'stop_cash', 'target_percent' or 'target_cash' of the pair."
            ),
            node=execution.node,
        )


def _check_columns(job: EngineJob, number: int) -> None:
    """Refuse columns that not all instruments have, or that don't fit their bars."""
    given = columns_of(job, number)
    for each in job.instruments:
        columns, bars = each.executions[number], len(each.bars)
        if {name for name in EXECUTION_COLUMNS if name in columns.columns} != given:
            raise RunError(
                Message("{symbol} must have the same execution columns as the other instruments.", symbol=each.symbol)
            )
        lengths = {len(column) for column in columns.columns.values()}
        if lengths - {bars}:
            raise RunError(
                Message(
                    "Execution columns of {symbol} must have {count} values, were {lengths}.",
                    symbol=each.symbol,
                    count=bars,
                    lengths=lengths,
                )
            )
        given_lengths = [len(own) for own in (columns.flags, columns.allowed, columns.size) if own is not None]
        if set(given_lengths) != {bars}:
            raise RunError(
                Message(
                    "Columns of {name} must have {n} values, one a bar, were {columns}.",
                    name=each.symbol,
                    n=bars,
                    columns=given_lengths,
                )
            )


def columns_of(job: EngineJob, number: int) -> set[str]:
    """Return the names of the columns that the rule of an execution has."""
    return set(EXECUTION_COLUMNS) & set(job.instruments[0].executions[number].columns)


def protection_of(job: EngineJob, number: int) -> tuple[ProtectiveRule, ...]:
    """Return the protective rules of an execution's positions."""
    chosen = job.executions[number].protection
    return job.protection if chosen is None else tuple(job.protection[rule] for rule in chosen)


def _check_execution(job: EngineJob, number: int) -> None:
    """Reject a rule that lacks a column or needs too many orders."""
    execution, given = job.executions[number], columns_of(job, number)
    rule, protection = execution.rule, execution.protection or ()
    if any(not 0 <= each < len(job.protection) for each in protection):
        raise RunError(
            Message(
                "There are {count} protective rules, and an execution names {protection}.",
                count=len(job.protection),
                protection=protection,
            )
        )
    if rule.entry.kind not in WAITING and (rule.entry.two_sided or rule.on_opposite is OnOpposite.REVERSE_AT_PRICE):
        raise RunError(
            Message("Entries of both sides, and reversals at a price, need entry orders that wait for a price."),
            field="on_opposite",
        )
    offsets = [rule.entry.offset, rule.entry.limit]
    offsets += [part.spacing for part in (rule.scale_in, rule.grid) if part is not None]
    if any(offset.multiple for offset in offsets) and "atr" not in given:
        raise RunError(
            Message("An offset by the average true range needs its column. Wire the port 'atr'."), field="atr"
        )
    _check_pips(job, offsets)
    if rule.rebalance is not None and "weight" not in given:
        raise RunError(Message("Rebalancing needs the wanted weights. Wire the port 'weight'."), field="weight")
    if rule.grid is not None and not 1 <= rule.grid.levels <= MOST_LEVELS:
        raise RunError(
            Message(
                "A grid has 1 to {most_levels} levels, was {levels}.", most_levels=MOST_LEVELS, levels=rule.grid.levels
            ),
            field="levels",
        )
    if rule.scale_in is not None and not 1 <= rule.scale_in.max_entries <= MOST_ENTRIES:
        raise RunError(
            Message(
                "There are 1 to {most_entries} entries, was {max_entries}.",
                most_entries=MOST_ENTRIES,
                max_entries=rule.scale_in.max_entries,
            ),
            field="max_entries",
        )
    _check_scale_in(rule)
    fault = unit_fault(None if job.components else rule, protection_of(job, number))
    if fault is not None:
        raise RunError(joined(fault), field="scope")


def _check_scale_in(rule: ExecutionRule) -> None:
    """Refuse a position that grows and is reversed at a price, and sizes that aren't those of its entries."""
    scale = rule.scale_in
    if scale is not None and rule.on_opposite is OnOpposite.REVERSE_AT_PRICE:
        raise RunError(
            Message("A position that grows can't be reversed at a price. Set 'on_opposite' to reverse or close."),
            field="on_opposite",
        )
    if scale is None or not scale.sizes:
        return
    sound = all(0.0 < size < math.inf for size in scale.sizes)
    if len(scale.sizes) != scale.max_entries or scale.sizes[0] != 1.0 or not sound:
        raise RunError(
            Message(
                "Sizes are {count} numbers above 0, the first of them 1, were {sizes}.",
                count=scale.max_entries,
                sizes=scale.sizes,
            ),
            field="sizes",
        )


def _check_pips(job: EngineJob, offsets: list[Offset]) -> None:
    """Refuse distances in pips for an instrument that has none."""
    if not (any(each.pips for each in offsets) or any(rule.pips for rule in job.protection)):
        return
    for each in job.instruments:
        if not each.pip_size:
            raise RunError(
                Message("A distance in pips needs the pip of {symbol}. Set its 'pip_size'.", symbol=each.symbol),
                field="pip_size",
            )


def _most_levels(job: EngineJob) -> int:
    """Return how many lines the largest grid has, or how many further entries may wait at their prices."""
    return max(_levels(each.rule) for each in job.executions)


def _levels(rule: ExecutionRule) -> int:
    if rule.grid is not None:
        return rule.grid.levels
    return rule.scale_in.max_entries - 1 if rule.scale_in is not None and rule.scale_in.resting else 0


def slots_needed(job: EngineJob) -> int:
    """Return how many open orders an instrument may have at the same time."""
    if job.components:
        return WORKING_SLOTS
    if any(rule.scope == "unit" for rule in job.protection):
        return WORKING_SLOTS
    return USUAL_SLOTS + len(job.protection) + _most_levels(job)


def rows_per_bar(job: EngineJob) -> int:
    """Return how many orders a bar of an instrument may create, fill and end, beyond those that were open before it."""
    by_components = WORKING_SLOTS if job.components else 0
    # Each execution may have a signal that is blocked.
    further = len(job.executions) - 1
    noted = VENUE_ROWS if has_venue_rules(job) else 0
    # The decision on the first leg makes and ends orders of the second one, too.
    noted += PAIR_ROWS if trades_pairs(job) else 0
    noted += 2 if has_rolls(job) else 0
    return ROWS_PER_BAR + 2 * (len(job.protection) + _most_levels(job)) + by_components + further + noted


def set_decision_terms(portfolio: Record, job: EngineJob, rows: Mapping[tuple[int, str], int]) -> None:
    """Write a job's executions to the portfolio; `rows` are those of the market's columns, by execution and name."""
    several = len(job.executions) > 1
    portfolio["execution_count"] = len(job.executions)
    for number, each in enumerate(job.executions):
        terms = portfolio["executions"][number]
        _set_rule(terms, each.rule)
        _set_pair(terms, each.rule, [instrument.symbol for instrument in job.instruments])
        _set_size(terms, each.size)
        for name in EXECUTION_COLUMNS:
            terms[name] = rows.get((number, name), -1)
        terms["size_column"] = rows.get((number, SIZE_COLUMN), -1)
    rules = [each.rule for each in job.executions]
    portfolio["following"] = any(rule.entry.follow for rule in rules)
    portfolio["opposing"] = any(
        rule.entry.two_sided or rule.on_opposite is OnOpposite.REVERSE_AT_PRICE for rule in rules
    )
    portfolio["at_close"] = any(rule.entry.kind is OrderKind.AT_CLOSE for rule in rules)
    portfolio["auction"] = has_auction(job)
    # Alone, an instrument is always first.
    portfolio["ranked"] = len(job.instruments) > 1 and any(name == "rank" for _, name in rows)
    portfolio["paired"] = paired = trades_pairs(job)
    portfolio["checks_closes"] = several or paired or needs_volume(job) or any(map(_waits_or_grows, rules))
    for rule in rules:
        if rule.rebalance is not None:
            portfolio["rebalance"], portfolio["drift_percent"] = 1, rule.rebalance.drift_percent
    portfolio["staged"] = paired or portfolio["ranked"] == 1 or portfolio["rebalance"] == 1


def has_auction(job: EngineJob) -> bool:
    """Return whether orders fill at the very close on which they were decided."""
    at_close = any(each.rule.entry.kind is OrderKind.AT_CLOSE for each in job.executions)
    return at_close and job.settings.fills.close == "auction"


def _waits_or_grows(rule: ExecutionRule) -> bool:
    return rule.entry.kind in WAITING or rule.scale_in is not None or rule.grid is not None


def _set_rule(terms: Record, rule: ExecutionRule) -> None:
    entry = rule.entry
    terms["on_opposite"] = int(rule.on_opposite)
    terms["entry_kind"] = int(entry.kind)
    _set_offset(terms, "entry", entry.offset)
    _set_offset(terms, "limit", entry.limit)
    terms["life"], terms["life_bars"], terms["follow"] = int(entry.life), entry.bars, entry.follow
    terms["two_sided"] = entry.two_sided
    if rule.scale_in is not None:
        terms["scale_entries"] = rule.scale_in.max_entries
        _set_offset(terms, "scale", rule.scale_in.spacing)
        terms["scale_sign"] = 1 if rule.scale_in.in_favour else -1
        terms["scale_on_signal"], terms["scale_resting"] = rule.scale_in.on_signal, rule.scale_in.resting
        terms["scale_sizes"][: rule.scale_in.max_entries] = rule.scale_in.lots_factors
    if rule.grid is not None:
        terms["grid_levels"], terms["grid_cap_percent"] = rule.grid.levels, rule.grid.cap_percent
        _set_offset(terms, "grid", rule.grid.spacing)


def _set_pair(terms: Record, rule: ExecutionRule, symbols: list[str]) -> None:
    pair = rule.pair
    terms["pair"] = pair is not None
    if pair is None:
        return
    for name, place in zip(("first_leg", "second_leg"), legs_of(pair, symbols), strict=True):
        terms[name] = -1 if place is None else place
    terms["by_value"] = pair.by_value
    for name in ("stop_percent", "stop_cash", "target_percent", "target_cash"):
        terms[f"pair_{name}"] = getattr(pair, name)


def legs_of(pair: PairRule, symbols: Sequence[str]) -> tuple[int | None, int | None]:
    """Return the places of a pair's legs among the instruments, None for one that doesn't exist."""
    named = (pair.first, pair.second)
    found = [symbols.index(name) if name in symbols else None for name in named]
    places = [place if not name and place < len(symbols) else found[place] for place, name in enumerate(named)]
    return places[0], places[1]


def trades_pairs(job: EngineJob) -> bool:
    """Return whether any execution trades a pair."""
    return any(each.rule.pair is not None for each in job.executions)


def _set_size(terms: Record, size: SizeRule) -> None:
    terms["size_kind"], terms["size_value"] = int(size.kind), size.value
    for name in ("factor", "least", "most", "window", "trades", "start", "delta"):
        terms[f"size_{name}"] = getattr(size, name)


def rebalance_of(job: EngineJob) -> RebalanceRule | None:
    """Return the rebalancing rule; None without one."""
    return job.executions[0].rule.rebalance


def is_by_day(job: EngineJob) -> bool:
    """Return whether any entry order is good for a day, or entries are counted by it."""
    return counts_entries_of_a_day(job) or any(each.rule.entry.life is OrderLife.DAY for each in job.executions)


def _set_offset(terms: Record, name: str, offset: Offset) -> None:
    for part in ("percent", "ticks", "pips", "multiple"):
        terms[f"{name}_{part}"] = getattr(offset, part)


def day_edges_of(job: EngineJob) -> FlagColumn:
    """Return where trading days begin and their sessions end; nothing where no order depends on it.

    A day is that of a bar's open. Both are known at the close of the bar: no later bar is used.
    """
    if not is_by_day(job):
        return np.empty(0, np.uint8)
    parts = []
    for bars in (each.bars for each in job.instruments):
        days = trading_days_in_order(bars.open_ns, bars.session)
        begins = np.diff(days, prepend=days[:1] - 1) != 0
        ends = bars.close_ns >= bounds(days, bars.session)[1]
        parts.append(begins * DAY_BEGINS + ends * DAY_ENDS)
    return np.concatenate(parts).astype(np.uint8)


def due_steps(job: EngineJob, ts_ns: TimeColumn) -> BoolColumn:
    """Return the steps at which weights are restored regardless of their drift; empty without rebalancing."""
    rule = rebalance_of(job)
    if rule is None:
        return np.empty(0, np.bool_)
    due = np.zeros(len(ts_ns), np.bool_)
    ready = [each.bars.close_ns[each.first_bar] for each in job.instruments if each.first_bar < len(each.bars)]
    if not ready:
        return due
    first = int(np.searchsorted(ts_ns, min(ready)))
    due[first] = True
    if rule.every_bars > 0:
        due[first :: rule.every_bars] = True
    if rule.monthly:
        months = ts_ns.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
        due[1:] |= months[1:] != months[:-1]
        due[:first] = False
    return due
