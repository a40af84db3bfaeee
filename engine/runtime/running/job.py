"""The job of an engine: signals and filters combined, columns of the decision stage, from the start of the run on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    BoolColumn,
    DatedAmounts,
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
from quantcrafter.engine.api.currencies import Conversion, conversion
from quantcrafter.engine.api.frozen import frozen
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.api.settings import Spread, Swap
from quantcrafter.engine.data.dated_file import rates_on
from quantcrafter.engine.data.load import expiry_session
from quantcrafter.engine.graph import BoundGraph, Decision, Evaluation, Loop, Plan, PlanSource
from quantcrafter.engine.graph.data_terms import complete, point_of
from quantcrafter.engine.graph.evaluate import Evaluated
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.runtime.running.prepare import Progress, with_session
from quantcrafter.engine.runtime.running.rates import rate_columns
from quantcrafter.engine.simulation.execution_terms import legs_of
from quantcrafter.engine.simulation.venue_columns import ticks_at_opens
from quantcrafter.engine.simulation.warm_steps import remembered_steps
from quantcrafter.engine.spec import InstrumentSpec
from quantcrafter.engine.trading_calendar.rollovers import rollovers
from quantcrafter.engine.trading_calendar.trading_days import trading_days_in_order
from quantcrafter.engine.trading_calendar.zones import DAY_NS

_EPOCH = date(1970, 1, 1).toordinal()
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_LEVELS = ("line", "short_line")
_PRICES = (*_LEVELS, "atr")
"""The columns of an execution rule that are prices, or differences of them."""


class PriceScale(NamedTuple):
    """Prices as traded are prices of columns x `factor` + `offset`; shape (n,)."""

    factor: FloatColumn
    offset: FloatColumn | None = None


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

    With several executions, each decides from the bar on at which its own inputs are complete; of all of them, if nodes
    read the position or components decide in Python. Without its `terms`, the bars are looked at for what they show of
    tick and lot.
    """
    spec, run = graph.instruments[index].spec, graph.spec.run
    ready = _ready(plan, evaluation)
    # Columns are computed on adjusted prices, orders fill at those as traded.
    traded = evaluation.bars if evaluation.bars.traded is None else evaluation.bars.traded
    actions = traded.actions
    said = graph.instruments[index].terms
    if terms is None:
        terms = with_session(complete(said, traded), evaluation.bars)
    scale = price_scale(evaluation.bars)
    symbols = [each.symbol for each in graph.spec.instruments]
    legs = [_leg(each, symbols, index) for each in plan.decisions]
    begins = [each if each > min(ready) else 0 for each in ready]
    executions = zip(plan.decisions, begins, legs, strict=True)
    first, *further = (_execution_inputs(each, evaluation, scale, begin, leg) for each, begin, leg in executions)
    currency = terms.value("currency")
    how = conversion(currency, run.currency, run.rates)
    rate_open, rate_close, first_rate = (
        (None, None, 0)
        if how is None or how == Conversion(1.0)
        else rate_columns(evaluation.bars, evaluation.feeds, how)
    )
    return InstrumentJob(
        symbol=spec.symbol,
        bars=traded,
        tick_size=terms.value("tick_size"),
        lot_size=terms.value("lot_size"),
        flags=first.flags,
        allowed=first.allowed,
        first_bar=max(first_rate, min(ready)),
        rule_columns=tuple(
            _scaled(_column(evaluation, each.column), scale, is_level=each.rule.line) for each in plan.protection
        ),
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
        spreads=_spreads(spec, terms, traded),
        quotes=(None if spec.spread is None else spec.spread.bars) or terms.quotes,
        funding_percent=spec.funding_percent,
        funding=traded.funding,
        swap=_swap(spec, terms, traded),
        expiry_day=_expiry_day(spec, traded),
        settlement=spec.settlement,
        price_limits=terms.price_limits,
        limit_amounts=terms.limit_amounts,
        limit_rounding=terms.limit_rounding,
        tick_tables=terms.tick_tables,
        terms=terms.values,
        values=spec.values,
        currency=currency,
        rate_open=None if rate_open is None else frozen(rate_open),
        rate_close=None if rate_close is None else frozen(rate_close),
        split=None if actions is None else actions.split,
        dividend=None if actions is None else actions.dividend,
        roll=None if traded.rolls is None else traded.rolls.price,
        contracts=_contracts(traded),
        step_columns=() if loop is None else tuple(_step_column(evaluation, each, scale) for each in loop.inputs),
    )


