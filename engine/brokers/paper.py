"""`paper`: orders are filled by the simulation of the backtest, bar by bar, without a broker."""

from __future__ import annotations

from typing import ClassVar, Literal

from quantcrafter.engine.api import Broker, BrokerConnection, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.orders import OrderType


class PaperBroker(Broker):
    """Fills orders as a backtest does, with the settings of the strategy file: the same bars give the same fills."""

    name = "paper"
    venue: ClassVar[Literal["simulated", "external"]] = "simulated"
    kinds: ClassVar[tuple[OrderType, ...]] = ("market", "limit", "stop", "stop_limit", "at_close")
    has_closing_auction = True

    @property
    def is_live(self) -> bool:
        return False

    def connect(self) -> BrokerConnection:
        """Refuse: the worker fills the orders itself.

        Raises:
            RunError: always.
        """
        raise RunError(Message("The broker 'paper' has no connection: the worker itself fills the orders."))
