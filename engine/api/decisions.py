"""Return values of `on_bar` of decision components: orders or protection; for a money manager, a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OrderWord = Literal["market", "limit", "stop", "stop_limit"]


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """An order of an execution component, for the instrument whose bar has just closed.

    It is active from the instrument's next bar on: a market order fills at that open; the others wait for `price` (the
    limit of a limit order, the trigger of a stop) for `bars` bars or indefinitely. `limit` is the limit of a
    stop-limit. Prices are rounded to the tick, the quantity down to whole lots. An order against the open position
    first closes it and opens the other side with the rest; with `only_close`, it never opens.
    """

    side: Literal["buy", "sell"]
    quantity: float
    kind: OrderWord = "market"
    price: float | None = None
    limit: float | None = None
    bars: int | None = None
    only_close: bool = False


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel an order: one of `ctx.orders` by its number, or all orders of the component with None."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class Protection:
    """The result of a risk component for the instrument whose bar has just closed.

    `stop` and `target` are prices for the whole open position, from the next bar on. A stop only moves nearer to the
    price; with several risk managers, the strictest value applies. `exit` closes the position at the next open. `halt`
    ends trading: waiting entries are cancelled, and no new ones are made in any instrument.
    """

    stop: float | None = None
    target: float | None = None
    exit: bool = False
    halt: bool = False


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An open order, as `ctx.orders` shows it; `price` is its trigger or limit, None for a market order."""

    number: int
    side: Literal["buy", "sell"]
    kind: str
    quantity: float
    price: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Holding:
    """An instrument's position: `quantity` is not negative, `side` "long", "short" or "flat"."""

    quantity: float = 0.0
    side: Literal["long", "short", "flat"] = "flat"
    entry_price: float = float("nan")
    entry_bar: int = -1
    mark: float = float("nan")


@dataclass(frozen=True, slots=True)
class Account:
    """The account at the close of this bar, in its own currency."""

    cash: float
    equity: float


@dataclass(frozen=True, slots=True)
class SessionDay:
    """Where the bar that just closed is in the venue's calendar, by its local time.

    `day` counts trading days since 1970-01-01 (an overnight session belongs to the day on which it closes), `weekday`
    counts Monday as 0, `minute` is the minute after local midnight at which the bar closed.
    """

    day: int
    weekday: int
    minute: int
    timezone: str
