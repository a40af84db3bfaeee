"""Order ids: derived from the worker that created the order, with a text for the client's order id of brokers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from quantcrafter.engine.api.errors import QuantCrafterError
from quantcrafter.engine.api.message import Message

MOST_EPOCH = 36**6 - 1
"""The highest epoch: seconds since 1970 fit until 2038."""

MOST_NUMBER = 36**11 - 1
"""The highest number of an order within an epoch."""

LONGEST_ORDER_ID = 31
"""Maximum length of an order id's text; brokers that accept letters, digits and hyphens accept 32 or more."""

_WORKER = re.compile(r"[A-Za-z0-9]{1,12}")
_TEXT = re.compile(r"([A-Za-z0-9]{1,12})-(0|[1-9a-z][0-9a-z]{0,5})-(0|[1-9a-z][0-9a-z]{0,10})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LOT_TOLERANCE = 1e-6


class OrderError(QuantCrafterError):
    """A command or an event is impossible; the message names the order, its state and the command or event."""

    code = "order"


def _base36(number: int) -> str:
    text = ""
    while number >= len(_DIGITS):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return _DIGITS[number] + text


@dataclass(frozen=True, slots=True, order=True)
class OrderId:
    """The id of an order: the worker that created it, the epoch (each start of the worker begins one), and a number.

    An order has the same id when a run is repeated from its log, and no two orders have the same id. As text it is
    `worker-epoch-number`, the last two in base 36, at most 31 characters of letters, digits and hyphens.

    Raises:
        OrderError: `worker` is not 1 to 12 letters and digits, or a number is out of its range.
    """

    worker: str
    epoch: int
    number: int

    def __post_init__(self) -> None:
        """Reject values without a text form."""
        if not _WORKER.fullmatch(self.worker):
            raise OrderError(
                Message("The worker of an order id has 1 to 12 letters and digits, was '{worker}'.", worker=self.worker)
            )
        for name, value, most in (("epoch", self.epoch, MOST_EPOCH), ("number", self.number, MOST_NUMBER)):
            if not 0 <= value <= most:
                raise OrderError(
                    Message(
                        "The {name} of an order id lies between 0 and {most}, was {value}.",
                        name=name,
                        most=most,
                        value=value,
                    )
                )

    def __str__(self) -> str:
        """Return the text that a broker is given."""
        return f"{self.worker}-{_base36(self.epoch)}-{_base36(self.number)}"

    @classmethod
    def parse(cls, text: str) -> OrderId:
        """Return the id that has this text.

        Raises:
            OrderError: the text is not one of our ids; the order was created by another program.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise OrderError(
                Message("An order id is 'worker-epoch-number', was '{text}'. The order is not one of ours.", text=text)
            )
        return cls(found[1], int(found[2], 36), int(found[3], 36))


def lots_in(quantity: float, lot_size: float) -> int:
    """Return how many lots a quantity that a broker reports is.

    Raises:
        OrderError: it is not a whole number of lots, within a millionth of one.
    """
    lots = quantity / lot_size
    if not math.isfinite(lots) or abs(lots - round(lots)) > _LOT_TOLERANCE:
        raise OrderError(
            Message(
                "A quantity is a whole number of lots of {lot_size:g}, was {quantity:g}. "
                "Set 'lot_size' of the instrument to the broker's.",
                lot_size=lot_size,
                quantity=quantity,
            )
        )
    return round(lots)
