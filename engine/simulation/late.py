"""Books fills that a broker reports: of an open order, or of one that has already ended."""

from __future__ import annotations

import math

import numpy as np

from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import ORDER_DTYPE, OrderKind, OrderStatus, Reason
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_state import OrderState, TrackedOrder
from quantcrafter.engine.simulation.costs import order_charge
from quantcrafter.engine.simulation.fills import apply_fill
from quantcrafter.engine.simulation.orders import drop_slot, slot_of
from quantcrafter.engine.simulation.primitives import to_quantity
from quantcrafter.engine.simulation.records import ENTRY, NONE, SCALE_IN, WORKING_SLOTS, Record, Table
from quantcrafter.engine.simulation.state import SimulationState

_STATUS = {
    OrderState.FILLED: OrderStatus.FILLED,
    OrderState.REJECTED: OrderStatus.REJECTED,
    OrderState.DENIED: OrderStatus.REJECTED,
}
"""The recorded status of ended orders; all others were cancelled."""


def book_report(
    state: SimulationState,
    number: int,
    bar: int,
    lots: int,
    price: float,
    fee: float | None,
    ended: Record | None = None,
) -> None:
    """Book that `lots` of the order with that number traded at `price`, whether it is still open or not.

    `bar` is the current or latest bar of its instrument; `fee` is in the account's currency, None for the run's own
    terms. `ended` is the row of an order that has ended and is no longer among the written ones (see `row_of`).

    Raises:
        RunError: there is no such order, or no room for it.
    """
    paid = math.nan if fee is None else fee
    for i, holding in enumerate(state.holdings):
        k = slot_of(holding, number)
        if k >= 0:
            apply_fill(state.portfolio, state.holdings, state.rules, state.market, i, k, bar, lots, price, paid)
            return
    _book_late(state, number, bar, lots, price, paid, ended)


def row_of(state: SimulationState, instrument: int, order: TrackedOrder) -> Record:
    """Return the row of an order that has ended, from its reports; its fill is not yet included."""
    row: Record = np.zeros(1, ORDER_DTYPE)[0]
    bar = state.holdings[instrument]["bars"] - 1
    row["id"], row["instrument"], row["rule"], row["level"] = order.order.number, instrument, NONE, NONE
    row["parent"] = NONE if order.submit.parent is None else order.submit.parent.number
    row["created_bar"], row["closed_bar"], row["expires"], row["touched_bar"] = bar, bar, NONE, NONE
    row["lots"], row["filled"], row["side"] = order.lots, order.filled, 1 if order.submit.side == "buy" else -1
    row["kind"] = OrderKind[order.submit.kind.upper()]
    row["price"] = math.nan if order.price is None else order.price
    row["limit"] = math.nan if order.limit is None else order.limit
    row["fill_price"] = order.fills[-1].price if order.fills else math.nan
    row["status"] = _STATUS.get(order.state, OrderStatus.CANCELLED)
    row["execution"] = order.submit.execution
    row["reason"] = Reason[order.submit.reason.upper()] if order.submit.reason else Reason.ENTRY
    return row


def _book_late(
    state: SimulationState, number: int, bar: int, lots: int, price: float, fee: float, ended: Record | None
) -> None:
    """Book a fill of an order that has ended, and add the fill to the row of the order.

    Meanwhile, the order has a slot again, as one that may open and never ends, so that nothing ends it a second time. A
    position that it opens is protected with the values of the latest bar, because older ones may have been dropped.
    """
    state.harvest()
    page = _page_of(state, number)
    row = ended if page is None else _rows(page)[_rows(page)["id"] == number][0].copy()
    if row is None:
        raise RunError(
            Message(
                "There is no order {number}, of which a fill is reported. Compare the orders with the broker's.",
                number=number,
            )
        )
    i = int(row["instrument"])
    holding = state.holdings[i]
    k = int(holding["working"])
    if k == WORKING_SLOTS:
        raise RunError(
            Message("Order {number} filled late, and {k} orders are at work. Cancel some.", number=number, k=k)
        )
    order = holding["slots"][k]
    holding["slots"][k] = row
    order["lots"], order["rule"] = row["filled"] + lots + 1, NONE
    if row["reason"] == SCALE_IN:
        order["reason"] = ENTRY
    state.portfolio["at_work"] += 1
    holding["working"], holding["opens"][k] = k + 1, 1
    holding["from_bar"][k], holding["decided"][k], holding["day_bar"][k] = bar, min(bar, int(holding["bars"]) - 1), NONE
    holding["value"][k], holding["charged"][k] = _filled_before(state, holding, row)
    by_unit = row["rule"] >= 0 and state.rules[row["rule"]]["unit"] == 1
    holding["unit"][k] = row["parent"] if by_unit else NONE
    apply_fill(state.portfolio, state.holdings, state.rules, state.market, i, k, bar, lots, price, fee)
    drop_slot(state.portfolio, holding, slot_of(holding, number))
    row["filled"] += lots
    row["lots"] = max(row["lots"], row["filled"])
    row["fill_price"] = price
    if page is None:
        state.portfolio["order_rows"][state.portfolio["orders"]] = row
        state.portfolio["orders"] += 1
        return
    page["orders"] = page["orders"].copy()
    _rows(page)[_rows(page)["id"] == number] = row


def _rows(page: dict[str, Table]) -> Table:
    return page["orders"].view(ORDER_DTYPE)


def _page_of(state: SimulationState, number: int) -> dict[str, Table] | None:
    """Copy the page with the order, because snapshots share pages, and return the copy; None if there is none."""
    for position, page in enumerate(state.pages):
        if (_rows(page)["id"] == number).any():
            state.pages[position] = dict(page)
            return state.pages[position]
    return None


def _filled_before(state: SimulationState, holding: Record, row: Record) -> tuple[float, float]:
    """Return the value and the costs of the fills of an order, in the instrument's currency.

    If they are no longer among the written ones, they count as if all had filled at the last price with the run's
    terms.
    """
    value = charged = 0.0
    filled = 0
    for page in state.pages:
        fills = page["fills"].view(state.portfolio["fill_rows"].dtype)
        for fill in fills[fills["order_id"] == row["id"]]:
            points = to_quantity(int(fill["lots"]), holding["lot_size"], holding["lot_inverse"]) * holding["multiplier"]
            value += float(points * abs(fill["price"]))
            charged += float(fill["commission"] / fill["rate"])
            filled += int(fill["lots"])
    if filled < row["filled"]:
        quantity = to_quantity(int(row["filled"]), holding["lot_size"], holding["lot_inverse"])
        value = float(quantity * holding["multiplier"] * abs(row["fill_price"]))
        charged = order_charge(
            state.portfolio, holding, int(row["kind"]), int(row["side"]), int(row["filled"]), quantity, value
        )
    return value, charged
