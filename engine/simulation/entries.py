"""Entry orders: their price, their life, and their changes while they wait. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.opposing import let_reverse, reverses
from quantcrafter.engine.simulation.orders import add_order, retire
from quantcrafter.engine.simulation.primitives import is_price
from quantcrafter.engine.simulation.protection import stop_distance
from quantcrafter.engine.simulation.records import (
    BARS,
    CANCELLED,
    DAY,
    DAY_BEGINS,
    DAY_ENDS,
    ENTRY,
    EXPIRED,
    LIMIT,
    LONG,
    NO_SIZE,
    REPLACED,
    REVERSAL,
    SHORT,
    STOP_LIMIT,
    MarketArrays,
    Record,
    Table,
)
from quantcrafter.engine.simulation.sizing import entry_lots
from quantcrafter.engine.simulation.ticks import lowest_tick, on_tick, tick_at


@jit
def steps_of(holding: Record, price: float, ticks: float, pips: float) -> float:
    """Return a number of ticks at a price and of pips as a difference of prices."""
    return float(ticks * tick_at(holding, price, 0) + pips * holding["pip_size"])


@jit
def offset_distance(
    terms: Record, market: MarketArrays, row: int, price: float, percent: float, steps: float, multiple: float
) -> float:
    """Return price x percent / 100 + steps + multiple x range at `row`; NaN while the range is unknown."""
    distance = abs(price) * percent / 100.0 + steps
    if multiple != 0.0:
        distance += multiple * market.columns[terms["atr"], row]
    return float(distance)


@jit
def entry_price(terms: Record, holding: Record, market: MarketArrays, row: int, side: int) -> float:
    """Return trigger or limit of a waiting entry that is decided at `row`; NaN when it is not known."""
    line = terms["short_line"] if side < 0 and terms["short_line"] >= 0 else terms["line"]
    base = market.columns[line, row] if line >= 0 else market.close[row]
    steps = steps_of(holding, base, terms["entry_ticks"], terms["entry_pips"])
    distance = offset_distance(terms, market, row, base, terms["entry_percent"], steps, terms["entry_multiple"])
    away = -side if terms["entry_kind"] == LIMIT else side
    price = on_tick(holding, base + away * distance, 1.0)
    return price if is_price(price, holding["contract"]) else math.nan


@jit
def limit_beyond(terms: Record, holding: Record, market: MarketArrays, row: int, side: int, trigger: float) -> float:
    """Return the limit of a stop-limit with that trigger, at least one tick; NaN when its distance is not known."""
    steps = steps_of(holding, trigger, terms["limit_ticks"], terms["limit_pips"])
    distance = offset_distance(terms, market, row, trigger, terms["limit_percent"], steps, terms["limit_multiple"])
    limit = on_tick(holding, trigger + side * distance, 1.0)
    return limit if not limit <= 0.0 or holding["contract"] == 1.0 else lowest_tick(holding)


@jit
def price_to_wait_for(terms: Record, holding: Record, market: MarketArrays, row: int, side: int) -> float:
    """Return `entry_price`, or NaN also where the limit of a stop-limit is not known."""
    price = entry_price(terms, holding, market, row, side)
    if terms["entry_kind"] == STOP_LIMIT and math.isnan(limit_beyond(terms, holding, market, row, side, price)):
        return math.nan
    return float(price)


@jit
def lots_at(
    portfolio: Record,
    holding: Record,
    rules: Table,
    market: MarketArrays,
    decided: int,
    side: int,
    price: float,
    equity: float,
) -> tuple[int, int]:
    """Return the lots of an entry at `price`, or 0 and why there is none.

    Distances and the money rule's column have the values of the bar `decided`, which also protect the position.
    """
    row = holding["start"] + decided
    distance = stop_distance(rules, market, holding, row, price, side)
    return entry_lots(portfolio, holding, price, equity, distance, size_value(portfolio, holding, market, row))


@jit
def size_value(portfolio: Record, holding: Record, market: MarketArrays, row: int) -> float:
    """Return the value of the money rule's column; 0 where it has none."""
    column = portfolio["executions"][holding["execution"]]["size_column"]
    return float(market.columns[column, row]) if column >= 0 else 0.0


@jit
def last_bar(terms: Record, bar: int) -> int:
    """Return the last bar at which an order made on the close of `bar` may fill, or -1 if it is not limited."""
    return int(bar + terms["life_bars"]) if terms["life"] == BARS else -1


