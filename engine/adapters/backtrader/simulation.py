"""A job on backtrader: Cerebro processes our bars, and its broker's own code decides the fill and price of every order.

At each bar:
1. Cerebro advances the feeds that have a bar at this time, and calls the broker.
2. The broker asks our session to fill: that submits each working order, in the order of QC-BAR-1, to the broker's own
   execution, one at a time. An order that did not fill is withdrawn and submitted again at the next bar.
3. Cerebro calls the strategy, which lets our session make its decisions.

Sizes, brackets, OCO, cash and the ledger are ours: the broker has so much cash that it never rejects an order, and it
has no costs or slippage.
"""

from __future__ import annotations

import warnings
from typing import Any

import backtrader as bt

from quantcrafter.engine.adapters.backtrader.feed import bar_feed
from quantcrafter.engine.adapters.matching import known_phase
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunCancelledError, RunError
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.matching import Phase, WorkingOrder
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.simulation.driver import CANCEL_BARS
from quantcrafter.engine.simulation.session import SimulationSession

BOUNDLESS_CASH = 1e30
_KINDS = {Phase.OPEN: bt.Order.Market, Phase.STOP: bt.Order.Stop, Phase.LIMIT: bt.Order.Limit}
_TICKS = ("tick_open", "tick_high", "tick_low", "tick_close")


class StepBroker(bt.brokers.BackBroker):  # type: ignore[misc]
    """backtrader's broker, which executes one order at a time on request."""

    params = (("checksubmit", False), ("coo", True))  # an order may fill on the bar on which it is submitted

    def __init__(self) -> None:
        super().__init__()
        self.session: SimulationSession
        self.feeds: tuple[Any, ...] = ()

    def next(self) -> None:
        """Fill the open orders on the bars to which Cerebro has just advanced."""
        for instrument, bar in self.session.events(self.session.index):
            feed = self.feeds[instrument]
            if len(feed) != bar + 1:
                raise RunError(
                    Message(
                        "backtrader is at bar {count} of {name} where bar {bar} is due: bars of different "
                        "instruments close within 10 microseconds. Use the engine 'native'.",
                        count=len(feed) - 1,
                        name=feed.p.name,
                        bar=bar,
                    )
                )
        self.session.fill()

    def match(self, order: WorkingOrder) -> float | None:
        """Return the price at which backtrader fills the order on the current bar, or None."""
        feed = self.feeds[order.instrument]
        if not order.whole_bar:
            self._narrow(feed, (order.open, order.high, order.low, order.close))
        send = self.buy if order.side > 0 else self.sell
        phase = known_phase("backtrader", order)
        price = None if phase == Phase.OPEN else order.price
        # Whether and at what price is the question here, how much is answered by our books; size 0 would be ignored.
        sent = send(None, feed, size=max(order.lots, 1), price=price, exectype=_KINDS[phase])
        # As the broker's own round over its pending orders goes: off the queue, executed, back on it if still alive.
        self.pending.remove(sent)
        self._try_exec(sent)
        filled = sent.status == bt.Order.Completed
        if filled:
            self._bracketize(sent)
        else:
            self.pending.append(sent)
            self.cancel(sent)
        if not order.whole_bar:
            self._narrow(feed, (None, None, None, None))
        for table in (self._pchildren, self._ocos, self._ocol):
            table.pop(sent.ref, None)
        # The price of the execution itself: that of the order is an average, which rounds.
        return float(sent.executed.exbits[-1].price) if filled else None

    def notify(self, order: Any) -> None:
        """Don't notify: the session knows."""

    @staticmethod
    def _narrow(feed: Any, prices: tuple[float | None, ...]) -> None:
        """Set these prices as the broker's bar, or restore the bar's own prices."""
        for name, price in zip(_TICKS, prices, strict=True):
            setattr(feed, name, price)


class StepStrategy(bt.Strategy):  # type: ignore[misc]
    """Has our decision side act on the close of every bar."""

    params = (("session", None), ("job", None))

    def prenext(self) -> None:
        self.next()

    def nextstart(self) -> None:
        self.next()

    def next(self) -> None:
        session: SimulationSession = self.p.session
        job: EngineJob = self.p.job
        session.decide()
        if session.index % CANCEL_BARS == 0:
            if job.cancelled():
                raise RunCancelledError(Message("The run was cancelled."))
            job.progress(sum(len(data) for data in self.datas), session.bars_total)


def simulate(job: EngineJob) -> Ledger:
    """Run a job with backtrader's broker as the matcher and return the ledger.

    Raises:
        RunError: as of `SimulationSession`.
        RunCancelledError: `job.cancelled()` returned True.
    """
    broker = StepBroker()
    session = SimulationSession(job, broker)
    feeds = tuple(bar_feed(each.bars, each.bars.close_ns) for each in job.instruments)
    broker.session, broker.feeds = session, feeds
    broker.setcash(BOUNDLESS_CASH)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(broker)
    for feed in feeds:
        cerebro.adddata(feed)
    cerebro.addstrategy(StepStrategy, session=session, job=job)
    if job.cancelled():
        raise RunCancelledError(Message("The run was cancelled."))
    with warnings.catch_warnings():
        # backtrader uses calls that newer Pythons deprecate.
        warnings.simplefilter("ignore", DeprecationWarning)
        cerebro.run()
    return session.ledger()
