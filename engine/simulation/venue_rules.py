"""Rules of an exchange at a fill: from which session on a position can be closed, and locked price limits. Compiled.

What was entered in a session counts in lots, whichever of them are closed: lots of earlier sessions can be. A price is
locked at its limit while it is there and nobody takes the other side: that is known of a bar's open if no price of the
bar lies off the limit, and of anything later in the bar if its close does not.
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.primitives import to_quantity
from quantcrafter.engine.simulation.records import NONE, MarketArrays, Record
from quantcrafter.engine.simulation.risk_records import EXIT_HELD_BACK, LIMIT_LOCKED
from quantcrafter.engine.simulation.ticks import tick_at, use_table


@rare
def read_rules(_portfolio: Record, holding: Record, market: MarketArrays, row: int) -> None:
    """Take the session of the bar that is to be matched, and the prices at which it is locked."""
    columns = market.account
    holding["session_day"] = columns.session_day[row]
    if holding["bands"] > 0:
        use_table(holding, columns.session_day[row])
    if holding["limited"] == 0:
        return
    up, down = columns.limit_up[row], columns.limit_down[row]
    near, above = tick_at(holding, up, -1) / 2.0, tick_at(holding, down, 1) / 2.0
    lid, floor = up - near, down + above
    low, high, close = market.low[row], market.high[row], market.close[row]
    holding["bar_open"] = market.open[row]
    # A price beyond a limit shows that the limit was another one.
    holding["lid_at_open"] = lid if low > lid and high < up + near else math.inf
    holding["lid_inside"] = lid if close > lid and high < up + near else math.inf
    holding["floor_at_open"] = floor if high < floor and low > down - above else -math.inf
    holding["floor_inside"] = floor if close < floor and low > down - above else -math.inf


@jit
def is_locked(holding: Record, side: int, price: float) -> bool:
    """Return whether an order of that side would have to fill at a price locked at its limit."""
    at_open = price == holding["bar_open"]
    if side > 0:
        return bool(price > (holding["lid_at_open"] if at_open else holding["lid_inside"]))
    return bool(price < (holding["floor_at_open"] if at_open else holding["floor_inside"]))


@jit
def note_entered(holding: Record, lots: int) -> None:
    """Remember lots that a fill has entered in the session of the bar."""
    if holding["fresh_day"] != holding["session_day"]:
        holding["fresh_day"], holding["fresh_lots"] = holding["session_day"], 0
    holding["fresh_lots"] += lots


@jit
def closable_lots(holding: Record) -> int:
    """Return how many lots of the position can be closed in the session of the bar, unsigned."""
    held = abs(holding["lots"])
    if holding["next_session"] == 0 or holding["fresh_day"] != holding["session_day"]:
        return int(held)
    return int(max(held - holding["fresh_lots"], 0))


@jit
def hold_back(portfolio: Record, holding: Record, bar: int, wanted: int) -> None:
    """Note, once a session, that an exit waits for the next one."""
    if holding["held_back_day"] != holding["session_day"]:
        holding["held_back_day"] = holding["session_day"]
        note(portfolio, holding, bar, EXIT_HELD_BACK, wanted, min(closable_lots(holding), wanted))


@jit
def note_locked(portfolio: Record, holding: Record, bar: int, wanted: int) -> None:
    """Note, once a session, that an order does not fill because the price is locked at its limit."""
    if holding["locked_day"] != holding["session_day"]:
        holding["locked_day"] = holding["session_day"]
        note(portfolio, holding, bar, LIMIT_LOCKED, wanted, 0)


@jit
def note(portfolio: Record, holding: Record, bar: int, kind: int, wanted: int, allowed: int) -> None:
    """Note the quantity that an order asked for, and how much of it may fill."""
    before = to_quantity(wanted, holding["lot_size"], holding["lot_inverse"])
    after = to_quantity(allowed, holding["lot_size"], holding["lot_inverse"])
    intervene(portfolio, holding["index"], bar, kind, NONE, before, after)
