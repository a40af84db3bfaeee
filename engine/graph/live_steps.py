"""Steps of a running strategy: over the whole history, over the new bars, event-style, by their step form, or none."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    Follower,
    Signals,
    StrategyContext,
)
from quantcrafter.engine.api.foreign import calling, is_own
from quantcrafter.engine.api.frozen import LentColumns
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.node_state import Contents, seal
from quantcrafter.engine.graph.bar_events import ask_bar, blank_columns, split_inputs
from quantcrafter.engine.graph.column_cache import PLAIN, ColumnCache, RunningNode, RunSoFar, cut, parts_of, typed
from quantcrafter.engine.graph.evaluate import Column, StepValues, checked_outputs, compute_step, guarded
from quantcrafter.engine.graph.history import Growing
from quantcrafter.engine.graph.live_sources import Clock, Feeder, key_of
from quantcrafter.engine.graph.plan import PlanStep


class LiveStep:
    """A step of the plan on one clock."""

    def __init__(
        self, step: PlanStep, clock: Clock, inputs: Mapping[str, Feeder | tuple[Feeder, ...]], cache: ColumnCache
    ) -> None:
        self.step = step
        self.node = step.nodes[0]
        self.clock = clock
        self.values: StepValues = ()
        self.done = -1
        self._inputs = inputs
        self._all = [each for wires in inputs.values() for each in (wires if isinstance(wires, tuple) else (wires,))]
        self._book = cache
        self._ready: int | None = None
        component = step.component
        parameters = component.model_dump_json(include=set(type(component).parameters()))
        wired = tuple((port, key_of(wires)) for port, wires in sorted(inputs.items()))
        # One object stands for the whole path, so that no nested key is ever hashed or compared again.
        self.key = cache.shared((type(component), parameters, clock.history, wired))

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
        self._dtypes = tuple(PLAIN.get(output.type) for output in outputs)

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
        inputs = {port: cut(value, begin, count) for port, value in self.columns().items()}
        new = compute_step(self.step, self.clock.bars.slice(begin, count), inputs)
        parts = [part for value in new for part in parts_of(value)]
        if not self._grown:
            self._grown = [Growing(part) for part in parts]
        else:
            for grown, part in zip(self._grown, parts, strict=True):
                grown.extend(part)
        kinds = [output.type for output in self.step.component.outputs]
        self.values = tuple(typed(kind, grown.view(count)) for kind, grown in zip(kinds, self._grown, strict=True))


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
                lent, contents = LentColumns(), Contents(component)
                bars, inputs = lent.value(self.clock.bars), lent.value(self.columns())
                with calling(self.step.label, Message("computing"), component, self.node):
                    self._ask(begin, count, bars, inputs, results)
                lent.check()
                contents.check()
        for grown, result in zip(self._grown, results, strict=True):
            grown.extend(result)
        views = [grown.view(count) for grown in self._grown]
        self.values = tuple(typed(kind, view) for kind, view in zip(self._kinds, views, strict=True))

    def _ask(self, begin: int, count: int, bars: Bars, inputs: Mapping[str, Any], results: list[Column]) -> None:
        self.context.bind(*split_inputs(inputs, bars))
        for bar in range(begin, count):
            ask_bar(self.step.component, self.context, bar, results, begin)


class ProgramStep(LiveStep):
    """A step that executes its step form at the new bars."""

    def __init__(
        self,
        step: PlanStep,
        clock: Clock,
        inputs: Mapping[str, Any],
        cache: ColumnCache,
        feeders: list[Feeder],
        program: RunningNode,
    ) -> None:
        super().__init__(step, clock, inputs, cache)
        self._feeders = feeders
        if self.key.run is None:
            self.key.run = RunSoFar(program.run, [output.type for output in step.component.outputs])
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


class FollowStep(LiveStep):
    """A step whose component gives the values at the new bars from what it knows of those before."""

    def __init__(self, *args: Any, follower: Follower) -> None:
        super().__init__(*args)
        if self.key.run is None:
            self.key.run = RunSoFar(follower.follow, [output.type for output in self.step.component.outputs])
        self._run = self.key.run

    def _advance(self, count: int) -> None:
        run = self._run
        if run.count < count:
            with guarded(self.step, self.clock.bars):
                run.take(self.columns(), run.count, count)
            self._book.computed += 1
        self.values = run.values(count)


class LoopStep(LiveStep):
    """A step that runs inside the bar loop: its column is blank, as what it gives is known there alone."""

    def _advance(self, count: int) -> None:
        outputs = self.step.component.outputs
        columns = blank_columns(self.step.component, count)
        self.values = tuple(typed(each.type, column) for each, column in zip(outputs, columns, strict=True))


class StepOutput:
    """A step's output on the step's own clock."""

    def __init__(self, step: LiveStep, output: int) -> None:
        self.key: Hashable = (step.key, output)
        self._step, self._output = step, output

    def column(self) -> Column | Signals:
        self._step.advance()
        return self._step.values[self._output]

    def ready(self) -> int:
        return self._step.ready()
