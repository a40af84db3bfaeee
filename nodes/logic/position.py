"""The position and the account as series: position, account."""

from __future__ import annotations

from quantcrafter.engine.api import Given, Known, Output, PortType, PositionNode, StepForm, StepOutputs
from quantcrafter.nodes.logic.base import CATEGORY_POSITION


def _series(name: str, description: str) -> Output:
    return Output(name, PortType.SERIES, description)


class PositionReading(PositionNode):
    """Read the instrument's open position, so that conditions, signals and filters can depend on it.

    Known at the bar's close, after its fills and before its decisions: conditions that use it take effect on the next
    bar. Without a position, `side`, `quantity`, `bars` and `entries` are 0, and the other values are NaN, so that
    comparisons with them are False. Profits include the costs of the entries, fees and dividends, but not the costs of
    the exit. No warm-up.

    The initial risk of an entry is what it would lose at its stop as placed when it filled, without costs; without a
    stop there is none, and `open_r` and `last_trade_r` are NaN. A part that is closed takes its share of it along.

    Logic nodes, advisors and filters that can run inside the bar loop can be connected to it, such as all built-in
    ones. Indicators can't, because they are computed before the run.
    """

    name = "position"
    category = CATEGORY_POSITION
    outputs = (
        _series("side", "1 long, -1 short, 0 without a position."),
        _series("quantity", "Units held, also of a short position; 0 without one."),
        _series("entry_price", "Average price of the entries."),
        _series("last_entry_price", "Price of the latest entry, or part of one."),
        _series("bars", "Bars in the position, that of the entry counted as 1; 0 without one."),
        _series("days", "Calendar days since the trading day of the entry, which is 0; 0 without a position."),
        _series("entries", "Entries that built the position; 0 without one."),
        _series("open_percent", "Open profit in percent of the position's value at entry."),
        _series("open_cash", "Open profit in the account's currency."),
        _series("highest", "Highest price since the entry."),
        _series("lowest", "Lowest price since the entry."),
        _series("last_trade_percent", "Result of its last closed trade, in percent of the value at entry."),
        _series("entries_today", "Entries filled on this trading day, further ones of a position included."),
        _series("unit_price", "Price of the latest entry that is still held, the average of its parts."),
        _series("unit_percent", "Gain of that entry in percent of its price, before costs."),
        _series("open_r", "Open profit in multiples of the initial risk of the entries that are open."),
        _series("last_trade_r", "Result of its last closed trade, in multiples of the initial risk of its entries."),
    )

    def steps(self, form: StepForm) -> StepOutputs:
        scale, day = form.given(Given.PRICE_SCALE), form.given(Given.DAY)
        offset = form.given(Given.PRICE_OFFSET)
        bars = form.known(Known.BARS)
        days = day - form.hold(day, bars <= 1.0)
        return (
            form.known(Known.SIDE),
            form.known(Known.QUANTITY),
            (form.known(Known.ENTRY_PRICE) - offset) / scale,
            (form.known(Known.LAST_ENTRY_PRICE) - offset) / scale,
            bars,
            days,
            form.known(Known.ENTRIES),
            form.known(Known.OPEN_PERCENT),
            form.known(Known.OPEN_CASH),
            (form.known(Known.HIGHEST) - offset) / scale,
            (form.known(Known.LOWEST) - offset) / scale,
            form.known(Known.LAST_TRADE_PERCENT),
            form.growth(form.known(Known.ENTRIES_MADE), day),
            form.known(Known.UNIT_PRICE) / scale,
            form.known(Known.UNIT_PERCENT),
            form.known(Known.OPEN_R),
            form.known(Known.LAST_TRADE_R),
        )


class AccountReading(PositionNode):
    """Read the account, so that conditions, signals and filters can depend on it.

    Known at the bar's close, after all positions have been valued and before any decision: conditions that use it take
    effect on the next bar. Amounts are in the account's currency. No warm-up. See `position` for the nodes that can be
    connected to it.
    """

    name = "account"
    category = CATEGORY_POSITION
    outputs = (
        _series("equity", "Cash and all positions at their latest close."),
        _series("cash", "Cash."),
        _series("drawdown_percent", "How far the equity lies below its highest so far, in percent."),
        _series("open_positions", "Number of instruments that are held."),
    )

    def steps(self, form: StepForm) -> StepOutputs:
        known = (Known.EQUITY, Known.CASH, Known.DRAWDOWN_PERCENT, Known.OPEN_POSITIONS)
        return tuple(map(form.known, known))
