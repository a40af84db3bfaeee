"""The check before an order goes to a broker: what the account can't carry is cut or refused while it still can be.

1. Orders that close positions at the market count as filled at their instruments' latest prices.
2. Entries at work keep what they would take from those that come after them, in the order of their numbers.
3. A new entry gets what the simulated venue would let it have: by cash, caps and the instrument's minimum.
The reference price is the latest close for a market order, else its limit, or the trigger of a stop.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from quantcrafter.engine.simulation.costs import fill_costs
from quantcrafter.engine.simulation.matching import entry_limit
from quantcrafter.engine.simulation.orders import retire, slot_of
from quantcrafter.engine.simulation.primitives import to_quantity
from quantcrafter.engine.simulation.records import LIMITS, OPENS, REJECTED, STOP_LIMIT, Record, Table
from quantcrafter.engine.simulation.state import State
from quantcrafter.engine.simulation.worth import margin_of, worth


def check_new_entries(state: State, first: int) -> None:
    """Cut or refuse the entries numbered `first` and higher that the account can't carry."""
    desk, books = state.desk, state.books
    with _when_closed(desk, books):
        for number, i in sorted(_entries(books)):
            book = books[i]
            k = int(slot_of(book, number))
            bar = int(book["bars"]) - 1
            lots, price = _left(book, k), _reference(book, k, float(state.market.close[book["start"] + bar]))
            if number >= first:
                lots, why = entry_limit(desk, books, i, k, bar, lots, price)
                if lots == 0:
                    retire(desk, book, k, bar, REJECTED, why)
                    continue
                book["slots"][k]["lots"] = lots
            desk["cash"] -= _taken(desk, book, k, lots, price)


def _entries(books: Table) -> Iterator[tuple[int, int]]:
    """Yield number and instrument of every order at work that may open a position."""
    for i, working in enumerate(books["working"].tolist()):
        for k in range(working):
            if books[i]["opens"][k] == 1:
                yield int(books[i]["slots"][k]["id"]), i


def _left(book: Record, k: int) -> int:
    return int(book["slots"][k]["lots"] - book["slots"][k]["filled"])


def _reference(book: Record, k: int, close: float) -> float:
    order = book["slots"][k]
    if book["phase"][k] == OPENS:
        return close
    by_limit = order["kind"] == STOP_LIMIT and book["phase"][k] == LIMITS
    price = float(order["limit"] if by_limit else order["price"])
    return close if math.isnan(price) else price


def _taken(desk: Record, book: Record, k: int, lots: int, price: float) -> float:
    """Return margin and costs of an entry of so many lots."""
    quantity, commission, slippage = fill_costs(desk, book, k, lots, price)
    margin = margin_of(book, quantity, price, book["initial_margin"], book["unit_margin"])
    return float(margin + commission + slippage)


@contextmanager
def _when_closed(desk: Record, books: Table) -> Iterator[None]:
    """Let cash and positions be as after the market orders at work that close positions, and put them back."""
    cash = float(desk["cash"])
    held = [(int(book["lots"]), float(book["quantity"])) for book in books]
    try:
        for book in books:
            for k in range(int(book["working"])):
                if book["opens"][k] == 0 and book["phase"][k] == OPENS:
                    _close(desk, book, _left(book, k))
        yield
    finally:
        desk["cash"] = cash
        for book, (lots, quantity) in zip(books, held, strict=True):
            book["lots"], book["quantity"] = lots, quantity


def _close(desk: Record, book: Record, lots: int) -> None:
    before, held = worth(book, book["mark"]), int(book["lots"])
    book["lots"] = max(held - lots, 0) if held > 0 else min(held + lots, 0)
    book["quantity"] = to_quantity(book["lots"], book["lot_size"], book["lot_inverse"])
    desk["cash"] += before - worth(book, book["mark"])
