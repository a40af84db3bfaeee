"""ColumnMemo: columns computed once for many runs that differ in a few parameters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b
from typing import Any

from quantcrafter.engine.api import RunCancelledError, Signals
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph import Evaluation, MarketColumn, Number, Plan, StepColumn, evaluate_together
from quantcrafter.engine.graph.evaluate import Recall, StepValues
from quantcrafter.engine.runtime.results.trace import ColumnStore
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, Progress

LIMIT_BYTES = 256 * 1024 * 1024


class ColumnMemo:
    """Evaluates plans as `evaluate` does, and computes no column twice.

    A column is known by its component, its parameters, and what it reads, down to the bars. Columns used least lately
    go first when all take more than `limit` bytes.
    """

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[StepValues, int]] = OrderedDict()
        self.computed = 0

    def evaluate(
        self,
        plan: Plan,
        market: LoadedMarket,
        progress: Progress,  # noqa: ARG002 - of a sweep, runs are counted and not columns
        cancelled: Callable[[], bool],
        store: ColumnStore,  # noqa: ARG002 - what is kept is kept here
    ) -> tuple[Evaluation, ...]:
        """Return every column of every instrument.

        Raises:
            ComponentError: a component failed.
            RunCancelledError: the owner cancelled.
        """

        def step_done() -> None:
            if cancelled():
                raise RunCancelledError(Message("The run was cancelled while columns were computed."))

        found = [
            Evaluation(plan.of(number), bars, feeds)
            for number, (bars, feeds) in enumerate(zip(market.bars, market.feeds, strict=True))
        ]
        all_keys = _keys(plan, found)
        evaluate_together(plan, found, step_done, [self._recall(keys) for keys in all_keys])
        for evaluation, keys in zip(found, all_keys, strict=True):
            steps = zip(plan.steps, keys, evaluation.values, evaluation.ready, strict=True)
            for step, key, values, ready in steps:
                if not step.in_loop:  # what the bar loop gives differs from run to run
                    self._keep(key, values, ready)
        return tuple(found)

    def _recall(self, keys: list[Hashable]) -> Recall:
        return lambda step: self._kept.get(keys[step])

    def _keep(self, key: Hashable, values: StepValues, ready: int) -> None:
        if key not in self._kept:
            self.computed += 1
            self._kept[key] = values, ready
            self._bytes += _size(values)
        self._kept.move_to_end(key)
        while self._bytes > self._limit and len(self._kept) > 1:
            _, (old, _) = self._kept.popitem(last=False)
            self._bytes -= _size(old)


def _keys(plan: Plan, evaluations: Sequence[Evaluation]) -> list[list[Hashable]]:
    """Return what tells each step of each instrument from all others: hashes of nested tuples."""
    keys: list[list[Hashable]] = [[] for _ in evaluations]

    def of(source: Any, number: int) -> Hashable:
        if isinstance(source, Number):
            return source.value
        if isinstance(source, StepColumn):
            return keys[number][source.step], source.output
        if isinstance(source, MarketColumn):
            return evaluations[number].clock_bars(source.feed).content_hash, source.column
        return tuple(of(each, number) for each in source)

    for place, step in enumerate(plan.steps):
        made: list[tuple[Hashable, ...]] = []
        for number, evaluation in enumerate(evaluations):
            own_step = evaluation.plan.steps[place]
            parameters = own_step.component.model_dump_json(include=set(type(step.component).parameters()))
            inputs = tuple((port, of(wires, number)) for port, wires in sorted(step.inputs.items()))
            clock = evaluation.clock_bars(step.clock).content_hash
            made.append((type(step.component), parameters, number, clock, inputs))
        all_of_them = blake2b(repr(made).encode()).hexdigest() if step.sees_universe else ""
        for own, key in zip(keys, made, strict=True):
            own.append((*key, all_of_them))
    return keys


def _size(values: StepValues) -> int:
    total = 0
    for value in values:
        arrays = [part for part in value if part is not None] if isinstance(value, Signals) else [value]
        total += sum(array.nbytes for array in arrays)
    return total
