"""The execution rule of a job as terms of the desk, and the columns and calendars that it needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import MOST_ENTRIES, MOST_LEVELS, Offset, OrderLife
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import BoolColumn, FlagColumn, TimeColumn
from quantcrafter.engine.api.rules import EXECUTION_COLUMNS, ExecutionRule
from quantcrafter.engine.api.unit_rules import unit_fault
from quantcrafter.engine.data.sessions import bounds, trading_days_in_order
from quantcrafter.engine.simulation.records import (
    DAY_BEGINS,
    DAY_ENDS,
    ROWS_PER_BAR,
    USUAL_SLOTS,
    WORKING_SLOTS,
    Record,
)


def check_execution(job: EngineJob) -> None:
    """Refuse an execution rule that the kernel could not carry out.

    Raises:
        RunError: it needs a column that is not there, or more orders at once than there is room for.
    """
    rule = job.execution
    given = {name for name in EXECUTION_COLUMNS if name in job.instruments[0].execution_columns}
    for each in job.instruments:
        if {name for name in EXECUTION_COLUMNS if name in each.execution_columns} != given:
            raise RunError(
                Message("{symbol} must have the same execution columns as the other instruments.", symbol=each.symbol)
            )
        lengths = {len(column) for column in each.execution_columns.values()}
        if lengths - {len(each.bars)}:
            raise RunError(
                Message(
                    "Execution columns of {symbol} must have {count} values, were {lengths}.",
                    symbol=each.symbol,
                    count=len(each.bars),
                    lengths=lengths,
                )
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
    fault = unit_fault(None if job.components else rule, job.protection)
    if fault is not None:
        raise RunError(" ".join(fault), field="scope")
    if len(job.protection) > MOST_LEVELS:
        raise RunError(
            Message(
                "There is room for {most_levels} protective rules, were {count}.",
                most_levels=MOST_LEVELS,
                count=len(job.protection),
            )
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


def slots_needed(job: EngineJob) -> int:
    """Return how many orders an instrument may have at work at once."""
    if job.components:
        return WORKING_SLOTS
    levels = job.execution.grid.levels if job.execution.grid is not None else 0
    if any(rule.scope == "unit" for rule in job.protection):
        return WORKING_SLOTS
    return USUAL_SLOTS + len(job.protection) + levels


def rows_per_bar(job: EngineJob) -> int:
    """Return how many orders a bar of an instrument may make, fill and end, beyond those at work before it."""
    levels = job.execution.grid.levels if job.execution.grid is not None else 0
    by_components = WORKING_SLOTS if job.components else 0
    return ROWS_PER_BAR + 2 * (len(job.protection) + levels) + by_components


def set_execution_terms(desk: Record, rule: ExecutionRule, columns: Mapping[str, int], *, partial: bool) -> None:
    """Write the rule to the desk; `columns` are the rows of the market's columns by name.

    `partial` says whether the volume of a bar may leave a part of an order at work.
    """
    entry = rule.entry
    desk["on_opposite"] = int(rule.on_opposite)
    desk["entry_kind"] = int(entry.kind)
    _set_offset(desk, "entry", entry.offset)
    _set_offset(desk, "limit", entry.limit)
    desk["life"], desk["life_bars"], desk["follow"] = int(entry.life), entry.bars, entry.follow
    for name in EXECUTION_COLUMNS:
        desk[name] = columns.get(name, -1)
    if rule.scale_in is not None:
        desk["scale_entries"] = rule.scale_in.max_entries
        _set_offset(desk, "scale", rule.scale_in.spacing)
        desk["scale_sign"] = 1 if rule.scale_in.in_favour else -1
        desk["scale_factor"], desk["scale_on_signal"] = rule.scale_in.factor, rule.scale_in.on_signal
    if rule.grid is not None:
        desk["grid_levels"], desk["grid_cap_percent"] = rule.grid.levels, rule.grid.cap_percent
        _set_offset(desk, "grid", rule.grid.spacing)
    if rule.rebalance is not None:
        desk["rebalance"], desk["drift_percent"] = 1, rule.rebalance.drift_percent
    desk["care"] = entry.kind != OrderKind.MARKET or rule.scale_in is not None or rule.grid is not None or partial


def _set_offset(desk: Record, name: str, offset: Offset) -> None:
    for part in ("percent", "ticks", "pips", "multiple"):
        desk[f"{name}_{part}"] = getattr(offset, part)


def day_edges_of(job: EngineJob) -> FlagColumn:
    """Return where trading days begin and their sessions end; nothing where no order depends on it.

    A day is that of a bar's open. Both are known at the close of the bar: no later bar is looked at.
    """
    if job.execution.entry.life is not OrderLife.DAY:
        return np.empty(0, np.uint8)
    parts = []
    for bars in (each.bars for each in job.instruments):
        days = trading_days_in_order(bars.open_ns, bars.session)
        begins = np.diff(days, prepend=days[:1] - 1) != 0
        ends = bars.close_ns >= bounds(days, bars.session)[1]
        parts.append(begins * DAY_BEGINS + ends * DAY_ENDS)
    return np.concatenate(parts).astype(np.uint8)


def due_steps(job: EngineJob, ts_ns: TimeColumn) -> BoolColumn:
    """Return at which steps weights are restored, whatever they have drifted; nothing without rebalancing."""
    rule = job.execution.rebalance
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
