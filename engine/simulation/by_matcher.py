"""Fills by a matcher of another engine, which is called for one order at a time, in the order of the bar standard."""

from __future__ import annotations

import math
from collections.abc import Callable

from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.simulation.kernel import begin_days_of, has_room_for, open_step, reach_close, settle
from quantcrafter.engine.simulation.matcher import Matcher, WorkingOrder
from quantcrafter.engine.simulation.matching import (
    after_entry_of,
    armed_slot,
    brought_slot,
    closes_at,
    entered_inside,
    fill_slot,
    next_slot,
    on_way_slot,
    reached_stop,
    rest_on_way_of,
    touch_slot,
    unit_stop_slot,
)
from quantcrafter.engine.simulation.opposing import earlier_slot, nearer_slot, partner_slot, put_off_slot
from quantcrafter.engine.simulation.orders import slot_of
from quantcrafter.engine.simulation.pair_fills import due_legs, fill_pair
from quantcrafter.engine.simulation.quotes import quoted
from quantcrafter.engine.simulation.ranking import next_ranked
from quantcrafter.engine.simulation.records import ANY, CLOSES, CLOSING, LIMITS, OPENS, STOP_LIMIT, STOPS, Record
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
        if state.portfolio["at_close"]:
            reach_close(state.portfolios, state.holdings, state.market, state.timeline, self._row)
            self._match_closes()
        settle(state.portfolios, state.holdings, state.market, state.timeline, state.curve, self._row)

    def _match(self) -> None:
        events, holdings, portfolio = self._events, self._state.holdings, self._state.portfolio
        ranked = portfolio["ranked"] == 1
        if portfolio["paired"]:
            self._match_pairs()
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
                    if inside and phase == STOPS and holdings[i]["placed"] > 0:
                        self._match_on_way(i, bar)
                    self._match_phase(i, bar, phase)
                    holdings[i]["inside"] = 0
        for phase in (STOPS, LIMITS) * (2 if self._state.portfolio["opposing"] else 1):
            for i, bar in events:
                if entered_inside(self._state.portfolios, holdings, i, bar):
                    self._match_after(i, bar, phase)

    def _match_closes(self) -> None:
        """Match orders at the close: by instrument, or with ranks exits first and then entries by rank."""
        holdings, ranked = self._state.holdings, self._state.portfolio["ranked"] == 1
        for i, bar in self._events:
            self._match_close(i, bar, CLOSING if ranked else ANY)
        if ranked:
            self._match_ranked(CLOSES)
        for i, _ in self._events:
            holdings[i]["inside"] = 0

    def _match_close(self, i: int, bar: int, part: int) -> None:
        holding = self._state.holdings[i]
        if closes_at(self._state.portfolio, holding, bar):
            part = CLOSING
        holding["inside"] = 1
        self._match_phase(i, bar, CLOSES, part)
        holding["inside"] = 0

    def _match_pairs(self) -> None:
        """Ask for the orders of pairs whose legs both have a bar: both fill, or neither."""
        state, portfolio = self._state, self._state.portfolio
        for e in range(int(portfolio["execution_count"])):
            if not portfolio["executions"][e]["pair"]:
                continue
            for opens in (0, 1):
                legs = due_legs(portfolio, state.holdings, state.market, state.timeline, self._row, e, opens)
                if legs.slot < 0:
                    continue
                price = self._asked(legs.first, legs.bar, legs.slot)
                second = self._asked(legs.second, legs.second_bar, legs.second_slot)
                if price is not None and second is not None:
                    legs = legs._replace(price=price, second_price=second)
                    fill_pair(portfolio, state.holdings, state.rules, state.market, legs)

    def _asked(self, i: int, bar: int, k: int) -> float | None:
        return self._matcher.match(self._query(self._state.holdings[i], i, bar, OPENS, k))

    def _match_ranked(self, phase: int = OPENS) -> None:
        """Ask for entries at the open or close, the instrument of the highest rank first."""
        state, (first_event, instrument, bars, *_) = self._state, self._state.timeline
        span = (int(first_event[self._row]), int(first_event[self._row + 1]))
        while True:
            arrays = (state.portfolios, state.holdings, state.market, state.timeline)
            event = next_ranked(*arrays, *span, self._row, phase)
            if event < 0:
                return
            if phase == CLOSES:
                self._match_close(int(instrument[event]), int(bars[event]), ANY)
            else:
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
            elif price is not None and not self._is_put_off(i, bar, phase, k, price):
                self._fill(i, bar, phase, k, bar, lambda slot: self._query(holding, i, bar, phase, slot), price)
            k = next_slot(state.holdings, i, bar, phase, part, number)

    def _reached(self, order: WorkingOrder) -> float:
        """Return the price of an order that the price reaches before another one that fills; so it fills as well."""
        price = self._matcher.match(order)
        if price is None:
            raise RunError(
                Message(
                    "The engine fills an order at {price}, but not the one nearer to the price. Use another engine.",
                    price=order.price,
                )
            )
        return price

    def _is_put_off(self, i: int, bar: int, phase: int, k: int, price: float) -> bool:
        """Return whether the entry on the other side, which the bar also reaches, comes before the one in slot `k`."""
        state = self._state
        holding = state.holdings[i]
        j = partner_slot(state.holdings, i, k, phase, bar) if state.portfolio["opposing"] else -1
        if j < 0:
            return False
        other = self._matcher.match(self._query(holding, i, bar, phase, j))
        if other is None:
            return False
        close, side = self._prices(holding, bar)[3], int(holding["slots"][k]["side"])
        closes = quoted(holding, side, close), quoted(holding, -side, close)
        return put_off_slot(state.portfolios, state.holdings, i, k, j, bar, (price, other), closes)

    def _fill(
        self, i: int, bar: int, phase: int, k: int, active: int, asked: Callable[[int], WorkingOrder], price: float
    ) -> None:
        """Fill an order at `price`; when positions may be reversed, what the price reaches before it comes first.

        That are orders that are active from the bar `active` on at the latest; `asked` is what the matcher is asked.
        """
        state = self._state
        holding, arrays = state.holdings[i], (state.portfolios, state.holdings, state.rules, state.market)
        if state.portfolio["opposing"] and phase in (STOPS, LIMITS):
            earlier = earlier_slot(state.holdings, i, k, phase, active)
            if earlier != k:
                k, price = earlier, self._reached(asked(earlier))
            number, held = int(holding["slots"][k]["id"]), 0
            j = nearer_slot(state.holdings, i, k, phase, active)
            while j >= 0 and holding["lots"] != held:
                held = int(holding["lots"])
                fill_slot(*arrays, i, j, bar, self._reached(asked(j)))
                k = int(slot_of(holding, number))
                j = nearer_slot(state.holdings, i, k, phase, active)
        fill_slot(*arrays, i, k, bar, price)

    def _match_after(self, i: int, bar: int, phase: int) -> None:
        """Match stops, or limits, of an entry inside the bar, in the part that certainly came after it."""
        state = self._state
        holding = state.holdings[i]
        first, highest, lowest, close = after_entry_of(state.holdings, i, bar, *self._prices(holding, bar))

        def asked(slot: int) -> WorkingOrder:
            order = holding["slots"][slot]
            lots, side, level = int(order["lots"] - order["filled"]), int(order["side"]), float(order["price"])
            return WorkingOrder(
                int(order["id"]), i, bar, phase, side, lots, level, first, highest, lowest, close, False
            )

        k = armed_slot(state.holdings, i, bar, phase, -1)
        while k >= 0:
            number = int(holding["slots"][k]["id"])
            price = self._matcher.match(asked(k))
            if price is not None:
                way = int(holding["inside_way"])
                if state.portfolio["opposing"]:
                    holding["inside"], holding["inside_way"] = 1, 0
                self._fill(i, bar, phase, k, bar + 1, asked, price)
                holding["inside"] = 0
                holding["inside_way"] = holding["inside_way"] or way
                if holding["lots"] == 0:
                    return
                first, highest, lowest, close = after_entry_of(state.holdings, i, bar, *self._prices(holding, bar))
            k = armed_slot(state.holdings, i, bar, phase, number)

    def _match_on_way(self, i: int, bar: int) -> None:
        """Match further entries that come before a stop which the bar touches, and then the stops they brought."""
        state, after, reached, walks, grown = self._state, -1, math.nan, 0, False
        holding, arrays = state.holdings[i], (state.portfolios, state.holdings, state.rules, state.market)
        prices = self._prices(holding, bar)
        while True:
            k = on_way_slot(state.portfolios, state.holdings, i, bar, after, prices)
            if k >= 0:
                after, phase, grown = int(holding["slots"][k]["id"]), int(holding["phase"][k]), True
                if phase == LIMITS:
                    walks = 1
                elif math.isnan(reached):
                    reached = reached_stop(state.portfolios, state.holdings, i, bar, prices)
                price = self._matcher.match(self._query(holding, i, bar, phase, k))
                if price is not None:
                    fill_slot(*arrays, i, k, bar, price)
                continue
            k = unit_stop_slot(state.portfolios, state.holdings, i, bar, after, walks, prices)
            if k < 0:
                break
            walks = 1
            if not self._fill_unit_stop(i, bar, k, reached):
                break
        if grown:
            self._match_brought(i, bar, reached)

    def _match_brought(self, i: int, bar: int, reached: float) -> None:
        """Match the stops that further entries of this bar have brought."""
        state = self._state
        holding = state.holdings[i]
        k = brought_slot(state.portfolios, state.holdings, i, bar, -1)
        while k >= 0:
            number = int(holding["slots"][k]["id"])
            price = self._matcher.match(self._brought(i, bar, k, reached))
            if price is not None:
                fill_slot(state.portfolios, state.holdings, state.rules, state.market, i, k, bar, price)
            k = brought_slot(state.portfolios, state.holdings, i, bar, number)

    def _fill_unit_stop(self, i: int, bar: int, k: int, reached: float) -> bool:
        """Ask for the stop of a unit on the way to further entries, and return whether the price goes on from there."""
        state = self._state
        holding = state.holdings[i]
        number, is_old = int(holding["slots"][k]["id"]), holding["from_bar"][k] <= bar
        price = self._matcher.match(
            self._query(holding, i, bar, STOPS, k) if is_old else self._brought(i, bar, k, reached)
        )
        if price is None:
            return False
        fill_slot(state.portfolios, state.holdings, state.rules, state.market, i, k, bar, price)
        k = int(slot_of(holding, number))
        return bool(k < 0 or holding["phase"][k] != STOPS)

    def _brought(self, i: int, bar: int, k: int, reached: float) -> WorkingOrder:
        """Return what the matcher is asked of a stop that a further entry of this bar has brought."""
        holding = self._state.holdings[i]
        order, prices = holding["slots"][k], self._prices(holding, bar)
        level, first, highest, lowest = rest_on_way_of(self._state.holdings, i, k, reached, prices)
        number, lots, side = int(order["id"]), int(order["lots"] - order["filled"]), int(order["side"])
        last = min(max(prices[3], lowest), highest)
        return WorkingOrder(number, i, bar, STOPS, side, lots, level, first, highest, lowest, last, False)

    def _prices(self, holding: Record, bar: int) -> tuple[float, float, float, float]:
        row, market = holding["start"] + bar, self._state.market
        return float(market.open[row]), float(market.high[row]), float(market.low[row]), float(market.close[row])

    def _query(self, holding: Record, i: int, bar: int, phase: int, k: int) -> WorkingOrder:
        order = holding["slots"][k]
        open_, high, low, close = self._prices(holding, bar)
        price = float(order["price"])
        if phase == CLOSES:
            side, number = int(order["side"]), int(order["id"])
            at = quoted(holding, side, close)
            lots = int(order["lots"] - order["filled"])
            return WorkingOrder(number, i, bar, OPENS, side, lots, price, at, at, at, at, whole_bar=False)
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
