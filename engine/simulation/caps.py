"""How much of an entry the account's caps and its margin allow, at the moment of its fill. Compiled."""

from __future__ import annotations

from quantcrafter.engine.simulation.costs import fill_costs
from quantcrafter.engine.simulation.entry_limits import allows_entry, is_limit
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.primitives import TOLERANCE, to_quantity
from quantcrafter.engine.simulation.records import NONE, Record, Table
from quantcrafter.engine.simulation.risk_records import GROSS_EXPOSURE, MAX_POSITION, NET_EXPOSURE, OPEN_TRADES
from quantcrafter.engine.simulation.units import has_entered
from quantcrafter.engine.simulation.worth import value_of, worth


@jit
def exposures(holdings: Table, i: int, price: float) -> tuple[float, float, float]:
    """Return gross and net value of all positions, and their worth.

    Amounts are in the account's currency. Positions count at their latest price, that of instrument `i` at `price`.
    """
    gross, net, gained = 0.0, 0.0, 0.0
    for j in range(len(holdings)):
        if holdings[j]["lots"] != 0:
            at = price if j == i else holdings[j]["mark"]
            value = value_of(holdings[j], holdings[j]["quantity"], at)
            gross += abs(value)
            net += value
            gained += worth(holdings[j], at)
    return gross, net, gained


@jit
def group_exposures(holdings: Table, i: int, price: float, g: int) -> tuple[float, float]:
    """Return gross and net value of the positions in the group of instrument `i`, as the cap `g` has groups.

    Amounts and prices are those of `exposures`.
    """
    gross, net = 0.0, 0.0
    for j in range(len(holdings)):
        if holdings[j]["lots"] != 0 and holdings[j]["guard_group"][g] == holdings[i]["guard_group"][g]:
            value = value_of(holdings[j], holdings[j]["quantity"], price if j == i else holdings[j]["mark"])
            gross += abs(value)
            net += value
    return gross, net


@jit
def allows(
    guard: Record, holding: Record, lots: int, side: int, price: float, equity: float, before: tuple[float, float]
) -> bool:
    """Return whether a value cap is still met after so many lots have been added on `side`.

    `equity` is what is left after the costs of the fill, `before` the gross and net exposure without it.
    """
    added = to_quantity(lots, holding["lot_size"], holding["lot_inverse"])
    value = value_of(holding, added, price)
    limit = guard["value"] * (1.0 + TOLERANCE)
    held = abs(holding["quantity"])
    if guard["in_units"] == 1:
        return bool(held + added <= limit)
    if guard["in_cash"] == 0:
        limit = limit / 100.0 * equity
    if guard["kind"] == MAX_POSITION:
        return bool(abs(value_of(holding, held, price) + value) <= limit)
    return bool(is_within(guard, before, abs(value), side * value, limit))


@jit
def is_within(guard: Record, before: tuple[float, float], gross: float, net: float, limit: float) -> bool:
    """Return whether an exposure is within a cap, or its net value no further from zero, after more has been added.

    `before` are gross and net value without it, `gross` and `net` what is added, `limit` an amount of money.
    """
    if guard["kind"] == GROSS_EXPOSURE:
        return bool(before[0] + gross <= limit)
    after = abs(before[1] + net)
    return bool(after <= limit or after <= abs(before[1]))


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
def open_others(holdings: Table, i: int, guard: Record, g: int) -> int:
    """Return how many positions other than that of instrument `i` a cap counts: of its side, and of its group."""
    others = 0
    for j in range(len(holdings)):
        lots = holdings[j]["lots"]
        if j == i or lots == 0 or lots * guard["side"] < 0:
            continue
        if guard["grouped"] == 0 or holdings[j]["guard_group"][g] == holdings[i]["guard_group"][g]:
            others += 1
    return others


@jit
def has_place(holdings: Table, i: int, guard: Record, g: int, side: int) -> bool:
    """Return whether the number of positions allows one more entry of an instrument on a side."""
    holding = holdings[i]
    if holding["lots"] * side > 0 or (guard["side"] == 0 and holding["lots"] != 0):
        return True
    if guard["side"] * side < 0 or (guard["grouped"] == 1 and holding["guard_group"][g] < 0):
        return True
    return bool(open_others(holdings, i, guard, g) < guard["value"])


@jit
def capped_lots(portfolio: Record, holdings: Table, i: int, k: int, lots: int, price: float) -> tuple[int, int]:
    """Return how many of `lots` the caps allow the entry in slot `k`, and the rule that allows least (-1: all)."""
    holding = holdings[i]
    gross, net, gained = exposures(holdings, i, price)
    left, strictest = lots, NONE
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        kind = guard["kind"]
        fits = left
        if kind == OPEN_TRADES:
            fits = left if has_place(holdings, i, guard, g, int(holding["slots"][k]["side"])) else 0
        elif is_limit(guard):
            side = int(holding["slots"][k]["side"])
            fits = left if has_entered(holding, k) or allows_entry(portfolio, holdings, i, g, side, 0) else 0
        elif kind in (GROSS_EXPOSURE, NET_EXPOSURE) or (kind == MAX_POSITION and guard["instrument"] in (NONE, i)):
            before = gross, net
            if guard["grouped"] == 1:
                before = group_exposures(holdings, i, price, g)
            if guard["grouped"] == 0 or holding["guard_group"][g] >= 0:
                fits = most_lots(portfolio, holding, guard, k, left, price, (before[0], before[1], gained))
        if fits < left:
            left, strictest = fits, guard["number"]
    return left, strictest
