"""Messages about orders: commands to a broker or the simulated venue, and events from it.

A command is a request, and an event reports its result; `engine.api.order_state` defines which event may follow which.
All of them are plain frozen values with a JSON form by field name (`to_fields`, `from_fields`).  An order is identified
by its `OrderId`; the broker gets its text as the client's order id.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, PlainSerializer, TypeAdapter, ValidationError, with_config

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderError, OrderId

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit", "at_close"]
TimeInForce = Literal["gtc", "day"]


def _identified(value: Any) -> Any:
    return OrderId.parse(value) if isinstance(value, str) else value


Ref = Annotated[OrderId, BeforeValidator(_identified), PlainSerializer(str, return_type=str)]
"""An order id that is written as its text."""

_WHOLE = ("lots", "change")
"""Fields that count."""

_FIELDS = ConfigDict(extra="forbid", allow_inf_nan=False)


def _check(message: Any, *, above_zero: tuple[str, ...] = (), numbers: tuple[str, ...] = ()) -> None:
    """Reject values that are not numbers, and numbers that are impossible for an order or a report."""
    for name in above_zero:
        value = getattr(message, name)
        whole = name in _WHOLE
        if not isinstance(value, int if whole else (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
            raise _wrong(message, name, f"is a {'whole ' if whole else ''}number above 0")
    for name in numbers:
        value = getattr(message, name)
        if value is None:
            continue
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
            raise _wrong(message, name, "is a finite number")


def _wrong(message: Any, name: str, constraint: str) -> OrderError:
    what = f"{type(message).__name__} of order {message.order}"
    return OrderError(
        Message(
            "{what}: '{name}' {constraint}, was {getattr}.",
            what=what,
            name=name,
            constraint=constraint,
            getattr=repr(getattr(message, name)),
        )
    )


def _check_prices(message: Submit) -> None:
    has_price, has_limit = message.kind not in ("market", "at_close"), message.kind == "stop_limit"
    if (message.price is not None) != has_price:
        raise _wrong(message, "price", "is given unless the order is a market order" if has_price else "is not given")
    if (message.limit is not None) != has_limit:
        raise _wrong(message, "limit", "is given for a stop_limit" if has_limit else "is for a stop_limit alone")


# ---------------------------------------------------------------------------------------------------------- commands


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Submit:
    """Send an order. Repeating it with the same id is harmless: a broker recognises the id and rejects it.

    `quantity` is `lots` in units of the instrument; one lot is `lot_size` units. `price` is the limit of a limit order
    and the trigger of a stop, `limit` that of a stop-limit, both in the instrument's currency. With `reduce_only`, it
    never opens or increases a position. `parent` is the entry that it protects; the other protective orders of that
    entry end when it fills. `reason` is the name in `quantcrafter.engine.api.ledger.Reason`, such as "stop_loss",
    `execution` the number of the strategy's execution node that created it.
    """

    order: Ref
    symbol: str
    side: Side
    kind: OrderType
    lots: int
    quantity: float
    lot_size: float
    ts_ns: int
    price: float | None = None
    limit: float | None = None
    time_in_force: TimeInForce = "gtc"
    reduce_only: bool = False
    parent: Ref | None = None
    reason: str = ""
    execution: int = 0

    def __post_init__(self) -> None:
        """Reject an order that no venue could accept."""
        _check(self, above_zero=("lots", "quantity", "lot_size"), numbers=("price", "limit"))
        _check_prices(self)


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Amend:
    """Change an active order: contains all of its new terms, so repeating it has no effect.

    `change` counts the amends of the order, starting at 1; the answer refers to it. `lots` and `quantity` are those of
    the whole order, including the filled part.
    """

    order: Ref
    change: int
    lots: int
    quantity: float
    ts_ns: int
    price: float | None = None
    limit: float | None = None

    def __post_init__(self) -> None:
        """Reject terms that no venue could accept."""
        _check(self, above_zero=("change", "lots", "quantity"), numbers=("price", "limit"))


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel an order, or the rest of it."""

    order: Ref
    ts_ns: int
    reason: str = ""


