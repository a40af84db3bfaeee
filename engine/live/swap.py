"""A running strategy that is changed between two bars: whether the new one can carry on, and what becomes of what.

1. Both must want the same bars. In a replay, the bars so far must be the same ones.
2. Account, positions and orders go on where symbols and nodes are the same (`StrategySession.adopt`).
3. A change is refused, and the old strategy goes on, if the new one has other lots while something is open, trades a
   held instrument no more, or has no node for the stop of a position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quantcrafter.engine.api import Bars, FeedConnection, RunError, Subscription
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.anchoring import (
    StoredMarket,
    history_count,
    ready_for_actions,
    subscriptions_of,
)
from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.inputs import Anchored, written_terms
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.simulation.session_state import InstrumentState, SessionState
from quantcrafter.engine.spec.identity import strategy_hash


@dataclass(frozen=True, slots=True)
class StrategySwap:
    """A possible change: the strategy as it runs, its anchor and bars, and sentences on what becomes of what."""

    graph: BoundGraph
    anchor: Anchored
    known: Mapping[str, Bars]
    preview: tuple[str, ...]


def swap_to(
    graph: BoundGraph,
    stored: StoredMarket | None,
    core: StrategyCore,
    feed: FeedConnection,
    had: Sequence[Subscription],
) -> StrategySwap:
    """Return the change of a running strategy to another one; nothing is changed yet.

    Args:
        graph: the new strategy.
        stored: its stored bars, if the feed replays those.
        core: the core of the old one.
        feed: its feed.
        had: what the feed brings bars of.

    Raises:
        RunError: the new strategy can't carry on.
        DataError, ComponentError: its bars can't be had, or a component failed.
    """
    runs = graph if stored is None else stored.graph
    _check_same_bars(runs, core, subscriptions_of(runs, None if stored is None else stored.bars), had)
    known = _known(runs, stored, core, feed)
    begins = core.anchor
    if begins is None:
        raise RunError(Message("The worker is not started: it has no histories yet."))
    anchor = Anchored(
        begins.number + 1,
        max(core.now_ns, feed.now_ns()),
        strategy_hash(graph.spec),
        begins.epoch,
        {} if stored is None else stored.terms,
    )
    session, dropped = core.adopted(anchor, known, runs)
    before, after = SessionState.from_json(core.session.state()), SessionState.from_json(session.state())
    _check_stops(before, after)
    _check_lots(core, session)
    if stored is None:
        symbols = [each.spec.symbol for each in runs.instruments]
        pairs = zip(symbols, session.terms, strict=True)
        anchor = replace(anchor, terms={name: written_terms(each) for name, each in pairs})
    return StrategySwap(runs, anchor, known, (*_goes_on(core, before, after), *dropped))


# ------------------------------------------------------------------------------------------------------------- reasons


def _check_same_bars(
    graph: BoundGraph, core: StrategyCore, wanted: Sequence[Subscription], had: Sequence[Subscription]
) -> None:
    symbols, before = ([each.spec.symbol for each in found.instruments] for found in (graph, core.graph))
    if symbols != before:
        why = Message("It trades {new} in place of {old}.", new=", ".join(symbols), old=", ".join(before))
        raise RunError(_refused(why, core))
    new, old = ({each.name: (each.symbol, each.timeframe) for each in found} for found in (wanted, had))
    if new != old:
        other = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
        raise RunError(_refused(Message("It needs other bars, of {names}.", names=", ".join(other)), core))


def _refused(why: Message, core: StrategyCore) -> Message:
    """Return why the new strategy can't carry on, with what to do, if there is something to close."""
    return why if is_idle(core) else Message("{why} Close the positions first.", why=why)


def _known(graph: BoundGraph, stored: StoredMarket | None, core: StrategyCore, feed: FeedConnection) -> dict[str, Bars]:
    """Return the bars up to now, and more of them before if the new strategy looks back further."""
    session = core.session
    known = {name: session.bars(name) for name in session.names}
    if stored is not None:
        for name, bars in known.items():
            last_ns = bars.close_ns[-1] if len(bars) else -(2**62)
            same = stored.bars[name].slice(0, int(stored.bars[name].close_ns.searchsorted(last_ns, "right")))
            if len(same) != len(bars) or not _are_equal(same, bars):
                raise RunError(_refused(Message("Its bars of {name} are others than those so far.", name=name), core))
        return known
    count = history_count(graph)
    for name, bars in known.items():
        if not 0 < len(bars) < count:
            continue
        found = feed.history(name, int(bars.close_ns[-1]), count)
        if len(found) > len(bars) and found.close_ns[-1] == bars.close_ns[-1]:
            known[name] = found if bars.actions is None else ready_for_actions(graph, {name: found})[name]
    return known


def _are_equal(one: Bars, other: Bars) -> bool:
    columns = (("close_ns", "open", "high", "low", "close"),)
    return all(np.array_equal(getattr(one, each), getattr(other, each)) for names in columns for each in names)


def _check_stops(before: SessionState, after: SessionState) -> None:
    for symbol, kept in before.instruments.items():
        new = after.instruments.get(symbol)
        if kept.holding.get("lots", 0) and _stops(kept) and (new is None or not _stops(new)):
            raise RunError(
                Message(
                    "The position of {symbol} would lose its stop: the new strategy has no node of that name. Keep the "
                    "node, or close the position first.",
                    symbol=symbol,
                )
            )


def _stops(state: InstrumentState) -> int:
    return sum(order["rule"] is not None and order["kind"] == OrderKind.STOP for order in state.orders)


def _check_lots(core: StrategyCore, session: StrategySession) -> None:
    """Refuse other lots at a broker outside: it was told those of the old strategy."""
    if core.venue == "simulated":
        return
    for each, old, new in zip(core.graph.instruments, core.session.terms, session.terms, strict=True):
        was, now = float(old.value("lot_size")), float(new.value("lot_size"))
        if was != now:
            raise RunError(
                Message(
                    "The lot size of {symbol} is {new:g} in place of {old:g}, which the broker was told. Remove the "
                    "strategy, and add it under another key.",
                    symbol=each.spec.symbol,
                    new=now,
                    old=was,
                )
            )


# ------------------------------------------------------------------------------------------------------------- preview


def _goes_on(core: StrategyCore, before: SessionState, after: SessionState) -> Iterator[str]:
    """Yield what goes on, a sentence for each instrument."""
    held = core.session.positions
    for symbol, kept in before.instruments.items():
        new = after.instruments.get(symbol)
        count = 0 if new is None else len(new.orders)
        position = (
            Message("The position of {quantity:g} {symbol} goes on", quantity=held[symbol], symbol=symbol)
            if symbol in held
            else Message("{symbol} has no position", symbol=symbol)
        )
        yield Message(
            "{position}, with {count} of {before} orders at work.",
            position=position,
            count=count,
            before=len(kept.orders),
        )


def is_idle(core: StrategyCore) -> bool:
    """Return whether a strategy has neither a position nor an order at work."""
    state = SessionState.from_json(core.session.state())
    return not core.session.positions and not any(each.orders for each in state.instruments.values())
