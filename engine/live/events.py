"""The events of a worker in order, as plain values: what it was given, what it decided, and what became of that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quantcrafter.engine.api import BarRevised, BrokerState, FeedState
from quantcrafter.engine.live.input_log import InputLog
from quantcrafter.engine.live.inputs import (
    Anchored,
    BarsClosed,
    BarsOverdue,
    LiveInput,
    LiveOutput,
    Reconciled,
    ScheduleHours,
    Stopped,
    UserCommand,
    bar_fields,
    kind_of,
)


def events_of(log: InputLog, after: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the events of a log after an input, oldest first.

    Each has `seq` (the number of its input), `ts_ns`, `kind` and `client_order_id` ('' if it isn't about an order),
    then its own fields; the kind of an order is its `order_type`. Bars that were dropped from the log are left out.

    Raises:
        RunError: the log is damaged.
    """
    outputs = log.outputs(after)
    waiting = next(outputs, None)
    for seq, given in log.inputs(after):
        while waiting is not None and waiting.seq < seq:
            yield _of_output(waiting.seq, waiting.given)
            waiting = next(outputs, None)
        yield from _of_input(seq, given)
    while waiting is not None:
        yield _of_output(waiting.seq, waiting.given)
        waiting = next(outputs, None)


def _of_output(seq: int, given: LiveOutput) -> dict[str, Any]:
    body = {"order_type" if name == "kind" else name: value for name, value in given.body.items()}
    return {**_head(seq, given.ts_ns, given.kind, given.client_order_id), **body}


def _of_input(seq: int, given: LiveInput) -> Iterator[dict[str, Any]]:
    """Yield what an input is; a report of a broker stands among its outputs, and a tick of the clock is no event."""
    match given:
        case Anchored():
            body = {"number": given.number, "epoch": given.epoch, "strategy_hash": given.strategy}
            yield {**_head(seq, given.ts_ns, "anchored"), **body}
        case BarsClosed():
            for name, bar in given.bars.items():
                yield {**_head(seq, given.ts_ns, "bar"), "name": name, **bar_fields(bar)}
        case BarRevised():
            yield {**_head(seq, given.seen_ns, "revised"), "name": given.name, **bar_fields(given.bar)}
        case _:
            yield from _of_change(seq, given)


def _of_change(seq: int, given: LiveInput) -> Iterator[dict[str, Any]]:
    """Yield what an input is that is no bar: it may change whether entries are allowed."""
    match given:
        case FeedState() | BrokerState():
            kind = kind_of(given)
            yield {**_head(seq, given.seen_ns, kind), "state": given.state, "text": given.text}
        case UserCommand():
            yield {**_head(seq, given.ts_ns, "command"), "verb": given.verb, "source": given.source}
        case Stopped():
            yield _head(seq, given.ts_ns, "stopped")
        case ScheduleHours():
            yield {**_head(seq, given.ts_ns, "hours"), "is_open": given.is_open}
        case BarsOverdue():
            yield {**_head(seq, given.ts_ns, "overdue"), "names": list(given.names)}
        case Reconciled():
            body = {"differences": list(given.differences), "nobodys": dict(given.nobodys)}
            yield {**_head(seq, given.ts_ns, "reconciled"), **body}


def _head(seq: int, ts_ns: int, kind: str, order: str = "") -> dict[str, Any]:
    return {"seq": seq, "ts_ns": ts_ns, "kind": kind, "client_order_id": order}
