"""The check before an order is sent to a broker: entries that the account can't pay for are reduced or rejected.

1. Orders that close positions at the market count as filled at their instruments' latest prices.
2. Open entries reserve what they require, in the order of their numbers.
3. A new entry gets what the simulated venue would allow by cash, caps and the instrument's minimum. The reference price
   is the latest close for a market order, else its limit, or the trigger of a stop.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from quantcrafter.engine.simulation.costs import fill_costs
from quantcrafter.engine.simulation.matching import entry_limit
from quantcrafter.engine.simulation.opposing import reverses
from quantcrafter.engine.simulation.orders import retire, slot_of
from quantcrafter.engine.simulation.primitives import to_quantity
from quantcrafter.engine.simulation.records import CLOSES, LIMITS, OPENS, REJECTED, STOP_LIMIT, Record, Table
from quantcrafter.engine.simulation.state import SimulationState
from quantcrafter.engine.simulation.worth import margin_of, worth


def check_new_entries(state: SimulationState, first: int) -> None:
    """Cut or refuse the entries numbered `first` and higher that the account can't carry."""
    portfolio, holdings = state.portfolio, state.holdings
    with _when_closed(portfolio, holdings):
        for number, i in sorted(_entries(holdings)):
            holding = holdings[i]
            k = int(slot_of(holding, number))
            bar = int(holding["bars"]) - 1
            lots, price = _left(holding, k), _reference(holding, k, float(state.market.close[holding["start"] + bar]))
            held = abs(int(holding["lots"])) if reverses(holding, k) else 0
            with _when_reversed(portfolio, holding, held):
                lots -= held
                if number >= first:
                    lots, why = entry_limit(portfolio, holdings, i, k, bar, lots, price)
                    if lots == 0:
                        retire(portfolio, holding, k, bar, REJECTED, why)
                        continue
                    holding["slots"][k]["lots"] = lots + held
                taken = _taken(portfolio, holding, k, lots, price)
            portfolio["cash"] -= taken


def _entries(holdings: Table) -> Iterator[tuple[int, int]]:
    """Yield number and instrument of every open order that may open a position."""
    for i, working in enumerate(holdings["working"].tolist()):
        for k in range(working):
            if holdings[i]["opens"][k] == 1:
                yield int(holdings[i]["slots"][k]["id"]), i


def _left(holding: Record, k: int) -> int:
    return int(holding["slots"][k]["lots"] - holding["slots"][k]["filled"])


def _reference(holding: Record, k: int, close: float) -> float:
    order = holding["slots"][k]
    if holding["phase"][k] == OPENS:
        return close
    by_limit = order["kind"] == STOP_LIMIT and holding["phase"][k] == LIMITS
    price = float(order["limit"] if by_limit else order["price"])
    return close if math.isnan(price) else price


def _taken(portfolio: Record, holding: Record, k: int, lots: int, price: float) -> float:
    """Return margin and costs of an entry of so many lots."""
    quantity, commission, slippage = fill_costs(portfolio, holding, k, lots, price)
    margin = margin_of(holding, quantity, price, holding["initial_margin"], holding["unit_margin"])
    return float(margin + commission + slippage)


@contextmanager
def _when_reversed(portfolio: Record, holding: Record, held: int) -> Iterator[None]:
    """Set cash and position to the values after a reversing order has closed `held` lots, and restore them."""
    cash, before = float(portfolio["cash"]), (int(holding["lots"]), float(holding["quantity"]))
    try:
        if held:
            _close(portfolio, holding, held)
        yield
    finally:
        portfolio["cash"] = cash
        holding["lots"], holding["quantity"] = before


@contextmanager
def _when_closed(portfolio: Record, holdings: Table) -> Iterator[None]:
    """Set cash and positions to the values after the open market orders that close positions, and restore them."""
    cash = float(portfolio["cash"])
    held = [(int(holding["lots"]), float(holding["quantity"])) for holding in holdings]
    try:
        for holding in holdings:
            for k in range(int(holding["working"])):
                if holding["opens"][k] == 0 and holding["phase"][k] in (OPENS, CLOSES):
                    _close(portfolio, holding, _left(holding, k))
        yield
    finally:
        portfolio["cash"] = cash
        for holding, (lots, quantity) in zip(holdings, held, strict=True):
            holding["lots"], holding["quantity"] = lots, quantity


def _close(portfolio: Record, holding: Record, lots: int) -> None:
    before, held = worth(holding, holding["mark"]), int(holding["lots"])
    holding["lots"] = max(held - lots, 0) if held > 0 else min(held + lots, 0)
    holding["quantity"] = to_quantity(holding["lots"], holding["lot_size"], holding["lot_inverse"])
    portfolio["cash"] += before - worth(holding, holding["mark"])
