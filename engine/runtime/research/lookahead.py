"""The look-ahead detector: cut the data at many bars and find nodes whose past values change.

A causal node's column on the first n bars equals the first n values of its column on all bars. If it doesn't, the node
looked ahead. A node is the origin if it changed while its inputs did not. Nodes behind an origin change too, and are
reported separately.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Bars, Catalog, OrderKind, RunCancelledError, Signals
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import first_of
from quantcrafter.engine.data.labels import DEFAULT_ZONE, named_moment
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph, Evaluation, Plan, PlanStep, StepColumn, evaluate_together, make_plan
from quantcrafter.engine.runtime.research.early_feeds import too_early
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import AssumedClock, LoadedMarket, Loader, load_market
from quantcrafter.engine.spec import StrategySpec

RELATIVE_TOLERANCE = 1e-9
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class LookAhead:
    """A node whose past values changed.

    `bar` is the first bar of the node's own clock whose value changed, `ts_ns` its close time, `cut` the number of
    known bars when it had the value `known`; with all bars, the value is `later`. `origin` is False for a node that
    only passes on the change of an earlier node.
    """

    node: str
    use: str
    output: str
    instrument: str
    bar: int
    ts_ns: int
    cut: int
    known: float
    later: float
    origin: bool
    why: str = ""
    """What a feed knew too early, as text."""
    zone: str = DEFAULT_ZONE
    """The time zone of the instrument's exchange, in which its times are shown."""

    def __str__(self) -> str:
        if self.why:
            return self.why
        what = Message("looks ahead") if self.origin else Message("depends on a node that looks ahead")
        return Message(
            "Node '{node}' ({use}) {what}: '{output}' at bar {bar} of {instrument} was "
            "{known:g} with {cut} bars known and is {later:g} with all.",
            node=self.node,
            use=self.use,
            what=what,
            output=self.output,
            bar=self.bar,
            instrument=self.instrument,
            known=self.known,
            cut=self.cut,
            later=self.later,
        )


def find_lookahead(
    source: str | Path | StrategySpec | BoundGraph,
    *,
    registry: Catalog,
    overrides: Sequence[str] = (),
    cuts: int = 40,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    loader: Loader = load_bars,
) -> list[LookAhead]:
    """Return every node whose past values changed at any of about `cuts` cuts, origins first.

    Raises:
        SpecError, DataError, ComponentError: as for a run.
        RunCancelledError: the owner cancelled.
    """
    graph = source if isinstance(source, BoundGraph) else load_graph(source, registry, overrides)
    market = load_market(graph, lambda _stage, _done, _total: None, cancelled, loader)
    graph = market.graph
    plan = make_plan(graph)
    resampled = _resampler(graph.nodes)
    found: dict[str, LookAhead] = {}
    if plan.sees_universe:
        return _together(graph, plan, market, cuts, progress, cancelled)
    counts = [_cut_points(len(bars), cuts) for bars in market.bars]
    total, done = sum(map(len, counts)), 0
    for index, points in enumerate(counts):
        for finding in (*early_feeds(graph, market, index), *early_fills(graph, plan, market.bars[index])):
            found.setdefault(finding.node, finding)
        own = plan.of(index)
        full = Evaluation(own, market.bars[index], market.feeds[index]).run()
        for count in points:
            if cancelled():
                raise RunCancelledError(Message("The look-ahead check was cancelled."))
            bars, feeds = market.cut(index, count)
            feeds |= {name: make(bars) for name, make in resampled.items()}
            part = Evaluation(own, bars, feeds).run()
            for finding in _compare(plan, full, part, count):
                found.setdefault(finding.node, finding)
            done += 1
            progress(done, total)
    return _origins_first(plan, found)


