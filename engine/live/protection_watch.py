"""What is told and done when a broker refuses to protect a position.

1. A protective order that the broker refuses, or ends by itself, is placed again (`engine.simulation.placing`). Each
   refusal is told, and so is that it works at last. Until then there are no entries.
2. At the `MOST_REFUSALS`th one there is an alarm, and no entry until `resume`. A stop that can't be had, while no
   earlier one protects the whole position, means that the position is closed at the market. Anything else is tried on.
3. An order that should close a position and is refused is an alarm too. What the program closes itself is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator

from quantcrafter.engine.api import OrderEvent
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_state import TrackedOrder
from quantcrafter.engine.api.orders import Accepted, Denied, OrderCommand, Rejected, Unanswered
from quantcrafter.engine.live.entry_gate import EntryGate, GateNotice
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.simulation.outside import Missed, Unplaced
from quantcrafter.engine.simulation.placing import FIRST_NS, LONGEST_NS, protects

MOST_REFUSALS = 5
"""How often a stop may be refused before its position is closed."""


def watched(event: OrderEvent, gate: EntryGate, session: StrategySession, now_ns: int) -> Iterator[GateNotice]:
    """Yield what a report means for the protection of a position, and note in the gate what follows from it."""
    order = session.orders.get(event.order.number)
    left = {each.number: each for each in session.unplaced()}
    for each in session.take_missed():
        if each.again in left:  # else the position is gone
            yield _missed(each, left[each.again], gate)
    if order is None or not order.submit.reduce_only:
        return
    symbol = order.submit.symbol
    if not protects(order):
        if isinstance(event, (Rejected, Denied)) and symbol in session.positions:
            yield _not_closed(order, gate, now_ns)
    elif isinstance(event, Unanswered) and not order.state.is_over:
        yield GateNotice(
            "warning",
            Message(
                "{symbol}: the broker has not answered for the {kind} {order}. It is asked what became of it.",
                symbol=symbol,
                kind=_kind(order),
                order=event.order,
            ),
        )
    elif isinstance(event, Accepted) and session.refusals_of(event.order.number):
        yield GateNotice(
            "info",
            Message(
                "{symbol}: the {kind} {order} works at the broker now.",
                symbol=symbol,
                kind=_kind(order),
                order=event.order,
            ),
        )


def _not_closed(order: TrackedOrder, gate: EntryGate, now_ns: int) -> GateNotice:
    """Return the alarm of an order that should close a position and was refused; closing is tried again later."""
    gate.reduce_only()
    gate.close_refusals += 1
    gate.close_due_ns = now_ns + min(FIRST_NS << min(gate.close_refusals, 10), LONGEST_NS)
    return GateNotice(
        "alarm",
        Message(
            "{symbol}: the order {order} that should reduce the position was refused ({text}). "
            "No entries until 'resume'.",
            symbol=order.submit.symbol,
            order=order.order,
            text=order.text,
        ),
    )


def closing(gate: EntryGate, session: StrategySession, now_ns: int) -> tuple[OrderCommand, ...]:
    """Return the commands that close what is to be closed: all positions, or those whose stops can't be had.

    A fill may have come late, or the broker may have refused to close a position before.
    """
    held = session.positions
    gate.closing = tuple(each for each in gate.closing if each in held)
    if not gate.flattening and not gate.closing:
        gate.close_refusals = gate.close_due_ns = 0
        return ()
    if gate.flattening and not held:
        gate.close_refusals = gate.close_due_ns = 0
        return session.withdraw_entries(now_ns)
    if gate.close_due_ns > now_ns:
        return ()
    gate.close_due_ns = 0
    return session.close_positions(*(() if gate.flattening else gate.closing), now_ns=now_ns)


def _kind(order: TrackedOrder) -> Message:
    return Message("target") if order.submit.kind == "limit" else Message("stop")


def _missed(missed: Missed, left: Unplaced, gate: EntryGate) -> GateNotice:
    """Return what is told of a protective order that the broker ended; a stop that can't be had closes the position."""
    order = missed.order
    values = {
        "symbol": left.symbol,
        "kind": _kind(order),
        "order": order.order,
        "text": order.text or order.state.value,
        "count": missed.count,
    }
    is_bare = left.is_stop and not left.is_covered
    if missed.count >= MOST_REFUSALS and is_bare and left.symbol not in gate.closing:
        gate.reduce_only()
        gate.closing = (*gate.closing, left.symbol)
        return GateNotice(
            "alarm",
            Message(
                "{symbol}: the broker has refused the stop {count} times ({text}). The position is closed at the "
                "market. No entries until 'resume'.",
                **values,
            ),
        )
    if missed.count == MOST_REFUSALS:
        gate.reduce_only()
        return GateNotice(
            "alarm",
            Message(
                "{symbol}: the broker has refused the {kind} {count} times ({text}). Stops that work stay, and it is "
                "tried again every minute. No entries until 'resume'.",
                **values,
            ),
        )
    return GateNotice(
        "warning",
        Message(
            "{symbol}: the broker has ended the {kind} {order} ({text}), {count} times by now. It is placed again.",
            **values,
        ),
    )
