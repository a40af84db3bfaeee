"""Prices of orders on the tick, which is one for all prices or grows with them by bands. Compiled.

A band begins at a price and has its own tick; each bound is a multiple of the ticks on both sides of it. A holding has
the bands of all tables of its instrument, one after the other; those of the session's table are in use.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.primitives import TICK_TOLERANCE, round_to_tick
from quantcrafter.engine.simulation.records import TAKE_PROFIT, Record


@jit
def band_of(holding: Record, price: float, side: int) -> int:
    """Return the band of a price; at a bound that below it for `side` -1, that above it otherwise."""
    size = abs(price)
    k = last = int(holding["band_first"])
    last += int(holding["tick_bands"]) - 1
    while k < last:
        bound = holding["band_from"][k + 1]
        if size < bound or (side < 0 and size == bound):
            break
        k += 1
    return k


@inlined
def tick_at(holding: Record, price: float, side: int) -> float:
    """Return the tick at a price, for a step to a higher (`side` 1) or a lower one (-1)."""
    if holding["tick_bands"] == 0:
        return float(holding["tick_size"])
    return float(holding["band_tick"][band_of(holding, price, side)])


@inlined
def lowest_tick(holding: Record) -> float:
    """Return the lowest price above zero that an order can have."""
    return float(holding["tick_size"] if holding["tick_bands"] == 0 else holding["band_tick"][holding["band_first"]])


@inlined
def on_tick(holding: Record, price: float, parts: float) -> float:
    """Return the multiple of the tick, or of one of so many parts of it, nearest to a price."""
    if holding["tick_bands"] == 0:
        return float(round_to_tick(price, holding["tick_size"] / parts, holding["tick_inverse"] * parts))
    return in_band(holding, price, parts)


@jit
def in_band(holding: Record, price: float, parts: float) -> float:
    """Return the multiple of the tick of its band, or of one of so many parts of it, nearest to a price."""
    k = band_of(holding, price, 0)
    return float(round_to_tick(price, holding["band_tick"][k] / parts, holding["band_inverse"][k] * parts))


@jit
def order_price(holding: Record, price: float) -> float:
    """Return the price of an order on the tick; at least one tick above zero, except for contracts."""
    level = on_tick(holding, price, 1.0)
    return level if holding["contract"] == 1.0 else max(level, lowest_tick(holding))


@jit
def protective_level(holding: Record, kind: int, side: int, price: float, distance: float) -> float:
    """Return the price of a protective order for a position of `side` that was entered at `price`.

    Rounded to the tick; at least one tick away from the entry, on its own side of it, and at least one tick above zero,
    except for contracts.
    """
    sign = side if kind == TAKE_PROFIT else -side
    tick = tick_at(holding, price, sign)
    level = on_tick(holding, price + sign * distance, 1.0)
    least = tick * (1.0 - TICK_TOLERANCE)
    if (level - price) * sign < least:
        level = on_tick(holding, price + sign * tick, 1.0)
        if (level - price) * sign < least:
            level = on_tick(holding, level + sign * tick_at(holding, level, sign), 1.0)
    return float(level if level > 0.0 or holding["contract"] == 1.0 else max(lowest_tick(holding), 0.0))


@jit
def use_table(holding: Record, day: int) -> None:
    """Use the table that is in force on a trading day; before the first one, that one."""
    first, k = 0, 0
    while k < holding["bands"]:
        if k > 0 and holding["band_since"][k] != holding["band_since"][k - 1]:
            if holding["band_since"][k] > day:
                break
            first = k
        k += 1
    holding["band_first"], holding["tick_bands"] = first, k - first
