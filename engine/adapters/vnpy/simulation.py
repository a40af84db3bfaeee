"""A job on vnpy: its backtester processes our steps, and its own code decides the fill and price of every order.

vnpy's backtester of CTA strategies knows one instrument, and that of portfolios neither stop orders nor missing bars
(it repeats the last close and fills orders in it). Therefore each instrument has its own CTA backtester, and another
one leads them in lockstep:
1. `run_backtesting` calls `new_bar` with each step of our time line.
2. Our session fills: each working order, in the order of QC-BAR-1, is sent to its instrument's backtester through the
   strategy, crossed by vnpy's `cross_limit_order` or `cross_stop_order`, and withdrawn if it did not fill.
3. The strategy's `on_bar` lets our session make its decisions. Runs in the vnpy process.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from vnpy.trader.constant import Direction, Exchange, Offset
from vnpy.trader.object import BarData
from vnpy_ctastrategy.backtesting import BacktestingEngine
from vnpy_ctastrategy.template import CtaTemplate

from quantcrafter.engine.adapters.matching import known_phase
from quantcrafter.engine.adapters.vnpy.bars import GATEWAY, interval_of, vt_symbol
from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.matching import Phase, WorkingOrder
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.simulation.driver import CANCEL_BARS
from quantcrafter.engine.simulation.session import SimulationSession

_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


class Waiting(CtaTemplate):  # type: ignore[misc]
    """The strategy of one instrument: sends orders on request."""

    def on_init(self) -> None:
        """Do nothing."""


class OneInstrument(BacktestingEngine):  # type: ignore[misc]
    """vnpy's backtester for one instrument, which crosses one order at a time on request."""

    def __init__(self, instrument: InstrumentJob) -> None:
        super().__init__()
        bars = instrument.bars
        self.set_parameters(vt_symbol(bars.symbol), interval_of(bars), _MOMENT, 0.0, 0.0, 1.0, instrument.tick_size)
        self.add_strategy(Waiting, {})
        self.strategy.inited = self.strategy.trading = True

    def send_order(
        self,
        strategy: Any,  # noqa: ARG002 - vnpy's
        direction: Direction,
        offset: Offset,
        price: float,
        volume: float,
        stop: bool,  # noqa: FBT001 - vnpy's
        lock: bool,  # noqa: ARG002, FBT001 - vnpy's
        net: bool,  # noqa: ARG002, FBT001 - vnpy's
    ) -> list[str]:
        """Send the order at its price as it is: ours are rounded to the tick, vnpy would round halves to even."""
        send = self.send_stop_order if stop else self.send_limit_order
        return [send(direction, offset, price, volume)]

    def match(self, order: WorkingOrder) -> float | None:
        """Return the price at which vnpy fills the order on the bar that the order tells, or None."""
        self.bar = BarData(
            gateway_name=GATEWAY,
            symbol=self.symbol,
            exchange=Exchange.LOCAL,
            datetime=_MOMENT,
            open_price=order.open,
            high_price=order.high,
            low_price=order.low,
            close_price=order.close,
        )
        phase = known_phase("vnpy", order)
        # vnpy has no market order: a limit that any price satisfies fills at the open.
        price = order.side * math.inf if phase == Phase.OPEN else order.price
        direction = Direction.LONG if order.side > 0 else Direction.SHORT
        self.strategy.send_order(direction, Offset.NONE, price, order.lots, phase == Phase.STOP)
        (self.cross_stop_order if phase == Phase.STOP else self.cross_limit_order)()
        price = next((float(trade.price) for trade in self.trades.values()), math.nan)
        self.strategy.cancel_all()
        for table in (self.trades, self.limit_orders, self.stop_orders):
            table.clear()
        return None if math.isnan(price) else price

    def output(self, msg: str) -> None:
        """Say nothing."""


class Deciding(CtaTemplate):  # type: ignore[misc]
    """Has our decision side act on the close of every bar."""

    def on_init(self) -> None:
        """Do nothing: warm-up is ours."""

    def on_bar(self, _bar: Any) -> None:
        self.cta_engine.session.decide()


class Lockstep(BacktestingEngine):  # type: ignore[misc]
    """The leading backtester: its bars are the steps of our time line."""

    def __init__(self, job: EngineJob) -> None:
        super().__init__()
        self.job = job
        self.session = SimulationSession(job, self)
        self.engines = [OneInstrument(instrument) for instrument in job.instruments]
        self.history_data = range(len(self.session))
        self.failure: Exception | None = None
        self.vt_symbol = self.engines[0].vt_symbol
        self.add_strategy(Deciding, {})

    def match(self, order: WorkingOrder) -> float | None:
        """Return the price at which the order fills, or None."""
        return self.engines[order.instrument].match(order)

    def new_bar(self, step: int) -> None:
        try:
            self.session.fill()
            self.strategy.on_bar(step)
        except Exception as error:
            self.failure = error
            raise
        if self.session.index % CANCEL_BARS == 0:
            self.job.progress(self.session.bars_before(self.session.index), self.session.bars_total)

    def output(self, msg: str) -> None:
        """Say nothing."""


def simulate(job: EngineJob) -> Ledger:
    """Run a job with vnpy's backtesters as the matcher and return the ledger.

    Raises:
        RunError: as of `SimulationSession`; or prices are not above zero, where vnpy fills no limit orders.
    """
    for instrument in job.instruments:
        low = instrument.bars.low
        if len(low) and not low.min() > 0:
            raise RunError(
                Message(
                    "vnpy fills no orders to buy at prices of zero and below, and {symbol} has a low of "
                    "{least:g}. Use another engine.",
                    symbol=instrument.symbol,
                    least=low.min(),
                )
            )
    lead = Lockstep(job)
    lead.run_backtesting()
    if lead.failure is not None:
        raise lead.failure
    return lead.session.ledger()
