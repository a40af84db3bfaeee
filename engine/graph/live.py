"""Columns of a running strategy, computed bar by bar, with results identical to a batch over the same bars.

1. The clocks move on: each history, of the instrument, a feed or longer bars made from it, has so many bars now.
2. A step whose clock moved computes its columns over the whole history, which by causality leaves the values before as
   they were. Strategies that ask for the same columns at the same count share them (`ColumnCache`).
3. An event-style component keeps its context and is called only for the new bars; so is a component whose values depend
   only on the inputs of the same bar (`by_bar`).
4. A component that can continue from what it knows of the bars before (`follower`) does so.
5. Of a component whose column is a loop with a memory (`loops`) the step form is executed at the new bars only.
6. A column of another clock is aligned for the new bars only.
7. A component that sees the universe is asked once for each moment, with the columns of all instruments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    Given,
    NoticeNode,
)
from quantcrafter.engine.api.foreign import is_own
from quantcrafter.engine.api.node_state import copied_state
from quantcrafter.engine.graph.bar_events import blank_columns
from quantcrafter.engine.graph.bound import BASE_CLOCK, MarketColumn, Number
from quantcrafter.engine.graph.column_cache import ColumnCache, Interpreter, cut, typed
from quantcrafter.engine.graph.live_sources import AlignedColumn, Clock, ConstantColumn, Feeder, MarketFeeder
from quantcrafter.engine.graph.live_steps import (
    BarStep,
    EventStep,
    FollowStep,
    LiveStep,
    LoopStep,
    ProgramStep,
    StepOutput,
    WholeStep,
)
from quantcrafter.engine.graph.live_universe import LiveUniverse, UniverseStep
from quantcrafter.engine.graph.loop import node_program
from quantcrafter.engine.graph.plan import ANY_CLOCK, Plan, PlanSource, PlanStep, PlanWires, StepColumn, each_wire


class LiveColumns:
    """The columns of one instrument that the decisions of a plan need.

    Args:
        plan: the plan.
        clocks: the histories by clock, `bars` being the instrument's own, as far as the strategy has come.
        book: the columns shared with other strategies.
        interpreter: what executes step forms.
        universe: the instrument among the others of the strategy; None if no node sees these.

    Raises:
        ComponentError: a component failed on what is there.
    """

    def __init__(
        self,
        plan: Plan,
        clocks: Mapping[str, Clock],
        cache: ColumnCache,
        interpreter: Interpreter,
        universe: LiveUniverse | None = None,
    ) -> None:
        self.plan = plan
        self._universe = universe
        self._place = 0 if universe is None else universe.add(self)
        self._interpreter = interpreter
        self.clocks = clocks
        self.cache = cache
        self._steps: dict[tuple[int, str], LiveStep] = {}
        self._feeders: dict[tuple[PlanSource, str], Feeder] = {}
        sources = _decision_sources(plan)
        for number in _needed(plan, sources):
            self._step(number, plan.steps[number].clock or BASE_CLOCK)
        for source in sources:
            self.feeder(source, BASE_CLOCK)
        if universe is None:
            self.advance()

    def compute_all(self) -> None:
        """From now on, also compute columns that no decision reads.

        Raises:
            ComponentError: a component failed on what is there.
        """
        for number, step in enumerate(self.plan.steps):
            self._step(number, step.clock or BASE_CLOCK)
        self.advance()

    def advance(self) -> None:
        """Compute the columns at the clocks' newest bars.

        Raises:
            ComponentError: a component failed.
        """
        if self.clocks[BASE_CLOCK].count:
            with np.errstate(all="ignore"):
                for step in self._steps.values():
                    step.advance()

    @property
    def bars(self) -> Bars:
        """The instrument's bars."""
        return self.clocks[BASE_CLOCK].bars

    @property
    def feeds(self) -> Mapping[str, Bars]:
        """The bars of the feeds, by name."""
        return {name: clock.bars for name, clock in self.clocks.items() if name != BASE_CLOCK}

    def column(self, source: PlanSource) -> Any:
        """Return a column on the instrument's clock: of a step that is computed, or of bars."""
        return self.feeder(source, BASE_CLOCK).column()

    def ready_at(self, source: PlanSource) -> int:
        """Return the first bar at which such a column is complete; past the newest one if it isn't yet."""
        return self.feeder(source, BASE_CLOCK).ready()

    def inputs_of(self, step: PlanStep) -> dict[str, Any]:
        """Return the columns that a step on the instrument's clock reads, by port, up to the newest bar."""
        return {port: self._now(wires) for port, wires in step.inputs.items()}

    def _now(self, wires: PlanWires) -> Any:
        return tuple(map(self.column, wires)) if isinstance(wires, tuple) else self.column(wires)

    def states(self) -> dict[str, dict[str, Any]]:
        """Return a copy of what event-style nodes remember, by node."""
        return {step.node: copied_state(step.context.state) for step in self._event_steps()}

    def _event_steps(self) -> Iterator[EventStep]:
        return (step for step in self._steps.values() if isinstance(step, EventStep))

    def feeder(self, source: PlanSource, clock: str) -> Feeder:
        """Return what brings a source's column on a clock."""
        if (source, clock) not in self._feeders:
            self._feeders[source, clock] = self._new_feeder(source, clock)
        return self._feeders[source, clock]

    def _new_feeder(self, source: PlanSource, clock: str) -> Feeder:
        if isinstance(source, Number):
            return ConstantColumn(source.value, self.clocks[clock])
        if isinstance(source, MarketColumn):
            own, raw = source.feed, MarketFeeder(self.clocks[source.feed], source.column)
            return raw if own == clock else AlignedColumn(raw, self.clocks[own], self.clocks[clock])
        own = self.plan.steps[source.step].clock
        if own in (clock, ANY_CLOCK):
            return StepOutput(self._step(source.step, clock), source.output)
        made = StepOutput(self._step(source.step, own), source.output)
        return AlignedColumn(made, self.clocks[own], self.clocks[clock])

    def _step(self, number: int, clock: str) -> LiveStep:
        """Return a step on a clock; those it reads come before it."""
        if (number, clock) not in self._steps:
            step = self.plan.steps[number]
            inputs = {port: self._wires(wires, clock) for port, wires in step.inputs.items()}
            if step.sees_universe:
                self._steps[number, clock] = self._universe_step(number, inputs)
                return self._steps[number, clock]
            known = self._program_step(step, clock, inputs) or self._follow_step(step, clock, inputs)
            if known is not None:
                self._steps[number, clock] = known
                return known
            kind: type[LiveStep] = WholeStep
            if step.in_loop:
                kind = LoopStep
            elif not type(step.component).overrides("compute"):
                kind = EventStep
            elif step.component.by_bar and is_own(step.component):
                kind = BarStep
            self._steps[number, clock] = kind(step, self.clocks[clock], inputs, self.cache)
        return self._steps[number, clock]

    def _universe_step(self, number: int, inputs: Mapping[str, Any]) -> UniverseStep:
        """Return a step that sees the universe: of one instrument, where it is not among others."""
        universe = LiveUniverse(self.plan.members) if self._universe is None else self._universe
        if self._universe is None:
            universe.add(self)
        return UniverseStep(
            self.plan.steps[number], self.clocks[BASE_CLOCK], inputs, self.cache, universe=universe, place=self._place
        )

    def _program_step(self, step: PlanStep, clock: str, inputs: Mapping[str, Any]) -> ProgramStep | None:
        """Return a loop with a memory as its step form; None for any other step."""
        if step.in_loop or not step.component.loops or not is_own(step.component):
            return None
        made = node_program(step)
        if made is None:
            return None
        program, sources = made
        feeders = [self.feeder(source, clock) for source in sources]
        return ProgramStep(step, self.clocks[clock], inputs, self.cache, feeders, self._interpreter(program))

    def _follow_step(self, step: PlanStep, clock: str, inputs: Mapping[str, Any]) -> FollowStep | None:
        """Return a step that continues from bar to bar; None for any other."""
        follower = step.component.follower() if is_own(step.component) and not step.in_loop else None
        if follower is None:
            return None
        return FollowStep(step, self.clocks[clock], inputs, self.cache, follower=follower)

    def _wires(self, wires: PlanWires, clock: str) -> Feeder | tuple[Feeder, ...]:
        if isinstance(wires, tuple):
            return tuple(self.feeder(each, clock) for each in wires)
        return self.feeder(wires, clock)


