"""A user's own backtrader strategy, bar by bar: Cerebro in a thread, on a live feed that waits for bars.

1. Cerebro asks the feed for a bar, which waits until there is one: then all that the bar before caused has happened.
2. `take` hands a bar over and waits until Cerebro asks for the next one.
3. Orders fill by backtrader's own broker. Bars of the history are seen by the strategy, but the broker rejects orders.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import Any

import backtrader as bt

from quantcrafter.engine.adapters.backtrader.classes import BookedCommission, order_end, order_kind
from quantcrafter.engine.adapters.backtrader.feed import FRAMES, compression, day_numbers
from quantcrafter.engine.adapters.classes.stamps import closed_at
from quantcrafter.engine.adapters.classes.stepping import ClassEvent, ClassTerms, SteppedClass, own_variables
from quantcrafter.engine.api.bars import BAR_COLUMNS, Bars
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.foreign import text_of
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import RunSettings

_END_S = 10.0
Row = tuple[float, ...]


class _Handing:
    """Hands bars to Cerebro's thread, one by one, and tells when it is done with each."""

    def __init__(self) -> None:
        self._rows: SimpleQueue[Row | None] = SimpleQueue()
        self._asked: SimpleQueue[None] = SimpleQueue()

    def next(self) -> Row | None:
        """Return the next bar, or None at the end; called by Cerebro."""
        self._asked.put(None)
        return self._rows.get()

    def give(self, row: Row | None) -> None:
        """Give Cerebro a bar, or the end."""
        self._rows.put(row)

    def wait(self) -> None:
        """Wait until Cerebro asks for a bar, or has ended."""
        self._asked.get()

    def ended(self) -> None:
        """Say that Cerebro has ended."""
        self._asked.put(None)


class QueueFeed(bt.feed.DataBase):  # type: ignore[misc]
    """A live feed whose bars come from a queue: times as backtrader's day numbers, then open to volume."""

    params = (("handing", None),)

    def islive(self) -> bool:
        """Return True, so that nothing is loaded ahead."""
        return True

    def _load(self) -> bool:
        row = self.p.handing.next()
        if row is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True


class _Broker(bt.brokers.BackBroker):  # type: ignore[misc]
    """backtrader's broker, which rejects orders on bars of the history."""

    def __init__(self) -> None:
        super().__init__()
        self.accepts = False

    def submit(self, order: Any, check: bool = True) -> Any:  # noqa: FBT001, FBT002 - backtrader's
        if self.accepts:
            return super().submit(order, check)
        order.reject(self)
        self.notify(order)
        return order


class _Watcher(bt.Analyzer):  # type: ignore[misc]
    """Notes what happens to orders."""

    params = (("step", None),)

    def notify_order(self, order: Any) -> None:
        self.p.step.note(order)