def _contracts(bars: Bars) -> tuple[tuple[int, str], ...]:
    """Return the contracts of a continuous series, each with the opening time of its first bar."""
    if bars.rolls is None:
        return ()
    numbers, first = np.unique(bars.rolls.contract, return_index=True)
    names = (bars.rolls.names[number] for number in numbers.tolist())
    return tuple(zip(bars.open_ns[first].tolist(), names, strict=True))


def _ready(plan: Plan, evaluation: Evaluated) -> list[int]:
    """Return the first bar at which the inputs of each execution are complete."""
    ready = [max((evaluation.ready_at(each) for each in one.sources()), default=0) for one in plan.decisions]
    parts = [
        max((evaluation.ready_at(source) for source in part.sources()), default=0) + part.component.warmup()
        for part in plan.components
    ]
    if parts or plan.loop is not None:  # they run for all executions
        return [max([*ready, *parts])] * len(ready)
    return ready


def _leg(decision: Decision, symbols: Sequence[str], index: int) -> int | None:
    """Return which leg of a pair an instrument is: 0 or 1; None if it is neither."""
    pair = decision.rule.pair
    legs = () if pair is None else legs_of(pair, symbols)
    return legs.index(index) if index in legs else None


def _execution_inputs(
    decision: Decision, evaluation: Evaluated, scale: PriceScale | None, begin: int, leg: int | None
) -> ExecutionColumns:
    """Return the inputs of an execution, which has no signal before bar `begin`; of a pair, only its first leg has."""
    if decision.rule.pair is not None and leg != 0:
        begin = len(evaluation.bars)
    signals = [evaluation.column(source) for source in decision.signals]
    flags = [signal.flags for signal in signals if isinstance(signal, Signals)]
    combined = combine_flags(flags, require_all=decision.rule.combine == "all", length=len(evaluation.bars))
    if begin > 0:
        combined = combined.copy()
        combined[:begin] = 0
    return ExecutionColumns(
        frozen(combined),
        frozen(_allowed(decision, evaluation)),
        _execution_columns(decision, evaluation, scale) | _ratio(decision, evaluation, scale, leg),
        _column(evaluation, decision.size_column),
    )


def _ratio(
    decision: Decision, evaluation: Evaluated, scale: PriceScale | None, leg: int | None
) -> dict[str, FloatColumn]:
    """Return the column `ratio` of a pair: in units as traded, where columns are computed on adjusted prices."""
    pair = decision.rule.pair
    if pair is None:
        return {}
    ones = np.ones(len(evaluation.bars))
    ratio = ones if leg else np.ascontiguousarray(evaluation.column(decision.columns["ratio"]))
    return {"ratio": frozen(ratio.copy()) if pair.by_value else _traded(frozen(ratio.copy()), scale, is_level=False)}


def _borrow_percent(spec: InstrumentSpec, run: RunSettings) -> float:
    """Return what a short position costs a year: nothing for a contract, which is not borrowed."""
    if spec.kind == "contract":
        return 0.0
    return run.borrow_percent if spec.borrow_percent is None else spec.borrow_percent


def _in_prices(spec: InstrumentSpec, terms: Terms, spread: Spread) -> float:
    """Return a spread as a difference of prices; 0 if it changes from bar to bar."""
    if spread.ticks and terms.tick_tables:
        return 0.0
    return float(spread.price + spread.ticks * terms.value("tick_size") + spread.pips * (spec.pip_size or 0.0))


def _spreads(spec: InstrumentSpec, terms: Terms, bars: Bars) -> FloatColumn | None:
    """Return the spread of each bar as a difference of prices, None if it doesn't change.

    If the tick depends on the price, a spread in ticks has the tick at the open of its bar.

    Raises:
        RunError: it counts in points, and the prices have no last decimal place.
    """
    if spec.spread is None:
        return None
    in_ticks = bool(spec.spread.ticks) or spec.spread.unit == "ticks"
    tick = ticks_at_opens(terms.tick_tables, bars) if in_ticks and terms.tick_tables else terms.value("tick_size")
    if bars.spread is None:
        return frozen(spec.spread.ticks * tick) if spec.spread.ticks and terms.tick_tables else None
    if spec.spread.unit == "points":
        point = point_of(terms, bars).value if terms.point is None else terms.point
        if point is None:
            raise RunError(
                Message(
                    "{symbol}: prices are computed, so that they don't show what a point is. Use another 'unit' of "
                    "'spread'.",
                    symbol=spec.symbol,
                )
            )
        return frozen(bars.spread * point)
    steps: dict[str | None, FloatColumn | float] = {"ticks": tick, "pips": spec.pip_size or 0.0}
    return frozen(bars.spread * steps.get(spec.spread.unit, 1.0))


