"""The compiled driver: arrays from a job, the kernel in chunks, a ledger from the arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.api.bars import BAR_COLUMNS
from engine.api.engine import EngineJob, InstrumentJob
from engine.api.errors import RunCancelledError, RunError
from engine.api.ledger import BLOCKED_DTYPE, FILL_DTYPE, ORDER_DTYPE, TRADE_DTYPE, Ledger, OpenPosition
from engine.api.ports import FloatColumn, TimeColumn
from engine.api.rules import ProtectiveRule
from engine.simulation.kernel import run_steps
from engine.simulation.primitives import whole_inverse
from engine.simulation.records import (
    BOOK_DTYPE,
    ROWS_PER_BAR,
    RULE_DTYPE,
    TABLE_ROWS,
    Market,
    Record,
    Table,
    Timeline,
    desk_dtype,
)

TABLES = ("orders", "fills", "trades", "blocked")


@dataclass(frozen=True)
class Pace:
    """How a run is cut up; the result does not depend on it.

    `chunk_bars` is how many bars run between two looks at `cancelled`, `table_rows` how many rows of the desk's tables
    are used before they are emptied.
    """

    chunk_bars: int = 100_000
    table_rows: int = TABLE_ROWS


PACE = Pace()


def simulate(job: EngineJob, pace: Pace = PACE) -> Ledger:
    """Run the decision stage of `job` after QC-BAR-1 and return the books.

    Raises:
        RunError: an instrument has no bars, columns of the wrong length, or an impossible tick or lot size.
        RunCancelledError: `job.cancelled()` returned True.
    """
    if not job.instruments:
        raise RunError("A run needs at least one instrument, had none. Add one under 'instruments'.")
    for instrument in job.instruments:
        _check(instrument, job.protection)
    market = _market(job)
    ts_ns, timeline = _timeline(job.instruments)
    desks, books, rules = _desk(job, pace.table_rows), _books(job), _rules(job)
    curve = np.empty((2, len(ts_ns)))
    pages: list[dict[str, Table]] = []
    chunk = max(1, pace.chunk_bars // len(job.instruments))
    step = 0
    while step < len(ts_ns):
        if job.cancelled():
            raise RunCancelledError("The run was cancelled.")
        target = min(step + chunk, len(ts_ns))
        done = run_steps(desks, books, rules, market, timeline, curve, step, target)
        if done < target:
            pages.append(_harvest(desks[0]))
        if done > step:
            bars_done = int(timeline.first_event[done]) if len(timeline.first_event) else done
            job.progress(bars_done, len(market.close))
        step = done
    pages.append(_harvest(desks[0]))
    return _ledger(books, pages, ts_ns, curve)


def _check(instrument: InstrumentJob, protection: tuple[ProtectiveRule, ...]) -> None:
    """Refuse what would make the kernel read out of bounds or divide by nonsense."""
    name, n = instrument.symbol, len(instrument.bars)
    if n == 0:
        raise RunError(f"{name} has no bars in the chosen range. Widen 'start' and 'end' under 'run'.")
    needed = [rule.column is not None for rule in protection]
    if [column is not None for column in instrument.rule_columns] != needed:
        raise RunError(f"{name} must have a column for just the protective rules that name one. Wire their inputs.")
    columns = [instrument.flags, instrument.allowed, *(c for c in instrument.rule_columns if c is not None)]
    if any(len(column) != n for column in columns):
        raise RunError(f"Columns of {name} must have {n} values, one a bar, were {[len(c) for c in columns]}.")
    for field, size in (("tick_size", instrument.tick_size), ("lot_size", instrument.lot_size)):
        if not 0.0 < size < math.inf:
            raise RunError(f"The {field.replace('_', ' ')} of {name} must be above 0, was {size}. Set '{field}'.")


def _joined(parts: Sequence[npt.NDArray[Any]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return the parts one after the other, read-only: all runs share one type, so that one compilation serves all."""
    column = np.require(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1), dtype, ["C", "A"])
    view = column.view(np.ndarray)
    view.flags.writeable = False
    return view


def _market(job: EngineJob) -> Market:
    """Return the columns of all instruments; those of a single instrument are not copied."""
    jobs = job.instruments
    open_, high, low, close = (
        _joined([instrument.bars.column(name) for instrument in jobs], np.float64) for name in BAR_COLUMNS[:4]
    )
    flags = _joined([instrument.flags for instrument in jobs], np.uint8)
    allowed = _joined([instrument.allowed for instrument in jobs], np.bool_)
    groups = _shared_columns(job)
    rule_columns = [_joined([np.asarray(each.rule_columns[rules[0]]) for each in jobs], np.float64) for rules in groups]
    if len(rule_columns) == 1:
        columns = rule_columns[0].reshape(1, -1)
    else:
        columns = _joined([np.array(rule_columns, np.float64).reshape(len(groups), len(close))], np.float64)
    return Market(open_, high, low, close, flags, allowed, columns)


