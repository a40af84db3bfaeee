"""The bars of a loaded market, brought one moment at a time as they close."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from quantcrafter.engine.api import Bar, Bars, Ledger
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.graph.data_terms import complete
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.runtime.running.prepare import LoadedMarket
from quantcrafter.engine.runtime.sessions.session_data import sources_of
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.simulation.pages import whole_rows


def bars_by_name(graph: BoundGraph, market: LoadedMarket) -> dict[str, Bars]:
    """Return all bars of each instrument and feed, as a session names them."""
    found: dict[str, Bars] = {each.spec.symbol: bars for each, bars in zip(graph.instruments, market.bars, strict=True)}
    for source in sources_of(graph):
        for instrument, feeds in zip(graph.instruments, market.feeds, strict=True):
            feed = source.name.partition("@")[0]
            if (
                source.name not in found
                and feed in feeds
                and source.timeframe
                in (
                    graph.feeds[feed].component.timeframe,
                    instrument.spec.timeframe,
                )
            ):
                found[source.name] = feeds[feed]
    return found


def until(graph: BoundGraph, market: LoadedMarket, steps: int) -> dict[str, Bars]:
    """Return what had closed after so many steps of a run; a step is a moment at which instruments' bars close."""
    named, steps = bars_by_name(graph, market), steps + steps_before(market)
    end = _ends(market)[steps - 1] if steps else -1
    return {name: bars.slice(0, int(np.searchsorted(bars.close_ns, end, side="right"))) for name, bars in named.items()}


def moments(
    graph: BoundGraph, market: LoadedMarket, begin: int = 0, end: int | None = None
) -> Iterator[dict[str, Bar]]:
    """Yield what a session is brought from step `begin` on to step `end`.

    Bars by name, those of feeds with the instruments' where they close then, else each by itself before.
    """
    named = bars_by_name(graph, market)
    done = {name: len(bars) for name, bars in until(graph, market, begin).items()}
    symbols = {each.spec.symbol for each in graph.instruments}
    before = steps_before(market)
    for now in _ends(market)[before + begin : None if end is None else before + end]:
        together: dict[str, Bar] = {}
        for name, bars in named.items():
            while done[name] < len(bars) and bars.close_ns[done[name]] <= now:
                bar = bar_of(bars, done[name])
                done[name] += 1
                if name in symbols or (bar.close_ns == now and name not in together):
                    together[name] = bar
                else:
                    yield {name: bar}
        yield together


def step_count(market: LoadedMarket) -> int:
    """Return how many steps a run of a market has."""
    return len(_ends(market)) - steps_before(market)


def steps_before(market: LoadedMarket) -> int:
    """Return how many steps come before the start of a run."""
    first_ns = min(int(bars.close_ns[first]) for bars, first in zip(market.bars, market.first, strict=True))
    return bisect_left(_ends(market), first_ns)


def start_near(market: LoadedMarket, step: int) -> str | None:
    """Return the first day from a step on that begins within no bar of an instrument, as far as there is one."""
    for end in _ends(market)[step:]:
        day = np.datetime64(end, "ns").astype("datetime64[D]")
        ns = int(day.astype("datetime64[ns]").astype(np.int64))
        if all(
            bars.open_ns[-1] >= ns and not ((bars.open_ns < ns) & (bars.close_ns > ns)).any() for bars in market.bars
        ):
            return str(day)
    return None


def run_on(session: StrategySession, graph: BoundGraph, market: LoadedMarket, end: int | None = None) -> None:
    """Bring a session the bars of a market from where it stands up to step `end`, or to the end of the data."""
    last = {each.spec.symbol: int(bars.close_ns[-1]) for each, bars in zip(graph.instruments, market.bars, strict=True)}
    for bars in moments(graph, market, session.steps, end):
        session.append(bars, last=[name for name, bar in bars.items() if last.get(name) == bar.close_ns])


def joined(parts: Sequence[Ledger]) -> Ledger:
    """Return what several sessions drained as one ledger; the last one has the open positions and open orders."""
    tables: dict[str, Any] = {}
    for each in fields(Ledger):
        values = [getattr(part, each.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            # As plain bytes: numpy copies records field by field, without what is between the fields.
            whole = np.concatenate([whole_rows(value) if value.dtype.names else value for value in values])
            tables[each.name] = whole.view(values[0].dtype)
    orders = tables["orders"]
    tables["orders"] = whole_rows(orders)[np.argsort(orders["id"])].view(orders.dtype)
    return replace(parts[-1], **tables)


def _ends(market: LoadedMarket) -> list[int]:
    return sorted({int(close) for bars in market.bars for close in bars.close_ns})


def ticks_and_lots(graph: BoundGraph, market: LoadedMarket, *, tables: bool = False) -> list[str]:
    """Return overrides that state what the data shows: of the instruments of one item the finest.

    With `tables`, an instrument keeps its table of ticks; its tick of usual prices is then that of the known bars.
    """
    found: dict[str, float] = {}
    for each, bars in zip(graph.instruments, market.bars, strict=True):
        terms, item = complete(each.terms, bars), each.spec.path.replace("[", ".").replace("]", "")
        for name in ("tick_size", "lot_size"):
            if tables and name == "tick_size" and terms.tick_tables:
                continue
            key, value = f"{item}.{name}", terms.value(name)
            found[key] = min(found.get(key, value), value)
    return [f"{key}={value!r}" for key, value in found.items()]
