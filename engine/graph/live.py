"""Columns of a running strategy: what a plan computes, bar by bar, with the bits that a batch over the same bars has.

1. The clocks move on: each history, of the instrument, a feed or longer bars made from it, has so many bars now.
2. A step whose clock moved computes its columns over the whole history, which by causality leaves the values before as
   they were. Strategies that ask for the same columns at the same count share them (`ColumnBook`).
3. An event-style component keeps its context and is asked about the new bars only; so does a component that says that
   each of its values follows from that bar's inputs alone (`by_bar`).
4. Of a component whose column is a loop with a memory (`loops`) the step form is carried out at the new bars only.
5. A column of another clock is aligned for the new bars only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np

from engine.api import (
    BAR_COLUMNS,
    Bars,
    FloatColumn,
    Given,
    PortType,
    Signals,
    StepProgram,
    StrategyContext,
    TimeColumn,
)
from engine.api.foreign import calling, is_own
from engine.api.frozen import Lent
from engine.api.node_state import Contents, copied_state, seal
from engine.data.align import align, as_of
from engine.graph.bound import BASE_CLOCK, MarketColumn, Number
from engine.graph.evaluate import Column, StepValues, checked_outputs, compute_step, guarded
from engine.graph.events import ask_bar, blank_columns, split_inputs
from engine.graph.history import Growing, History
from engine.graph.loop import node_program
from engine.graph.plan import ANY_CLOCK, Plan, PlanSource, PlanWires, Step, StepColumn, each_wire

LIMIT_BYTES = 256 * 1024 * 1024


class Shared:
    """The columns of one component over certain inputs, as far as some strategy has come."""

    __slots__ = ("__weakref__", "count", "run", "size", "values", "width")

    def __init__(self) -> None:
        self.run: ProgramRun | None = None
        self.count = -1
        self.size = self.width = 0
        self.values: StepValues = ()


class ColumnBook:
    """The columns that strategies of a process share, by component with its parameters, inputs and history.

    Of each column the newest state is kept. Those used least lately go when all take more than `limit` bytes; they are
    computed again when they are asked for.
    """

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._limit = limit
        # What nobody reads any more goes by itself.
        self._shared: WeakValueDictionary[Hashable, Shared] = WeakValueDictionary()
        self._kept: OrderedDict[Shared, None] = OrderedDict()
        self.bytes = 0
        self.computed = 0

    def shared(self, key: Hashable) -> Shared:
        """Return the place of the columns that `key` tells from all others."""
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = Shared()
        return found

    def get(self, place: Shared, count: int) -> StepValues | None:
        """Return the values of the first `count` bars, if those of as many or more are known."""
        if place.count < count:
            return None
        self._kept.move_to_end(place)
        return place.values if place.count == count else tuple(_cut(value, 0, count) for value in place.values)

    def put(self, place: Shared, count: int, values: StepValues) -> None:
        """Keep the values of `count` bars; older ones go."""
        if place.count < 0 or not count:
            place.width = sum(_size(value) for value in values) // max(1, count)
        size = place.width * count
        self.bytes += size - place.size
        place.count, place.values, place.size = count, values, size
        self._kept[place] = None
        self._kept.move_to_end(place)
        self.computed += 1
        while self.bytes > self._limit and len(self._kept) > 1:
            oldest, _ = self._kept.popitem(last=False)
            self.bytes -= oldest.size
            oldest.count, oldest.values, oldest.size = -1, (), 0


class Clock:
    """A history as far as one strategy has come in it."""

    def __init__(self, history: History, count: int) -> None:
        self.history = history
        self.count = count
        self.bars = history.bars(count)

    def move(self, count: int) -> None:
        """Go on to so many bars."""
        if count != self.count:
            self.count = count
            self.bars = self.history.bars(count)


class NodeProgram(Protocol):
    """A node's step form at work, with its memory."""

    def run(self, columns: Sequence[Column]) -> FloatColumn:
        """Return what comes out at each of the next bars, shape (outputs, bars)."""
        ...


Interpreter = Callable[[StepProgram], NodeProgram]
"""Makes a step form ready to be carried out; the engine's is `engine.simulation.node_program.NodeProgram`."""


