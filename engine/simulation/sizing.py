"""The size of an entry by the money rule, and the history of trades that some rules use. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.primitives import TOLERANCE, to_quantity, whole_lots
from quantcrafter.engine.simulation.records import (
    BLOCKED_DISTANCE,
    BLOCKED_EQUITY,
    BLOCKED_MINIMUM,
    BLOCKED_PRICE,
    BLOCKED_SIZE,
    BLOCKED_VOLATILITY,
    CASH,
    EQUITY_PERCENT,
    FIXED_RATIO,
    KELLY,
    LOTS,
    MARTINGALE,
    QUANTITY,
    RISK_PERCENT,
    VOLATILITY_TARGET,
    Record,
    Table,
)
from quantcrafter.engine.simulation.risk_records import HISTORY_RING
from quantcrafter.engine.simulation.worth import value_of


@jit
def kelly_percent(returns: Table, first: int, count: int) -> float:
    """Return Kelly's percentage, 100 x (W - (1 - W) / R), of `count` results of a ring, from number `first` on.

    The ring's length is a power of two.

    W is the part of results above zero; R the mean of those over the mean of the results below zero, its sign ignored.
    """
    wins, losses, gained, lost = 0, 0, 0.0, 0.0
    for k in range(count):
        result = returns[(first + k) & (len(returns) - 1)]
        if result > 0.0:
            wins += 1
            gained += result
        elif result < 0.0:
            losses += 1
            lost -= result
    if wins == 0:
        return -math.inf if losses > 0 else 0.0
    chance = wins / count
    if losses == 0:
        return 100.0 * chance
    return 100.0 * (chance - (1.0 - chance) * (lost / losses) / (gained / wins))


@jit
def bounded(value: float, least: float, most: float) -> float:
    """Return `value` within its bounds."""
    return min(max(value, least), most)


@jit
def streak_percent(start: float, factor: float, streak: int, most: float) -> float:
    """Return start x factor ^ streak, at most `most`; no streak is so long that it overflows."""
    percent = start
    for _ in range(streak):
        percent *= factor
        if percent >= most:
            break
    return min(percent, most)


@jit
def ratio_steps(profit: float, delta: float) -> float:
    """Return the n of fixed ratio: (1 + sqrt(1 + 8 x profit / delta)) / 2 rounded down, 1 without a profit."""
    if not profit > 0.0:
        return 1.0
    # A profit that is exactly on a step counts as having reached it.
    return math.floor((1.0 + math.sqrt(1.0 + 8.0 * profit / delta)) / 2.0 * (1.0 + 1e-12))


@jit
def percent_of_equity(portfolio: Record, terms: Record, holding: Record, value: float) -> float:
    """Return the share of the equity, in percent, of an adaptive rule; `value` is its column at the decision."""
    kind = terms["size_kind"]
    most = terms["size_most"]
    if kind == VOLATILITY_TARGET:
        if not (value > 0.0 and value < math.inf):
            return math.nan
        return float(min(100.0 * terms["size_value"] / value, most))
    if kind == KELLY:
        count = min(portfolio["closed"], terms["size_window"])
        if portfolio["closed"] < terms["size_trades"]:
            return bounded(terms["size_start"], 0.0, most)
        percent = kelly_percent(portfolio["history"], portfolio["closed"] - count, count)
        return bounded(terms["size_value"] * percent, terms["size_least"], most)
    if (terms["size_start"] > 0.0 and value == 1.0) or (terms["size_start"] < 0.0 and value == 0.0):
        holding["losses_in_row"], holding["wins_in_row"] = 0, 0
    streak = holding["losses_in_row"] if kind == MARTINGALE else holding["wins_in_row"]
    if terms["size_trades"] > 0:
        streak %= terms["size_trades"]
    return streak_percent(terms["size_value"], terms["size_factor"], streak, most)


@jit
def wanted_quantity(
    portfolio: Record, terms: Record, holding: Record, equity: float, close: float, distance: float, value: float
) -> float:
    """Return the quantity of an entry before it is rounded down to lots; NaN when it cannot be told.

    `close` and `distance` are in the instrument's currency, the other amounts in the account's; `distance` is that of
    the nearest stop-loss, `value` the rule's column at the decision's bar. At a price of zero a size by value is
    infinite.
    """
    kind, size = terms["size_kind"], terms["size_value"]
    if kind in (QUANTITY, LOTS):
        return float(size if kind == QUANTITY else size * holding["lot_size"])
    if kind == RISK_PERCENT:
        return float(equity * size / 100.0 / value_of(holding, 1.0, distance))
    if kind == FIXED_RATIO:
        return float(min(size * ratio_steps(portfolio["realised"], terms["size_delta"]), terms["size_most"]))
    price = value_of(holding, 1.0, abs(close))
    if kind == CASH:
        return float(size / price)
    if kind == EQUITY_PERCENT:
        return float(equity * size / 100.0 / price)
    return float(equity * percent_of_equity(portfolio, terms, holding, value) / 100.0 / price)


@jit
def entry_lots(
    portfolio: Record, holding: Record, price: float, equity: float, distance: float, value: float
) -> tuple[int, int]:
    """Return the lots of an entry expected at `price`, or 0 and the reason why there is none.

    `distance` is what `stop_distance` says at `price`, `value` the money rule's column at the decision's bar.
    """
    if not equity > 0.0:
        return 0, BLOCKED_EQUITY
    terms = portfolio["executions"][holding["execution"]]
    if math.isnan(distance) or (terms["size_kind"] == RISK_PERCENT and math.isinf(distance)):
        return 0, BLOCKED_DISTANCE
    quantity = wanted_quantity(portfolio, terms, holding, equity, price, distance, value)
    if math.isnan(quantity):
        return 0, BLOCKED_VOLATILITY
    if quantity == math.inf:
        return 0, BLOCKED_PRICE
    lots = whole_lots(quantity, holding["lot_size"], holding["lot_inverse"])
    if is_too_small(holding, lots):
        return 0, BLOCKED_MINIMUM if lots > 0 else BLOCKED_SIZE
    return lots, BLOCKED_SIZE


@jit
def is_too_small(holding: Record, lots: int) -> bool:
    """Return whether an entry of so many lots is less than the instrument's minimum, or nothing."""
    if lots == 0:
        return True
    return bool(
        to_quantity(lots, holding["lot_size"], holding["lot_inverse"]) < holding["min_quantity"] * (1.0 - TOLERANCE)
    )


