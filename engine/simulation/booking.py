"""Fills and positions: compiled functions that update the ledger.

`portfolio` and `holding` are records of `engine.simulation.records`; `k` is a slot of the holding's open orders, `bar`
an index into the instrument's own bars.
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.costs import fill_costs, note_part
from quantcrafter.engine.simulation.entry_limits import note_entry
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import retire, slot_of
from quantcrafter.engine.simulation.primitives import to_quantity
from quantcrafter.engine.simulation.records import CANCELLED, ENDED_BY_STOP, Record
from quantcrafter.engine.simulation.sizing import note_part_result, note_result
from quantcrafter.engine.simulation.units import clear_units, grow_unit, has_entered, put_unit, shrink_units
from quantcrafter.engine.simulation.venue_rules import note_entered
from quantcrafter.engine.simulation.worth import value_of


@jit
def cash_moved(holding: Record, side: int, quantity: float, price: float) -> float:
    """Return what a fill deducts from the cash, without costs: the value bought or, for a contract, its loss."""
    if holding["contract"] == 0.0:
        return float(side * (quantity * price * holding["rate"]))
    closing = holding["lots"] * side < 0
    return float(side * value_of(holding, quantity, price - holding["settled"])) if closing else 0.0


@jit
def book_fill(
    portfolio: Record, holding: Record, k: int, bar: int, lots: int, price: float, fee: float
) -> tuple[float, float]:
    """Write a fill, update the cash, and return commission and slippage: those of the terms if the fee is NaN."""
    order = holding["slots"][k]
    quantity, commission, slippage = fill_costs(portfolio, holding, k, lots, price)
    if not math.isnan(fee):
        commission, slippage = fee, 0.0
    note_part(holding, k, lots, quantity * holding["multiplier"] * abs(price), commission)
    portfolio["cash"] -= cash_moved(holding, int(order["side"]), quantity, price) + commission + slippage
    holding["volume_left"] -= quantity
    order["fill_price"] = price
    order["filled"] += lots
    fill = portfolio["fill_rows"][portfolio["fills"]]
    portfolio["fills"] += 1
    fill["order_id"] = order["id"]
    fill["bar"] = bar
    fill["lots"] = lots
    fill["price"] = price
    fill["commission"] = commission
    fill["slippage"] = slippage
    fill["instrument"] = holding["index"]
    fill["side"] = order["side"]
    fill["kind"] = order["kind"]
    fill["reason"] = order["reason"]
    fill["execution"] = order["execution"]
    fill["rate"] = holding["rate"]
    return commission, slippage


@jit
def open_position(portfolio: Record, holding: Record, k: int, bar: int, lots: int, price: float, fee: float) -> None:
    """Book the opening part of an order: the position grows, its price is the average by cost."""
    begins = not has_entered(holding, k)
    commission, slippage = book_fill(portfolio, holding, k, bar, lots, price, fee)
    order = holding["slots"][k]
    held = abs(holding["lots"])
    if held == 0:
        holding["price"] = price
        holding["settled"] = price
        holding["rolled"] = 0.0
        holding["basis"] = value_of(holding, 1.0, price)
        holding["carry"] = 0.0
        holding["leaving"] = 0
        holding["execution"] = order["execution"]
        holding["commission"] = commission
        holding["slippage"] = slippage
        holding["entry_bar"] = bar
        holding["entry_order"] = order["id"]
        holding["highest"] = price
        holding["lowest"] = price
        holding["entries"] = 0
        holding["first_lots"] = lots
        holding["units"] = 1
        put_unit(holding, 0, order["id"], bar, lots, price)
    else:
        holding["price"] = (holding["price"] * held + price * lots) / (held + lots)
        holding["settled"] = (holding["settled"] * held + price * lots) / (held + lots)
        holding["basis"] = (holding["basis"] * held + value_of(holding, 1.0, price) * lots) / (held + lots)
        holding["commission"] += commission
        holding["slippage"] += slippage
        if order["id"] == holding["entry_order"]:
            holding["first_lots"] += lots
        grow_unit(holding, order["id"], bar, lots, price)
    # An order that fills in parts is one entry.
    if begins:
        holding["entries"] += 1
        holding["entries_made"] += 1
        if portfolio["entry_limits"] == 1:
            note_entry(holding, int(order["side"]))
    if holding["next_session"] == 1:
        note_entered(holding, lots)
    holding["last_lots"] = lots
    holding["last_price"] = price
    holding["decided_bar"] = holding["decided"][k]
    holding["lots"] += int(order["side"]) * lots
    holding["quantity"] = to_quantity(holding["lots"], holding["lot_size"], holding["lot_inverse"])
    holding["mark"] = price


@jit
def end_partial_entries(portfolio: Record, holding: Record, k: int, bar: int) -> int:
    """Cancel what is left of partly filled entries when the stop in slot `k` is triggered; return the stop's new slot.

    No more is bought after the stop.
    """
    number = holding["slots"][k]["id"]
    for other in range(holding["working"] - 1, -1, -1):
        entry = holding["slots"][other]
        against = entry["side"] * holding["lots"] < 0
        if holding["opens"][other] == 1 and entry["filled"] > 0 and entry["level"] < 0 and not against:
            retire(portfolio, holding, other, bar, CANCELLED, ENDED_BY_STOP)
    return int(slot_of(holding, number))


@jit
def close_part(portfolio: Record, holding: Record, k: int, bar: int, lots: int, price: float, fee: float) -> None:
    """Book the closing part of an order: a part of a trade, with its share of the entry's costs."""
    held = abs(holding["lots"])
    commission, slippage = book_fill(portfolio, holding, k, bar, lots, price, fee)
    entry_commission, entry_slippage, carry = holding["commission"], holding["slippage"], holding["carry"]
    rolled = holding["rolled"]
    if lots < held:
        entry_commission *= lots / held
        entry_slippage *= lots / held
        carry *= lots / held
        rolled *= lots / held
    write_part(portfolio, holding, k, bar, lots, price)
    part = portfolio["part_rows"][portfolio["parts"] - 1]
    part["commission"] = entry_commission + commission
    part["slippage"] = entry_slippage + slippage
    part["pnl"] -= part["commission"] + part["slippage"]
    part["pnl"] += carry
    part["pnl"] += rolled
    part["carry"] = carry
    entry_value = to_quantity(lots, holding["lot_size"], holding["lot_inverse"]) * abs(holding["basis"])
    note_part_result(portfolio, holding, part["pnl"], entry_value)
    if lots == held:
        e = holding["execution"]
        if portfolio["paired"] == 1 and portfolio["executions"][e]["pair"] == 1:
            # Both legs are one trade, which `pairs.settle_pairs` counts.
            portfolio["pair_profit"][e] += holding["part_profit"]
            portfolio["pair_value"][e] += holding["part_value"]
            holding["part_profit"], holding["part_value"] = 0.0, 0.0
        else:
            note_result(portfolio, holding, bar)
    holding["commission"] -= entry_commission
    holding["slippage"] -= entry_slippage
    holding["carry"] -= carry
    holding["rolled"] -= rolled
    if portfolio["stepped"] == 1:
        holding["risk"] *= 1.0 - lots / held
    if lots == held:
        clear_units(holding)
    else:
        shrink_units(holding, holding["unit"][k], lots)
    holding["lots"] += int(holding["slots"][k]["side"]) * lots
    holding["quantity"] = to_quantity(holding["lots"], holding["lot_size"], holding["lot_inverse"])
    holding["mark"] = price


