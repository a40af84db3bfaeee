"""Preparation of a run: bars loaded, columns computed, signals and filters combined into one job for an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Protocol

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    BoolColumn,
    DataProvider,
    DataRequest,
    DecisionComponent,
    EngineJob,
    Execution,
    FlagColumn,
    FloatColumn,
    Given,
    InstrumentJob,
    Ledger,
    PathRefusedError,
    ResampleNode,
    RunCancelledError,
    RunError,
    RunSettings,
    Signals,
    Term,
)
from quantcrafter.engine.api.frozen import frozen
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.opening import find_named
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.data.gaps import describe
from quantcrafter.engine.data.load import LoadedBars, load_bars
from quantcrafter.engine.data.resample import resample
from quantcrafter.engine.graph import BoundGraph, BoundInstrument, Decision, Evaluation, Loop, Plan, PlanSource
from quantcrafter.engine.graph.evaluate import Evaluated
from quantcrafter.engine.graph.terms import Terms, complete, days_a_year
from quantcrafter.engine.graph.tick_checks import tick_problems
from quantcrafter.engine.runtime.results.trace import ColumnStore
from quantcrafter.engine.runtime.running.rates import rate_columns
from quantcrafter.engine.spec import InstrumentSpec
from quantcrafter.engine.trading_calendar.trading_days import trading_days_in_order

_PRICES = ("line", "short_line", "atr")
"""The columns of an execution rule that are prices, or differences of them."""

Progress = Callable[[str, int, int], None]
"""Called with a stage (`load`, `columns`, `simulate`), and how much of how much is done."""


def _no_progress(_stage: str, _done: int, _total: int) -> None:
    """Ignore progress."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Market:
    """All bars of a run: one `Bars` an instrument in file order, the further feeds of each.

    `findings` says what is wrong in the data and what was repaired, `notes` what a provider had to guess. `terms` are
    those of each instrument, with what its bars show. `benchmark` has the bars of a benchmark that is neither an
    instrument nor a feed.
    """

    bars: tuple[Bars, ...]
    feeds: tuple[Mapping[str, Bars], ...]
    findings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = ()
    benchmark: Bars | None = None

    @property
    def synthetic(self) -> bool:
        """Whether any of the bars were generated."""
        feeds = (feed for own in self.feeds for feed in own.values())
        return any(bars.synthetic for bars in (*self.bars, *feeds, self.benchmark) if bars is not None)

    def cut(self, instrument: int, count: int) -> tuple[Bars, dict[str, Bars]]:
        """Return the first `count` bars of an instrument, and of its feeds what had closed by then."""
        bars = self.bars[instrument].slice(0, count)
        end = int(bars.close_ns[-1])
        cut = {}
        for name, feed in self.feeds[instrument].items():
            cut[name] = feed.slice(0, int(np.searchsorted(feed.close_ns, end, side="right")))
        return bars, cut


class Loader(Protocol):
    """What brings the bars of one request: `load_bars`, or a cache before it."""

    def __call__(self, provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "refuse") -> LoadedBars:
        """Return the bars that `request` asks for."""
        ...


class Columns(Protocol):
    """What computes the columns of a plan: `evaluate`, or a memo before it."""

    def __call__(
        self, plan: Plan, market: Market, progress: Progress, cancelled: Callable[[], bool], store: ColumnStore
    ) -> tuple[Evaluation, ...]:
        """Return every column of every instrument."""
        ...


def load_market(
    graph: BoundGraph, progress: Progress, cancelled: Callable[[], bool], loader: Loader = load_bars
) -> Market:
    """Load the bars of every instrument and feed.

    Raises:
        DataError: bars are unavailable or rejected; or a file must not be read.
        RunCancelledError: the owner cancelled.
    """
    _check_files(graph)
    settings = graph.spec.run
    span = (_to_ns(settings.start), _to_ns(settings.end))
    total = len(graph.instruments) * (1 + len(graph.feeds))
    bars: list[Bars] = []
    feeds: list[Mapping[str, Bars]] = []
    findings: list[str] = []
    notes: list[str] = []
    terms: list[Terms] = []
    loaded: dict[object, Bars] = {}
    done = 0
    progress("load", done, total)
    for instrument in graph.instruments:
        spec = instrument.spec
        request = request_of(graph, instrument, span)
        result = loader(instrument.provider, request, on_bad_bars=spec.on_bad_bars)
        _tell(spec.symbol, result, findings, notes)
        bars.append(result.bars)
        terms.append(with_session(complete(instrument.terms, traded_bars(result.bars)), result.bars))
        found = tick_problems(graph, instrument, terms[-1], traded_bars(result.bars))
        findings += [Message("{message} {remedy}", message=each.message, remedy=each.remedy) for each in found]
        own: dict[str, Bars] = {}
        done += 1
        progress("load", done, total)
        for name, node in graph.nodes.items():
            if isinstance(node.component, ResampleNode):
                own[name] = resample(result.bars, node.component.timeframe)
        for name, feed in graph.feeds.items():
            component = feed.component
            wanted = replace(
                request,
                symbol=component.symbol,
                timeframe=component.timeframe or spec.timeframe,
                session=feed.terms.session,
                timezone=feed.terms.zone,
                negative_prices=_negative(feed.terms),
            )
            key = (name, wanted.timeframe)
            if key not in loaded:
                other = loader(feed.provider, wanted, on_bad_bars=component.on_bad_bars)
                loaded[key] = other.bars
                _tell(f"{name} ({component.symbol})", other, findings, notes)
            own[name] = loaded[key]
            done += 1
            progress("load", done, total)
            if cancelled():
                raise RunCancelledError(Message("The run was cancelled while data was loaded."))
        feeds.append(own)
    benchmark = _benchmark_bars(graph, span, loader, findings, notes)
    return Market(tuple(bars), tuple(feeds), tuple(findings), tuple(notes), tuple(terms), benchmark)


