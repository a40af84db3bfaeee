"""Evaluation of a plan on one instrument: every step's columns, once, in order, each checked.

1. A step's inputs are converted to its clock: a literal becomes a full column, a column of another feed is aligned.
2. The component computes its columns; an event-style component is looped over the bars.
3. Type and length are checked, and the first bar at which the step is complete is recorded: its own warm-up after the
   first bar at which all its inputs are.

Components get read-only views. Third-party components get copies, which are compared after the call: a component that
wrote to its input fails. Their results are copied, because they may keep the array and write to it later.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import (
    BAR_COLUMNS,
    Bars,
    ComponentError,
    FloatColumn,
    PortType,
    QuantCrafterError,
    Signals,
    TimeColumn,
)
from quantcrafter.engine.api.foreign import calling, is_own, is_plain, reason_of
from quantcrafter.engine.api.frozen import LentColumns, frozen, frozen_copy, read_only, shown, shown_bars
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.node_state import Contents, seal
from quantcrafter.engine.api.pairs import ComputedInPairs
from quantcrafter.engine.data.align import align, as_of
from quantcrafter.engine.graph.bar_events import blank_columns, loop_on_bar
from quantcrafter.engine.graph.bound import BASE_CLOCK, MarketColumn, Number
from quantcrafter.engine.graph.partners import partners_of
from quantcrafter.engine.graph.plan import ANY_CLOCK, Plan, PlanSource, PlanStep, StepColumn, each_wire

Column = npt.NDArray[Any]
StepValues = tuple[Column | Signals, ...]


Recall = Callable[[int], tuple[StepValues, int] | None]
"""Gives a step's values and first complete bar by its number, if they are known from another evaluation."""


class Evaluated(Protocol):
    """Columns of one instrument, on its own clock: those of an evaluation, or their newest row."""

    @property
    def bars(self) -> Bars:
        """The instrument's bars."""
        ...

    @property
    def feeds(self) -> Mapping[str, Bars]:
        """The bars of the feeds, by name."""
        ...

    def column(self, source: PlanSource) -> Any:
        """Return a source's column: an array, Signals or Bars."""
        ...

    def ready_at(self, source: PlanSource) -> int:
        """Return the first row at which it is complete."""
        ...


def _keep(column: Column) -> Column:
    return column


def nothing_known(_step: int) -> None:
    """Recall nothing."""


