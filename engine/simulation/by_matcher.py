"""Fills by a matcher of another engine, which is called for one order at a time, in the order of the bar standard."""

from __future__ import annotations

from quantcrafter.engine.simulation.kernel import begin_days_of, has_room_for, open_step, settle
from quantcrafter.engine.simulation.matcher import Matcher, WorkingOrder
from quantcrafter.engine.simulation.matching import (
    after_entry_of,
    armed_slot,
    entered_inside,
    fill_slot,
    next_slot,
    touch_slot,
)
from quantcrafter.engine.simulation.quotes import quoted
from quantcrafter.engine.simulation.ranking import next_ranked
from quantcrafter.engine.simulation.records import ANY, CLOSING, LIMITS, OPENS, STOP_LIMIT, STOPS, Record
from quantcrafter.engine.simulation.state import SimulationState


class AskedStep:
    """One step of a simulation whose fills a matcher decides; `row` is that of the step's columns."""

    def __init__(self, state: SimulationState, matcher: Matcher, row: int) -> None:
        self._state = state
        self._matcher = matcher
        self._row = row
        self._events = state.events(row)

    def run(self) -> None:
        """Run the step up to its close."""
        state = self._state
        if not has_room_for(state.portfolios, state.holdings, state.timeline, self._row):
            state.harvest()
        begin_days_of(state.portfolios, state.holdings, state.market, state.timeline, self._row)
        if not state.portfolio["plain"]:
            open_step(state.portfolios, state.holdings, state.market, state.timeline, self._row)
        self._match()
        settle(state.portfolios, state.holdings, state.market, state.timeline, state.curve, self._row)

    def _match(self) -> None:
        events, holdings, portfolio = self._events, self._state.holdings, self._state.portfolio
        ranked = portfolio["ranked"] == 1
        if portfolio["rebalance"] or ranked:
            for i, bar in events:
                if holdings[i]["working"]:
                    self._match_phase(i, bar, OPENS, CLOSING)
        if ranked:
            self._match_ranked()
        for i, bar in events:
            if holdings[i]["working"]:
                self._match_phase(i, bar, OPENS)
        self._match_prices()

    def _match_prices(self) -> None:
        """Match stops and limits: at the open, inside the bar, and in the part after entries inside it."""
        holdings, events = self._state.holdings, self._events
        for inside in (0, 1):
            for phase in (STOPS, LIMITS):
                for i, bar in events:
                    holdings[i]["inside"] = inside
                    self._match_phase(i, bar, phase)
                    holdings[i]["inside"] = 0
        for phase in (STOPS, LIMITS):
            for i, bar in events:
                if entered_inside(self._state.portfolios, holdings, i, bar):
                    self._match_after(i, bar, phase)

    def _match_ranked(self) -> None:
        """Ask for entries at the open, the instrument of the highest rank first."""
        state, (first_event, instrument, bars, *_) = self._state, self._state.timeline
        span = (int(first_event[self._row]), int(first_event[self._row + 1]))
        while True:
            arrays = (state.portfolios, state.holdings, state.market, state.timeline)
            event = next_ranked(*arrays, *span, self._row)
            if event < 0:
                return
            self._match_phase(int(instrument[event]), int(bars[event]), OPENS)

    def _match_phase(self, i: int, bar: int, phase: int, part: int = ANY) -> None:
        state = self._state
        holding = state.holdings[i]
        k = next_slot(state.holdings, i, bar, phase, part, -1)
        while k >= 0:
            order = holding["slots"][k]
            number, touched = int(order["id"]), phase == STOPS and order["kind"] == STOP_LIMIT
            price = self._matcher.match(self._query(holding, i, bar, phase, k))
            if price is not None and touched:
                touch_slot(state.holdings, i, k, bar, price)
            elif price is not None:
                arrays = (state.portfolios, state.holdings, state.rules, state.market)
                fill_slot(*arrays, i, k, bar, price)
            k = next_slot(state.holdings, i, bar, phase, part, number)

    def _match_after(self, i: int, bar: int, phase: int) -> None:
        """Match stops, or targets, of an entry inside the bar, in the part that certainly came after it."""
        state = self._state
        holding = state.holdings[i]
        open_, high, low, close = after_entry_of(state.holdings, i, bar, *self._prices(holding, bar))
        k = armed_slot(state.holdings, i, bar, phase, -1)
        while k >= 0:
            order = holding["slots"][k]
            number, lots = int(order["id"]), int(order["lots"] - order["filled"])
            side, level = int(order["side"]), float(order["price"])
            asked = WorkingOrder(number, i, bar, phase, side, lots, level, open_, high, low, close, whole_bar=False)
            price = self._matcher.match(asked)
            if price is not None:
                fill_slot(state.portfolios, state.holdings, state.rules, state.market, i, k, bar, price)
            k = armed_slot(state.holdings, i, bar, phase, number)

    def _prices(self, holding: Record, bar: int) -> tuple[float, float, float, float]:
        row, market = holding["start"] + bar, self._state.market
        return float(market.open[row]), float(market.high[row]), float(market.low[row]), float(market.close[row])

    def _query(self, holding: Record, i: int, bar: int, phase: int, k: int) -> WorkingOrder:
        order = holding["slots"][k]
        open_, high, low, close = self._prices(holding, bar)
        price = float(order["price"])
        whole = phase == OPENS or bool(holding["inside"])
        if holding["ask_offset"] or holding["bid_offset"]:
            whole_bar = open_, high, low, close
            open_, high, low, close = (quoted(holding, int(order["side"]), each) for each in whole_bar)
        if not whole:
            high = low = close = open_
        if phase == LIMITS and order["kind"] == STOP_LIMIT:
            price = float(order["limit"])
            at = float(holding["touch_price"][k])
            if order["touched_bar"] == bar and at != open_:
                open_, high, low, whole = at, max(at, close), min(at, close), False
        lots = int(order["lots"] - order["filled"])
        number, side = int(order["id"]), int(order["side"])
        whole = whole and not (holding["ask_offset"] or holding["bid_offset"])
        return WorkingOrder(number, i, bar, phase, side, lots, price, open_, high, low, close, whole)
