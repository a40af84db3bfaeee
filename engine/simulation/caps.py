"""How much of an entry the account's caps and its margin allow, at the moment of its fill. Compiled."""

from __future__ import annotations

from quantcrafter.engine.simulation.costs import fill_costs
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.primitives import TOLERANCE, to_quantity
from quantcrafter.engine.simulation.records import NONE, Record, Table
from quantcrafter.engine.simulation.risk_records import GROSS_EXPOSURE, MAX_POSITION, NET_EXPOSURE, OPEN_TRADES
from quantcrafter.engine.simulation.worth import value_of, worth


@jit
def exposures(holdings: Table, i: int, price: float) -> tuple[float, float, float, int]:
    """Return gross and net value of all positions, their worth, and the number of open ones other than `i`.

    Amounts are in the account's currency. Positions count at their latest price, that of instrument `i` at `price`.
    """
    gross, net, gained, others = 0.0, 0.0, 0.0, 0
    for j in range(len(holdings)):
        if holdings[j]["lots"] != 0:
            at = price if j == i else holdings[j]["mark"]
            value = value_of(holdings[j], holdings[j]["quantity"], at)
            gross += abs(value)
            net += value
            gained += worth(holdings[j], at)
            others += j != i
    return gross, net, gained, others


@jit
def allows(
    guard: Record, holding: Record, lots: int, side: int, price: float, equity: float, before: tuple[float, float]
) -> bool:
    """Return whether a value cap is still met after so many lots have been added on `side`.

    `equity` is what is left after the costs of the fill, `before` the gross and net exposure without it.
    """
    gross, net = before
    added = to_quantity(lots, holding["lot_size"], holding["lot_inverse"])
    value = value_of(holding, added, price)
    limit = guard["value"] * (1.0 + TOLERANCE)
    if guard["kind"] == MAX_POSITION:
        held = abs(holding["quantity"])
        if guard["in_units"] == 1:
            return bool(held + added <= limit)
        after = abs(value_of(holding, held, price) + value)
        return bool(after <= (limit if guard["in_cash"] == 1 else limit / 100.0 * equity))
    if guard["kind"] == GROSS_EXPOSURE:
        return bool(gross + abs(value) <= limit / 100.0 * equity)
    after = abs(net + side * value)
    return bool(after <= limit / 100.0 * equity or after <= abs(net))


@jit
def most_lots(
    portfolio: Record,
    holding: Record,
    guard: Record,
    k: int,
    lots: int,
    price: float,
    before: tuple[float, float, float],
) -> int:
    """Return the largest number of lots, at most `lots`, that a cap of value allows the entry in slot `k`.

    `before` contains gross and net exposure without it, and the worth of all positions.
    """
    gross, net, gained = before
    equity, side = portfolio["cash"] + gained, int(holding["slots"][k]["side"])
    fits, breaks, middle = 0, lots + 1, lots
    while breaks - fits > 1:
        _, commission, slippage = fill_costs(portfolio, holding, k, middle, price)
        if allows(guard, holding, middle, side, price, equity - commission - slippage, (gross, net)):
            fits = middle
        else:
            breaks = middle
        middle = fits + (breaks - fits) // 2
    return fits


@jit
def capped_lots(portfolio: Record, holdings: Table, i: int, k: int, lots: int, price: float) -> tuple[int, int]:
    """Return how many of `lots` the caps allow the entry in slot `k`, and the rule that allows least (-1: all)."""
    holding = holdings[i]
    gross, net, gained, others = exposures(holdings, i, price)
    left, strictest = lots, NONE
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        kind = guard["kind"]
        fits = left
        if kind == OPEN_TRADES:
            fits = left if holding["lots"] != 0 or others < guard["value"] else 0
        elif kind in (GROSS_EXPOSURE, NET_EXPOSURE) or (kind == MAX_POSITION and guard["instrument"] in (NONE, i)):
            fits = most_lots(portfolio, holding, guard, k, left, price, (gross, net, gained))
        if fits < left:
            left, strictest = fits, guard["number"]
    return left, strictest
