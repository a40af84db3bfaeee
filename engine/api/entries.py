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
    moved. `bars` applies to the life BARS. With `two_sided`, entries of both sides wait at the same time, and the first
    that fills cancels the other.
    """

    kind: OrderKind = OrderKind.MARKET
    offset: Offset = NO_OFFSET
    limit: Offset = NO_OFFSET
    life: OrderLife = OrderLife.GTC
    bars: int = 0
    follow: bool = False
    two_sided: bool = False


AT_MARKET = EntryRule()


@dataclass(frozen=True, slots=True)
class ScaleInRule:
    """Further entries in the direction held.

    By market orders, one is made at a close that is at least `spacing` away from the last entry's price, in favour of
    the position or against it; with `on_signal`, only if the bar also has an entry signal. With `resting`, all that are
    left wait at their prices, each `spacing` away from the one before it: stop orders in favour, limit orders against.

    The n-th (from 0) has the first one's lots x factor ^ n, or where there are `sizes`, x sizes[n].
    """

    max_entries: int
    spacing: Offset
    in_favour: bool = True
    factor: float = 1.0
    on_signal: bool = False
    resting: bool = False
    sizes: tuple[float, ...] = ()

    @property
    def lots_factors(self) -> tuple[float, ...]:
        """The lots of each entry as multiples of the first one's."""
        return self.sizes or tuple(self.factor**n for n in range(self.max_entries))


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


@dataclass(frozen=True, slots=True)
class PairRule:
    """Two instruments that are traded as one position: `first` and `second` are their symbols.

    Without a name, they are the first and the second instrument of the job.

    A long entry buys the first leg and sells the second, a short one the other way round. The size rule gives the
    quantity of the first leg. That of the second is the ratio times it or, `by_value`, the quantity whose value is the
    ratio times the value of the first leg. The ratio is the column `ratio` of the first leg divided by that of the
    second one, which is 1 unless columns are computed on other prices than those that are traded. Signals, filters and
    the size rule's column are those of the first leg.

    Both legs are closed when their open profit together falls or rises to `stop_percent` or `target_percent` of their
    gross value at entry, or to `stop_cash` or `target_cash`, each 0 for none.
    """

    first: str
    second: str
    by_value: bool = False
    stop_percent: float = 0.0
    stop_cash: float = 0.0
    target_percent: float = 0.0
    target_cash: float = 0.0
