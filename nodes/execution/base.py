"""What the execution nodes share: the ports of the decision stage, and the price and life of an order that waits."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from quantcrafter.engine.api import (
    EntryRule,
    ExecutionLogic,
    ExecutionRule,
    FilterInputs,
    Message,
    MoneyInput,
    Offset,
    OnOpposite,
    OrderKind,
    OrderLife,
    RiskInputs,
    SeriesInput,
    SignalInputs,
    param,
    port,
)

NEEDS_ATR = Message("a distance in average true ranges needs the range: wire 'atr'")


class SignalPorts(ExecutionLogic):
    """The ports of the nodes that trade signals."""

    signals: SignalInputs = port("The advisors whose signals are traded.", min_length=1)
    combine: Literal["any", "all"] = param("Whether any signal enters, or only all at once.", default="any")
    filters: FilterInputs = port("Filters that hold back entries.", default=())
    risk: RiskInputs = port("Stops and targets that protect the position.", default=())
    money: MoneyInput = port("The money manager that sizes entries.")
    rank: SeriesInput | None = port(
        "Which instrument enters first when several open at once: the highest.", default=None, advanced=True
    )


class SignalExecution(SignalPorts):
    """Base of the nodes whose entries are market orders, or grids."""

    on_opposite: Literal["ignore", "close", "reverse"] = param(
        "What an entry signal against the open position does.", default="close"
    )

    def opposite(self) -> OnOpposite:
        """Return `on_opposite` as the rule's member."""
        return OnOpposite[self.on_opposite.upper()]


class WaitingExecution(SignalPorts):
    """Base of the nodes whose entries wait for a price."""

    on_opposite: Literal["ignore", "close", "reverse", "reverse_at_price"] = param(
        "What an entry signal against the open position does; with reverse_at_price, its order waits, and reverses the "
        "position at its price.",
        default="close",
    )
    line: SeriesInput | None = port("The line that the price is taken from; the close if left out.", default=None)
    short_line: SeriesInput | None = port("The line for short entries, where it is another one.", default=None)
    offset_percent: float = param("Distance from the line, in percent of it.", default=0.0, unit="%", ge=0, lt=100)
    offset_ticks: float = param("Distance from the line, in ticks.", default=0.0, unit="ticks", ge=0, le=1e6)
    offset_pips: float = param("Distance from the line, in pips.", default=0.0, unit="pips", ge=0, le=1e6)
    offset_atr: float = param("Distance from the line, in average true ranges.", default=0.0, ge=0, le=1000)
    atr: SeriesInput | None = port("The average true range, such as a node of ta.ATR.", default=None)
    time_in_force: Literal["gtc", "day", "bars"] = param(
        "How long an entry waits: until cancelled, to the end of the trading day, or a number of bars.", default="gtc"
    )
    bars: int = param("How many bars it waits, with bars.", default=5, unit="bars", ge=1, le=100_000)
    follow: bool = param("Cancel and replace a waiting entry when its price has moved.", default=False)
    two_sided: bool = param(
        "Whether entries of both sides wait at the same time, and the first that fills cancels the other.",
        default=False,
    )

    @model_validator(mode="after")
    def _range_is_wired(self) -> Self:
        if self.multiples() and self.atr is None:
            raise ValueError(NEEDS_ATR)
        return self

    def multiples(self) -> float:
        """Return the sum of all distances that are given in average true ranges."""
        return self.offset_atr

    def entry(self, kind: OrderKind, limit: Offset | None = None) -> ExecutionRule:
        """Return the rule for entries of that kind."""
        entry = EntryRule(
            kind,
            Offset(self.offset_percent, self.offset_ticks, self.offset_atr, self.offset_pips),
            limit or Offset(),
            OrderLife[self.time_in_force.upper()],
            self.bars,
            self.follow,
            self.two_sided,
        )
        return ExecutionRule(OnOpposite[self.on_opposite.upper()], self.combine, entry)
