"""Entries that wait for a price: limit, stop and stop-limit orders."""

from __future__ import annotations

from quantcrafter.engine.api import ExecutionRule, Offset, OrderKind, param
from quantcrafter.nodes.execution.base import WaitingExecution


class Limit(WaitingExecution):
    """Enter at a better price: a limit order below the line for a long, above it for a short.

    The price is the line (or the close of the signal's bar) less, for a short plus, the sum of the four offsets,
    rounded to the tick. The order is active from the next bar on. It fills when a bar touches the price, there or at
    the open when that is better. Exits are market orders, as with market.

    A new entry signal replaces an entry that still waits; an exit signal, or an entry signal of the other side, cancels
    it. With `follow`, it is replaced at each close at which the line has changed its price. The size is that for the
    order's price. Stops and targets are active in the bar of the fill for the part that certainly came after it, then
    on every bar.

    With `two_sided`, orders of both sides wait at the same time, and the first that fills cancels the other. With
    `on_opposite: reverse_at_price`, an order against the position closes it at its price and opens the other side.
    """

    name = "limit"
    category = "Orders"

    def rule(self) -> ExecutionRule:
        return self.entry(OrderKind.LIMIT)


class StopEntry(WaitingExecution):
    """Enter on strength: a stop order above the line for a long, below it for a short, as breakouts are traded.

    The trigger is the line (or the close of the signal's bar) plus, for a short less, the sum of the four offsets,
    rounded to the tick. Give the upper edge of a range as `line` and the lower one as `short_line`. The order is active
    from the next bar on and fills when a bar touches the trigger: there, or at the open when the bar begins beyond it.

    A new entry signal replaces an entry that still waits; an exit signal, or an entry signal of the other side, cancels
    it. With `follow`, it is replaced at each close at which the line has changed its price. Exits are market orders.
    Stops and targets are active in the bar of the fill for the part that certainly came after it, then on every bar.

    With `two_sided`, orders of both sides wait at the same time, and the first that fills cancels the other. With
    `on_opposite: reverse_at_price`, an order against the position closes it at its price and opens the other side.
    """

    name = "stop_entry"
    category = "Orders"

    def rule(self) -> ExecutionRule:
        return self.entry(OrderKind.STOP)


class StopLimit(WaitingExecution):
    """Enter on strength, but not at any price: a stop order that becomes a limit order when it is touched.

    The trigger is that of stop_entry, the limit is the sum of the four limit offsets beyond it. When the bar touches
    the trigger the order fills there, or at the open of a bar that begins beyond it, as long as that is within the
    limit; otherwise it continues as a limit order, in that bar with the part that is known to have come after: the
    whole bar if it opened beyond the trigger, else its close.
    """

    name = "stop_limit"
    category = "Orders"

    limit_percent: float = param("From trigger to limit, in percent.", default=0.0, unit="%", ge=0, lt=100)
    limit_ticks: float = param("From trigger to limit, in ticks.", default=0.0, unit="ticks", ge=0, le=1e6)
    limit_pips: float = param("From trigger to limit, in pips.", default=0.0, unit="pips", ge=0, le=1e6)
    limit_atr: float = param("From trigger to limit, in average true ranges.", default=0.0, ge=0, le=1000)

    def multiples(self) -> float:
        return self.offset_atr + self.limit_atr

    def rule(self) -> ExecutionRule:
        limit = Offset(self.limit_percent, self.limit_ticks, self.limit_atr, self.limit_pips)
        return self.entry(OrderKind.STOP_LIMIT, limit)
