"""What of a strategy is cold when its run begins: nodes that have no value yet, or remember more than there is.

Columns are computed from the beginning of the data on, so that a run from `run.start` decides as a run over all bars
does. A node is cold where fewer bars precede the start than its warm-up needs: decisions begin later then. One that
remembers more bars than precede the start, such as an exponential average, has values, which depend on where the data
begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from quantcrafter.engine.api import Bars
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.data.align import as_of
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.graph import BASE_CLOCK, Evaluation, Plan, PlanStep, StepColumn
from quantcrafter.engine.graph.plan import ANY_CLOCK, each_wire
from quantcrafter.engine.runtime.running.prepare import LoadedMarket

MOST_NAMES = 4
"""How many nodes are named."""


class WarmUp(NamedTuple):
    """What is said of a run's warm-up: `cold` nodes delay decisions, `unsettled` ones remember more than there is."""

    cold: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()


def warm_up_of(plan: Plan, market: LoadedMarket, *, starts: bool) -> WarmUp:
    """Return what is cold at the start of a run; nothing where the run `starts` with the data, not at a time."""
    if not starts or not plan.decisions:
        return WarmUp()
    cold, unsettled = [], []
    for number, first in enumerate(market.first):
        if market.graph.instruments[number].spec.is_member and first == 0:  # it was listed later: nobody waits for it
            continue
        look = _Start(plan, market, number, first)
        if lacking := list(look.lacking()):
            cold.append(look.cold(lacking))
        if short := list(look.short()):
            unsettled.append(look.unsettled(short))
    return WarmUp(tuple(cold), tuple(unsettled))


class _Start:
    """The first bar of a run of one instrument."""

    def __init__(self, plan: Plan, market: LoadedMarket, number: int, first: int) -> None:
        plan = plan.of(number)
        self._plan, self._first = plan, first
        self._bars = market.bars[number]
        self._evaluation = Evaluation(plan, self._bars, market.feeds[number]).note_ready()

    def lacking(self) -> Iterator[tuple[str, int, str]]:
        """Yield the nodes that have a warm-up and no value yet, with how many bars of which feed they lack."""
        for number in sorted(_read(self._plan)):
            step = self._plan.steps[number]
            missing = self._evaluation.ready[number] - self._before(step)
            if step.warmup and missing > 0:
                yield step.nodes[0], missing, _feed(step)
        for part in self._plan.components:
            wired = max(map(self._evaluation.ready_at, part.sources()), default=0)
            missing = wired + part.component.warmup() - self._first
            if part.component.warmup() and missing > 0:
                yield part.node, missing, ""

    def short(self) -> Iterator[tuple[str, int, int, str]]:
        """Yield the nodes with a value whose memory is longer: bars remembered, bars that there are, and the feed."""
        for number in sorted(_read(self._plan)):
            step, have = self._plan.steps[number], self._before(self._plan.steps[number])
            bars = step.window.get(step.clock or BASE_CLOCK)
            recursive = step.lookback is not None and step.lookback > step.warmup
            if recursive and bars is not None and self._evaluation.ready[number] <= have < bars:
                yield step.nodes[0], bars, have, _feed(step)

    def _before(self, step: PlanStep) -> int:
        """Return the newest bar of a step's clock at the close of the first bar, which is how many precede it."""
        if step.clock in (BASE_CLOCK, ANY_CLOCK):
            return self._first
        closes = self._evaluation.clock_bars(step.clock).close_ns
        return int(as_of(closes, self._bars.close_ns[self._first : self._first + 1])[0])

    def cold(self, lacking: list[tuple[str, int, str]]) -> Message:
        """Return the sentence about nodes without a value."""
        named = [_lack(*each) for each in lacking[:MOST_NAMES]]
        if len(lacking) > MOST_NAMES:
            named.append(Message("{count:,} more nodes", count=len(lacking) - MOST_NAMES))
        ready = self._ready()
        if ready < len(self._bars):
            then = Message("The first decision is on {day}.", day=_day(self._bars, ready))
        else:
            then = Message("No decision is taken.")
        return Message(
            "{symbol}: too few bars come before the start of the run on {day}, {count:,} in all: {nodes}. {then} "
            "Give earlier data, or start later.",
            symbol=self._bars.symbol,
            count=self._first,
            day=_day(self._bars, self._first),
            nodes=joined(named, ", "),
            then=then,
        )

    def unsettled(self, short: list[tuple[str, int, int, str]]) -> Message:
        """Return the sentence about nodes that remember more than there is."""
        named = [_memory(*each) for each in short[:MOST_NAMES]]
        if len(short) > MOST_NAMES:
            named.append(Message("{count:,} more nodes", count=len(short) - MOST_NAMES))
        return Message(
            "{symbol}: fewer bars come before the start of the run than some nodes remember, so their first values "
            "depend on where the data begins: {nodes}.",
            symbol=self._bars.symbol,
            nodes=joined(named, ", "),
        )

    def _ready(self) -> int:
        """Return the first bar at which everything that decides is complete."""
        ready = [self._first, *map(self._evaluation.ready_at, self._plan.sources())]
        for part in self._plan.components:
            wired = max(map(self._evaluation.ready_at, part.sources()), default=0)
            ready.append(wired + part.component.warmup())
        return max(ready)


def _read(plan: Plan) -> set[int]:
    """Return the steps that decisions read, and all that those read."""
    found = set[int]()
    pending = [*plan.sources(), *(source for part in plan.components for source in part.sources())]
    while pending:
        source = pending.pop()
        if isinstance(source, StepColumn) and source.step not in found:
            found.add(source.step)
            pending += [each for wires in plan.steps[source.step].inputs.values() for each in each_wire(wires)]
    return found


def _feed(step: PlanStep) -> str:
    return "" if step.clock in (BASE_CLOCK, ANY_CLOCK) else step.clock


def _lack(node: str, bars: int, feed: str) -> Message:
    if feed:
        return Message("'{node}' lacks {bars:,} bars of '{feed}'", node=node, bars=bars, feed=feed)
    return Message("'{node}' lacks {bars:,} bars", node=node, bars=bars)


def _memory(node: str, bars: int, have: int, feed: str) -> Message:
    if feed:
        return Message(
            "'{node}' remembers {bars:,} bars of '{feed}', there are {have:,}",
            node=node,
            bars=bars,
            have=have,
            feed=feed,
        )
    return Message("'{node}' remembers {bars:,} bars, there are {have:,}", node=node, bars=bars, have=have)


def _day(bars: Bars, row: int) -> str:
    return bar_label(int(bars.open_ns[row]), bars.timeframe, bars.session, named=True)
