"""Bid and ask of a bar whose prices are those of one side, or lie between both. Compiled.

Buy orders are matched at the ask, sell orders at the bid: triggers as well as fills. Prices of a side are rounded to a
tenth of a tick, so that they compare with order prices as decimals would.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.records import Record
from quantcrafter.engine.simulation.ticks import on_tick

PARTS = 10.0
"""How many parts of a tick the prices of a side have."""


@inlined
def side_offset(holding: Record, side: int) -> float:
    """Return by how much the price of a side differs from that of the bar: above zero for buyers, else below."""
    return float(holding["ask_offset"] if side > 0 else -holding["bid_offset"])


@inlined
def set_spread(holding: Record, spread: float) -> None:
    """Take the spread of the bar that is to be matched."""
    holding["ask_offset"], holding["bid_offset"] = spread * holding["ask_part"], spread * holding["bid_part"]


@jit
def moved(holding: Record, price: float, offset: float) -> float:
    """Return a price and an offset, rounded to the part of a tick."""
    if offset == 0.0:
        return price
    return on_tick(holding, price + offset, PARTS)


@inlined
def quoted(holding: Record, side: int, price: float) -> float:
    """Return the price of a side where the bar has `price`."""
    return float(moved(holding, price, side_offset(holding, side)))


@inlined
def unquoted(holding: Record, side: int, price: float) -> float:
    """Return the price of the bar where a side has `price`."""
    return float(moved(holding, price, -side_offset(holding, side)))