def _benchmark_bars(
    graph: BoundGraph,
    span: tuple[int | None, int | None],
    loader: Loader,
    findings: list[str],
    notes: list[str],
) -> Bars | None:
    """Return the bars of a benchmark of its own: as long as those of the first instrument, with prices as traded."""
    benchmark = graph.benchmark
    if benchmark is None or benchmark.provider is None:
        return None
    request = replace(
        request_of(graph, graph.instruments[0], span),
        symbol=benchmark.symbol,
        session=benchmark.terms.session,
        timezone=benchmark.terms.zone,
        negative_prices=_negative(benchmark.terms),
    )
    result = loader(benchmark.provider, request)
    _tell(Message("Benchmark {name}", name=benchmark.name), result, findings, notes)
    return result.bars


def request_of(
    graph: BoundGraph, instrument: BoundInstrument, span: tuple[int | None, int | None] = (None, None)
) -> DataRequest:
    """Return what the provider of an instrument is asked for."""
    spec, terms = instrument.spec, instrument.terms
    return DataRequest(
        spec.symbol,
        spec.timeframe,
        graph.spec.base_dir,
        *span,
        session=terms.session,
        timezone=terms.zone,
        negative_prices=_negative(terms) or spec.kind == "contract",
    )


def _negative(terms: Terms) -> bool:
    return terms.market is not None and terms.market.negative_prices


def traded_bars(bars: Bars) -> Bars:
    """Return the bars at the prices at which they were traded."""
    return bars if bars.traded is None else bars.traded


def with_session(terms: Terms, bars: Bars) -> Terms:
    """Return terms with the session of the bars, and who says it."""
    source = bars.session_source or "data"
    if source == "market":
        source = terms.values["market"].source if "market" in terms.values else source
    values = {**terms.values, "session": Term(describe(bars.session), source)}
    if "trading_days" not in values:
        values["trading_days"] = Term(days_a_year(bars.session), source)
    return replace(terms, values=values)


def _check_files(graph: BoundGraph) -> None:
    """Refuse files of nodes that are none, or links that lead where the strategy may not read.

    Raises:
        PathRefusedError: there is one.
    """
    for name, node in graph.nodes.items():
        for parameter in type(node.component).path_parameters():
            path = getattr(node.component, parameter)
            if not isinstance(path, str):  # a path that was left out
                continue
            try:
                find_named(path, within=graph.spec.base_dir)
            except PathRefusedError as error:
                told = error.of(f"Node '{name}'")
                told.node = name
                raise told from error


def _tell(subject: str, loaded: LoadedBars, findings: list[str], notes: list[str]) -> None:
    for finding in loaded.findings:
        (notes if finding.kind == "guess" else findings).append(
            Message("{subject}: {finding}", subject=subject, finding=str(finding))
        )


def _to_ns(moment: datetime | date | None) -> int | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000


def evaluate(
    plan: Plan, market: Market, progress: Progress, cancelled: Callable[[], bool], store: ColumnStore
) -> tuple[Evaluation, ...]:
    """Compute every column for every instrument.

    Raises:
        ComponentError: a component failed.
        RunCancelledError: the owner cancelled.
    """
    total = max(1, len(market.bars) * len(plan.steps))
    done = 0

    def step_done() -> None:
        nonlocal done
        done += 1
        progress("columns", done, total)
        if cancelled():
            raise RunCancelledError(Message("The run was cancelled while columns were computed."))

    return tuple(
        Evaluation(plan, bars, feeds, store.keep).run(step_done)
        for bars, feeds in zip(market.bars, market.feeds, strict=True)
    )


