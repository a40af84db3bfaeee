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
    """How long an order works: until cancelled, to the end of its first trading day, or for a number of bars."""

    GTC = 0
    DAY = 1
    BARS = 2


@dataclass(frozen=True, slots=True)
class EntryRule:
    """The order that an entry signal makes.

    Its price lies `offset` from the column `line` (for shorts `short_line` where there is one), or from the close
    without one: on the cheaper side of it for a LIMIT, on the far side for a STOP or STOP_LIMIT. The limit of a
    STOP_LIMIT lies `limit` beyond its trigger. With `follow` the order is replaced on each close on which its price has
    moved. `bars` counts for the life BARS.
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

    One is made on a close that lies `spacing` or more from the last entry's price, in favour of the position or against
    it; with `on_signal` only when the bar has an entry signal as well. The n-th has the first one's lots x factor ^ n.
    """

    max_entries: int
    spacing: Offset
    in_favour: bool = True
    factor: float = 1.0
    on_signal: bool = False


@dataclass(frozen=True, slots=True)
class GridRule:
    """Limit entries at `levels` lines below (for a short: above) the anchor, `spacing` apart.

    The anchor is the column `line`, or the close, of the bar of the entry signal. What a line bought is sold one line
    higher, and the line works again. No entry is placed that would bring the position to more than `cap_percent` of the
    equity.
    """

    levels: int
    spacing: Offset
    cap_percent: float = 100.0


@dataclass(frozen=True, slots=True)
class RebalanceRule:
    """Positions are brought to the weights of the column `weight`, as parts of the equity; NaN leaves one alone.

    It happens every `every_bars` steps (0: not so), at the first step of a month with `monthly`, and when a weight has
    drifted by more than `drift_percent` of the equity (0: not so); always at the first step with a decision.
    """

    every_bars: int = 0
    monthly: bool = False
    drift_percent: float = 0.0
