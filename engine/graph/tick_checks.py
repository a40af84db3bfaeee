"""Warnings of ticks that prices contradict, or that are coarse beside the distance of a stop or target."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quantcrafter.engine.api import Bars, Problem, ProtectiveRule, RiskManager, Severity
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph.bound import BoundGraph, BoundInstrument, rule_of
from quantcrafter.engine.graph.data_terms import misfits, misfits_of, point_of, tick_shown
from quantcrafter.engine.graph.terms import Terms, plain

_CONTRADICTED = 0.1
_BEYOND = 1.5
"""From how many times a place of the prices on another one is coarser: powers of ten are not exact."""
"""The share of the prices that may be off the tick before it is spoken of."""
_COARSE = 0.1
"""How much of a distance a tick may be."""


def tick_problems(graph: BoundGraph, instrument: BoundInstrument, terms: Terms, bars: Bars) -> Iterator[Problem]:
    """Yield warnings of an instrument's tick, as the prices of its bars show it."""
    yield from _contradicted(instrument, terms, bars)
    yield from _coarse(graph, instrument, terms, bars)
    yield from _doubtful_point(instrument, terms, bars)


def _doubtful_point(instrument: BoundInstrument, terms: Terms, bars: Bars) -> Iterator[Problem]:
    """Yield a warning where nothing shows for certain in what a spread in points counts."""
    spread = instrument.spec.spread
    if spread is None or spread.unit != "points":
        return
    point, is_sure = point_of(terms, bars)
    remedy = Message("Set 'tick_size' to the point of the prices, such as 0.01.")
    if point is not None and not is_sure:
        text = Message(
            "{symbol}: a point of 'spread' is taken as {point}, the last decimal place of the numbers. If the source "
            "writes prices with zeros at the end, it is finer, and spreads are ten or a hundred times too wide.",
            symbol=instrument.spec.symbol,
            point=plain(point),
        )
        yield _warning(instrument, "point_doubtful", text, remedy)
    if point is not None and bars.decimals is not None and is_sure and point > _BEYOND * 10.0**-bars.decimals:
        text = Message(
            "{symbol}: a point of 'spread' is {point}, the last decimal place of 'tick_size', but prices are written "
            "with {decimals} decimals.",
            symbol=instrument.spec.symbol,
            point=plain(point),
            decimals=bars.decimals,
        )
        yield _warning(instrument, "point_doubtful", text, remedy)


def _contradicted(instrument: BoundInstrument, terms: Terms, bars: Bars) -> Iterator[Problem]:
    if terms.tick_tables:
        yield from _contradicted_table(instrument, terms, bars)
        return
    tick, shown, symbol = terms.value("tick_size"), tick_shown(bars), instrument.spec.symbol
    if terms.values["tick_size"].source != "file" or shown is None or shown >= tick:
        return
    share = misfits(bars, tick)
    if share > _CONTRADICTED:
        text = Message(
            "{symbol}: 'tick_size' is {tick}, but {share:.0%} of the prices are not multiples of it; they are "
            "multiples of {shown}.",
            symbol=symbol,
            tick=plain(tick),
            share=share,
            shown=plain(shown),
        )
        remedy = Message("Leave 'tick_size' out to take the data's, or correct it: orders are rounded to it.")
        yield _warning(instrument, "tick_contradicted", text, remedy)


def _contradicted_table(instrument: BoundInstrument, terms: Terms, bars: Bars) -> Iterator[Problem]:
    share = misfits_of(bars, terms.tick_tables)
    if share > _CONTRADICTED:
        text = Message(
            "{symbol}: {share:.0%} of the prices are not multiples of the ticks of the table '{table}'.",
            symbol=instrument.spec.symbol,
            share=share,
            table=terms.value("tick_table"),
        )
        remedy = Message("Correct 'tick_table', or set 'tick_size': orders are rounded to it.")
        yield _warning(instrument, "tick_contradicted", text, remedy)


def _coarse(graph: BoundGraph, instrument: BoundInstrument, terms: Terms, bars: Bars) -> Iterator[Problem]:
    pip = instrument.spec.pip_size or 0.0
    price = float(np.median(np.abs(bars.close)))
    for node in graph.nodes.values():
        rule = rule_of(node) if isinstance(node.component, RiskManager) else None
        if not isinstance(rule, ProtectiveRule) or rule.ticks or rule.column or rule.cash:
            continue
        distance = price * rule.percent / 100.0 + rule.offset + rule.pips * pip
        problem = coarse_problem(instrument, terms, node.spec.id, distance)
        if problem is not None:
            yield problem


def coarse_problem(instrument: BoundInstrument, terms: Terms, node: str, distance: float) -> Problem | None:
    """Return a warning if a protective rule's distance, in price units, is only a few ticks; None otherwise."""
    tick = terms.value("tick_size")
    if not 0.0 < distance < tick / _COARSE:
        return None
    text = Message(
        "{symbol}: 'tick_size' {tick} is coarse beside the distance of '{node}', about {distance:.3g}: the "
        "level is rounded by up to {percent:.0f} % of it.",
        symbol=instrument.spec.symbol,
        tick=plain(tick),
        node=node,
        distance=distance,
        percent=50.0 * tick / distance,
    )
    remedy = Message("Set a finer 'tick_size', or a larger distance.")
    return _warning(instrument, "coarse_tick", text, remedy)


def _warning(instrument: BoundInstrument, code: str, text: str, remedy: str) -> Problem:
    at, path = instrument.spec.place("tick_size"), f"{instrument.spec.path}.tick_size"
    return Problem(code, text, remedy, at.file, at.line, at.column, path, field="tick_size", severity=Severity.WARNING)
