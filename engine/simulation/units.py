"""The units of a position: one for each entry order that filled, oldest first. Compiled.

Their lots make up the position's at every moment. An order reduces the unit that it names, otherwise the oldest one
first (first in, first out). Prices of trades don't depend on units: they are those of the whole position.
"""

from __future__ import annotations

from quantcrafter.engine.api.entries import MOST_ENTRIES
from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.records import Record


@jit
def unit_of(holding: Record, number: int) -> int:
    """Return the unit that the order of that number made, or -1."""
    for u in range(holding["units"]):
        if holding["unit_order"][u] == number:
            return u
    return -1


@jit
def has_entered(holding: Record, k: int) -> bool:
    """Return whether the position has lots that the order in slot `k` entered: what it fills now is the same entry.

    What has closed a position of the other side is no entry. An order that has filled a part counts as one that has
    entered if there are MOST_ENTRIES units, because it may have joined the last one.
    """
    order = holding["slots"][k]
    if order["filled"] == 0 or holding["lots"] == 0:
        return False
    return bool(unit_of(holding, order["id"]) >= 0 or holding["units"] == MOST_ENTRIES)


@jit
def grow_unit(holding: Record, number: int, bar: int, lots: int, price: float) -> None:
    """Add what an entry order filled: to its own unit, whose price is the average, or as a new one.

    There are MOST_ENTRIES units at most. What comes beyond joins the last one, which keeps its order and bar.
    """
    u = unit_of(holding, number)
    if u < 0 and holding["units"] == MOST_ENTRIES:
        u = MOST_ENTRIES - 1
    if u >= 0:
        held = holding["unit_lots"][u]
        holding["unit_price"][u] = (holding["unit_price"][u] * held + price * lots) / (held + lots)
        holding["unit_lots"][u] = held + lots
        return
    u = holding["units"]
    holding["units"] = u + 1
    holding["unit_order"][u] = number
    holding["unit_bar"][u] = bar
    holding["unit_lots"][u] = lots
    holding["unit_price"][u] = price


@jit
def shrink_units(holding: Record, number: int, lots: int) -> None:
    """Reduce the unit of the order with that number, then the oldest ones; -1 names none."""
    u = unit_of(holding, number) if number >= 0 else -1
    if u >= 0:
        part = min(lots, holding["unit_lots"][u])
        holding["unit_lots"][u] -= part
        lots -= part
    for v in range(holding["units"]):
        part = min(lots, holding["unit_lots"][v])
        holding["unit_lots"][v] -= part
        lots -= part
    drop_empty_units(holding)


@jit
def drop_empty_units(holding: Record) -> None:
    """Remove units without lots; the following ones move up."""
    kept = 0
    for u in range(holding["units"]):
        if holding["unit_lots"][u] == 0:
            continue
        if kept < u:
            put_unit(
                holding,
                kept,
                holding["unit_order"][u],
                holding["unit_bar"][u],
                holding["unit_lots"][u],
                holding["unit_price"][u],
            )
        kept += 1
    for u in range(kept, holding["units"]):
        put_unit(holding, u, 0, 0, 0, 0.0)
    holding["units"] = kept


@inlined
def put_unit(holding: Record, u: int, number: int, bar: int, lots: int, price: float) -> None:
    """Write one unit."""
    holding["unit_order"][u] = number
    holding["unit_bar"][u] = bar
    holding["unit_lots"][u] = lots
    holding["unit_price"][u] = price


@inlined
def clear_units(holding: Record) -> None:
    """Remove all units: the position has been closed."""
    for u in range(holding["units"]):
        put_unit(holding, u, 0, 0, 0, 0.0)
    holding["units"] = 0


def begin_units(holding: Record) -> None:
    """Treat a position without units as a single unit: states of earlier releases have none."""
    if holding["lots"] != 0 and holding["units"] == 0:
        grow_unit(
            holding,
            int(holding["entry_order"]),
            int(holding["entry_bar"]),
            abs(int(holding["lots"])),
            float(holding["price"]),
        )


def are_units_sound(holding: Record) -> bool:
    """Return whether the units are those of the position: none is empty, and their lots make up its lots."""
    count, lots = int(holding["units"]), holding["unit_lots"].tolist()
    if not 0 <= count <= MOST_ENTRIES or any(lots[count:]) or any(each <= 0 for each in lots[:count]):
        return False
    return bool(sum(lots) == abs(int(holding["lots"])))
