"""Parts of an `ExecutionRule`: an entry order's price and life, further entries, grids and weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from quantcrafter.engine.api.ledger import OrderKind

MOST_ENTRIES = 20
MOST_LEVELS = 24


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance in price: price x percent / 100 + ticks x tick size + multiple x column `atr` + pips x pip size."""

    percent: float = 0.0
    ticks: float = 0.0
    multiple: float = 0.0
    pips: float = 0.0


NO_OFFSET = Offset()


class OrderLife(IntEnum):
    """The life of an order: until cancelled, to the end of its first trading day, or for a number of bars."""

    GTC = 0
    DAY = 1
    BARS = 2


@dataclass(frozen=True, slots=True)
class EntryRule:
    """The order of an entry signal.

    Its price is `offset` away from the column `line` (for shorts, `short_line` if there is one) or, without a line,
    from the close: on the cheaper side for a LIMIT, on the other side for a STOP or STOP_LIMIT. The limit of a
    STOP_LIMIT is `limit` beyond its trigger. With `follow` the order is replaced on each close on which its price has
    moved. `bars` applies to the life BARS.
    """

    kind: OrderKind = OrderKind.MARKET
    offset: Offset = NO_OFFSET
    limit: Offset = NO_OFFSET
    life: OrderLife = OrderLife.GTC
    bars: int = 0
    follow: bool = False


AT_MARKET = EntryRule()


@dataclass(frozen=True, slots=True)
class ScaleInRule:
    """Further entries in the direction held, by market orders.

    One is made at a close that is at least `spacing` away from the last entry's price, in favour of the position or
    against it; with `on_signal`, only if the bar also has an entry signal. The n-th has the first one's lots x factor ^
    n.
    """

    max_entries: int
    spacing: Offset
    in_favour: bool = True
    factor: float = 1.0
    on_signal: bool = False


@dataclass(frozen=True, slots=True)
class GridRule:
    """Limit entries at `levels` lines below (for a short: above) the anchor, `spacing` apart.

    The anchor is the column `line`, or the close, of the bar of the entry signal. What was bought at a line is sold one
    line higher, and then the line is active again. No entry may bring the position to more than `cap_percent` of the
    equity.
    """

    levels: int
    spacing: Offset
    cap_percent: float = 100.0


@dataclass(frozen=True, slots=True)
class RebalanceRule:
    """Positions are adjusted to the weights of the column `weight`, as shares of the equity; NaN leaves one unchanged.

    This happens every `every_bars` steps (0: never), at the first step of a month with `monthly`, when a weight has
    drifted by more than `drift_percent` of the equity (0: never), and at the first step with a decision.
    """

    every_bars: int = 0
    monthly: bool = False
    drift_percent: float = 0.0