class Feeder(Protocol):
    """Brings a source's column on one clock, as far as that has come."""

    def column(self) -> Any:
        """Return the column: an array, `Signals` or `Bars`."""
        ...

    def ready(self) -> int:
        """Return the first bar at which it is complete; past the newest one if it isn't yet."""
        ...

    @property
    def key(self) -> Hashable:
        """What tells the column from all others of this process."""
        ...


class LiveColumns:
    """The columns of one instrument that the decisions of a plan read.

    Args:
        plan: the plan.
        clocks: the histories by clock, `bars` being the instrument's own, as far as the strategy has come.
        book: the columns shared with other strategies.
        interpreter: what carries out step forms.

    Raises:
        ComponentError: a component failed on what is there.
    """

    def __init__(self, plan: Plan, clocks: Mapping[str, Clock], book: ColumnBook, interpreter: Interpreter) -> None:
        self.plan = plan
        self._interpreter = interpreter
        self.clocks = clocks
        self._book = book
        self._steps: dict[tuple[int, str], LiveStep] = {}
        self._feeders: dict[tuple[PlanSource, str], Feeder] = {}
        sources = _decision_sources(plan)
        for number in _needed(plan, sources):
            self._step(number, plan.steps[number].clock or BASE_CLOCK)
        for source in sources:
            self._feeder(source, BASE_CLOCK)
        self.advance()

    def advance(self) -> None:
        """Compute what the clocks' newest bars bring.

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
        """Return a column that the decisions read, on the instrument's clock."""
        return self._feeder(source, BASE_CLOCK).column()

    def ready_at(self, source: PlanSource) -> int:
        """Return the first bar at which such a column is complete; past the newest one if it isn't yet."""
        return self._feeder(source, BASE_CLOCK).ready()

    def states(self) -> dict[str, dict[str, Any]]:
        """Return a copy of what event-style nodes remember, by node."""
        return {step.node: copied_state(step.context.state) for step in self._event_steps()}

    def _event_steps(self) -> Iterator[EventStep]:
        return (step for step in self._steps.values() if isinstance(step, EventStep))

    def _feeder(self, source: PlanSource, clock: str) -> Feeder:
        if (source, clock) not in self._feeders:
            self._feeders[source, clock] = self._new_feeder(source, clock)
        return self._feeders[source, clock]

    def _new_feeder(self, source: PlanSource, clock: str) -> Feeder:
        if isinstance(source, Number):
            return _Constant(source.value, self.clocks[clock])
        if isinstance(source, MarketColumn):
            own, raw = source.feed, _Market(self.clocks[source.feed], source.column)
            return raw if own == clock else _Aligned(raw, self.clocks[own], self.clocks[clock])
        own = self.plan.steps[source.step].clock
        if own in (clock, ANY_CLOCK):
            return _StepOutput(self._step(source.step, clock), source.output)
        made = _StepOutput(self._step(source.step, own), source.output)
        return _Aligned(made, self.clocks[own], self.clocks[clock])

    def _step(self, number: int, clock: str) -> LiveStep:
        """Return a step on a clock; those it reads come before it."""
        if (number, clock) not in self._steps:
            step = self.plan.steps[number]
            inputs = {port: self._wires(wires, clock) for port, wires in step.inputs.items()}
            by_program = self._program_step(step, clock, inputs)
            if by_program is not None:
                self._steps[number, clock] = by_program
                return by_program
            kind: type[LiveStep] = WholeStep
            if step.in_loop:
                kind = LoopStep
            elif not type(step.component).overrides("compute"):
                kind = EventStep
            elif step.component.by_bar and is_own(step.component):
                kind = BarStep
            self._steps[number, clock] = kind(step, self.clocks[clock], inputs, self._book)
        return self._steps[number, clock]

    def _program_step(self, step: Step, clock: str, inputs: Mapping[str, Any]) -> ProgramStep | None:
        """Return a loop with a memory as its step form; None for any other step."""
        if step.in_loop or not step.component.loops or not is_own(step.component):
            return None
        made = node_program(step)
        if made is None:
            return None
        program, sources = made
        feeders = [self._feeder(source, clock) for source in sources]
        return ProgramStep(step, self.clocks[clock], inputs, self._book, feeders, self._interpreter(program))

    def _wires(self, wires: PlanWires, clock: str) -> Feeder | tuple[Feeder, ...]:
        if isinstance(wires, tuple):
            return tuple(self._feeder(each, clock) for each in wires)
        return self._feeder(wires, clock)


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
        return _cut(value, self._row, self._row + 1)

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
            return _typed(component.outputs[source.output].type, column)
        return self.bars if isinstance(source, MarketColumn) and not source.column else np.empty(0)

    def ready_at(self, source: PlanSource) -> int:  # noqa: ARG002 - there is no row to be ready at
        """Return the row at which a column is complete."""
        return 0


