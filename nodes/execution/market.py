"""Market orders at the next open."""

from __future__ import annotations

from typing import Literal

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


class Market(ExecutionLogic):
    """Send a market order for each entry and exit signal; it fills at the next bar's open.

    Several signals combine: with any, one entry signal is enough; with all, every signal must give the entry at the
    same bar. An exit from any of them is an exit. Filters hold back entries, never exits. The risk managers' orders
    are placed when an entry fills: the nearest stop-loss and the nearest take-profit, of which one cancels the other.

    `on_opposite` says what an entry signal against the open position does, when no exit signal comes with it: ignore
    it, close the position, or reverse it (close it and open the other side by a second order).
    """

    name = "market"
    category = "Orders"

    signals: SignalInputs = port("The advisors whose signals are traded.", min_length=1)
    combine: Literal["any", "all"] = param("Whether any signal enters, or only all at once.", default="any")
    filters: FilterInputs = port("Filters that hold back entries.", default=())
    risk: RiskInputs = port("Stops and targets that protect the position.", default=())
    money: MoneyInput = port("What decides the size of an entry.")
    on_opposite: Literal["ignore", "close", "reverse"] = param(
        "What an entry signal against the open position does.", default="close"
    )

    def rule(self) -> ExecutionRule:
        return ExecutionRule(OnOpposite[self.on_opposite.upper()], self.combine)
