"""A user's own CtaTemplate, bar by bar, on vnpy's own crossing of orders. Import `place` first: see `prepared`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from vnpy.trader.constant import Direction, Status
from vnpy_ctastrategy.backtesting import BacktestingEngine
from vnpy_ctastrategy.base import StopOrderStatus

from quantcrafter.engine.adapters.classes.class_ledger import usual_charge
from quantcrafter.engine.adapters.classes.stepping import PLAIN, ClassEvent, ClassTerms, SteppedClass
from quantcrafter.engine.adapters.vnpy.bars import bar_list, interval_of, vt_symbol
from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.foreign import text_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import RunSettings

log = logging.getLogger("quantcrafter.vnpy")

_ENDS = {
    Status.CANCELLED: "cancelled",
    Status.REJECTED: "rejected",
    StopOrderStatus.CANCELLED: "cancelled",
}
_OVER = (*_ENDS, Status.ALLTRADED, StopOrderStatus.TRIGGERED)


class _Engine(BacktestingEngine):  # type: ignore[misc]
    """vnpy's backtester, which loads its history from us and lets the strategy's log through."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[Any] = []

    def load_bar(self, vt_symbol: str, days: int, interval: Any, callback: Any, use_database: bool) -> list[Any]:  # noqa: ARG002, FBT001 - vnpy's
        """Return the bars of the last days before the first one."""
        if not self.known:
            return []
        since = self.known[-1].datetime - timedelta(days=days)
        return [bar for bar in self.known if bar.datetime > since]

    def load_tick(self, *_request: Any) -> list[Any]:
        """Return nothing: there are no ticks."""
        return []

    def write_log(self, msg: str, strategy: Any = None) -> None:
        """Write a line of the strategy's log."""
        del strategy
        log.info("%s", msg)

    def output(self, msg: str) -> None:
        """Say nothing."""


class SteppedCta(SteppedClass):
    """A `CtaTemplate` that is given its bars one by one.

    Args:
        strategy: the class.
        path: its name in messages.
        parameters: its parameters.
        terms: its account and instrument.
    """

    def __init__(self, strategy: type[Any], path: str, parameters: Mapping[str, Any], terms: ClassTerms) -> None:
        self._class, self._path, self._parameters, self._terms = strategy, path, dict(parameters), terms
        self._engine: Any = None
        self._numbers: dict[str, int] = {}
        self._open: dict[str, Any] = {}
        self._trades = self._limits = self._stops = 0
        self._bars = 0
        self._cash = terms.cash
        self._close = 0.0

    def open(self, history: Bars) -> None:
        engine = self._engine = _Engine()
        bars = bar_list(history)
        engine.set_parameters(
            vt_symbol=vt_symbol(history.symbol),
            interval=interval_of(history),
            start=bars[-1].datetime if bars else datetime(1970, 1, 1),  # noqa: DTZ001 - vnpy takes naive times
            end=datetime(2200, 1, 1),  # noqa: DTZ001 - the same
            rate=self._terms.commission.percent / 100.0,
            slippage=0,
            size=1,
            pricetick=self._terms.tick_size,
            capital=int(self._terms.cash),
        )
        engine.known = bars
        try:
            engine.add_strategy(self._class, dict(self._parameters))
            engine.strategy.on_init()
            engine.strategy.inited = True
            engine.strategy.on_start()
            engine.strategy.trading = True
        except Exception as error:
            raise self._failed(error) from error

    def take(self, bar: Bars) -> Sequence[ClassEvent]:
        events: list[ClassEvent] = []
        for each in bar_list(bar):
            self._bars += 1
            self._close = float(each.close_price)
            try:
                self._engine.new_bar(each)
            except Exception as error:
                raise self._failed(error) from error
            events += self._happened()
        return events

    @property
    def position(self) -> float:
        return 0.0 if self._engine is None else float(self._engine.strategy.pos)

    @property
    def equity(self) -> float:
        return self._cash + self.position * self._close

    def variables(self) -> dict[str, Any]:
        if self._engine is None:
            return {}
        found = self._engine.strategy.get_variables()
        return {name: value for name, value in found.items() if isinstance(value, PLAIN)}

    def close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None and engine.strategy.trading:
            try:
                engine.strategy.on_stop()
            except Exception:
                log.exception("'%s' raised in on_stop.", self._path)
            engine.strategy.trading = False

    def _happened(self) -> list[ClassEvent]:
        """Return what happened since the last look: fills, ends of orders, and new orders, which came last."""
        engine = self._engine
        stops = {own: order for own, order in self._open.items() if own in engine.stop_orders}
        origin = {vt_orderid: own for own, stop in stops.items() for vt_orderid in stop.vt_orderids}
        found = [self._filled(trade, origin) for trade in islice(engine.trades.values(), self._trades, None)]
        self._trades = len(engine.trades)
        ended = list(self._ends())
        made = [
            *islice(engine.limit_orders.items(), self._limits, None),
            *islice(engine.stop_orders.items(), self._stops, None),
        ]
        self._limits, self._stops = len(engine.limit_orders), len(engine.stop_orders)
        submitted = []
        for own, order in made:
            if own in origin:
                continue
            self._open[own] = order
            body = {
                "side": "buy" if order.direction is Direction.LONG else "sell",
                "quantity": float(order.volume),
                "kind": "stop" if own in engine.stop_orders else "limit",
                "price": float(order.price),
            }
            submitted.append(ClassEvent("submit", self._number(own), body))
        return [*found, *ended, *submitted, *self._ends()]

    def _filled(self, trade: Any, origin: Mapping[str, str]) -> ClassEvent:
        side = 1 if trade.direction is Direction.LONG else -1
        quantity, price = float(trade.volume), float(trade.price)
        settings = RunSettings.model_construct(commission=self._terms.commission)
        self._cash -= side * quantity * price + usual_charge(settings, quantity, price, self._terms.lot_size)
        body = {"side": "buy" if side > 0 else "sell", "quantity": quantity, "price": price}
        return ClassEvent("filled", self._number(origin.get(trade.vt_orderid, trade.vt_orderid)), body)

    def _ends(self) -> Iterator[ClassEvent]:
        """Yield the ends of open orders, which are no longer open then."""
        for own, order in tuple(self._open.items()):
            if order.status in _ENDS:
                yield ClassEvent(_ENDS[order.status], self._number(own))
            if order.status in _OVER:
                del self._open[own]

    def _number(self, own: str) -> int:
        return self._numbers.setdefault(own, len(self._numbers))

    def _failed(self, error: Exception) -> RunError:
        return RunError(
            Message(
                "'{path}' raised {type} at bar {bar}: {text}.",
                path=self._path,
                type=type(error).__name__,
                bar=self._bars - 1,
                text=text_of(error),
            )
        )
