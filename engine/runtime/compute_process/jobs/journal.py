"""The job `journal`: the orders of a finished run as lines of its log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from quantcrafter.engine.api.errors import RunCancelledError
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, LogLine, Request

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder

_LOOK_EVERY = 500
_GONE_WRONG = ("rejected",)


@dataclass(frozen=True, slots=True)
class JournalRequest(Request):
    """Log the fills, the orders that didn't fill and the blocked signals of a run, in the order of its bars.

    Args:
        folder: the folder of the run.
    """

    kind: ClassVar[str] = "journal"

    folder: Path

    def execute(self, context: JobContext) -> int:
        return write_journal(self, context)


def write_journal(request: JournalRequest, context: JobContext) -> int:
    """Carry out a JournalRequest and return the number of lines.

    Raises:
        RunError: the run cannot be read.
        RunCancelledError: the owner cancelled.
    """
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder

    run = RunFolder.open(request.folder)
    lines = [*_fills(run), *_orders(run), *_blocked(run)]
    lines.sort(key=lambda line: (line.ts_ns or 0, line.instrument))
    for number, line in enumerate(lines):
        if number % _LOOK_EVERY == 0 and context.cancelled():
            raise RunCancelledError(Message("The journal was cancelled."))
        context.log(line)
    return len(lines)


def _executions(run: RunFolder, rows: Any) -> list[str]:
    """Return the execution node of each row of a ledger's table."""
    names = [each.node for each in run.decisions] or [""]
    return [names[number] for number in rows["execution"].tolist()]


def _fills(run: RunFolder) -> Iterator[LogLine]:
    numbers = run.ledger.fills["instrument"].tolist()
    nodes = _executions(run, run.ledger.fills)
    for number, row, node in zip(numbers, run.fills.rows(), nodes, strict=True):
        kind, why = _plain(row["order_type"]), _plain(row["reason"])
        text = Message(
            "{side} {quantity:g} {instrument} at {price:g}  ({kind}, {why}, order {order_id}, "
            "commission {commission:.2f})",
            side=Message("BUY") if row["side"] == "buy" else Message("SELL"),
            quantity=row["quantity"],
            instrument=row["instrument"],
            price=row["price"],
            kind=word(kind),
            why=word(why),
            order_id=row["order_id"],
            commission=row["commission"],
        )
        time = run.times.text(row["ts_ns"], row["instrument"], row["bar"], named=True)
        yield LogLine(logging.INFO, text, row["ts_ns"], number, row["bar"], node, time)


def _orders(run: RunFolder) -> Iterator[LogLine]:
    numbers = run.ledger.orders["instrument"].tolist()
    for number, row in zip(numbers, run.orders.rows(), strict=True):
        if row["status"] not in _GONE_WRONG:
            continue
        bar = row["created_bar"] if row["closed_bar"] is None else row["closed_bar"]
        text = Message(
            "Order {order_id} {status}: {reason}  ({side} {quantity:g} {instrument}, {kind})",
            order_id=row["order_id"],
            status=word(row["status"]),
            reason=word(_plain(row["status_reason"])),
            side=word(row["side"]),
            quantity=row["quantity"],
            instrument=row["instrument"],
            kind=word(_plain(row["order_type"])),
        )
        closed_ns = _close(run, number, bar)
        time = run.times.text(closed_ns, row["instrument"], bar, named=True)
        yield LogLine(logging.WARNING, text, closed_ns, number, bar, row["rule"], time)


def _blocked(run: RunFolder) -> Iterator[LogLine]:
    numbers = run.ledger.blocked["instrument"].tolist()
    nodes = _executions(run, run.ledger.blocked)
    for number, row, node in zip(numbers, run.blocked.rows(), nodes, strict=True):
        text = Message(
            "Signal on {instrument} not taken: {reason}",
            instrument=row["instrument"],
            reason=word(_plain(row["reason"])),
        )
        time = run.times.text(row["ts_ns"], row["instrument"], row["bar"], named=True)
        yield LogLine(logging.DEBUG, text, row["ts_ns"], number, row["bar"], node, time)


def _close(run: RunFolder, instrument: int, bar: int) -> int:
    return int(run.instruments[instrument].bars.close_ns[bar])


def _plain(word: Any) -> str:
    return str(word).replace("_", " ")