# ------------------------------------------------------------------------------------------------------------ events


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue has accepted the order; `venue_id` is the venue's id of it."""

    order: Ref
    ts_ns: int
    venue_id: str = ""


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue rejected the order, or doesn't know it; `text` is the venue's message."""

    order: Ref
    ts_ns: int
    text: str = ""


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Denied:
    """The order was refused on our side, before it was sent."""

    order: Ref
    ts_ns: int
    text: str = ""


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Filled:
    """An execution: the order, or a part of it, traded `lots` at `price`.

    `execution` is the venue's id of it, which identifies repeated reports. `price` is in the instrument's currency;
    `fee` in the account's, negative for a rebate, None if the venue doesn't report it and the run's own terms apply.
    """

    order: Ref
    execution: str
    lots: int
    price: float
    ts_ns: int
    fee: float | None = None

    def __post_init__(self) -> None:
        """Refuse a report without an id, or of nothing."""
        if not self.execution:
            raise _wrong(self, "execution", "is the venue's id of the execution")
        _check(self, above_zero=("lots",), numbers=("price", "fee"))


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Cancelled:
    """The order, or the rest of it, was cancelled, whether we requested it or not."""

    order: Ref
    ts_ns: int
    text: str = ""


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Expired:
    """The order's time is over."""

    order: Ref
    ts_ns: int


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Amended:
    """The order works with the terms of the amend number `change`."""

    order: Ref
    change: int
    ts_ns: int


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class AmendRejected:
    """The amend number `change` was rejected; the order is unchanged, if it is still active."""

    order: Ref
    change: int
    ts_ns: int
    text: str = ""


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class CancelRejected:
    """The cancel was rejected; the order is unchanged, if it is still active."""

    order: Ref
    ts_ns: int
    text: str = ""


@with_config(_FIELDS)
@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer came in time. The state of the order is unknown: query the venue, never send it again."""

    order: Ref
    ts_ns: int


OrderCommand = Submit | Amend | Cancel
OrderEvent = (
    Accepted | Rejected | Denied | Filled | Cancelled | Expired | Amended | AmendRejected | CancelRejected | Unanswered
)

COMMANDS: tuple[type[Any], ...] = (Submit, Amend, Cancel)
EVENTS: tuple[type[Any], ...] = (
    *(Accepted, Rejected, Denied, Filled, Cancelled, Expired),
    *(Amended, AmendRejected, CancelRejected, Unanswered),
)
_BY_NAME = {kind.__name__: kind for kind in (*COMMANDS, *EVENTS)}


def checked(event: Any) -> OrderEvent:
    """Return a report after checking that every field has its type: the data of a broker's program is not trusted.

    Raises:
        OrderError: it is not a report, or a field is of another type or impossible.
    """
    kind = type(event)
    if kind not in EVENTS:
        raise OrderError(
            Message(
                "A report is one of {events}, was {event}.",
                events=", ".join(each.__name__ for each in EVENTS),
                event=repr(event),
            )
        )
    plain = {each.name: getattr(event, each.name) for each in fields(kind)}
    plain = {name: str(value) if isinstance(value, OrderId) else value for name, value in plain.items()}
    made: OrderEvent = parsed(kind, plain)
    if made.ts_ns < 0:
        raise _wrong(made, "ts_ns", "is a time in nanoseconds since 1970, 0 or more")
    return made


_adapters: dict[type[Any], TypeAdapter[Any]] = {}
"""Made when they are first used."""


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def to_fields(message: OrderCommand | OrderEvent) -> dict[str, Any]:
    """Return a command or event as plain values for JSON: its name under `message`, then its fields."""
    return {"message": type(message).__name__, **written(message)}


def from_fields(given: dict[str, Any]) -> OrderCommand | OrderEvent:
    """Return the command or event that `to_fields` wrote.

    Raises:
        OrderError: there is no such message, or a field is missing, unknown or of another type.
    """
    name = given.get("message")
    kind = _BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        raise OrderError(
            Message("The message is one of {by_name}, was {name}.", by_name=", ".join(_BY_NAME), name=repr(name))
        )
    rest = {key: value for key, value in given.items() if key != "message"}
    return parsed(kind, rest)  # type: ignore[no-any-return]


def written(value: Any) -> dict[str, Any]:
    """Return a dataclass that holds messages as plain values for JSON, by field name."""
    return dict(_adapter(type(value)).dump_python(value, mode="json"))


def parsed(kind: type[Any], given: dict[str, Any]) -> Any:
    """Return the dataclass of that kind that `written` wrote.

    Raises:
        OrderError: a field is missing, unknown or of another type.
    """
    try:
        return _adapter(kind).validate_json(json.dumps(given, default=repr), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise OrderError(
            Message(
                "{kind_class}: '{place}' can't be read: {msg}.", kind_class=kind.__name__, place=place, msg=first["msg"]
            )
        ) from error
