"""Booking what a broker reports: a fill of an order that works, or of one that has left work already."""

from __future__ import annotations

import math

from engine.api.errors import RunError
from engine.simulation.fills import apply_fill
from engine.simulation.orders import drop_slot, slot_of
from engine.simulation.records import ENTRY, NONE, SCALE_IN, WORKING_SLOTS, Record, Table
from engine.simulation.state import State


def book_report(state: State, number: int, bar: int, lots: int, price: float, fee: float | None) -> None:
    """Book that `lots` of the order with that number traded at `price`, whether it still works or not.

    `bar` is the latest bar of its instrument; `fee` is in the account's currency, None for the run's own terms.

    Raises:
        RunError: there is no such order, or no room for it.
    """
    paid = math.nan if fee is None else fee
    for i, book in enumerate(state.books):
        k = slot_of(book, number)
        if k >= 0:
            apply_fill(state.desk, state.books, state.rules, state.market.columns, i, k, bar, lots, price, paid)
            return
    _book_late(state, number, bar, lots, price, paid)


def _book_late(state: State, number: int, bar: int, lots: int, price: float, fee: float) -> None:
    """Book a fill of an order that has left work, and add the fill to what is written of the order.

    For as long as that takes the order has a slot again, as one that may open and is never done, so that nothing ends
    it a second time.
    """
    state.harvest()
    page, row = _written(state, number)
    i = int(row["instrument"])
    book = state.books[i]
    k = int(book["working"])
    if k == WORKING_SLOTS:
        raise RunError(f"Order {number} filled late, and {k} orders are at work. Cancel some.")
    order = book["slots"][k]
    book["slots"][k] = row
    order["lots"], order["rule"] = row["filled"] + lots + 1, NONE
    if row["reason"] == SCALE_IN:
        order["reason"] = ENTRY
    state.desk["at_work"] += 1
    book["working"], book["opens"][k] = k + 1, 1
    book["from_bar"][k], book["decided"][k] = bar, row["created_bar"]
    book["value"][k], book["charged"][k] = _filled_before(state, book, number)
    apply_fill(state.desk, state.books, state.rules, state.market.columns, i, k, bar, lots, price, fee)
    drop_slot(state.desk, book, slot_of(book, number))
    row["filled"] += lots
    row["fill_price"] = price
    page["orders"] = page["orders"].copy()
    orders = page["orders"].view(row.dtype)
    orders[orders["id"] == number] = row


def _written(state: State, number: int) -> tuple[dict[str, Table], Record]:
    """Return a page of its own, in place of the one that holds the order, and a copy of the order's row.

    Snapshots share pages, so that the old one must stay as it is.
    """
    for position, page in enumerate(state.pages):
        orders = page["orders"].view(state.desk["order_rows"].dtype)
        found = orders[orders["id"] == number]
        if len(found):
            state.pages[position] = dict(page)
            return state.pages[position], found[0].copy()
    raise RunError(f"There is no order {number}, of which a fill is reported. Compare the orders with the broker's.")


def _filled_before(state: State, book: Record, number: int) -> tuple[float, float]:
    """Return what the fills of an order were worth and what they were charged, in the instrument's currency."""
    value = charged = 0.0
    for page in state.pages:
        fills = page["fills"].view(state.desk["fill_rows"].dtype)
        for fill in fills[fills["order_id"] == number]:
            value += float(fill["lots"] * book["lot_size"] * fill["price"])
            charged += float(fill["commission"] / fill["rate"])
    return value, charged