@dataclass
class Evaluation:
    """The columns of every step for one instrument.

    `values[i]` holds step i's outputs on the step's clock, `ready[i]` the first bar of that clock at which they are
    complete. `keep` is given every finished column and returns the array to hold on to.
    """

    plan: Plan
    bars: Bars
    feeds: Mapping[str, Bars]
    keep: Callable[[Column], Column] = _keep
    values: list[StepValues] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)
    _as_of: dict[str, TimeColumn] = field(default_factory=dict)
    _aligned: dict[tuple[PlanSource, str], Any] = field(default_factory=dict)

    def run(self, progress: Callable[[], None] = lambda: None, recall: Recall = nothing_known) -> Evaluation:
        """Compute all steps but those that `recall` knows, of a plan that doesn't see the universe.

        Raises:
            ComponentError: a component raised, or returned something other than columns of its declared types.
        """
        for number in self.computing(progress, recall):
            raise TypeError(self.plan.steps[number].label)
        return self

    def computing(self, progress: Callable[[], None], recall: Recall) -> Generator[int, StepValues, None]:
        """Compute all steps but those that `recall` knows; yield the number of each that sees the universe.

        The values of such a step have to be sent.

        Raises:
            ComponentError: a component raised, or returned something other than columns of its declared types.
        """
        partners = partners_of(self.plan.steps)
        together: dict[int, StepValues] = {}
        for number, step in enumerate(self.plan.steps):
            known = None if step.in_loop or step.sees_universe else recall(number)
            if step.in_loop:
                self._leave_blank(step)
            elif step.sees_universe:
                self._take(step, (yield number))
            elif known is None:
                partner = partners.get(number)
                if partner is not None and recall(partner) is None:
                    together |= self._pair(number, partner)
                self._compute(step, together.pop(number, None))
            else:
                self.values.append(known[0])
                self.ready.append(known[1])
            progress()

    def inputs_of(self, number: int) -> dict[str, Any]:
        """Return the inputs of a step on its clock, by port: read-only columns."""
        step = self.plan.steps[number]
        return self._inputs(step, step.clock or BASE_CLOCK)

    def note_ready(self) -> Evaluation:
        """Note the first complete bar of each step, and compute none of them."""
        for step in self.plan.steps:
            self._note_ready(step)
        return self

    def since(self, first: int) -> Evaluation:
        """Return the columns of the instrument's bars from number `first` on: views, with the same bits.

        Feeds keep all of their bars.
        """
        own = [step.clock in (BASE_CLOCK, ANY_CLOCK) for step in self.plan.steps]
        return replace(
            self,
            bars=self.bars.slice(first, len(self.bars)),
            values=[
                tuple(_since(value, first) for value in values) if is_own_clock else values
                for values, is_own_clock in zip(self.values, own, strict=True)
            ],
            ready=[
                max(0, ready - first) if is_own_clock else ready
                for ready, is_own_clock in zip(self.ready, own, strict=True)
            ],
            _as_of={},
            _aligned={},
        )

    def clock_bars(self, clock: str) -> Bars:
        """Return the bars that a clock ticks by."""
        return self.bars if clock in (BASE_CLOCK, ANY_CLOCK) else self.feeds[clock]

    def column(self, source: PlanSource, clock: str = BASE_CLOCK) -> Any:
        """Return a source's column on a clock, aligned where it comes from another: an array, Signals or Bars."""
        key = (source, clock)
        if key not in self._aligned:
            self._aligned[key] = self._bring(source, clock)
        return self._aligned[key]

    def ready_at(self, source: PlanSource, clock: str = BASE_CLOCK) -> int:
        """Return the first bar of a clock at which a source's column is complete."""
        own, ready = self._origin(source)
        if own in (clock, ANY_CLOCK):
            return ready
        complete = np.flatnonzero(self._last_closed(own, clock) >= ready)
        return int(complete[0]) if len(complete) else len(self.clock_bars(clock))

    # ------------------------------------------------------------------ bringing columns to a clock

    def _origin(self, source: PlanSource) -> tuple[str, int]:
        if isinstance(source, Number):
            return ANY_CLOCK, 0
        if isinstance(source, MarketColumn):
            return source.feed, 0
        return self.plan.steps[source.step].clock, self.ready[source.step]

    def _last_closed(self, feed: str, clock: str) -> TimeColumn:
        key = f"{feed}>{clock}"
        if key not in self._as_of:
            self._as_of[key] = as_of(self.clock_bars(feed).close_ns, self.clock_bars(clock).close_ns)
        return self._as_of[key]

    def _bring(self, source: PlanSource, clock: str) -> Any:
        if isinstance(source, Number):
            return frozen(np.full(len(self.clock_bars(clock)), source.value))
        own, _ = self._origin(source)
        column = self._raw(source)
        if own == clock or (own == ANY_CLOCK and clock == BASE_CLOCK):
            return column
        if own == ANY_CLOCK:
            step = self.plan.steps[source.step] if isinstance(source, StepColumn) else None
            return self._outputs(step, clock)[source.output] if step and isinstance(source, StepColumn) else column
        index = self._last_closed(own, clock)
        if isinstance(column, Bars):
            return _align_bars(column, index)
        if isinstance(column, Signals):
            strength = None if column.strength is None else frozen(align(column.strength, index))
            return Signals(frozen(align(column.flags, index)), strength)
        return frozen(align(column, index))

    def _raw(self, source: MarketColumn | StepColumn) -> Any:
        if isinstance(source, StepColumn):
            return self.values[source.step][source.output]
        bars = self.clock_bars(source.feed)
        return read_only(bars.column(source.column)) if source.column else shown_bars(bars)

    # ------------------------------------------------------------------ what the bar loop gives

    def with_record(self, record: Mapping[StepColumn, FloatColumn]) -> Evaluation:
        """Return the columns with those that the steps in the loop gave in a run; bars it did not come to are blank."""
        values = list(self.values)
        for number, step in enumerate(self.plan.steps):
            if step.in_loop:
                outputs = enumerate(step.component.outputs)
                values[number] = tuple(
                    recorded(record[StepColumn(number, place)], each.type) for place, each in outputs
                )
        return replace(self, values=values, _as_of={}, _aligned={})

    def _leave_blank(self, step: PlanStep) -> None:
        """Put columns without values where those of a run will be."""
        columns = blank_columns(step.component, len(self.bars))
        kinds = [output.type for output in step.component.outputs]
        self.values.append(
            tuple(Signals(each) if kind is PortType.SIGNAL else each for each, kind in zip(columns, kinds, strict=True))
        )
        self._note_ready(step)

    # ------------------------------------------------------------------ computing

    def _pair(self, first: int, second: int) -> dict[int, StepValues]:
        """Return the outputs of two steps with the same inputs, if they are computed together."""
        one, other = self.plan.steps[first], self.plan.steps[second]
        clock = one.clock or BASE_CLOCK
        with np.errstate(all="ignore"):
            found = compute_pair(one, other, self.clock_bars(clock), self._inputs(one, clock))
        return {} if found is None else {first: found[0], second: found[1]}

    def _compute(self, step: PlanStep, values: StepValues | None) -> None:
        if values is None:
            values = self._outputs(step, step.clock or BASE_CLOCK)
        self._take(step, values)

    def _take(self, step: PlanStep, values: StepValues) -> None:
        self.values.append(tuple(self._kept(value) for value in values))
        self._note_ready(step)

    def _note_ready(self, step: PlanStep) -> None:
        clock = step.clock or BASE_CLOCK
        wired = [self.ready_at(source, clock) for wires in step.inputs.values() for source in each_wire(wires)]
        self.ready.append(max(wired, default=0) + step.warmup)

    def _kept(self, value: Column | Signals) -> Column | Signals:
        if isinstance(value, Signals):
            return Signals(self.keep(value.flags), None if value.strength is None else self.keep(value.strength))
        return self.keep(value)

    def _outputs(self, step: PlanStep, clock: str) -> StepValues:
        with np.errstate(all="ignore"):
            return compute_step(step, self.clock_bars(clock), self._inputs(step, clock))

    def _inputs(self, step: PlanStep, clock: str) -> dict[str, Any]:
        return {
            port: shown(
                tuple(self.column(source, clock) for source in wires)
                if isinstance(wires, tuple)
                else self.column(wires, clock)
            )
            for port, wires in step.inputs.items()
        }


