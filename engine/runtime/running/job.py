"""The job of an engine: signals and filters combined, columns of the decision stage, from the start of the run on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    BoolColumn,
    DecisionComponent,
    EngineJob,
    Execution,
    ExecutionColumns,
    FlagColumn,
    FloatColumn,
    Given,
    InstrumentJob,
    Ledger,
    NightlySwap,
    RunError,
    RunSettings,
    Signals,
)
from quantcrafter.engine.api.frozen import frozen
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.api.settings import Spread
from quantcrafter.engine.graph import BoundGraph, Decision, Evaluation, Loop, Plan, PlanSource
from quantcrafter.engine.graph.evaluate import Evaluated
from quantcrafter.engine.graph.terms import Terms, complete
from quantcrafter.engine.runtime.running.prepare import Progress, with_session
from quantcrafter.engine.runtime.running.rates import rate_columns
from quantcrafter.engine.simulation.warm_steps import remembered_steps
from quantcrafter.engine.spec import InstrumentSpec
from quantcrafter.engine.trading_calendar.trading_days import trading_days_in_order

_EPOCH = date(1970, 1, 1).toordinal()
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_PRICES = ("line", "short_line", "atr")
"""The columns of an execution rule that are prices, or differences of them."""


def _no_progress(_stage: str, _done: int, _total: int) -> None:
    """Ignore progress."""


def _never() -> bool:
    return False


def job_of(
    graph: BoundGraph,
    settings: RunSettings,
    plan: Plan,
    evaluations: Sequence[Evaluated],
    progress: Progress = _no_progress,
    cancelled: Callable[[], bool] = _never,
    terms: Sequence[Terms] = (),
) -> EngineJob:
    """Return the job that an engine is given: the decision stage with its columns for each instrument.

    `terms` are those of the instruments, if what the bars show of them is known already.

    Raises:
        RunError: there is nothing to run.
    """
    if not plan.decisions:
        raise RunError(Message("The strategy has no execution node, so there is nothing to run."))
    return EngineJob(
        instruments=tuple(
            instrument_job(graph, i, plan, each, plan.loop, terms[i] if terms else None)
            for i, each in enumerate(evaluations)
        ),
        executions=tuple(Execution(each.rule, each.size, each.node, _places(plan, each)) for each in plan.decisions),
        protection=tuple(each.rule for each in plan.protection),
        guards=tuple(each.rule for each in plan.guards),
        components=decision_components(plan, evaluations),
        steps=None if plan.loop is None else plan.loop.program,
        settings=settings,
        progress=lambda done, total: progress("simulate", done, total),
        cancelled=cancelled,
    )


def _places(plan: Plan, decision: Decision) -> tuple[int, ...] | None:
    """Return which of the plan's protective rules an execution has; None for all of them."""
    if len(plan.decisions) == 1:
        return None
    nodes = [each.node for each in plan.protection]
    return tuple(nodes.index(each.node) for each in decision.protection)


def begin_at(job: EngineJob, first: Sequence[int]) -> EngineJob:
    """Return a job that begins at bar `first[i]` of each instrument; its steps remember the bars before.

    Raises:
        RunCancelledError: `job.cancelled()` returned True.
    """
    if not any(first):
        return job
    before = zip(job.instruments, first, strict=True)
    earlier = replace(job, instruments=tuple(each.rows(0, count) for each, count in before))
    states = remembered_steps(earlier) or (None,) * len(first)
    return replace(
        job,
        instruments=tuple(
            replace(each.rows(count, len(each.bars)), step_state=state)
            for each, count, state in zip(job.instruments, first, states, strict=True)
        ),
    )