def _shared_columns(job: EngineJob) -> list[list[int]]:
    """Return the rules that have a column, grouped by those that share one: a stop and a target on the same ATR."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for r, rule in enumerate(job.protection):
        if rule.column is not None:
            columns = tuple(id(instrument.rule_columns[r]) for instrument in job.instruments)
            groups.setdefault(columns, []).append(r)
    return list(groups.values())


def _timeline(jobs: tuple[InstrumentJob, ...]) -> tuple[TimeColumn, Timeline]:
    """Return the close time of every step, and which bars close at it."""
    nothing = np.empty(0, np.int64)
    if len(jobs) == 1:
        return np.asarray(jobs[0].bars.close_ns), Timeline(nothing, nothing, nothing)
    close_ns = np.concatenate([job.bars.close_ns for job in jobs])
    counts = [len(job.bars) for job in jobs]
    in_time = np.argsort(close_ns, kind="stable")
    instrument = np.repeat(np.arange(len(jobs)), counts)[in_time]
    bar = in_time - np.repeat(np.cumsum([0, *counts[:-1]]), counts)[in_time]
    close_ns = close_ns[in_time]
    first_event = np.flatnonzero(np.diff(close_ns, prepend=close_ns[0] - 1))
    return close_ns[first_event], Timeline(np.append(first_event, len(close_ns)), instrument, bar)


def _desk(job: EngineJob, table_rows: int) -> Table:
    """Return terms, account and empty tables: one record."""
    settings = job.settings
    needed = ROWS_PER_BAR * len(job.instruments)
    desks = np.zeros(1, desk_dtype(max(TABLE_ROWS, 1 << (needed - 1).bit_length())))
    desk = desks[0]
    desk["capacity"] = min(max(table_rows, needed), len(desk["order_rows"]))
    desk["cash"] = settings.cash
    desk["size_kind"], desk["size_value"] = int(job.size.kind), job.size.value
    desk["on_opposite"] = int(job.execution.on_opposite)
    desk["commission_percent"] = settings.commission.percent
    desk["commission_per_unit"] = settings.commission.per_unit
    desk["commission_per_order"] = settings.commission.per_order
    desk["commission_minimum"] = settings.commission.minimum
    desk["slippage_bps"], desk["slippage_ticks"] = settings.slippage.bps, settings.slippage.ticks
    desk["arm_delay"] = settings.fills.arm == "next_bar"
    desk["reject"] = settings.insufficient_cash == "reject"
    desk["close_last"] = settings.end_of_data == "close_last"
    return desks


def _books(job: EngineJob) -> Table:
    """Return a flat position for each instrument."""
    books = np.zeros(len(job.instruments), BOOK_DTYPE)
    start = 0
    for i, (book, instrument) in enumerate(zip(books, job.instruments, strict=True)):
        book["index"], book["start"], book["bars"] = i, start, len(instrument.bars)
        book["first_bar"] = instrument.first_bar
        book["tick_size"], book["tick_inverse"] = instrument.tick_size, whole_inverse(instrument.tick_size)
        book["lot_size"], book["lot_inverse"] = instrument.lot_size, whole_inverse(instrument.lot_size)
        start += len(instrument.bars)
    return books


def _rules(job: EngineJob) -> Table:
    rules = np.zeros(len(job.protection), RULE_DTYPE)
    rules["column"] = -1
    for row, rule in zip(rules, job.protection, strict=True):
        row["kind"] = int(rule.kind)
        row["percent"], row["multiple"], row["offset"] = rule.percent, rule.multiple, rule.offset
    for column, members in enumerate(_shared_columns(job)):
        rules["column"][members] = column
    return rules


def _harvest(desk: Record) -> dict[str, Table]:
    """Return copies of the rows in use and empty the tables."""
    rows = {name: _whole_rows(desk[f"{name.removesuffix('s')}_rows"][: desk[name]]).copy() for name in TABLES}
    for name in TABLES:
        desk[name] = 0
    return rows


def _whole_rows(table: Table) -> Table:
    """Return a view of rows as plain bytes: numpy copies those at once, and records field by field."""
    return table.view(np.dtype((np.void, table.dtype.itemsize)))


def _ledger(books: Table, pages: list[dict[str, Table]], ts_ns: TimeColumn, curve: FloatColumn) -> Ledger:
    dtypes = (FILL_DTYPE, TRADE_DTYPE, BLOCKED_DTYPE)
    fills, trades, blocked = (
        np.concatenate([page[name] for page in pages]).view(dtype)
        for name, dtype in zip(("fills", "trades", "blocked"), dtypes, strict=True)
    )
    # Orders were written as they ended; by id they are in the order of their making.
    orders = np.empty(sum(len(page["orders"]) for page in pages), ORDER_DTYPE)
    for page in pages:
        _whole_rows(orders)[page["orders"].view(ORDER_DTYPE)["id"]] = page["orders"]
    open_positions = tuple(_open_position(book) for book in books if book["lots"] != 0)
    return Ledger(orders, fills, trades, blocked, ts_ns, curve[0], curve[1], open_positions)


def _open_position(book: Record) -> OpenPosition:
    gain = (book["mark"] - book["price"]) * book["quantity"]
    return OpenPosition(
        instrument=int(book["index"]),
        lots=int(book["lots"]),
        entry_bar=int(book["entry_bar"]),
        entry_price=float(book["price"]),
        unrealised_pnl=float(gain - book["commission"] - book["slippage"]),
    )