def columns_of(
    plan: Plan, clocks: Sequence[Mapping[str, Clock]], cache: ColumnCache, interpreter: Interpreter
) -> list[LiveColumns]:
    """Return the columns of all instruments of a strategy; arguments are those of `LiveColumns`.

    Raises:
        ComponentError: a component failed on what is there.
    """
    universe = LiveUniverse(plan.members) if plan.sees_universe else None
    made = [LiveColumns(plan.of(i), each, cache, interpreter, universe) for i, each in enumerate(clocks)]
    for each in made if universe is not None else ():
        each.advance()
    return made


class NewestRow:
    """The newest bar of a running strategy as an evaluation of one row; rows before it count below 0."""

    def __init__(self, columns: LiveColumns) -> None:
        self._columns = columns
        self._row = columns.clocks[BASE_CLOCK].count - 1
        self.bars = columns.clocks[BASE_CLOCK].history.rows(self._row, self._row + 1)
        self.feeds = columns.feeds

    def column(self, source: PlanSource) -> Any:
        """Return a column's value at the newest bar, as a column of one row."""
        value = self._columns.column(source)
        if type(value) is np.ndarray:
            return value[self._row : self._row + 1]
        return cut(value, self._row, self._row + 1)

    def ready_at(self, source: PlanSource) -> int:
        """Return the row at which a column is complete: 0 or less if it is."""
        return self._columns.ready_at(source) - self._row