def instrument_job(
    graph: BoundGraph,
    index: int,
    plan: Plan,
    evaluation: Evaluated,
    loop: Loop | None = None,
    terms: Terms | None = None,
) -> InstrumentJob:
    """Return one instrument's combined signals, filter masks, protective columns and first decision bar.

    With several executions, the first decision is that at which the inputs of all of them are complete. Without its
    `terms`, the bars are looked at for what they show of tick and lot.
    """
    spec, run = graph.instruments[index].spec, graph.spec.run
    ready = [evaluation.ready_at(source) for source in plan.sources()]
    for part in plan.components:
        wired = [evaluation.ready_at(source) for source in part.sources()]
        ready.append(max(wired, default=0) + part.component.warmup())
    # Columns are computed on adjusted prices, orders fill at those as traded.
    traded = evaluation.bars if evaluation.bars.traded is None else evaluation.bars.traded
    actions = traded.actions
    said = graph.instruments[index].terms
    if terms is None:
        terms = complete(said, traded)
    scale = None if actions is None else traded.close / evaluation.bars.close
    first, *further = (_execution_inputs(each, evaluation, scale) for each in plan.decisions)
    currency = spec.currency or run.currency
    rate_open, rate_close, first_rate = (
        (None, None, 0)
        if currency == run.currency
        else rate_columns(evaluation.bars, evaluation.feeds, run.rates[currency])
    )
    return InstrumentJob(
        symbol=spec.symbol,
        bars=traded,
        tick_size=terms.value("tick_size"),
        lot_size=terms.value("lot_size"),
        flags=first.flags,
        allowed=first.allowed,
        first_bar=max([first_rate, *ready]),
        rule_columns=tuple(_scaled(_column(evaluation, each.column), scale) for each in plan.protection),
        execution_columns=first.columns,
        size_column=first.size,
        further=tuple(further),
        min_quantity=spec.min_quantity,
        borrow_percent=_borrow_percent(spec, run),
        kind=spec.kind,
        multiplier=spec.multiplier,
        pip_size=spec.pip_size,
        margin=spec.margin,
        tick_is_shown=terms.values["tick_size"].source in ("data", "default"),
        buy_duty_percent=spec.buy_duty_percent,
        sell_duty_percent=spec.sell_duty_percent,
        trading_days=said.value("trading_days"),
        spread=_in_prices(spec, terms, spec.spread) if spec.spread is not None else 0.0,
        quotes=(None if spec.spread is None else spec.spread.bars) or terms.quotes,
        funding_percent=spec.funding_percent,
        swap=_swap(spec, terms),
        expiry_day=None if spec.expiry is None else spec.expiry.toordinal() - _EPOCH,
        settlement=spec.settlement,
        price_limits=terms.price_limits,
        terms=with_session(terms, evaluation.bars).values,
        currency=currency,
        rate_open=None if rate_open is None else frozen(rate_open),
        rate_close=None if rate_close is None else frozen(rate_close),
        split=None if actions is None else actions.split,
        dividend=None if actions is None else actions.dividend,
        step_columns=() if loop is None else tuple(_step_column(evaluation, each, scale) for each in loop.inputs),
    )


def _execution_inputs(decision: Decision, evaluation: Evaluated, scale: FloatColumn | None) -> ExecutionColumns:
    signals = [evaluation.column(source) for source in decision.signals]
    flags = [signal.flags for signal in signals if isinstance(signal, Signals)]
    combined = combine_flags(flags, require_all=decision.rule.combine == "all", length=len(evaluation.bars))
    return ExecutionColumns(
        frozen(combined),
        frozen(_allowed(decision, evaluation)),
        _execution_columns(decision, evaluation, scale),
        _column(evaluation, decision.size_column),
    )


def _borrow_percent(spec: InstrumentSpec, run: RunSettings) -> float:
    """Return what a short position costs a year: nothing for a contract, which is not borrowed."""
    if spec.kind == "contract":
        return 0.0
    return run.borrow_percent if spec.borrow_percent is None else spec.borrow_percent


def _in_prices(spec: InstrumentSpec, terms: Terms, spread: Spread) -> float:
    """Return a spread as a difference of prices."""
    return float(spread.price + spread.ticks * terms.value("tick_size") + spread.pips * (spec.pip_size or 0.0))


def _swap(spec: InstrumentSpec, terms: Terms) -> NightlySwap | None:
    """Return what positions earn a night, per unit as a difference of prices or by value."""
    swap = spec.swap
    if swap is None:
        return None
    step = {"ticks": terms.value("tick_size"), "pips": spec.pip_size or 0.0}.get(swap.unit, 1.0)
    triple = None if swap.triple == "none" else _WEEKDAYS.index(swap.triple)
    return NightlySwap(swap.long * step, swap.short * step, swap.unit == "percent", triple)