def _since(value: Column | Signals, first: int) -> Column | Signals:
    if not isinstance(value, Signals):
        return value[first:]
    return Signals(value.flags[first:], None if value.strength is None else value.strength[first:])


def compute_step(step: PlanStep, bars: Bars, inputs: Mapping[str, Any]) -> StepValues:
    """Return a step's outputs, checked and read-only, from read-only inputs of the length of `bars`.

    Raises:
        ComponentError: the component raised, or returned something other than columns of its declared types.
    """
    return checked_outputs(step, _call(step, bars, inputs), len(bars))


def compute_pair(
    one: PlanStep, other: PlanStep, bars: Bars, inputs: Mapping[str, Any]
) -> tuple[StepValues, StepValues] | None:
    """Return the outputs of two steps with the same inputs; None where each is computed by itself."""
    if not isinstance(one.component, ComputedInPairs):
        raise TypeError(one.label)
    with guarded(one, bars):
        found = one.component.compute_pair(other.component, inputs)
    if found is None:
        return None
    return checked_outputs(one, found[0], len(bars)), checked_outputs(other, found[1], len(bars))


def checked_outputs(step: PlanStep, result: Any, length: int) -> StepValues:
    """Return what a component gave as one read-only column of its declared type for each output.

    Raises:
        ComponentError: it is something else.
    """
    outputs = step.component.outputs
    if len(outputs) == 1 and (isinstance(result, Signals) or not isinstance(result, tuple)):
        result = (result,)
    if not isinstance(result, tuple) or len(result) != len(outputs):
        raise ComponentError(
            Message(
                "{label} must return {count} column(s), one for each output; it returned {kind}.",
                label=step.label,
                count=len(outputs),
                kind=_kind(result),
            ),
            node=step.nodes[0],
        )
    return tuple(
        _checked(step, output.name, output.type, value, length) for output, value in zip(outputs, result, strict=True)
    )


