"""What the compiled driver understands of a decision component: small frozen rules instead of code.

A built-in risk, money or execution component describes itself by one of these; the njit primitives in
`engine.simulation` carry them out, in the compiled and in the Python driver alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from engine.api.entries import AT_MARKET, EntryRule, GridRule, RebalanceRule, ScaleInRule


class ProtectiveKind(IntEnum):
    """Which side of the entry a protective order lies on."""

    STOP_LOSS = 0
    TAKE_PROFIT = 1


@dataclass(frozen=True, slots=True)
class ProtectiveRule:
    """A protective order at a distance from the entry's fill price.

    distance = price x percent / 100 + multiple x column[decision bar] + offset, in price units; `column` names an
    input port of the component. No entry is made while the distance is NaN or not positive.

    Take-profits with a `share` (percent of the position) below 100 work side by side, each for its part; of the others
    only the nearest works.
    """

    kind: ProtectiveKind
    percent: float = 0.0
    multiple: float = 0.0
    column: str | None = None
    offset: float = 0.0
    share: float = 100.0


class SizeKind(IntEnum):
    """How the quantity of an entry follows from `value`; every result is rounded down to whole lots."""

    QUANTITY = 0
    CASH = 1
    EQUITY_PERCENT = 2
    RISK_PERCENT = 3


@dataclass(frozen=True, slots=True)
class SizeRule:
    """The size of an entry, decided on the close of the decision bar.

    QUANTITY: `value` units. CASH: value / close. EQUITY_PERCENT: equity x value / 100 / close. RISK_PERCENT: equity x
    value / 100 / distance of the nearest stop-loss. RISK_PERCENT sizes by what the stop would lose.
    """

    kind: SizeKind
    value: float


class OnOpposite(IntEnum):
    """What an entry signal against the open position does."""

    IGNORE = 0
    CLOSE = 1
    REVERSE = 2


EXECUTION_COLUMNS = ("line", "short_line", "atr", "weight")
"""The input ports of an execution component whose columns its rule may use."""


@dataclass(frozen=True, slots=True)
class ExecutionRule:
    """How signals become orders; `combine` says whether any signal or all signals together make an entry.

    Columns come from the component's input ports of the names in `EXECUTION_COLUMNS`. At most one of `scale_in`, `grid`
    and `rebalance` is given; a grid and a rebalancing make orders of their own, whatever `entry` says.
    """

    on_opposite: OnOpposite = OnOpposite.CLOSE
    combine: Literal["any", "all"] = "any"
    entry: EntryRule = AT_MARKET
    scale_in: ScaleInRule | None = None
    grid: GridRule | None = None
    rebalance: RebalanceRule | None = None
