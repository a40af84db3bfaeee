"""A user's own backtrader strategy, with backtrader's own Cerebro and broker."""

from __future__ import annotations

import math
import warnings
from typing import Any

import backtrader as bt
import numpy as np

from quantcrafter.engine.adapters.backtrader.feed import bar_feed
from quantcrafter.engine.adapters.classes.class_ledger import ClassFill, ClassOrder, keep_books, usual_charge
from quantcrafter.engine.adapters.classes.loading import load_class
from quantcrafter.engine.adapters.classes.stamps import closed_at
from quantcrafter.engine.api.engine import ClassJob, ClassRun
from quantcrafter.engine.api.errors import RunCancelledError, RunError
from quantcrafter.engine.api.foreign import text_of
from quantcrafter.engine.api.ledger import OrderKind, OrderStatus, StatusReason
from quantcrafter.engine.api.message import Message

_Order = bt.Order
_KINDS = {
    _Order.Market: OrderKind.MARKET,
    _Order.Close: OrderKind.MARKET,
    _Order.Limit: OrderKind.LIMIT,
    _Order.Stop: OrderKind.STOP,
    _Order.StopTrail: OrderKind.STOP,
    _Order.StopLimit: OrderKind.STOP_LIMIT,
    _Order.StopTrailLimit: OrderKind.STOP_LIMIT,
}
_ENDS = {
    _Order.Completed: (OrderStatus.FILLED, StatusReason.NONE),
    _Order.Canceled: (OrderStatus.CANCELLED, StatusReason.NONE),
    _Order.Expired: (OrderStatus.CANCELLED, StatusReason.NONE),
    _Order.Margin: (OrderStatus.REJECTED, StatusReason.NO_CASH),
    _Order.Rejected: (OrderStatus.REJECTED, StatusReason.NONE),
}
_LOOK_EVERY = 256


class BookedCommission(bt.CommInfoBase):  # type: ignore[misc]
    """Charges `run.commission` of the settings; backtrader doesn't provide the type of an order."""

    params = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_PERC), ("settings", None), ("lot_size", 1.0))

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:  # noqa: ARG002, FBT001 - backtrader's
        return usual_charge(self.p.settings, abs(size), price, self.p.lot_size) if size else 0.0


class _Recorder(bt.Analyzer):  # type: ignore[misc]
    """Records every order and execution, and reports the progress."""

    params = (("job", None), ("feeds", ()))

    def start(self) -> None:
        self.fills: list[ClassFill] = []
        self.orders: list[ClassOrder] = []
        # By identity: feeds compare by their lines.
        self._index = {id(feed): index for index, feed in enumerate(self.p.feeds)}
        self._times = [feed.p.columns[0] for feed in self.p.feeds]
        self._ids: dict[int, int] = {}
        self._done = 0
        self._total = sum(len(instrument.bars) for instrument in self.p.job.instruments)

    def notify_order(self, order: Any) -> None:
        index = self._index[id(order.data)]
        bar = len(order.data) - 1
        kind = order_kind(order)
        side = 1 if order.isbuy() else -1
        number = self._ids.setdefault(order.ref, len(self._ids))
        if number == len(self.orders):
            price = math.nan if kind is OrderKind.MARKET else float(order.created.price)
            made_at = int(np.searchsorted(self._times[index], order.created.dt))
            self.orders.append(
                ClassOrder(index, made_at, -1, side, abs(order.created.size), price, kind, OrderStatus.WORKING)
            )
        for part in order.executed.iterpending():
            if part.size:
                fill = ClassFill(number, index, bar, side, abs(float(part.size)), float(part.price), kind)
                self.fills.append(fill)
        end = _ENDS.get(order.status)
        if end is not None:
            made = self.orders[number]
            self.orders[number] = ClassOrder(
                made.instrument, made.created_bar, bar, side, made.quantity, made.price, kind, *end
            )

    def prenext(self) -> None:
        self.next()

    def nextstart(self) -> None:
        self.next()

    def next(self) -> None:
        self._done += 1
        if self._done % _LOOK_EVERY == 0:
            job: ClassJob = self.p.job
            if job.cancelled():
                raise RunCancelledError(Message("The run was cancelled."))
            job.progress(min(sum(len(feed) for feed in self.p.feeds), self._total), self._total)


def order_kind(order: Any) -> OrderKind:
    """Return the kind of a backtrader order."""
    return _KINDS.get(order.exectype, OrderKind.MARKET)


def order_end(order: Any) -> str:
    """Return how a backtrader order ended without being filled: cancelled, expired or rejected; '' if it didn't."""
    if order.status == _Order.Expired:
        return "expired"
    status, _ = _ENDS.get(order.status, (OrderStatus.WORKING, StatusReason.NONE))
    return {OrderStatus.CANCELLED: "cancelled", OrderStatus.REJECTED: "rejected"}.get(status, "")


def run_class(job: ClassJob) -> ClassRun:
    """Run a backtrader strategy class on our bars and return its ledger.

    Raises:
        RunError: the class is unavailable, takes no such parameter, or raised.
        RunCancelledError: `job.cancelled()` returned True.
    """
    strategy = load_class(job.path, job.folder, bt.Strategy, "backtrader", job.modules)
    _check_parameters(strategy, job)
    feeds = [bar_feed(each.bars, closed_at(each.bars)) for each in job.instruments]
    cerebro = bt.Cerebro(stdstats=False)
    for feed in feeds:
        cerebro.adddata(feed)
    _set_terms(cerebro.broker, job)
    cerebro.addstrategy(strategy, **job.parameters)
    cerebro.addanalyzer(_Recorder, _name="recorder", job=job, feeds=feeds)
    try:
        with warnings.catch_warnings():
            # backtrader uses calls that newer Pythons deprecate.
            warnings.simplefilter("ignore", DeprecationWarning)
            results = cerebro.run()
    except RunCancelledError:
        raise
    except Exception as error:
        bar = max((len(feed) for feed in feeds), default=0) - 1
        raise RunError(
            Message(
                "'{path}' raised {type} at bar {bar}: {text}.",
                path=job.path,
                type=type(error).__name__,
                bar=bar,
                text=text_of(error),
            )
        ) from error
    if not results:
        raise RunError(
            Message("'{path}' skipped its own run (StrategySkipError), so there is nothing to show.", path=job.path)
        )
    recorder = results[0].analyzers.recorder
    return keep_books(job, recorder.fills, recorder.orders)


def _set_terms(broker: Any, job: ClassJob) -> None:
    broker.setcash(job.settings.cash)
    for each in job.instruments:
        broker.addcommissioninfo(BookedCommission(settings=job.settings, lot_size=each.lot_size), name=each.bars.symbol)


def _check_parameters(strategy: type[Any], job: ClassJob) -> None:
    known = list(strategy.params._getkeys())  # noqa: SLF001 - backtrader has no other way to ask
    unknown = [name for name in job.parameters if name not in known]
    if unknown:
        has = Message("It has: {known}.", known=", ".join(known)) if known else Message("It has none.")
        raise RunError(
            Message("'{path}' has no parameter '{unknown}'. {has}", path=job.path, unknown=unknown[0], has=has)
        )