@inlined
def note_part_result(portfolio: Record, holding: Record, profit: float, entry_value: float) -> None:
    """Add what a part of a trade earned to the results of its trade and of the account."""
    holding["part_profit"] += profit
    holding["part_value"] += entry_value
    portfolio["realised"] += profit


@jit
def note_result(portfolio: Record, holding: Record, bar: int) -> None:
    """Store the result of a trade whose last part was closed, for sizes by history, streaks and cool-down."""
    profit, entry_value = holding["part_profit"], holding["part_value"]
    holding["part_profit"], holding["part_value"] = 0.0, 0.0
    result = profit / entry_value if entry_value > 0.0 else 0.0
    portfolio["history"][portfolio["closed"] & (HISTORY_RING - 1)] = result
    holding["last_result"] = 100.0 * result
    if portfolio["stepped"] == 1:
        holding["last_r"] = profit / holding["risk_taken"] if holding["risk_taken"] > 0.0 else math.nan
    portfolio["closed"] += 1
    if profit > 0.0:
        holding["wins_in_row"] += 1
        holding["losses_in_row"] = 0
        portfolio["losses_in_row"] = 0
    elif profit < 0.0:
        holding["losses_in_row"] += 1
        holding["wins_in_row"] = 0
        portfolio["losses_in_row"] += 1
        holding["lost_bar"] = bar