class SteppedBacktrader(SteppedClass):
    """A `backtrader.Strategy` that is given its bars one by one.

    Args:
        strategy: the class.
        path: its name in messages.
        parameters: its parameters.
        terms: its account and instrument.
    """

    def __init__(self, strategy: type[Any], path: str, parameters: Mapping[str, Any], terms: ClassTerms) -> None:
        self._class, self._path, self._parameters, self._terms = strategy, path, dict(parameters), terms
        self._handing = _Handing()
        self._broker = _Broker()
        self._events: list[ClassEvent] = []
        self._numbers: dict[int, int] = {}
        self._strategy: Any = None
        self._feed: Any = None
        self._failure: Exception | None = None
        self._bars = 0
        self._has_ended = False
        self._thread: threading.Thread | None = None

    def open(self, history: Bars) -> None:
        frame, unit = FRAMES[history.timeframe.unit]
        self._feed = QueueFeed(
            handing=self._handing,
            timeframe=frame,
            compression=compression(history.timeframe, unit),
            name=history.symbol,
        )
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(self._feed)
        settings = RunSettings(commission=self._terms.commission)
        self._broker.setcash(self._terms.cash)
        self._broker.addcommissioninfo(
            BookedCommission(settings=settings, lot_size=self._terms.lot_size), name=history.symbol
        )
        cerebro.setbroker(self._broker)
        cerebro.addstrategy(_kept(self._class, self), **self._parameters)
        cerebro.addanalyzer(_Watcher, step=self)
        self._thread = threading.Thread(target=self._run, args=(cerebro,), name=f"cerebro {self._path}", daemon=True)
        self._thread.start()
        self._handing.wait()
        self._check()
        for row in _rows(history):
            self._give(row)
        self._broker.accepts = True
        self._events = []

    def take(self, bar: Bars) -> Sequence[ClassEvent]:
        self._events = []
        for row in _rows(bar):
            self._give(row)
        return tuple(self._events)

    @property
    def position(self) -> float:
        return 0.0 if self._strategy is None else float(self._broker.getposition(self._feed).size)

    @property
    def equity(self) -> float:
        value = float(self._broker.getvalue()) if self._bars else self._terms.cash
        return value if math.isfinite(value) else self._terms.cash

    def variables(self) -> dict[str, Any]:
        return {} if self._strategy is None else own_variables(self._strategy)

    def close(self) -> None:
        thread = self._thread
        if thread is None:
            return
        self._thread = None
        self._handing.give(None)
        thread.join(_END_S)

    # ------------------------------------------------------------------ Cerebro's thread

    def made(self, strategy: Any) -> None:
        """Note the strategy that Cerebro has made."""
        self._strategy = strategy

    def note(self, order: Any) -> None:
        """Note what has happened to an order."""
        side = "buy" if order.isbuy() else "sell"
        number = self._numbers.get(order.ref)
        if number is None:
            number = self._numbers[order.ref] = len(self._numbers)
            kind = order_kind(order)
            body: dict[str, Any] = {
                "side": side,
                "quantity": abs(float(order.created.size)),
                "kind": kind.name.lower(),
            }
            if kind is not OrderKind.MARKET and order.created.price:
                body["price"] = float(order.created.price)
            self._events.append(ClassEvent("submit", number, body))
        for part in order.executed.iterpending():
            if part.size:
                body = {"side": side, "quantity": abs(float(part.size)), "price": float(part.price)}
                self._events.append(ClassEvent("filled", number, body))
        end = order_end(order)
        if end:
            self._events.append(ClassEvent(end, number))

    def _run(self, cerebro: Any) -> None:
        try:
            with warnings.catch_warnings():
                # backtrader uses calls that newer Pythons deprecate.
                warnings.simplefilter("ignore", DeprecationWarning)
                cerebro.run()
        except Exception as error:  # noqa: BLE001 - a class is a user's code
            self._failure = error
        finally:
            self._has_ended = True
            self._handing.ended()

    def _give(self, row: Row) -> None:
        self._check()
        self._bars += 1
        self._handing.give(row)
        self._handing.wait()
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            error = self._failure
            raise RunError(
                Message(
                    "'{path}' raised {type} at bar {bar}: {text}.",
                    path=self._path,
                    type=type(error).__name__,
                    bar=self._bars - 1,
                    text=text_of(error),
                )
            ) from error
        if self._has_ended:
            raise RunError(Message("'{path}' has ended its own run.", path=self._path))


def _kept(strategy: type[Any], step: SteppedBacktrader) -> type[Any]:
    """Return the class, whose instance is noted before its first bar."""

    def start(self: Any) -> None:
        step.made(self)
        strategy.start(self)

    return type(strategy.__name__, (strategy,), {"start": start, "__module__": strategy.__module__})


def _rows(bars: Bars) -> list[Row]:
    columns = (day_numbers(closed_at(bars)), *(bars.column(name) for name in BAR_COLUMNS))
    return list(zip(*(column.tolist() for column in columns), strict=True))