def _decision_sources(plan: Plan) -> list[PlanSource]:
    decision, loop = plan.decision, plan.loop
    if decision is None:
        return []
    read = [] if loop is None else [each for each in loop.inputs if not isinstance(each, Given)]
    return [*decision.sources(), *(each for part in decision.components for each in part.sources()), *read]


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


# ---------------------------------------------------------------------- steps

_PLAIN = {
    PortType.SERIES: np.dtype(np.float64),
    PortType.CONDITION: np.dtype(np.bool_),
    PortType.FILTER: np.dtype(np.bool_),
}
"""Outputs that are plain arrays."""


class LiveStep:
    """A step of the plan on one clock."""

    def __init__(
        self, step: Step, clock: Clock, inputs: Mapping[str, Feeder | tuple[Feeder, ...]], book: ColumnBook
    ) -> None:
        self.step = step
        self.node = step.nodes[0]
        self.clock = clock
        self.values: StepValues = ()
        self.done = -1
        self._inputs = inputs
        self._all = [each for wires in inputs.values() for each in (wires if isinstance(wires, tuple) else (wires,))]
        self._book = book
        self._ready: int | None = None
        component = step.component
        parameters = component.model_dump_json(include=set(type(component).parameters()))
        wired = tuple((port, _key_of(wires)) for port, wires in sorted(inputs.items()))
        # One object stands for the whole path, so that no nested key is ever hashed or compared again.
        self.key = book.shared((type(component), parameters, clock.history, wired))

    def advance(self) -> None:
        """Bring the values up to the clock's newest bar."""
        count = self.clock.count
        if self.done != count:
            self._advance(count)
            self.done = count

    def _advance(self, count: int) -> None:
        raise NotImplementedError

    def ready(self) -> int:
        """Return the first bar at which the outputs are complete; past the newest one if they aren't yet."""
        if self._ready is not None:
            return self._ready
        ready = max((each.ready() for each in self._all), default=0) + self.step.warmup
        if ready < self.clock.count:  # from now on it stays
            self._ready = ready
        return ready

    def columns(self) -> dict[str, Any]:
        """Return the inputs by port."""
        return {
            port: tuple(each.column() for each in wires) if isinstance(wires, tuple) else wires.column()
            for port, wires in self._inputs.items()
        }


class WholeStep(LiveStep):
    """A step that computes over the whole history."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._is_own = is_own(self.step.component)
        outputs = self.step.component.outputs
        self._dtypes = tuple(_PLAIN.get(output.type) for output in outputs)

    def _advance(self, count: int) -> None:
        known = self._book.get(self.key, count)
        if known is None:
            known = self._computed(count) if self._is_own else None
            if known is None:
                known = compute_step(self.step, self.clock.bars, self.columns())
            self._book.put(self.key, count, known)
        self.values = known

    def _computed(self, count: int) -> StepValues | None:
        """Return what a component of ours gives, checked quickly; None where it is to be asked with all the care."""
        try:
            result = self.step.component.compute(**self.columns())
        except Exception:  # noqa: BLE001 - it is asked again, and named
            return None
        columns = result if type(result) is tuple else (result,)
        if len(columns) == len(self._dtypes):
            for column, dtype in zip(columns, self._dtypes, strict=True):
                if type(column) is not np.ndarray or column.dtype != dtype or column.shape != (count,):
                    break
                column.flags.writeable = False
            else:
                return columns
        return checked_outputs(self.step, result, count)


class BarStep(LiveStep):
    """A step each of whose values follows from that bar's inputs alone: the new bars are enough."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._grown: list[Growing] = []

    def _advance(self, count: int) -> None:
        begin = max(0, self.done)
        inputs = {port: _cut(value, begin, count) for port, value in self.columns().items()}
        new = compute_step(self.step, self.clock.bars.slice(begin, count), inputs)
        parts = [part for value in new for part in _parts(value)]
        if not self._grown:
            self._grown = [Growing(part) for part in parts]
        else:
            for grown, part in zip(self._grown, parts, strict=True):
                grown.extend(part)
        kinds = [output.type for output in self.step.component.outputs]
        self.values = tuple(_typed(kind, grown.view(count)) for kind, grown in zip(kinds, self._grown, strict=True))


