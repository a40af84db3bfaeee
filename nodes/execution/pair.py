"""Two instruments as one position."""

from __future__ import annotations

from typing import Literal

from quantcrafter.engine.api import (
    ExecutionLogic,
    ExecutionRule,
    FilterInputs,
    MoneyInput,
    OnOpposite,
    PairRule,
    RiskInputs,
    SeriesInput,
    SignalInputs,
    param,
    port,
)


class PairOrders(ExecutionLogic):
    """Trade two instruments as one position: buy one and sell the other, and close both together.

    `enter_long` buys the first leg and sells `ratio` times as much of the second one, `enter_short` the other way
    round; exits close both. The money manager sizes the first leg. The quantity of the second leg is the ratio times
    the units of the first one or, with `ratio_of: value`, what is worth the ratio times the value of the first one: 1
    is neutral in money. It is rounded to the nearest lot. Signals, filters and `ratio` are those of the first leg, at
    its close; columns of the second leg come from a feed of its bars. There is no entry without a ratio above zero, nor
    at a close at which the second leg has no bar.

    Both legs fill at the opens of the next bars that they have at the same time, or neither does: not if one of them
    has no bar, is locked at a price limit or lacks the volume. An entry that the account can't pay for, or that a cap
    cuts, is reduced in both legs. Margin calls and the end of a leg's data can close one leg alone; the other one is
    then closed at its next open. A closed pair counts as one trade for streaks and for sizes by history.

    `stop_percent` and `target_percent` close both legs at the open after the close at which their open profit together
    has reached that share of their gross value at entry, `stop_cash` and `target_cash` at an amount in the account's
    currency. Exits by z-score are exit signals. Stops and targets of `risk` would close one leg alone, so they can't be
    connected; time exits, halts and caps can. For caps, each leg is a position. Source: Gatev, Goetzmann and
    Rouwenhorst, Pairs Trading (2006); Vidyamurthy, Pairs Trading (2004), for hedge ratios.
    """

    name = "pair"
    category = "Portfolio"

    signals: SignalInputs = port("The advisors whose signals are traded.", min_length=1)
    combine: Literal["any", "all"] = param("Whether any signal enters, or only all at once.", default="any")
    ratio: SeriesInput = port(
        "How much of the second leg for one of the first, such as a node hedge_ratio; or a number."
    )
    filters: FilterInputs = port("Filters that hold back entries.", default=())
    risk: RiskInputs = port("Time exits, halts and caps.", default=())
    money: MoneyInput = port("The money manager that sizes the first leg.")
    first: str = param("Symbol of the first leg; the file's first instrument if left out.", default="")
    second: str = param("Symbol of the second leg; the file's second instrument if left out.", default="")
    ratio_of: Literal["units", "value"] = param("Whether the ratio is one of units, or of values.", default="units")
    stop_percent: float = param("Loss that closes both legs, of their value.", default=0.0, unit="%", ge=0, le=1000)
    target_percent: float = param("Profit that closes both legs, of their value.", default=0.0, unit="%", ge=0, le=1000)
    stop_cash: float = param("Loss that closes both legs, as an amount.", default=0.0, ge=0, le=1e15)
    target_cash: float = param("Profit that closes both legs, as an amount.", default=0.0, ge=0, le=1e15)
    on_opposite: Literal["ignore", "close", "reverse"] = param(
        "What an entry signal against the open position does.", default="close"
    )

    def rule(self) -> ExecutionRule:
        pair = PairRule(
            self.first,
            self.second,
            self.ratio_of == "value",
            self.stop_percent,
            self.stop_cash,
            self.target_percent,
            self.target_cash,
        )
        return ExecutionRule(OnOpposite[self.on_opposite.upper()], self.combine, pair=pair)