@jit
def write_part(portfolio: Record, holding: Record, k: int, bar: int, lots: int, price: float) -> None:
    """Write a part of a trade: `lots` closed at `price`, its profit before costs."""
    order = holding["slots"][k]
    entry = holding["price"]
    highest = max(holding["highest"], price)
    lowest = min(holding["lowest"], price)
    side = -int(order["side"])
    part = portfolio["part_rows"][portfolio["parts"]]
    portfolio["parts"] += 1
    part["entry_bar"] = holding["entry_bar"]
    part["exit_bar"] = bar
    part["entry_order"] = holding["entry_order"]
    part["exit_order"] = order["id"]
    part["lots"] = lots
    part["entry_price"] = entry
    part["exit_price"] = price
    quantity = to_quantity(lots, holding["lot_size"], holding["lot_inverse"])
    if holding["contract"] == 1.0:
        part["pnl"] = side * value_of(holding, quantity, price - holding["settled"])
    else:
        part["pnl"] = side * (price * holding["rate"] - holding["basis"]) * quantity
    # An average of several entries at one price may be beyond it because of rounding.
    part["mae"] = max(entry - lowest if side > 0 else highest - entry, 0.0)
    part["mfe"] = max(highest - entry if side > 0 else entry - lowest, 0.0)
    part["instrument"] = holding["index"]
    part["side"] = side
    part["exit_reason"] = order["reason"]
    part["left"] = abs(holding["lots"]) - lots
