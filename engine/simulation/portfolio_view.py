"""The portfolio for decision components between two bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import numpy as np

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.decisions import Account, Holding, OpenOrder, SessionDay
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import OrderKind, Reason
from quantcrafter.engine.api.ports import ENTER_SHORT
from quantcrafter.engine.simulation.primitives import to_quantity
from quantcrafter.engine.simulation.python_decisions import sized_lots
from quantcrafter.engine.simulation.records import Record
from quantcrafter.engine.simulation.state import SimulationState
from quantcrafter.engine.simulation.worth import value_of
from quantcrafter.engine.trading_calendar.trading_days import trading_days, weekdays
from quantcrafter.engine.trading_calendar.zones import DAY_NS, MINUTE_NS, to_local

Size = Callable[[int, Literal["long", "short"]], float]


class Holdings(Mapping[str, Holding]):
    """The positions of all instruments by symbol, read on access; bars are counted from the `first` ones."""

    def __init__(self, job: EngineJob, state: SimulationState, first: list[int]) -> None:
        self._index = {each.symbol: i for i, each in enumerate(job.instruments)}
        self._state = state
        self._first = first

    def __getitem__(self, symbol: str) -> Holding:
        i = self._index[symbol]
        holding = self._state.holdings[i]
        lots = int(holding["lots"])
        if lots == 0:
            return Holding()
        side: Literal["long", "short"] = "long" if lots > 0 else "short"
        quantity, entry_bar = abs(float(holding["quantity"])), int(holding["entry_bar"]) - self._first[i]
        return Holding(quantity, side, float(holding["price"]), entry_bar, float(holding["mark"]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)


class HoldingView:
    """A `PortfolioView` of a simulation, at the close of the current step.

    `bars_now` holds the bar of each instrument that has just closed. `size` returns an entry's size.
    """

    def __init__(self, job: EngineJob, state: SimulationState, size: Size) -> None:
        self._state = state
        self._bars = [each.seen for each in job.instruments]
        # The bar that is the first of those shown.
        self._first = [len(each.bars) - len(each.seen) for each in job.instruments]
        self._index = {each.symbol: i for i, each in enumerate(job.instruments)}
        self._holdings = Holdings(job, state, self._first)
        self._size = size
        self.bars_now = [-1] * len(job.instruments)
        self.equity = float(job.settings.cash)

    def show_history(self, i: int, bars: Bars) -> None:
        """Make these bars of an instrument available to components: the newest known one is the last."""
        self._bars[i] = bars
        self._first[i] = int(self._state.holdings[i]["bars"]) - len(bars)

    def row_of(self, i: int, bar: int) -> int:
        """Return the number of a bar of an instrument among the available bars."""
        return bar - self._first[i]

    def positions(self) -> Mapping[str, Holding]:
        return self._holdings

    def portfolio(self) -> Account:
        return Account(float(self._state.portfolio["cash"]), self.equity)

    def risk(self, symbol: str) -> Mapping[str, float]:
        i = self._index[symbol]
        state, bar = self._state, self.bars_now[i]
        flags = state.market.flags[state.holdings[i]["start"] + bar]
        side = -1 if flags & ENTER_SHORT else 1
        arrays = (state.portfolios, state.holdings, state.rules, state.market)
        _, distance = sized_lots(*arrays, i, bar, side, self.equity)
        point = float(value_of(state.holdings[i], 1.0, 1.0))
        return {"stop_distance": float(distance), "halted": float(state.portfolio["halted"] > 0), "point_value": point}

    def orders(self, symbol: str) -> tuple[OpenOrder, ...]:
        holding = self._state.holdings[self._index[symbol]]
        return tuple(_order_view(holding, order) for order in holding["slots"][: holding["working"]])

    def calendar(self, symbol: str) -> SessionDay:
        i = self._index[symbol]
        return session_day(self._bars[i], self.row_of(i, self.bars_now[i]))

    def size(self, symbol: str, side: Literal["long", "short"]) -> float:
        return self._size(self._index[symbol], side)


def _order_view(holding: Record, order: Record) -> OpenOrder:
    price = float(order["price"])
    return OpenOrder(
        number=int(order["id"]),
        side="buy" if order["side"] > 0 else "sell",
        kind=OrderKind(order["kind"]).name.lower(),
        quantity=float(to_quantity(order["lots"] - order["filled"], holding["lot_size"], holding["lot_inverse"])),
        price=None if np.isnan(price) else price,
        reason=Reason(order["reason"]).name.lower(),
    )


def session_day(bars: Bars, bar: int) -> SessionDay:
    """Return where a bar is in its venue's calendar."""
    day = trading_days(bars.open_ns[bar : bar + 1], bars.session)
    local = int(to_local(bars.close_ns[bar : bar + 1], bars.session.timezone)[0])
    minute = local % DAY_NS // MINUTE_NS
    return SessionDay(int(day[0]), int(weekdays(day)[0]), int(minute), bars.session.timezone)