def _call(step: PlanStep, bars: Bars, inputs: Mapping[str, Any]) -> Any:
    component = step.component
    with guarded(step, bars):
        if is_own(component):
            return _computed(step, bars, inputs)
        lent, contents = LentColumns(), Contents(component)
        shows = bars if type(component).overrides("compute") else lent.value(bars)
        copies = lent.value(inputs)
        seal(component)
        with calling(step.label, Message("computing"), component, step.nodes[0]):
            result = _computed(step, shows, copies)
        lent.check()
        contents.check()
    return result


@contextmanager
def guarded(step: PlanStep, bars: Bars) -> Iterator[None]:
    """Add the step to all exceptions of its component.

    Raises:
        ComponentError: it raised.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, QuantCrafterError) and is_plain(error):
            error.node = error.node or step.nodes[0]
            raise
        raise ComponentError(
            Message(
                "{label} failed on {count} bars of {symbol}: {reason}.",
                label=step.label,
                count=len(bars),
                symbol=bars.symbol,
                reason=reason_of(error),
            ),
            node=step.nodes[0],
        ) from error


def _computed(step: PlanStep, bars: Bars, inputs: Mapping[str, Any]) -> Any:
    if type(step.component).overrides("compute"):
        return step.component.compute(**inputs)
    shows = shown_bars(bars) if is_own(step.component) else bars
    return loop_on_bar(step.component, step.nodes[0], shows, inputs)


def _align_bars(bars: Bars, index: TimeColumn) -> Bars:
    prices: dict[str, Any] = {name: align(bars.column(name), index) for name in BAR_COLUMNS}
    prices["extra"] = {name: align(column, index) for name, column in bars.extra.items()}
    if not len(bars):
        nothing = np.zeros(len(index), np.int64)
        return replace(bars, open_ns=nothing, close_ns=nothing, **prices)
    known = np.maximum(index, 0)
    return replace(bars, open_ns=bars.open_ns[known], close_ns=bars.close_ns[known], **prices)


_DTYPES = {
    PortType.SERIES: np.dtype(np.float64),
    PortType.CONDITION: np.dtype(np.bool_),
    PortType.FILTER: np.dtype(np.bool_),
    PortType.SIGNAL: np.dtype(np.uint8),
}


def _checked(step: PlanStep, name: str, kind: PortType, value: Any, length: int) -> Column | Signals:
    if kind is not PortType.SIGNAL:
        return _checked_column(step, name, kind, value, length)
    given = value if isinstance(value, Signals) else Signals(value)
    flags: Any = _checked_column(step, name, kind, given.flags, length)
    if given.strength is None:
        return Signals(flags)
    return Signals(flags, _checked_column(step, name, PortType.SERIES, given.strength, length))


def _checked_column(step: PlanStep, name: str, kind: PortType, value: Any, length: int) -> FloatColumn:
    wanted = _DTYPES[kind]
    array = np.asarray(value)
    if array.ndim == 0 and not step.inputs:
        array = np.full(length, array)
    if kind is PortType.SERIES and array.dtype.kind in "iuf":
        array = array.astype(np.float64, copy=False)
    if array.dtype != wanted or array.shape != (length,):
        raise ComponentError(
            Message(
                "{label} must return '{name}' as {wanted} of shape ({length},), and returned {dtype} of shape {shape}.",
                label=step.label,
                name=name,
                wanted=wanted,
                length=length,
                dtype=array.dtype,
                shape=array.shape,
            ),
            node=step.nodes[0],
            field=name,
        )
    column: FloatColumn = frozen(np.ascontiguousarray(array)) if is_own(step.component) else frozen_copy(array)
    return column


def recorded(column: FloatColumn, kind: PortType) -> Column | Signals:
    """Return a recorded value as the column of an output."""
    if kind is PortType.SERIES:
        return read_only(column)
    known = np.nan_to_num(column, nan=0.0).astype(_DTYPES[kind])
    return Signals(frozen(known)) if kind is PortType.SIGNAL else frozen(known)


def _kind(value: object) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else f"a {type(value).__name__}"