def _swap(spec: InstrumentSpec, terms: Terms, bars: Bars) -> NightlySwap | None:
    """Return what positions earn a night, per unit as a difference of prices or by value."""
    swap = spec.swap
    if swap is None:
        return None
    step = _step(spec, terms, swap)
    dated = None
    if bars.swap is not None:
        span = (int(bars.open_ns[0]), int(bars.close_ns[-1])) if len(bars) else (0, 0)
        dated = nightly_amounts(spec, terms, swap, bars.swap, span)
    return NightlySwap(swap.long * step, swap.short * step, swap.unit == "percent", _triple(swap), dated)


def _step(spec: InstrumentSpec, terms: Terms, swap: Swap) -> float:
    return float({"ticks": terms.value("tick_size"), "pips": spec.pip_size or 0.0}.get(swap.unit, 1.0))


def _triple(swap: Swap) -> int | None:
    return None if swap.triple == "none" else _WEEKDAYS.index(swap.triple)


def nightly_amounts(
    spec: InstrumentSpec, terms: Terms, swap: Swap, rates: DatedAmounts, span: tuple[int, int]
) -> DatedAmounts:
    """Return what the nights earn that begin from one moment to another; without those before the first rate."""
    times, nights, days = rollovers(*span, _triple(swap))
    known = slice(int(np.searchsorted(days * DAY_NS, rates.times_ns[0])) if len(rates.times_ns) else len(days), None)
    long, short = rates_on(rates, days[known])
    steps = nights[known]
    return DatedAmounts(times[known], long * steps * _step(spec, terms, swap), short * steps * _step(spec, terms, swap))


def _step_column(evaluation: Evaluated, source: PlanSource | Given, scale: PriceScale | None) -> FloatColumn:
    """Return an input of the steps that run in the loop: conditions as 1 and 0, signals as their flags."""
    bars = evaluation.bars
    if source is Given.PRICE_SCALE:
        return frozen(np.ones(len(bars)) if scale is None else scale.factor.copy())
    if source is Given.PRICE_OFFSET:
        return frozen(np.zeros(len(bars)) if scale is None or scale.offset is None else scale.offset.copy())
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


def _execution_columns(decision: Decision, evaluation: Evaluated, scale: PriceScale | None) -> dict[str, FloatColumn]:
    """Return the columns of the execution rule by port: those that are prices at the scale of the traded ones."""
    columns = {name: np.ascontiguousarray(evaluation.column(source)) for name, source in decision.columns.items()}
    return {
        name: _traded(column, scale, is_level=name in _LEVELS) if name in _PRICES else column
        for name, column in columns.items()
    }


def price_scale(bars: Bars) -> PriceScale | None:
    """Return how prices as traded follow from those that columns are computed on; None if they are the same."""
    if bars.traded is None:
        return None
    if bars.traded.rolls is not None:
        return PriceScale(bars.traded.rolls.factor, bars.traded.rolls.offset)
    return None if bars.traded.actions is None else PriceScale(bars.traded.close / bars.close)


def _traded(column: FloatColumn, scale: PriceScale | None, *, is_level: bool) -> FloatColumn:
    """Return prices, or differences of prices, as traded."""
    if scale is None:
        return column
    scaled = column * scale.factor
    return frozen(scaled + scale.offset if is_level and scale.offset is not None else scaled)


def _scaled(column: FloatColumn | None, scale: PriceScale | None, *, is_level: bool) -> FloatColumn | None:
    return None if column is None else _traded(column, scale, is_level=is_level)


def _expiry_day(spec: InstrumentSpec, bars: Bars) -> int | None:
    """Return the day with whose session an instrument expires: of a continuous series, its last contract."""
    if bars.rolls is not None and len(bars):
        return bars.rolls.expiries[int(bars.rolls.contract[-1])]
    return None if spec.expiry is None else expiry_session(spec.expiry, bars.session)


def _column(evaluation: Evaluated, source: PlanSource | None) -> FloatColumn | None:
    return None if source is None else np.ascontiguousarray(evaluation.column(source), np.float64)


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
