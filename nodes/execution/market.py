"""Market orders at the next open."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.api import (
    ExecutionLogic,
    ExecutionRule,
    FilterInputs,
    MoneyInput,
    OnOpposite,
    RiskInputs,
    SignalInputs,
    param,
    port,
)


class MarketExecution(ExecutionLogic):
    """Enter and leave by market orders, which fill at the open of the next bar.

    On the close of each bar the signals are read: exits first, then entries. An exit closes the whole position and is
    never filtered. An entry is made when the instrument holds no position (or leaves it on this very bar), when the
    filters let it pass, and when the size comes to at least one lot; otherwise it is noted as blocked, with the reason.
    A signal in the direction already held does nothing. Both entries at once, or an entry and an exit of the same
    side, contradict each other: no entry is made.

    `on_opposite` says what an entry signal against the open position does when no exit signal comes with it. `close`
    ends the position and waits for the next signal, `reverse` also enters the other way, by an order of its own at the
    same open, `ignore` keeps the position. Filters hold back entries only, so `close` still closes and `reverse` then
    closes without entering.
    """

    name = "market"
    category = "Market orders"

    signals: Annotated[SignalInputs, Field(min_length=1)] = port("Advisors that say when to enter and leave.")
    combine: Literal["any", "all"] = param(
        "any: one advisor is enough for an entry. all: every advisor must agree to it.", default="any"
    )
    filters: FilterInputs = port("Filters that let entries pass or hold them back.", default=())
    risk: RiskInputs = port("Stop-losses and take-profits of every position.", default=())
    money: MoneyInput = port("What decides the size of an entry.")
    on_opposite: Literal["ignore", "close", "reverse"] = param(
        "What an entry signal against the open position does.", default="close"
    )

    def rule(self) -> ExecutionRule:
        return ExecutionRule(OnOpposite[self.on_opposite.upper()], self.combine)
