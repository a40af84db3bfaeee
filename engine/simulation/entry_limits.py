"""Limits on the number of entries: of a trading day, or of those whose positions are open. Compiled.

A limit counts the entries of one instrument, or of all instruments of its group together, on one side or on both.
Further entries of a position count. Limits are checked at the close at which an entry is decided and again at its fill,
because several entries may be on their way at the same time.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.records import DAY_ENDS, NONE, MarketArrays, Record, Table
from quantcrafter.engine.simulation.risk_records import ENTRIES_TODAY, OPEN_ENTRIES


@inlined
def is_limit(guard: Record) -> bool:
    """Return whether a guard limits the number of entries."""
    return bool(guard["kind"] in (ENTRIES_TODAY, OPEN_ENTRIES))


@inlined
def limits(guard: Record, g: int, holding: Record, side: int) -> bool:
    """Return whether the limit with the number `g` is one for entries of that side in an instrument."""
    return bool(holding["guarded"] >> g & 1 == 1 and guard["side"] * side >= 0)


@jit
def note_entry(holding: Record, side: int) -> None:
    """Count an entry that has filled in the session of the bar."""
    if holding["entries_day"] != holding["session_day"]:
        holding["entries_day"], holding["longs_today"], holding["shorts_today"] = holding["session_day"], 0, 0
    if side > 0:
        holding["longs_today"] += 1
    else:
        holding["shorts_today"] += 1


@jit
def entries_of(guard: Record, holding: Record, day: int) -> int:
    """Return how many entries of an instrument a limit counts; those of a position that is being closed don't count."""
    side = guard["side"]
    if guard["kind"] == OPEN_ENTRIES:
        return 0 if holding["lots"] == 0 or holding["lots"] * side < 0 else int(holding["units"])
    if holding["entries_day"] != day:
        return 0
    longs, shorts = holding["longs_today"], holding["shorts_today"]
    return int(longs if side > 0 else shorts if side < 0 else longs + shorts)


@jit
def entries_of_others(portfolio: Record, holdings: Table, i: int, g: int) -> int:
    """Return how many entries of the other instruments the limit with the number `g` counts for instrument `i`."""
    guard, count = portfolio["guard_rows"][g], 0
    if guard["shared"] == 1:
        for j in range(len(holdings)):
            if j != i and holdings[j]["guarded"] >> g & 1 == 1:
                count += entries_of(guard, holdings[j], holdings[i]["session_day"])
    return count


@jit
def count_others(portfolio: Record, holdings: Table, i: int) -> None:
    """Note what each limit counts in the other instruments, for the decisions on instrument `i`."""
    for g in range(portfolio["guards"]):
        if is_limit(portfolio["guard_rows"][g]):
            portfolio["others"][g] = entries_of_others(portfolio, holdings, i, g)


@jit
def count_at_close(portfolio: Record, holding: Record, market: MarketArrays, bar: int, g: int) -> int:
    """Return how many entries a limit counts at a close, for an order that is active from the next bar on.

    After the last bar of a session it counts for the next one: then there are none of that day yet.
    """
    guard = portfolio["guard_rows"][g]
    if guard["kind"] == ENTRIES_TODAY and market.day_edge[holding["start"] + bar] & DAY_ENDS != 0:
        return 0
    leaving = guard["kind"] == OPEN_ENTRIES and holding["leaving"] == 1
    return int(portfolio["others"][g] + (0 if leaving else entries_of(guard, holding, holding["session_day"])))


@jit
def limit_reached(portfolio: Record, holding: Record, market: MarketArrays, bar: int, side: int) -> int:
    """Return the number of a limit that allows no further entry of that side at a close, or -1."""
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        if not (is_limit(guard) and limits(guard, g, holding, side)):
            continue
        if count_at_close(portfolio, holding, market, bar, g) >= guard["value"]:
            return g
    return int(NONE)


@jit
def allows_entry(portfolio: Record, holdings: Table, i: int, g: int, side: int, more: int) -> bool:
    """Return whether the limit with the number `g` allows one more entry of that side to fill, with `more` others."""
    guard, holding = portfolio["guard_rows"][g], holdings[i]
    if not limits(guard, g, holding, side):
        return True
    count = entries_of(guard, holding, holding["session_day"]) + entries_of_others(portfolio, holdings, i, g)
    return bool(count + more < guard["value"])
