"""The contract of brokers: orders go out as commands, reports come back as events (`quantcrafter.engine.api.orders`).

1. A command is on disk before it is sent, and may be sent after its outcome became unknown to us: a broker recognises
   the order's id, which it gets as the client's order id.
2. Reports are polled. They may be late, repeated or out of order.
3. After each restart and reconnect the engine asks for executions, open orders and positions, and for the outcome of
   each order without an answer. It never sends such an order again.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderError, OrderId
from quantcrafter.engine.api.orders import OrderCommand, OrderEvent, OrderType, Side, TimeInForce
from quantcrafter.engine.api.place import shown_text

BrokerStatus = Literal["connected", "lost"]


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The connection was made, or is lost; the broker tries to make it again by itself."""

    state: BrokerStatus
    seen_ns: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class VenueExecution:
    """One execution as the broker knows it.

    `id` is the broker's id of it, `client_order_id` the text that the order was sent with ('' for an order made
    elsewhere). `quantity` is in units of the instrument and positive, `price` in its currency, `fee` in the account's
    (None if it isn't reported). `fee_quantity` of the instrument was taken as the fee: the account has so much less.
    `ts_ns` is when it traded, in UTC nanoseconds.
    """

    id: str
    symbol: str
    side: Side
    quantity: float
    price: float
    ts_ns: int
    client_order_id: str = ""
    venue_order_id: str = ""
    fee: float | None = None
    fee_quantity: float = 0.0

    def __post_init__(self) -> None:
        """Refuse an execution without an id, or of nothing."""
        if not self.id:
            raise OrderError(Message("VenueExecution: 'id' is the broker's id of it, was empty."))
        _check(self, positive=("quantity",), numbers=("price", "fee", "fee_quantity"))


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order that works at the broker; quantities in units of the instrument, `filled` of `quantity` has traded.

    `client_order_id` is '' for an order made elsewhere.
    """

    venue_order_id: str
    symbol: str
    side: Side
    kind: OrderType
    quantity: float
    filled: float = 0.0
    price: float | None = None
    limit: float | None = None
    client_order_id: str = ""

    def __post_init__(self) -> None:
        """Refuse an impossible order."""
        _check(self, positive=("quantity",), numbers=("filled", "price", "limit"))


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """A position of the account: units of the instrument, positive for long, negative for short.

    `average_price` is in the instrument's currency, None if the broker doesn't say it.
    """

    symbol: str
    quantity: float
    average_price: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no number."""
        _check(self, numbers=("quantity", "average_price"))


@dataclass(frozen=True, slots=True)
class Balance:
    """Money of one currency: `total` that is owned, `free` of it for new orders."""

    currency: str
    total: float
    free: float

    def __post_init__(self) -> None:
        """Refuse what is no number."""
        _check(self, numbers=("total", "free"))


def _check(value: Any, *, positive: tuple[str, ...] = (), numbers: tuple[str, ...] = ()) -> None:
    for each in fields(value):
        number = getattr(value, each.name)
        if each.name not in (*positive, *numbers) or (number is None and each.name in numbers):
            continue
        is_number = isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)
        if is_number and (each.name in numbers or number > 0):
            continue
        kind, name = type(value).__name__, each.name
        raise OrderError(
            Message("{kind}: '{name}' is a finite number, was {number}.", kind=kind, name=name, number=repr(number))
            if each.name in numbers
            else Message(
                "{kind}: '{name}' is a number above 0, was {number}.", kind=kind, name=name, number=repr(number)
            )
        )


