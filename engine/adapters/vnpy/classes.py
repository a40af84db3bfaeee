"""A user's own vnpy strategy, on vnpy's BacktestingEngine as it is. Runs in the vnpy process."""

from __future__ import annotations

import math
from typing import Any

from vnpy.trader.constant import Direction, Status
from vnpy_ctastrategy.backtesting import BacktestingEngine
from vnpy_ctastrategy.base import StopOrderStatus
from vnpy_ctastrategy.template import CtaTemplate

from quantcrafter.engine.adapters.classes.class_ledger import ClassFill, ClassOrder, keep_books
from quantcrafter.engine.adapters.classes.loading import load_class
from quantcrafter.engine.adapters.vnpy.bars import bar_list, interval_of, vt_symbol
from quantcrafter.engine.api.engine import ClassJob, ClassRun
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.foreign import text_of
from quantcrafter.engine.api.ledger import OrderKind, OrderStatus, StatusReason
from quantcrafter.engine.api.message import Message

_TELL_EVERY = 2_000


class WatchedEngine(BacktestingEngine):  # type: ignore[misc]
    """vnpy's backtester, which also notes at which bar orders are sent, cancelled and filled."""

    def __init__(self, job: ClassJob) -> None:
        super().__init__()
        self.job = job
        self.index = -1
        self.sent: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.filled_at: list[int] = []
        self.failure: Exception | None = None

    def new_bar(self, bar: Any) -> None:
        self.index += 1
        if self.index % _TELL_EVERY == 0:
            self.job.progress(self.index, len(self.history_data))
        try:
            super().new_bar(bar)
        except Exception as error:
            self.failure = error
            raise
        self.filled_at += [self.index] * (len(self.trades) - len(self.filled_at))

    def send_order(self, *order: Any) -> Any:
        made = super().send_order(*order)
        self.sent.update(dict.fromkeys(made, self.index))
        return made

    def cancel_order(self, strategy: Any, vt_orderid: str) -> None:
        self.ended.setdefault(vt_orderid, self.index)
        super().cancel_order(strategy, vt_orderid)

    def cancel_all(self, strategy: Any) -> None:
        for vt_orderid in (*self.active_limit_orders, *self.active_stop_orders):
            self.ended.setdefault(vt_orderid, self.index)
        super().cancel_all(strategy)

    def load_bar(self, *_request: Any) -> list[Any]:
        """Return nothing: the run begins with the first bar there is, and no database is asked."""
        return []

    load_tick = load_bar

    def output(self, msg: str) -> None:
        """Say nothing."""


def run_class(job: ClassJob) -> ClassRun:
    """Run a CtaTemplate class on our bars and return its books.

    Raises:
        RunError: the class is unavailable, takes no such parameter, raised, or there are several instruments.
    """
    strategy = load_class(job.path, job.folder, CtaTemplate, "vnpy", job.modules)
    unknown = [name for name in job.parameters if name not in strategy.parameters]
    if unknown:
        has = (
            Message("It has: {parameters}.", parameters=", ".join(strategy.parameters))
            if strategy.parameters
            else Message("It has none.")
        )
        raise RunError(
            Message("'{path}' has no parameter '{unknown}'. {has}", path=job.path, unknown=unknown[0], has=has)
        )
    if len(job.instruments) != 1:
        raise RunError(
            Message("A CtaTemplate trades one instrument, were {count}. Give one --data.", count=len(job.instruments))
        )
    engine = _engine(job, strategy)
    engine.run_backtesting()
    if engine.failure is not None:
        error = engine.failure
        text = f"{type(error).__name__} at bar {engine.index}: {text_of(error)}"
        raise RunError(Message("'{path}' raised {text}.", path=job.path, text=text)) from error
    return _books(job, engine)


def _engine(job: ClassJob, strategy: type[Any]) -> WatchedEngine:
    (instrument,) = job.instruments
    bars = bar_list(instrument.bars)
    engine = WatchedEngine(job)
    engine.set_parameters(
        vt_symbol=vt_symbol(instrument.symbol),
        interval=interval_of(instrument.bars),
        start=bars[0].datetime,
        end=bars[-1].datetime,
        rate=job.settings.commission.percent / 100.0,
        slippage=0,
        size=1,
        pricetick=instrument.tick_size,
        capital=int(job.settings.cash),
    )
    engine.history_data = bars
    try:
        engine.add_strategy(strategy, dict(job.parameters))
    except Exception as error:
        raise RunError(
            Message(
                "'{path}' raised {type} when it was made: {text}.",
                path=job.path,
                type=type(error).__name__,
                text=text_of(error),
            )
        ) from error
    return engine


def _books(job: ClassJob, engine: WatchedEngine) -> ClassRun:
    """Return the ledger: a stop order and the limit order into which vnpy turns it count as one."""
    origin: dict[str, tuple[int, OrderKind]] = {}
    for number, vt_orderid in enumerate(engine.sent):
        stop = engine.stop_orders.get(vt_orderid)
        kind = OrderKind.LIMIT if stop is None else OrderKind.STOP
        origin |= dict.fromkeys([vt_orderid] if stop is None else stop.vt_orderids, (number, kind))
    fills = []
    filled_at: dict[int, int] = {}
    for bar, trade in zip(engine.filled_at, engine.trades.values(), strict=True):
        number, kind = origin[trade.vt_orderid]
        filled_at[number] = bar
        fills.append(ClassFill(number, 0, bar, _side(trade), float(trade.volume), float(trade.price), kind))
    orders = [_order(engine, each, number, filled_at) for number, each in enumerate(engine.sent)]
    return keep_books(job, fills, orders)


def _order(engine: WatchedEngine, vt_orderid: str, number: int, filled_at: dict[int, int]) -> ClassOrder:
    stop = engine.stop_orders.get(vt_orderid)
    order = stop if stop is not None else engine.limit_orders[vt_orderid]
    filled = order.status in (StopOrderStatus.TRIGGERED, Status.ALLTRADED)
    cancelled = order.status in (StopOrderStatus.CANCELLED, Status.CANCELLED)
    closed = filled_at.get(number, -1) if filled else engine.ended.get(vt_orderid, -1) if cancelled else -1
    return ClassOrder(
        0,
        engine.sent[vt_orderid],
        closed,
        _side(order),
        float(order.volume),
        float(order.price) if math.isfinite(order.price) else math.nan,
        OrderKind.LIMIT if stop is None else OrderKind.STOP,
        OrderStatus.FILLED if filled else OrderStatus.CANCELLED if cancelled else OrderStatus.WORKING,
        StatusReason.NONE,
    )


def _side(traded: Any) -> int:
    return 1 if traded.direction is Direction.LONG else -1