class BlankRow:
    """The columns of a strategy without any bar: what kinds there are, and no values."""

    def __init__(self, columns: LiveColumns) -> None:
        self._plan = columns.plan
        self.bars = columns.clocks[BASE_CLOCK].history.bars(0)
        self.feeds = {name: clock.history.bars(0) for name, clock in columns.clocks.items() if name != BASE_CLOCK}

    def column(self, source: PlanSource) -> Any:
        """Return an empty column of the kind that the source brings."""
        if isinstance(source, StepColumn):
            component = self._plan.steps[source.step].component
            column = blank_columns(component, 0)[source.output]
            return typed(component.outputs[source.output].type, column)
        return self.bars if isinstance(source, MarketColumn) and not source.column else np.empty(0)

    def ready_at(self, source: PlanSource) -> int:  # noqa: ARG002 - there is no row to be ready at
        """Return the row at which a column is complete."""
        return 0


def _decision_sources(plan: Plan) -> list[PlanSource]:
    loop = plan.loop
    if not plan.decisions:
        return []
    read = [] if loop is None else [each for each in loop.inputs if not isinstance(each, Given)]
    noted = [
        StepColumn(number, 0)
        for number, step in enumerate(plan.steps)
        if isinstance(step.component, NoticeNode) and not step.in_loop
    ]
    return [*plan.sources(), *(each for part in plan.components for each in part.sources()), *read, *noted]


def _needed(plan: Plan, sources: list[PlanSource]) -> list[int]:
    """Return the steps that the sources come from and all that those read, in the order of the plan."""
    needed: set[int] = set()
    pending = list(sources)
    while pending:
        source = pending.pop()
        if isinstance(source, StepColumn) and source.step not in needed:
            needed.add(source.step)
            pending += [each for wires in plan.steps[source.step].inputs.values() for each in each_wire(wires)]
    return sorted(needed)
