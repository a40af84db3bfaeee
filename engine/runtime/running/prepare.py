"""Preparation of a run: bars loaded and columns computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    DataError,
    DataProvider,
    DataRequest,
    PathRefusedError,
    ResampleNode,
    RunCancelledError,
    RunSettings,
    Term,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.opening import find_named
from quantcrafter.engine.data.gaps import describe
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.data.load import LoadedBars, load_bars
from quantcrafter.engine.data.resample import resample
from quantcrafter.engine.graph import BoundGraph, BoundInstrument, Evaluation, Plan
from quantcrafter.engine.graph.terms import Terms, complete, days_a_year
from quantcrafter.engine.graph.tick_checks import tick_problems
from quantcrafter.engine.spec import InstrumentSpec
from quantcrafter.engine.trading_calendar.trading_days import bounds

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.results.trace import ColumnStore

Progress = Callable[[str, int, int], None]
"""Called with a stage (`load`, `columns`, `simulate`), and how much of how much is done."""


@dataclass(frozen=True)
class LoadedMarket:
    """All bars of a run: one `Bars` an instrument in file order, the further feeds of each.

    They begin with the data, before `run.start`: columns are computed over all of them, and decisions are taken from
    bar number `first[i]` of instrument i on. `findings` says what is wrong in the data and what was repaired, `notes`
    what a provider had to guess. `terms` are those of each instrument, with what its bars show. `benchmark` has the
    bars of a benchmark that is neither an instrument nor a feed.
    """

    bars: tuple[Bars, ...]
    feeds: tuple[Mapping[str, Bars], ...]
    findings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = ()
    benchmark: Bars | None = None
    first: tuple[int, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether any of the bars were generated."""
        feeds = (feed for own in self.feeds for feed in own.values())
        return any(bars.synthetic for bars in (*self.bars, *feeds, self.benchmark) if bars is not None)

    @property
    def run_bars(self) -> tuple[Bars, ...]:
        """The bars of each instrument from `run.start` on."""
        return tuple(bars.slice(first, len(bars)) for bars, first in zip(self.bars, self.first, strict=True))

    def cut(self, instrument: int, count: int) -> tuple[Bars, dict[str, Bars]]:
        """Return the first `count` bars of an instrument, and of its feeds what had closed by then."""
        bars = self.bars[instrument].slice(0, count)
        end = int(bars.close_ns[-1])
        cut = {}
        for name, feed in self.feeds[instrument].items():
            cut[name] = feed.slice(0, int(np.searchsorted(feed.close_ns, end, side="right")))
        return bars, cut


class Loader(Protocol):
    """Loads the bars of one request: `load_bars`, or a cache before it."""

    def __call__(self, provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "refuse") -> LoadedBars:
        """Return the bars that `request` asks for."""
        ...


class ColumnSource(Protocol):
    """Computes the columns of a plan: `evaluate`, or a memo before it."""

    def __call__(
        self, plan: Plan, market: LoadedMarket, progress: Progress, cancelled: Callable[[], bool], store: ColumnStore
    ) -> tuple[Evaluation, ...]:
        """Return every column of every instrument."""
        ...


def load_market(
    graph: BoundGraph, progress: Progress, cancelled: Callable[[], bool], loader: Loader = load_bars
) -> LoadedMarket:
    """Load the bars of every instrument and feed, from the beginning of the data to `run.end`.

    Raises:
        DataError: bars are unavailable or rejected; there are none from `run.start` on; or a file must not be read.
        RunCancelledError: the owner cancelled.
    """
    _check_files(graph)
    settings = graph.spec.run
    start_ns, span = to_ns(settings.start), (None, to_ns(settings.end))
    first: list[int] = []
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
        result = until_expiry(spec, result, notes)
        _tell(spec.symbol, result, findings, notes)
        bars.append(result.bars)
        first.append(first_from(result.bars, start_ns))
        terms.append(terms_with(instrument.terms, result.bars))
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
                check_reaches(other.bars, start_ns)
                loaded[key] = other.bars
                _tell(f"{name} ({component.symbol})", other, findings, notes)
            own[name] = loaded[key]
            done += 1
            progress("load", done, total)
            if cancelled():
                raise RunCancelledError(Message("The run was cancelled while data was loaded."))
        feeds.append(own)
    benchmark = _benchmark_bars(graph, (start_ns, span[1]), loader, findings, notes)
    return LoadedMarket(tuple(bars), tuple(feeds), tuple(findings), tuple(notes), tuple(terms), benchmark, tuple(first))


def until_expiry(spec: InstrumentSpec, loaded: LoadedBars, notes: list[str]) -> LoadedBars:
    """Return the bars up to the session with which an instrument expires, noting how many come after it."""
    if spec.expiry is None:
        return loaded
    day = np.array([spec.expiry.toordinal() - date(1970, 1, 1).toordinal()], np.int64)
    end_ns = int(bounds(day, loaded.bars.session)[1][0])
    count = int(np.searchsorted(loaded.bars.open_ns, end_ns))
    if count == len(loaded.bars):
        return loaded
    notes.append(
        Message(
            "{symbol}: expired on {expiry}. Bars after that are not used: {count:,}.",
            symbol=spec.symbol,
            expiry=spec.expiry.isoformat(),
            count=len(loaded.bars) - count,
        )
    )
    return loaded._replace(bars=loaded.bars.slice(0, count))


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


def first_from(bars: Bars, start_ns: int | None) -> int:
    """Return the first bar that opens at or after a moment.

    Raises:
        DataError: there is none.
    """
    first = 0 if start_ns is None else int(np.searchsorted(bars.open_ns, start_ns))
    if first == len(bars):
        raise _too_late(bars)
    return first


def check_reaches(feed: Bars, start_ns: int | None) -> None:
    """Refuse bars of a feed that have all closed at a moment: a run would see the last one for good.

    Raises:
        DataError: they have.
    """
    if start_ns is not None and feed.close_ns[-1] <= start_ns:
        raise _too_late(feed)


def _too_late(bars: Bars) -> DataError:
    return DataError(
        Message(
            "{symbol} from {source}: no bar opens within the range of the run. The last one before it opens on "
            "{time}. Change 'start' or 'end'.",
            symbol=bars.symbol,
            source=bars.source,
            time=bar_label(int(bars.open_ns[-1]), bars.timeframe, bars.session, named=True),
        )
    )


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


def terms_with(terms: Terms, bars: Bars) -> Terms:
    """Return an instrument's terms with what its bars show of them: session, tick, lot and trading days."""
    return with_session(complete(terms, traded_bars(bars)), bars)


def with_session(terms: Terms, bars: Bars) -> Terms:
    """Return terms with the session of the bars, and who says it."""
    source = bars.session_source or "data"
    if source == "market":
        source = terms.values["market"].source if "market" in terms.values else source
    values = {**terms.values, "session": Term(describe(bars.session), source)}
    if bars.session.calendar:
        values["calendar"] = Term(bars.session.calendar, source)
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


def to_ns(moment: datetime | date | None) -> int | None:
    """Return a day or time, which without a zone is in UTC, as UTC nanoseconds."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000


def evaluate(
    plan: Plan, market: LoadedMarket, progress: Progress, cancelled: Callable[[], bool], store: ColumnStore
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


def with_choices(settings: RunSettings, mode: str | None, engine: str | None) -> RunSettings:
    """Return the settings with mode and engine replaced where given; the engine says whether it knows the mode."""
    chosen = {name: value for name, value in (("mode", mode), ("engine", engine)) if value is not None}
    return settings.model_copy(update=chosen)