class EventStep(LiveStep):
    """An event-style step: one context for as long as the strategy runs, asked about the new bars."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.context = StrategyContext(self.node)
        self._grown = [Growing(column) for column in blank_columns(self.step.component, 0)]
        self._kinds = [output.type for output in self.step.component.outputs]
        seal(self.step.component)

    def _advance(self, count: int) -> None:
        begin, component = max(0, self.done), self.step.component
        results = blank_columns(component, count - begin)
        with guarded(self.step, self.clock.bars):
            if is_own(component):
                self._ask(begin, count, self.clock.bars, self.columns(), results)
            else:
                lent, contents = Lent(), Contents(component)
                bars, inputs = lent.value(self.clock.bars), lent.value(self.columns())
                with calling(self.step.label, "computing", component, self.node):
                    self._ask(begin, count, bars, inputs, results)
                lent.check()
                contents.check()
        for grown, result in zip(self._grown, results, strict=True):
            grown.extend(result)
        views = [grown.view(count) for grown in self._grown]
        self.values = tuple(_typed(kind, view) for kind, view in zip(self._kinds, views, strict=True))

    def _ask(self, begin: int, count: int, bars: Bars, inputs: Mapping[str, Any], results: list[Column]) -> None:
        self.context.bind(*split_inputs(inputs, bars))
        for bar in range(begin, count):
            ask_bar(self.step.component, self.context, bar, results, begin)


class ProgramRun:
    """The columns that a step form has given so far; strategies that share them carry it out once."""

    def __init__(self, program: NodeProgram, kinds: Sequence[PortType]) -> None:
        self._program = program
        self._kinds = kinds
        self._grown = [Growing(np.empty(0, _PLAIN.get(kind, np.dtype(np.uint8)))) for kind in kinds]
        self.count = 0

    def take(self, columns: Sequence[Column]) -> None:
        """Go on over the next bars."""
        given = self._program.run(columns)
        for grown, values in zip(self._grown, given, strict=True):
            grown.extend(values)
        self.count += given.shape[1]

    def values(self, count: int) -> StepValues:
        """Return the outputs at the first `count` bars."""
        return tuple(_typed(kind, grown.view(count)) for kind, grown in zip(self._kinds, self._grown, strict=True))


class ProgramStep(LiveStep):
    """A step that carries out its step form at the new bars."""

    def __init__(
        self,
        step: Step,
        clock: Clock,
        inputs: Mapping[str, Any],
        book: ColumnBook,
        feeders: list[Feeder],
        program: NodeProgram,
    ) -> None:
        super().__init__(step, clock, inputs, book)
        self._feeders = feeders
        if self.key.run is None:
            self.key.run = ProgramRun(program, [output.type for output in step.component.outputs])
        self._run = self.key.run

    def _advance(self, count: int) -> None:
        run = self._run
        if run.count < count:
            columns = [each.column() for each in self._feeders]
            plain = [column.flags if isinstance(column, Signals) else column for column in columns]
            with guarded(self.step, self.clock.bars):
                run.take([column[run.count : count] for column in plain])
            self._book.computed += 1
        self.values = run.values(count)


class LoopStep(LiveStep):
    """A step that runs inside the bar loop: its column is blank, as what it gives is known there alone."""

    def _advance(self, count: int) -> None:
        outputs = self.step.component.outputs
        columns = blank_columns(self.step.component, count)
        self.values = tuple(_typed(each.type, column) for each, column in zip(outputs, columns, strict=True))


# ---------------------------------------------------------------------- columns on a clock


class _Constant:
    """A number in place of a wire, as a column."""

    def __init__(self, value: float, clock: Clock) -> None:
        self.key: Hashable = value
        self._value, self._clock = value, clock
        self._grown = Growing(np.full(clock.count, value, np.float64))

    def column(self) -> Column:
        while len(self._grown) < self._clock.count:
            self._grown.append(self._value)
        return self._grown.view(self._clock.count)

    def ready(self) -> int:
        return 0


class _Market:
    """A column of bars, or the bars."""

    def __init__(self, clock: Clock, column: str) -> None:
        self.key: Hashable = (clock.history, column)
        self._clock, self._name = clock, column

    def column(self) -> Any:
        return getattr(self._clock.bars, self._name) if self._name else self._clock.bars

    def ready(self) -> int:
        return 0


class _StepOutput:
    """A step's output on the step's own clock."""

    def __init__(self, step: LiveStep, output: int) -> None:
        self.key: Hashable = (step.key, output)
        self._step, self._output = step, output

    def column(self) -> Column | Signals:
        self._step.advance()
        return self._step.values[self._output]

    def ready(self) -> int:
        return self._step.ready()


class _Aligned:
    """A column of another clock: at each bar the value of that clock's last bar that had closed by then."""

    def __init__(self, source: Feeder, own: Clock, to: Clock) -> None:
        self.key: Hashable = (source.key, to.history)
        self._source, self._own, self._to = source, own, to
        self._index = Growing(np.empty(0, np.int64))
        self._parts: list[Growing] = []
        self._whole: Any = None
        self._ready: int | None = None

    def column(self) -> Any:
        count, done = self._to.count, len(self._index)
        if count > done:
            self._extend(done, count)
        elif self._whole is not None and len(self._parts[0]) == count:
            return self._whole
        self._whole = _put_together(self._source.column(), [part.view(count) for part in self._parts])
        return self._whole

    def _extend(self, done: int, count: int) -> None:
        index = as_of(self._own.bars.close_ns, self._to.bars.close_ns[done:count])
        self._index.extend(index)
        parts = _aligned_parts(self._source.column(), index)
        if not self._parts:
            self._parts = [Growing(part) for part in parts]
        else:
            for grown, part in zip(self._parts, parts, strict=True):
                grown.extend(part)

    def ready(self) -> int:
        if self._ready is None:
            self.column()
            complete = np.flatnonzero(self._index.view(self._to.count) >= self._source.ready())
            if not len(complete):
                return self._to.count
            self._ready = int(complete[0])
        return self._ready