class BrokerConnection(ABC):
    """An open connection to a broker, used by one thread. Times are UTC nanoseconds.

    Methods that ask raise `TryAgainError` if the broker can't answer now. An answer that may be incomplete is none.
    With `is_slow`, `executions`, `open_orders` and `positions` take long, and another thread may call them meanwhile.
    """

    is_slow: ClassVar[bool] = False

    def begin(self, worker: str, lot_sizes: Mapping[str, float]) -> None:  # noqa: B027 - most brokers need nothing of it
        """Report of the orders of a worker from now on; called before anything else.

        Ids of its orders begin with `worker`. `lot_sizes` are the sizes of a lot of the symbols that it trades, in
        units of the instrument. Orders of it that work from before are reported of too.
        """

    @abstractmethod
    def send(self, command: OrderCommand) -> None:
        """Hand a command over to the broker, without waiting for its answer, which `poll` returns.

        Raises:
            TryAgainError: it was certainly not handed over. In doubt, don't raise: the outcome is asked for later.
        """

    @abstractmethod
    def poll(self, timeout_s: float) -> Sequence[OrderEvent | BrokerState]:
        """Return what was reported since the last call, in order; wait for up to `timeout_s` seconds if nothing was.

        A call with 0 returns at once.
        """

    @abstractmethod
    def executions(self, since_ns: int) -> Sequence[VenueExecution]:
        """Return all executions of the account that traded at `since_ns` or later, oldest first."""

    @abstractmethod
    def open_orders(self) -> Sequence[VenueOrder]:
        """Return all orders of the account that work."""

    @abstractmethod
    def positions(self) -> Sequence[VenuePosition]:
        """Return all positions of the account."""

    @abstractmethod
    def balances(self) -> Sequence[Balance]:
        """Return the money of the account."""

    @abstractmethod
    def outcome(self, order: OrderId) -> Sequence[OrderEvent]:
        """Return what became of an order whose outcome we don't know, as reports; none if the broker can't say yet.

        `Rejected` if the broker is certain that it never got it.
        """

    @abstractmethod
    def close(self) -> None:
        """End the connection; orders stay as they are. Repeated calls have no effect."""


class Broker(BaseModel, ABC):
    """A broker, or a simulation of one. Its fields are its options; secrets come from the environment or a keyring.

    `place` is the field that the text after the colon of `--broker NAME:TEXT` sets. With `venue` "simulated" the
    worker's own matching fills the orders, and `connect` is not called. `kinds` and `times_in_force` are those that it
    accepts; a strategy that needs others is refused before it starts. `changeable` are the options that may change
    while a worker goes on, since the account stays the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str] = ""
    place: ClassVar[str] = ""
    venue: ClassVar[Literal["simulated", "external"]] = "external"
    kinds: ClassVar[tuple[OrderType, ...]] = ("market", "limit", "stop", "stop_limit")
    times_in_force: ClassVar[tuple[TimeInForce, ...]] = ("gtc", "day")
    can_amend: ClassVar[bool] = True
    has_closing_auction: ClassVar[bool] = False
    changeable: ClassVar[tuple[str, ...]] = ()

    @property
    def is_live(self) -> bool:
        """Whether it moves real money with these options; true unless a broker says otherwise."""
        return True

    def holds_both(self, symbols: Sequence[str]) -> bool:
        """Return whether it accepts two stops for the same position, of which one then replaces the other.

        Not where stops reserve what they are to trade, as at spot markets: there an earlier one is cancelled first. So
        it is before an order that closes the position.
        """
        del symbols
        return True

    def changes_orders(self) -> bool:
        """Return whether it changes orders in place; else an amend is refused without being sent."""
        return self.can_amend

    @classmethod
    def from_place(cls, text: str) -> Self:
        """Return the broker that the text after the colon of `--broker` describes; '' for none.

        Raises:
            ValueError: the text is wrong (pydantic's ValidationError is one).
        """
        if text and not cls.place:
            shown = shown_text(f"{cls.name}:{text}").removeprefix(f"{cls.name}:")
            raise ValueError(
                Message("the broker '{name}' takes no text after its name, was '{text}'", name=cls.name, text=shown)
            )
        return cls(**({cls.place: text} if cls.place and text else {}))

    @abstractmethod
    def connect(self) -> BrokerConnection:
        """Return a connection.

        Raises:
            TryAgainError: the broker can't be reached now.
            RunError: an option is wrong, a key is missing, or the broker refuses it.
        """

    def beside(self, folder: str) -> Self:
        """Return the broker with relative paths among its options taken from a folder: that of the strategy file."""
        del folder
        return self

    @classmethod
    def help(cls) -> str:
        """Return the docstring, cleaned."""
        return inspect.cleandoc(cls.__doc__ or "")
