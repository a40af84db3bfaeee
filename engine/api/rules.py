"""Rules of decision components for the compiled driver: small frozen records instead of code.

A built-in risk, money or execution component is described by one of these; the njit primitives in
`quantcrafter.engine.simulation` execute them, in the compiled and in the Python driver alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from quantcrafter.engine.api.entries import AT_MARKET, EntryRule, GridRule, PairRule, RebalanceRule, ScaleInRule


class ProtectiveKind(IntEnum):
    """Which side of the entry a protective order is on."""

    STOP_LOSS = 0
    TAKE_PROFIT = 1
    TRAILING_STOP = 2
    BREAK_EVEN = 3
    COMPONENT = 4


Scope = Literal["position", "unit", "last_entry"]
"""The scope of a protective order: the whole position, the unit of one entry, or the position by its last entry."""


@dataclass(frozen=True, slots=True)
class ProtectiveRule:
    """A protective order at a distance from the entry's fill price.

    distance = price x percent / 100 + multiple x column[decision bar] + offset + ticks x tick size + pips x pip size +
    cash / (quantity x multiplier), in price units; `column` is the name of an input port of the component. With `line`,
    the column is the level itself. No entry is made while the distance is NaN or not positive.

    A TRAILING_STOP starts like a stop-loss. At each close, after the bar was checked, it moves to that distance from
    the best price since the entry, or to the line, but never away from the price. A TAKE_PROFIT with `follow` moves
    with its line at each close, in both directions. A BREAK_EVEN has no order: once the price has gained the distance,
    the stop moves to the entry price plus (for a short: minus) `lock_percent` of it.

    Take-profits with a `share` (percent of the position) below 100 are active at the same time, each for its part; of
    the others, only the nearest is active.

    With the `scope` unit, each entry has its own order for its own lots, at the distance from its own fill price, and
    its fill closes only that unit. With the `scope` last_entry, it is for the whole position, at the distance from the
    price of the latest entry, not from the average price. Both apply to STOP_LOSS and TAKE_PROFIT.

    With a `side` of 1 or -1, the rule is only for long or short positions: it neither protects nor prevents entries of
    the other side.
    """

    kind: ProtectiveKind
    percent: float = 0.0
    multiple: float = 0.0
    column: str | None = None
    offset: float = 0.0
    share: float = 100.0
    ticks: float = 0.0
    cash: float = 0.0
    line: bool = False
    follow: bool = False
    lock_percent: float = 0.0
    pips: float = 0.0
    scope: Scope = "position"
    side: int = 0


class GuardKind(IntEnum):
    """What a guard watches."""

    TIME_STOP = 0
    SESSION_END = 1
    MAX_DRAWDOWN = 2
    DAILY_LOSS = 3
    LOSING_STREAK = 4
    COOL_DOWN = 5
    MAX_POSITION = 6
    GROSS_EXPOSURE = 7
    NET_EXPOSURE = 8
    OPEN_TRADES = 9
    ENTRIES_TODAY = 10
    OPEN_ENTRIES = 11


class HaltAction(IntEnum):
    """The action of an account guard: no entries until the next trading day, or also closing of positions."""

    NO_NEW_TRADES = 0
    FLATTEN_AND_HALT = 1
    FLATTEN_FOR_THE_DAY = 2


@dataclass(frozen=True, slots=True)
class GuardRule:
    """A rule over positions and the account, other than a protective order.

    The unit of `value` depends on the kind: bars for TIME_STOP and COOL_DOWN, minutes for SESSION_END, trades for
    LOSING_STREAK and OPEN_TRADES, entries for ENTRIES_TODAY and OPEN_ENTRIES, percent of the equity for the others, or
    with `in_cash` an amount, or with `in_units` a quantity. `action` is for the halts (MAX_DRAWDOWN, DAILY_LOSS,
    LOSING_STREAK). `symbol` restricts MAX_POSITION to one instrument. Of OPEN_TRADES, `side` is 1 to count long
    positions only, -1 for short ones and 0 for both; with `within`, the instruments with each value of that name are
    counted separately, or with `group` only those with that value.

    ENTRIES_TODAY and OPEN_ENTRIES count entries of `side` (0: of both) in each instrument, or with `shared` in all of
    them together; with `symbols`, only these instruments count, and are limited.
    """

    kind: GuardKind
    value: float
    action: HaltAction = HaltAction.NO_NEW_TRADES
    in_cash: bool = False
    in_units: bool = False
    symbol: str = ""
    side: int = 0
    within: str = ""
    group: str = ""
    shared: bool = False
    symbols: tuple[str, ...] = ()


class SizeKind(IntEnum):
    """How the quantity of an entry is calculated from `value`; every result is rounded down to whole lots."""

    QUANTITY = 0
    CASH = 1
    EQUITY_PERCENT = 2
    RISK_PERCENT = 3
    VOLATILITY_TARGET = 4
    KELLY = 5
    MARTINGALE = 6
    ANTI_MARTINGALE = 7
    FIXED_RATIO = 8
    LOTS = 9


HISTORY_TRADES = 250
"""Maximum number of closed trades that a size may use."""


@dataclass(frozen=True, slots=True)
class SizeRule:
    """The size of an entry, decided on the close of the decision bar.

    QUANTITY: `value` units. LOTS: value x lot size. CASH: value / close. EQUITY_PERCENT: equity x value / 100 / close.
    RISK_PERCENT: equity x value / 100 / distance of the nearest stop-loss. RISK_PERCENT is based on the loss at the
    stop. Closes and distances are in the account's currency and, for a contract, times its multiplier.

    These are shares of the equity, like EQUITY_PERCENT, with a variable percentage between `least` and `most`:
    VOLATILITY_TARGET: 100 x value / column[decision bar], where the column is the instrument's volatility in percent a
    year. KELLY: value x Kelly's percentage by the last `window` trades, `start` while there are fewer than `trades`.
    MARTINGALE and ANTI_MARTINGALE: value x factor ^ the number of losing (winning) trades in a row on the instrument,
    from 0 again after every `trades` of them (0: never). A column of conditions starts the row over at the decision on
    an entry: where it holds if `start` is 1, where it doesn't if it is -1.
    FIXED_RATIO: n x value units with n = (1 + sqrt(1 + 8 x closed profit / delta)) / 2, rounded down, at most `most`
    times. `column` names an input port of the component.
    """

    kind: SizeKind
    value: float
    column: str | None = None
    factor: float = 1.0
    least: float = 0.0
    most: float = 100.0
    window: int = HISTORY_TRADES
    trades: int = 0
    start: float = 0.0
    delta: float = 0.0


class OnOpposite(IntEnum):
    """What an entry signal against the open position does.

    With REVERSE_AT_PRICE, its waiting entry order stays: when it fills, it closes the position at its price and opens
    the other side.
    """

    IGNORE = 0
    CLOSE = 1
    REVERSE = 2
    REVERSE_AT_PRICE = 3


STREAK_SIZES = (SizeKind.MARTINGALE, SizeKind.ANTI_MARTINGALE)
"""Sizes that follow the trades in a row that were lost or won."""

EXECUTION_COLUMNS = ("line", "short_line", "atr", "weight", "rank", "ratio")
"""The input ports of an execution component whose columns its rule may use."""


@dataclass(frozen=True, slots=True)
class ExecutionRule:
    """How signals become orders; `combine` determines whether any signal or all signals together make an entry.

    Columns come from the component's input ports of the names in `EXECUTION_COLUMNS`. At most one of `scale_in`,
    `grid`, `rebalance` and `pair` is set; a grid and rebalancing create their own orders, regardless of `entry`.
    """

    on_opposite: OnOpposite = OnOpposite.CLOSE
    combine: Literal["any", "all"] = "any"
    entry: EntryRule = AT_MARKET
    scale_in: ScaleInRule | None = None
    grid: GridRule | None = None
    rebalance: RebalanceRule | None = None
    pair: PairRule | None = None