@jit
def place_entry(
    portfolio: Record, holding: Record, market: MarketArrays, bar: int, side: int, lots: int, price: float, expires: int
) -> int:
    """Put a waiting entry of the rule's kind to work and return its slot."""
    terms = portfolio["executions"][holding["execution"]]
    kind = terms["entry_kind"]
    k = add_order(portfolio, holding, bar, kind, side, lots, ENTRY)
    order = holding["slots"][k]
    order["price"] = price
    order["expires"] = expires
    if terms["life"] == DAY:
        holding["day_bar"][k] = bar + 1
    if kind == STOP_LIMIT:
        order["limit"] = limit_beyond(terms, holding, market, holding["start"] + bar, side, price)
    return k


@jit
def waiting_entry(holding: Record, side: int) -> int:
    """Return the slot of an open entry order on that side, or -1."""
    for k in range(holding["working"]):
        order = holding["slots"][k]
        if order["reason"] in (ENTRY, REVERSAL) and order["side"] == side:
            return k
    return -1


@jit
def replace_entry(
    portfolio: Record,
    holding: Record,
    rules: Table,
    market: MarketArrays,
    k: int,
    bar: int,
    price: float,
    equity: float,
) -> None:
    """Cancel a waiting entry and create it again at another price, with the rest of its life.

    It is sized for the new price, with the distances of its signal's bar. If it can no longer be sized or protected, it
    ends; the rest of a partly filled order keeps its lots.
    """
    order = holding["slots"][k]
    side, lots, expires = int(order["side"]), order["lots"] - order["filled"], order["expires"]
    decided, day_bar, reversing = holding["decided"][k], holding["day_bar"][k], reverses(holding, k)
    if reversing:
        lots -= abs(holding["lots"])
    if order["filled"] == 0:
        lots, _ = lots_at(portfolio, holding, rules, market, decided, side, price, equity)
    retire(portfolio, holding, k, bar, CANCELLED, REPLACED if lots > 0 else NO_SIZE)
    if lots > 0:
        k = place_entry(portfolio, holding, market, bar, side, lots, price, expires)
        holding["decided"][k], holding["day_bar"][k] = decided, day_bar
        if reversing:
            let_reverse(holding, k)


@jit
def expire_orders(portfolio: Record, holding: Record, market: MarketArrays, bar: int) -> None:
    """End orders whose time is over at a close: their number of bars, or the session of their day."""
    if len(market.day_edge) > 0 and (market.day_edge[holding["start"] + bar] & DAY_ENDS) != 0:
        end_day(portfolio, holding, bar)
    for k in range(holding["working"] - 1, -1, -1):
        if 0 <= holding["slots"][k]["expires"] <= bar:
            retire(portfolio, holding, k, bar, CANCELLED, EXPIRED)


@jit
def end_day(portfolio: Record, holding: Record, bar: int) -> None:
    """End day orders because `bar` was the last one of the day."""
    for k in range(holding["working"] - 1, -1, -1):
        if 0 <= holding["day_bar"][k] <= bar:
            holding["slots"][k]["expires"] = bar
            retire(portfolio, holding, k, bar, CANCELLED, EXPIRED)


@jit
def begin_day_bar(portfolio: Record, holding: Record, market: MarketArrays, bar: int) -> None:
    """End orders that were good for a day whose last bars are missing: the first bar of another one has come."""
    if holding["working"] > 0 and (market.day_edge[holding["start"] + bar] & DAY_BEGINS) != 0:
        end_day(portfolio, holding, bar - 1)


@rare
def follow_line(
    portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, equity: float
) -> None:
    """Let waiting entries follow their lines while the lines have a value."""
    for side in (LONG, SHORT):
        k = waiting_entry(holding, side)
        if k >= 0:
            follow_entry(portfolio, holding, rules, market, k, bar, equity)


@jit
def follow_entry(
    portfolio: Record, holding: Record, rules: Table, market: MarketArrays, k: int, bar: int, equity: float
) -> None:
    """Let one waiting entry follow its line."""
    # After a late fill, the position may belong to another execution.
    owner, holding["execution"] = holding["execution"], holding["slots"][k]["execution"]
    terms = portfolio["executions"][holding["execution"]]
    if terms["follow"] == 1 and holding["slots"][k]["touched_bar"] < 0:
        row, side = holding["start"] + bar, int(holding["slots"][k]["side"])
        price = price_to_wait_for(terms, holding, market, row, side)
        if not math.isnan(price) and price != holding["slots"][k]["price"]:
            replace_entry(portfolio, holding, rules, market, k, bar, price, equity)
    holding["execution"] = owner