def _step_column(evaluation: Evaluated, source: PlanSource | Given, scale: FloatColumn | None) -> FloatColumn:
    """Return an input of the steps that run in the loop: conditions as 1 and 0, signals as their flags."""
    bars = evaluation.bars
    if source is Given.PRICE_SCALE:
        return frozen(np.ones(len(bars)) if scale is None else scale.copy())
    if isinstance(source, Given):
        return frozen(trading_days_in_order(bars.close_ns - 1, bars.session).astype(np.float64))
    column = evaluation.column(source)
    values: Any = column.flags if isinstance(column, Signals) else column
    numbers: FloatColumn = values if values.dtype == np.float64 else frozen(values.astype(np.float64))
    return numbers


def with_record(
    plan: Plan, evaluations: tuple[Evaluation, ...], jobs: tuple[InstrumentJob, ...], ledger: Ledger
) -> tuple[tuple[Evaluation, ...], tuple[InstrumentJob, ...]]:
    """Return columns, and instruments with their signals and filter mask, as a run with steps in its loop left them."""
    if plan.loop is None or ledger.steps is None:
        return evaluations, jobs
    record, recorded = ledger.steps, plan.loop.recorded
    found = [
        each.with_record(dict(zip(recorded, values, strict=False)))
        for each, values in zip(evaluations, record.values, strict=True)
    ]
    verdicts = zip(jobs, record.flags, record.allowed, strict=True)
    return tuple(found), tuple(with_verdicts(job, flags, allowed) for job, flags, allowed in verdicts)


def with_verdicts(job: InstrumentJob, flags: FlagColumn, allowed: BoolColumn) -> InstrumentJob:
    """Return an instrument with signals and filter mask of its executions, each of shape (executions, n)."""
    further = tuple(
        replace(each, flags=signals, allowed=verdict)
        for each, signals, verdict in zip(job.further, flags[1:], allowed[1:], strict=True)
    )
    return replace(job, flags=flags[0], allowed=allowed[0], further=further)


def decision_components(plan: Plan, evaluations: Sequence[Evaluated]) -> tuple[DecisionComponent, ...]:
    """Return the components that decide in Python, with their columns for every instrument."""
    return tuple(
        DecisionComponent(
            part.node,
            part.component,
            tuple(
                {
                    port: tuple(map(evaluation.column, wires)) if isinstance(wires, tuple) else evaluation.column(wires)
                    for port, wires in part.inputs.items()
                }
                for evaluation in evaluations
            ),
            part.rule,
            part.execution,
        )
        for part in plan.components
    )


def _execution_columns(decision: Decision, evaluation: Evaluated, scale: FloatColumn | None) -> dict[str, FloatColumn]:
    """Return the columns of the execution rule by port: those that are prices at the scale of the traded ones."""
    columns = {name: np.ascontiguousarray(evaluation.column(source)) for name, source in decision.columns.items()}
    return {name: _times(column, scale) if name in _PRICES else column for name, column in columns.items()}


def _times(column: FloatColumn, scale: FloatColumn | None) -> FloatColumn:
    return column if scale is None else frozen(column * scale)


def _scaled(column: FloatColumn | None, scale: FloatColumn | None) -> FloatColumn | None:
    return None if column is None else _times(column, scale)


def _column(evaluation: Evaluated, source: PlanSource | None) -> FloatColumn | None:
    return None if source is None else np.ascontiguousarray(evaluation.column(source))


def combine_flags(flags: list[FlagColumn], *, require_all: bool, length: int) -> FlagColumn:
    """Return the flags of several signals as one column, shape (n,).

    Any signal's exit is an exit. An entry is any signal's entry, or with `require_all` only one that all give at once.
    """
    if len(flags) == 1:
        return flags[0]
    if not flags:
        return np.zeros(length, np.uint8)
    merged: FlagColumn = np.bitwise_or.reduce(flags)
    if require_all:
        entries = np.uint8(ENTER_LONG | ENTER_SHORT)
        merged = (merged & ~entries) | (np.bitwise_and.reduce(flags) & entries)
    return merged


def _allowed(decision: Decision, evaluation: Evaluated) -> BoolColumn:
    allowed = np.ones(len(evaluation.bars), np.bool_)
    for each in decision.filters:
        column = evaluation.column(each.column)
        allowed &= ~column if each.blocks else column
    return allowed
