"""The look-ahead detector: cut the data at many bars and find nodes whose past values change.

A causal node's column on the first n bars equals the first n values of its column on all bars. If it doesn't, the node
looked ahead. A node is the origin if it changed while its inputs did not. Nodes behind an origin change too, and are
reported separately.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Bars, Catalog, RunCancelledError, Signals
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.labels import DEFAULT_ZONE, named_moment
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph, Evaluation, Plan, PlanStep, StepColumn, make_plan
from quantcrafter.engine.runtime.research.early_feeds import too_early
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, Loader, load_market
from quantcrafter.engine.spec import StrategySpec

RELATIVE_TOLERANCE = 1e-9


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
    plan = make_plan(graph)
    market = load_market(graph, lambda _stage, _done, _total: None, cancelled, loader)
    resampled = _resampler(graph.nodes)
    found: dict[str, LookAhead] = {}
    counts = [_cut_points(len(bars), cuts) for bars in market.bars]
    total, done = sum(map(len, counts)), 0
    for index, points in enumerate(counts):
        for finding in early_feeds(graph, market, index):
            found.setdefault(finding.node, finding)
        full = Evaluation(plan, market.bars[index], market.feeds[index]).run()
        for count in points:
            if cancelled():
                raise RunCancelledError(Message("The look-ahead check was cancelled."))
            bars, feeds = market.cut(index, count)
            feeds |= {name: make(bars) for name, make in resampled.items()}
            part = Evaluation(plan, bars, feeds).run()
            for finding in _compare(plan, full, part, count):
                found.setdefault(finding.node, finding)
            done += 1
            progress(done, total)
    places = {node: place for place, node in enumerate(plan.step_of)}
    return sorted(found.values(), key=lambda finding: (not finding.origin, places.get(finding.node, -1)))


def early_feeds(graph: BoundGraph, market: LoadedMarket, index: int) -> list[LookAhead]:
    """Return the feeds of an instrument's own symbol whose bars close before their trades have happened."""
    bars = market.bars[index]
    findings = []
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