def _aligned_parts(column: Any, index: TimeColumn) -> list[Column]:
    if not isinstance(column, Bars):
        return [align(part, index) for part in _parts(column)]
    if not len(column):
        times = [np.zeros(len(index), np.int64)] * 2
    else:
        known = np.maximum(index, 0)
        times = [column.open_ns[known], column.close_ns[known]]
    return [*times, *(align(column.column(name), index) for name in BAR_COLUMNS)]


def _put_together(like: Any, parts: list[Column]) -> Any:
    if isinstance(like, Signals):
        return Signals(parts[0], parts[1] if len(parts) > 1 else None)
    if isinstance(like, Bars):
        columns: dict[str, Any] = dict(zip(("open_ns", "close_ns", *BAR_COLUMNS), parts, strict=True))
        return replace(like, traded=None, actions=None, **columns)
    return parts[0]


def _parts(value: Column | Signals) -> list[Column]:
    if isinstance(value, Signals):
        return [value.flags] if value.strength is None else [value.flags, value.strength]
    return [value]


def _size(value: Column | Signals) -> int:
    return sum(part.nbytes for part in _parts(value))


def _cut(value: Any, begin: int, end: int) -> Any:
    if isinstance(value, Bars):
        return value.slice(begin, end)
    if isinstance(value, Signals):
        return Signals(value.flags[begin:end], None if value.strength is None else value.strength[begin:end])
    return tuple(_cut(each, begin, end) for each in value) if isinstance(value, tuple) else value[begin:end]


def _typed(kind: PortType, column: Column) -> Column | Signals:
    return Signals(column) if kind is PortType.SIGNAL else column


def _key_of(wires: Feeder | tuple[Feeder, ...]) -> Hashable:
    return tuple(each.key for each in wires) if isinstance(wires, tuple) else wires.key