def _together(
    graph: BoundGraph,
    plan: Plan,
    market: LoadedMarket,
    cuts: int,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> list[LookAhead]:
    """Cut the data of all instruments at the same moments, as nodes of a plan see all of them."""
    resampled = _resampler(graph.nodes)
    found = {finding.node: finding for finding in unzoned_members(plan, market)}
    for index in range(len(market.bars)):
        for finding in early_feeds(graph, market, index):
            found.setdefault(finding.node, finding)
    every = enumerate(zip(market.bars, market.feeds, strict=True))
    full = evaluate_together(plan, [Evaluation(plan.of(number), *each) for number, each in every])
    ends = np.unique(np.concatenate([bars.close_ns for bars in market.bars]))
    points = _cut_points(len(ends), cuts)
    for done, count in enumerate(points):
        progress(done, len(points))
        if cancelled():
            raise RunCancelledError(Message("The look-ahead check was cancelled."))
        known = market.until(int(ends[count - 1]))
        parts = [
            Evaluation(plan.of(number), bars, feeds | {name: make(bars) for name, make in resampled.items()})
            for number, (bars, feeds) in enumerate(known)
        ]
        for whole, part in zip(full, evaluate_together(plan, parts), strict=True):
            for finding in _compare(plan, whole, part, len(part.bars)):
                found.setdefault(finding.node, finding)
    progress(len(points), len(points))
    return _origins_first(plan, found)


def _origins_first(plan: Plan, found: Mapping[str, LookAhead]) -> list[LookAhead]:
    places = {node: place for place, node in enumerate(plan.step_of)}
    return sorted(found.values(), key=lambda finding: (not finding.origin, places.get(finding.node, -1)))


def early_feeds(graph: BoundGraph, market: LoadedMarket, index: int) -> list[LookAhead]:
    """Return the feeds of an instrument's own symbol whose bars close before their trades have happened.

    And those of which that can't be told, because only one of the two has times with a zone.
    """
    bars = market.bars[index]
    findings = [_unzoned(market, name, bars) for name in graph.feeds if _may_be_early(market, name, bars.symbol)]
    for name, feed in graph.feeds.items():
        if feed.component.symbol.upper() != bars.symbol.upper():
            continue
        early = too_early(market.feeds[index][name], bars)
        if early is None:
            continue
        closes = int(market.feeds[index][name].close_ns[early.bar])
        zone = bars.session.timezone
        text = Message(
            "Node '{name}' (feed) looks ahead: bar {bar} of {symbol} closes on {closes}, and its {column} of "
            "{value:g} is reached after that, on {later}. Its session is wrong: set 'session' or 'market' of the feed.",
            name=name,
            bar=early.bar,
            symbol=feed.component.symbol,
            closes=named_moment(closes, zone),
            column=early.column,
            value=early.value,
            later=named_moment(early.ts_ns, zone),
        )
        cut = int(np.searchsorted(bars.close_ns, closes, side="right"))
        findings.append(
            LookAhead(
                name,
                "feed",
                early.column,
                bars.symbol,
                early.bar,
                closes,
                cut,
                early.value,
                early.seen,
                True,
                text,
                zone,
            )
        )
    return findings


def _may_be_early(market: LoadedMarket, feed: str, symbol: str) -> bool:
    return market.assumed.get(feed) != market.assumed.get(symbol)


def _unzoned(market: LoadedMarket, name: str, bars: Bars) -> LookAhead:
    unknown, other = (name, bars.symbol) if market.assumed[name].zone else (bars.symbol, name)
    zone = market.assumed[unknown].zone
    if zone == market.assumed[other].zone:
        text = Message(
            "Node '{name}' (feed) may look ahead: the times of {unknown} and {other} have no time zone and are both "
            "taken as {zone}, but are of different sources. Set 'timezone' of each, or import them anew with it.",
            name=name,
            unknown=unknown,
            other=other,
            zone=zone,
        )
    else:
        text = Message(
            "Node '{name}' (feed) may look ahead: the times of {unknown} have no time zone and are taken as {zone}, "
            "unlike those of {other}. Set 'timezone' of {unknown}.",
            name=name,
            unknown=unknown,
            zone=zone,
            other=other,
        )
    feed = next(own[name] for own in market.feeds if name in own)
    moment, value = int(feed.close_ns[0]), float(feed.close[0])
    return LookAhead(name, "feed", "close", bars.symbol, 0, moment, 1, value, value, True, text, bars.session.timezone)


def unzoned_members(plan: Plan, market: LoadedMarket) -> list[LookAhead]:
    """Return the nodes that compare instruments whose times may be of different clocks."""
    clocks = {bars.symbol: market.assumed.get(bars.symbol, AssumedClock()) for bars in market.bars}
    if len(set(clocks.values())) < 2:  # noqa: PLR2004 - one clock for all
        return []
    names = first_of([symbol for symbol, clock in clocks.items() if clock.zone], _MOST_NAMES)
    bars, findings = market.bars[0], []
    moment, zone = int(bars.close_ns[0]), bars.session.timezone
    for step in plan.steps:
        use, output = step.component.name, step.component.outputs[0].name
        for node in step.nodes if step.sees_universe else ():
            text = Message(
                "Node '{node}' ({use}) may look ahead: it compares instruments, and the times of {names} have no time "
                "zone and may be of another one than those of the others. Set 'timezone' of each, or import them anew "
                "with it.",
                node=node,
                use=use,
                names=names,
            )
            findings.append(
                LookAhead(node, use, output, bars.symbol, 0, moment, 1, math.nan, math.nan, True, text, zone)
            )
    return findings


def early_fills(graph: BoundGraph, plan: Plan, bars: Bars) -> list[LookAhead]:
    """Return the execution nodes whose orders fill at the very close on which they are decided.

    That close is known only when it is over, so no order could have been sent before it.
    """
    if graph.spec.run.fills.close != "auction" or not len(bars):
        return []
    close, zone, findings = float(bars.close[0]), bars.session.timezone, []
    for node in [each.node for each in plan.decisions if each.rule.entry.kind is OrderKind.AT_CLOSE]:
        use = graph.nodes[node].component.name
        text = Message(
            "Node '{node}' ({use}) looks ahead: with 'fills: close: auction' its orders fill at the close that their "
            "decision uses, as at bar 0 of {symbol}, at {close:g} on {when}. Leave the setting out, or make sure that "
            "there is a closing auction to which the orders can be sent in time.",
            node=node,
            use=use,
            symbol=bars.symbol,
            close=close,
            when=named_moment(int(bars.close_ns[0]), zone),
        )
        moment = int(bars.close_ns[0])
        findings.append(LookAhead(node, use, "", bars.symbol, 0, moment, 1, math.nan, close, True, text, zone))
    return findings


def _resampler(nodes: Any) -> dict[str, Callable[[Bars], Bars]]:
    from quantcrafter.engine.api import ResampleNode
    from quantcrafter.engine.data.resample import resample

    def maker(timeframe: Any) -> Callable[[Bars], Bars]:
        return lambda bars: resample(bars, timeframe)

    return {
        name: maker(node.component.timeframe)
        for name, node in nodes.items()
        if isinstance(node.component, ResampleNode)
    }


def _cut_points(length: int, cuts: int) -> list[int]:
    """Return counts of bars to cut at: evenly spread with an irregular step, dense near the end, ascending."""
    if length <= 1:
        return []
    even = np.linspace(max(2, length // (cuts + 1)), length - 1, max(1, cuts - 4))
    shifted = even.astype(np.int64) + np.arange(len(even)) % 3
    tail = np.arange(length - 4, length)
    return sorted({int(point) for point in (*shifted, *tail) if 1 <= point < length})


def _compare(plan: Plan, full: Evaluation, part: Evaluation, count: int) -> list[LookAhead]:
    findings = []
    dirty: set[int] = set()
    for number, step in enumerate(plan.steps):
        if step.in_loop:  # it runs bar by bar, and can't see a later one
            continue
        changed = _first_change(step, full, part, number)
        if changed is None:
            continue
        upstream = {
            source.step
            for wires in step.inputs.values()
            for source in (wires if isinstance(wires, tuple) else (wires,))
            if isinstance(source, StepColumn)
        }
        dirty.add(number)
        output, bar, known, later = changed
        bars = full.clock_bars(step.clock)
        findings += [
            LookAhead(
                node=node,
                use=step.component.name,
                output=output,
                instrument=full.bars.symbol,
                bar=bar,
                ts_ns=int(bars.close_ns[bar]),
                cut=count,
                known=known,
                later=later,
                origin=not (upstream & dirty),
                zone=full.bars.session.timezone,
            )
            for node in step.nodes
        ]
    return findings


def _first_change(
    step: PlanStep, full: Evaluation, part: Evaluation, number: int
) -> tuple[str, int, float, float] | None:
    for output, late, early in zip(step.component.outputs, full.values[number], part.values[number], strict=True):
        for later, known in zip(_arrays(late), _arrays(early), strict=False):
            bar = first_difference(known, later[: len(known)])
            if bar is not None:
                return output.name, bar, float(known[bar]), float(later[bar])
    return None


def _arrays(value: Any) -> list[npt.NDArray[Any]]:
    if isinstance(value, Signals):
        return [value.flags] if value.strength is None else [value.flags, value.strength]
    return [value]


def first_difference(known: npt.NDArray[Any], later: npt.NDArray[Any]) -> int | None:
    """Return the first index at which two columns differ, NaN being equal to NaN, or None."""
    if known.dtype.kind == "f":
        scale = np.maximum(np.abs(known), np.abs(later))
        with np.errstate(invalid="ignore"):
            near = np.abs(known - later) <= RELATIVE_TOLERANCE * scale
        same = near | (known == later) | (np.isnan(known) & np.isnan(later))
    else:
        same = known == later
    different = np.flatnonzero(~same)
    return int(different[0]) if len(different) else None
