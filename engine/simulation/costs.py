"""The costs of a fill, and whether the account can pay for it. Compiled.

`k` is the slot of the order that fills. Amounts are in the account's currency; what the broker charges is calculated in
the instrument's and converted at the rate of the fill.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.primitives import TOLERANCE, commission_of, slippage_of, to_quantity, whole_lots
from quantcrafter.engine.simulation.records import CLOSE, LIMIT, STOP_LIMIT, Record, Table
from quantcrafter.engine.simulation.ticks import tick_at
from quantcrafter.engine.simulation.worth import margin_of, worth


@jit
def order_charge(
    portfolio: Record, holding: Record, kind: int, side: int, lots: int, quantity: float, notional: float
) -> float:
    """Return commission and taxes of an order for its total fills so far, in the currency of the instrument's prices.

    Amounts are given in whole units of that currency: in pounds where prices are in pence.
    """
    percent = portfolio["commission_maker_percent"] if kind in (LIMIT, STOP_LIMIT) else portfolio["commission_percent"]
    unit = holding["amount_unit"]
    fixed = (portfolio["commission_per_order"] + portfolio["commission_per_lot"] * lots) * unit
    per_unit, minimum = portfolio["commission_per_unit"] * unit, portfolio["commission_minimum"] * unit
    charge = commission_of(notional, quantity, percent, per_unit, fixed, minimum)
    duty = holding["buy_duty"] if side > 0 else holding["sell_duty"]
    return float(charge + notional * duty / 100.0)


@jit
def fill_costs(portfolio: Record, holding: Record, k: int, lots: int, price: float) -> tuple[float, float, float]:
    """Return quantity, commission and slippage of a fill; limit orders have no slippage.

    Percentages are those of the value, whatever its sign: multiplier included.

    The commission of an order that fills in parts is that of the whole, so its minimum is charged once.
    """
    order = holding["slots"][k]
    kind, filled = order["kind"], order["filled"]
    quantity = to_quantity(lots, holding["lot_size"], holding["lot_inverse"])
    points = quantity * holding["multiplier"]
    notional = points * abs(price)
    if filled == 0:
        commission = order_charge(portfolio, holding, kind, order["side"], lots, quantity, notional)
    else:
        whole = to_quantity(filled + lots, holding["lot_size"], holding["lot_inverse"])
        charge = order_charge(
            portfolio, holding, kind, order["side"], filled + lots, whole, holding["value"][k] + notional
        )
        commission = charge - holding["charged"][k]
    slippage = 0.0
    if kind not in (LIMIT, STOP_LIMIT):
        move = holding["bar_range"] * portfolio["slippage_range_percent"] / 100.0
        ticks, tick_size = portfolio["slippage_ticks"], tick_at(holding, price, 0)
        slippage = slippage_of(notional, points, portfolio["slippage_bps"], ticks, tick_size, move) * holding["rate"]
    return quantity, commission * holding["rate"], slippage


@jit
def note_part(holding: Record, k: int, lots: int, notional: float, commission: float) -> None:
    """Store the value and the costs of a part of an order, if more parts will follow."""
    order = holding["slots"][k]
    filled = order["filled"]
    if filled + lots < order["lots"]:
        holding["value"][k] = notional if filled == 0 else holding["value"][k] + notional
        charged = commission / holding["rate"]
        holding["charged"][k] = charged if filled == 0 else holding["charged"][k] + charged


@jit
def volume_lots(portfolio: Record, holding: Record, k: int, lots: int) -> int:
    """Return how many of `lots` the rest of the bar's volume allows; a closing order at the end of data gets all."""
    if portfolio["volume_percent"] <= 0.0 or holding["slots"][k]["kind"] == CLOSE:
        return lots
    return min(lots, whole_lots(holding["volume_left"], holding["lot_size"], holding["lot_inverse"]))


@jit
def available_cash(portfolio: Record, holdings: Table, i: int, price: float) -> float:
    """Return what is available for an entry: the equity minus the initial margin of all positions.

    Positions count at their latest known price, the instrument `i` itself at `price`. Without leverage, this is the
    cash minus twice the value of every short position (its proceeds and its margin).
    """
    available = portfolio["cash"]
    if portfolio["paid_up"] == 1:
        return float(available)
    for j in range(len(holdings)):
        lots, margin = holdings[j]["lots"], holdings[j]["initial_margin"]
        if lots == 0:
            continue
        at = price if j == i else holdings[j]["mark"]
        if holdings[j]["contract"] == 1.0:
            available += worth(holdings[j], at)
            available -= margin_of(holdings[j], abs(holdings[j]["quantity"]), at, margin, holdings[j]["unit_margin"])
        elif lots < 0 or margin < 1.0:
            value = holdings[j]["quantity"] * at * holdings[j]["rate"]
            available += (1.0 + margin) * value if lots < 0 else (1.0 - margin) * value
    return float(available)


@jit
def can_pay(portfolio: Record, holding: Record, k: int, lots: int, price: float, available: float) -> bool:
    """Return whether margin and costs of an entry stay within `available`."""
    quantity, commission, slippage = fill_costs(portfolio, holding, k, lots, price)
    taken = margin_of(holding, quantity, price, holding["initial_margin"], holding["unit_margin"])
    return bool((taken + commission + slippage) * (1.0 - TOLERANCE) <= available)


@jit
def affordable_lots(portfolio: Record, holding: Record, k: int, lots: int, price: float, available: float) -> int:
    """Return the largest number of lots, at most `lots`, whose margin and costs can be paid."""
    if can_pay(portfolio, holding, k, lots, price, available):
        return lots
    paid, unpaid = 0, lots
    while unpaid - paid > 1:
        middle = paid + (unpaid - paid) // 2
        if can_pay(portfolio, holding, k, middle, price, available):
            paid = middle
        else:
            unpaid = middle
    return paid