def job_of(
    graph: BoundGraph,
    settings: RunSettings,
    plan: Plan,
    evaluations: Sequence[Evaluated],
    progress: Progress = _no_progress,
    cancelled: Callable[[], bool] = _never,
) -> EngineJob:
    """Return the job that an engine is given: the decision stage with its columns for each instrument.

    Raises:
        RunError: there is nothing to run.
    """
    decision = plan.decision
    if decision is None:
        raise RunError(Message("The strategy has no execution node, so there is nothing to run."))
    return EngineJob(
        instruments=tuple(instrument_job(graph, i, decision, each, plan.loop) for i, each in enumerate(evaluations)),
        executions=(Execution(decision.rule, decision.size, decision.node),),
        protection=tuple(each.rule for each in decision.protection),
        guards=tuple(each.rule for each in decision.guards),
        components=decision_components(decision, evaluations),
        steps=None if plan.loop is None else plan.loop.program,
        settings=settings,
        progress=lambda done, total: progress("simulate", done, total),
        cancelled=cancelled,
    )


def instrument_job(
    graph: BoundGraph, index: int, decision: Decision, evaluation: Evaluated, loop: Loop | None = None
) -> InstrumentJob:
    """Return one instrument's combined signals, filter mask, protective columns and first decision bar."""
    spec, run = graph.instruments[index].spec, graph.spec.run
    signals = [evaluation.column(source) for source in decision.signals]
    flags = [signal.flags for signal in signals if isinstance(signal, Signals)]
    ready = [evaluation.ready_at(source) for source in decision.sources()]
    for part in decision.components:
        wired = [evaluation.ready_at(source) for source in part.sources()]
        ready.append(max(wired, default=0) + part.component.warmup())
    # Columns are computed on adjusted prices, orders fill at those as traded.
    traded = evaluation.bars if evaluation.bars.traded is None else evaluation.bars.traded
    actions = traded.actions
    terms = complete(graph.instruments[index].terms, traded)
    scale = None if actions is None else traded.close / evaluation.bars.close
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
        flags=frozen(combine_flags(flags, require_all=decision.rule.combine == "all", length=len(evaluation.bars))),
        allowed=frozen(_allowed(decision, evaluation)),
        first_bar=max([first_rate, *ready]),
        rule_columns=tuple(_scaled(_column(evaluation, each.column), scale) for each in decision.protection),
        execution_columns=_execution_columns(decision, evaluation, scale),
        size_column=_column(evaluation, decision.size_column),
        min_quantity=spec.min_quantity,
        borrow_percent=_borrow_percent(spec, run),
        kind=spec.kind,
        multiplier=spec.multiplier,
        pip_size=spec.pip_size,
        margin=spec.margin,
        tick_is_shown=terms.values["tick_size"].source in ("data", "default"),
        buy_duty_percent=spec.buy_duty_percent,
        sell_duty_percent=spec.sell_duty_percent,
        trading_days=terms.value("trading_days"),
        terms=with_session(terms, evaluation.bars).values,
        currency=currency,
        rate_open=None if rate_open is None else frozen(rate_open),
        rate_close=None if rate_close is None else frozen(rate_close),
        split=None if actions is None else actions.split,
        dividend=None if actions is None else actions.dividend,
        step_columns=() if loop is None else tuple(_step_column(evaluation, each, scale) for each in loop.inputs),
    )


def _borrow_percent(spec: InstrumentSpec, run: RunSettings) -> float:
    """Return what a short position costs a year: nothing for a contract, which is not borrowed."""
    if spec.kind == "contract":
        return 0.0
    return run.borrow_percent if spec.borrow_percent is None else spec.borrow_percent


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
    return tuple(found), tuple(_with_verdicts(job, flags, allowed) for job, flags, allowed in verdicts)


def _with_verdicts(job: InstrumentJob, flags: FlagColumn, allowed: BoolColumn) -> InstrumentJob:
    """Return an instrument with signals and filter mask of its executions, each of shape (executions, n)."""
    further = tuple(
        replace(each, flags=signals, allowed=verdict)
        for each, signals, verdict in zip(job.further, flags[1:], allowed[1:], strict=True)
    )
    return replace(job, flags=flags[0], allowed=allowed[0], further=further)


def decision_components(decision: Decision, evaluations: Sequence[Evaluated]) -> tuple[DecisionComponent, ...]:
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
        )
        for part in decision.components
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


def with_choices(settings: RunSettings, mode: str | None, engine: str | None) -> RunSettings:
    """Return the settings with mode and engine replaced where given; the engine says whether it knows the mode."""
    chosen = {name: value for name, value in (("mode", mode), ("engine", engine)) if value is not None}
    return settings.model_copy(update=chosen)
