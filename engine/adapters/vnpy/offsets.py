"""How an order of ours is cut into orders of vnpy: what closes a position of the other side, and what opens one.

Where a gateway nets positions, nothing is cut. Elsewhere the other side's position is closed first, and the rest opens.
At the exchanges of Shanghai, what was bought before today and today is closed by orders of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vnpy.trader.constant import Direction, Exchange, Offset, OrderType

from quantcrafter.engine.api import Submit

if TYPE_CHECKING:
    from quantcrafter.engine.adapters.vnpy.gateway_session import GatewaySession

_BY_DAY = (Exchange.SHFE, Exchange.INE)
_CLOSING = (Offset.CLOSE, Offset.CLOSETODAY, Offset.CLOSEYESTERDAY)


def kind_of(submit: Submit) -> OrderType:
    """Return vnpy's kind of an order."""
    return {"limit": OrderType.LIMIT, "stop": OrderType.STOP}.get(submit.kind, OrderType.MARKET)


def parts_of(session: GatewaySession, contract: Any, submit: Submit) -> Sequence[tuple[Offset, float]]:
    """Return the offsets and volumes of the orders that together are one of ours; none if there is nothing to close."""
    if contract.net_position:
        return [(Offset.NONE, submit.quantity)]
    direction = Direction.LONG if submit.side == "buy" else Direction.SHORT
    today, before = _closable(session, contract, direction)
    left, parts = submit.quantity, []
    by_day = contract.exchange in _BY_DAY
    closes = (
        [(Offset.CLOSEYESTERDAY, before), (Offset.CLOSETODAY, today)] if by_day else [(Offset.CLOSE, today + before)]
    )
    for offset, most in closes:
        volume = min(left, most)
        if volume > 0:
            parts.append((offset, volume))
            left -= volume
    if left > 0 and not submit.reduce_only:
        parts.append((Offset.OPEN, left))
    return parts


def _closable(session: GatewaySession, contract: Any, direction: Direction) -> tuple[float, float]:
    """Return how much of the other side's position can be closed: of today, and of before."""
    other = Direction.SHORT if direction is Direction.LONG else Direction.LONG
    with session.lock:
        held = [
            each
            for each in session.positions.values()
            if each.vt_symbol == contract.vt_symbol and each.direction is other
        ]
        waiting = [
            each
            for each in session.orders.values()
            if each.vt_symbol == contract.vt_symbol
            and each.is_active()
            and each.direction is direction
            and each.offset in _CLOSING
        ]
    before = sum(float(each.yd_volume) for each in held)
    today = sum(float(each.volume) for each in held) - before
    for each in waiting:
        rest = float(each.volume) - float(each.traded)
        if each.offset is Offset.CLOSETODAY:
            today -= rest
        else:
            taken = min(rest, before)
            before, today = before - taken, today - (rest - taken)
    return max(0.0, today), max(0.0, before)
