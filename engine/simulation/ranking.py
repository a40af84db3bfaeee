"""Order of entries at the same open or close: the highest rank first. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import next_working
from quantcrafter.engine.simulation.records import CLOSES, NONE, OPENING, MarketArrays, Record, Table, Timeline


@jit
def rank_of(portfolio: Record, holding: Record, market: MarketArrays, bar: int, phase: int) -> float:
    """Return the rank of an instrument's entry in a phase of `bar`, as it was when it was decided; NaN without one.

    An entry whose rank has no value, or whose execution ranks none, comes last: its rank is minus infinity.
    """
    k = next_working(holding, bar, phase, OPENING, NONE)
    if k < 0:
        return math.nan
    order = holding["slots"][k]
    column = portfolio["executions"][order["execution"]]["rank"]
    if column < 0:
        return -math.inf
    rank = market.columns[column, holding["start"] + order["created_bar"]]
    return -math.inf if math.isnan(rank) else float(rank)


@jit
def next_ranked(
    portfolios: Table,
    holdings: Table,
    market: MarketArrays,
    timeline: Timeline,
    first: int,
    last: int,
    step: int,
    phase: int,
) -> int:
    """Return the event, of those from `first` to `last`, whose entries are next in a phase of a step; -1 for none.

    The phase is the open or the close. The highest rank goes first, of equal ones the earlier in the file. Each
    instrument has one turn a phase.
    """
    chosen, best, turn = -1, math.nan, 2 * (portfolios[0]["first_step"] + step + 1) + (phase == CLOSES)
    for event in range(first, last):
        holding = holdings[timeline.instrument[event]]
        if holding["served"] == turn or holding["working"] == 0:
            continue
        rank = rank_of(portfolios[0], holding, market, timeline.bar[event], phase)
        if not math.isnan(rank) and (chosen < 0 or rank > best):
            chosen, best = event, rank
    if chosen >= 0:
        holdings[timeline.instrument[chosen]]["served"] = turn
    return chosen
