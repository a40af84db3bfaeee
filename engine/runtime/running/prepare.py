"""Preparation of a run: bars loaded and columns computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple, Protocol

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
from quantcrafter.engine.api.opening import find_named, open_regular
from quantcrafter.engine.api.wording import first_of
from quantcrafter.engine.data.gaps import describe
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.data.load import LoadedBars, OutOfRangeError, load_bars
from quantcrafter.engine.data.providers.session_guess import assumed_zone
from quantcrafter.engine.data.resample import resample
from quantcrafter.engine.graph import BoundGraph, BoundInstrument, Evaluation, Plan, evaluate_together
from quantcrafter.engine.graph.bound import BoundFeed
from quantcrafter.engine.graph.data_terms import complete
from quantcrafter.engine.graph.terms import Terms, days_a_year
from quantcrafter.engine.graph.tick_checks import tick_problems
from quantcrafter.engine.runtime.running.changing_costs import funding_findings, with_changing_costs
from quantcrafter.engine.runtime.running.rates import with_currency
from quantcrafter.engine.spec import InstrumentSpec

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.results.trace import ColumnStore

Progress = Callable[[str, int, int], None]
"""Called with a stage (`load`, `columns`, `simulate`), and how much of how much is done."""


_MOST_NAMES = 10


_OFFSET = re.compile(rb"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)\b")
"""A time with its distance from UTC."""
_HEAD_BYTES = 4096


class AssumedClock(NamedTuple):
    """The zone in which times without one are taken, and what they are read from; both '' if their zone is known."""

    zone: str = ""
    source: str = ""


@dataclass(frozen=True)
class LoadedMarket:
    """All bars of a run: one `Bars` an instrument in file order, the further feeds of each.

    They begin with the data, before `run.start`: columns are computed over all of them, and decisions are taken from
    bar number `first[i]` of instrument i on. `findings` says what is wrong in the data and what was repaired, `notes`
    what a provider had to guess. `terms` are those of each instrument, with what its bars show. `benchmark` has the
    bars of a benchmark that is neither an instrument nor a feed. `graph` is the strategy with its
    instruments; those of a universe without a bar in the range of the run are left out. `assumed` has the clocks of
    the times of instruments and feeds; it is empty if all are alike.
    `expired` are the symbols of contracts that have bars after their expiry, which are left out.
    """

    graph: BoundGraph
    bars: tuple[Bars, ...]
    feeds: tuple[Mapping[str, Bars], ...]
    findings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = ()
    benchmark: Bars | None = None
    first: tuple[int, ...] = ()
    assumed: Mapping[str, AssumedClock] = field(default_factory=dict)
    expired: frozenset[str] = frozenset()

    @property
    def synthetic(self) -> bool:
        """Whether any of the bars were generated."""
        feeds = (feed for own in self.feeds for feed in own.values())
        return any(bars.synthetic for bars in (*self.bars, *feeds, self.benchmark) if bars is not None)

    @property
    def run_bars(self) -> tuple[Bars, ...]:
        """The bars of each instrument from `run.start` on."""
        return tuple(bars.slice(first, len(bars)) for bars, first in zip(self.bars, self.first, strict=True))

    def until(self, end_ns: int) -> list[tuple[Bars, dict[str, Bars]]]:
        """Return what had closed by a moment of each instrument and its feeds; of some that may be nothing."""
        found = []
        for bars, feeds in zip(self.bars, self.feeds, strict=True):
            known = {name: _closed(feed, end_ns) for name, feed in feeds.items()}
            found.append((_closed(bars, end_ns), known))
        return found

    def cut(self, instrument: int, count: int) -> tuple[Bars, dict[str, Bars]]:
        """Return the first `count` bars of an instrument, and of its feeds what had closed by then."""
        bars = self.bars[instrument].slice(0, count)
        end = int(bars.close_ns[-1])
        return bars, {name: _closed(feed, end) for name, feed in self.feeds[instrument].items()}


def _closed(bars: Bars, end_ns: int) -> Bars:
    return bars.slice(0, int(np.searchsorted(bars.close_ns, end_ns, side="right")))


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


def load_market(  # noqa: PLR0915 - one loading after the other
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
    total = len(graph.instruments) * (1 + len(graph.feeds))
    findings: list[str] = []
    notes: list[str] = []
    loaded: dict[object, Bars] = {}
    there: dict[int, tuple[Bars, Mapping[str, Bars], Terms, int]] = {}
    outside: OutOfRangeError | None = None
    clocks: dict[str, AssumedClock] = {}
    expired: set[str] = set()
    done = 0
    progress("load", done, total)
    for number, instrument in enumerate(graph.instruments):
        spec = instrument.spec
        try:
            result, begins = _bars_of(graph, instrument, (start_ns, span[1]), loader, notes, expired)
        except OutOfRangeError as error:
            if not spec.is_member:
                raise
            outside = outside or error
            notes.append(
                Message("{symbol}: no bar opens within the range of the run, so it is left out.", symbol=spec.symbol)
            )
            continue
        _tell(spec.symbol, result, findings, notes)
        clocks[spec.symbol] = _clock(instrument.provider, spec.symbol, result)
        result = result._replace(bars=with_changing_costs(spec, result.bars, begins, graph.spec.base_dir))
        findings += funding_findings(spec, result.bars)
        terms, told = with_currency(terms_with(instrument.terms, result.bars), result.currency, settings)
        if told:
            (notes if terms.values["currency"].source == "data" else findings).append(f"{spec.symbol}: {told}")
        found = tick_problems(graph, instrument, terms, traded_bars(result.bars))
        findings += [Message("{message} {remedy}", message=each.message, remedy=each.remedy) for each in found]
        done += 1
        progress("load", done, total)
        own: dict[str, Bars] = {
            name: resample(result.bars, node.component.timeframe)
            for name, node in graph.nodes.items()
            if isinstance(node.component, ResampleNode)
        }
        for name, feed in graph.feeds.items():
            wanted = _request_of_feed(graph, instrument, feed, span)
            key = (name, wanted.timeframe)
            if key not in loaded:
                other = loader(feed.provider, wanted, on_bad_bars=feed.component.on_bad_bars)
                check_reaches(other.bars, start_ns)
                loaded[key] = other.bars
                _tell(f"{name} ({feed.component.symbol})", other, findings, notes)
                clocks[name] = _clock(feed.provider, wanted.symbol, other)
            own[name] = loaded[key]
            done += 1
            progress("load", done, total)
        if cancelled():
            raise RunCancelledError(Message("The run was cancelled while data was loaded."))
        there[number] = result.bars, own, terms, begins
    if outside is not None:
        if not there:
            raise outside
        graph = _only(graph, list(there))
    benchmark = _benchmark_bars(graph, (start_ns, span[1]), loader, findings, notes)
    bars, feeds, each_terms, first = zip(*there.values(), strict=True)
    assumed = _assumed(clocks | _zoned_files(graph), findings)
    return LoadedMarket(
        graph,
        bars,
        feeds,
        tuple(findings),
        tuple(notes),
        each_terms,
        benchmark,
        first,
        assumed,
        frozenset(expired),
    )


def _clock(provider: DataProvider, symbol: str, loaded: LoadedBars) -> AssumedClock:
    """Return the clock of bars: a file has one, and so has a symbol of a provider that reads no file."""
    zone = assumed_zone(loaded.findings)
    path = getattr(provider, "path", "")
    return AssumedClock(zone, f"{provider.name} {PurePath(path) if path else symbol}") if zone else AssumedClock()


def _zoned_files(graph: BoundGraph) -> dict[str, AssumedClock]:
    """Return the nodes that read a file whose times have a zone, by the node's `timezone` or in the file."""
    found = {}
    for name, node in graph.nodes.items():
        component = node.component
        path, zone = getattr(component, "path", None), getattr(component, "timezone", "")
        if isinstance(path, str) and zone != "" and (zone or _has_offsets(Path(graph.spec.base_dir, path))):
            found[name] = AssumedClock()
    return found


def _has_offsets(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return _OFFSET.search(file.read(_HEAD_BYTES)) is not None
    except OSError:  # the node tells what is wrong with its file
        return False


def _assumed(clocks: Mapping[str, AssumedClock], findings: list[str]) -> Mapping[str, AssumedClock]:
    """Return the clocks of times if they may differ, and tell it.

    Days without a time of day count as known: they end when their session does.
    """
    if len(set(clocks.values())) < 2:  # noqa: PLR2004 - one of them says nothing
        return {}
    for zone in dict.fromkeys(each.zone for each in clocks.values() if each.zone):
        mine = [name for name, each in clocks.items() if each.zone == zone]
        others = [name for name in clocks if name not in mine]
        names = first_of(mine, _MOST_NAMES)
        if others:
            text = Message(
                "{names}: times have no time zone and are taken as {zone}, unlike those of {others}. If they are of "
                "another zone, such as New York, they are used hours too early or too late. Set 'timezone'.",
                names=names,
                zone=zone,
                others=first_of(others, _MOST_NAMES),
            )
        else:
            text = Message(
                "{names}: times have no time zone and are all taken as {zone}, but are of different sources. If these "
                "have different zones, such as New York and London, some are used hours too early or too late. Set "
                "'timezone' of each, or import them anew with it.",
                names=names,
                zone=zone,
            )
        findings.append(text)
    return clocks


def _bars_of(
    graph: BoundGraph,
    instrument: BoundInstrument,
    span: tuple[int | None, int | None],
    loader: Loader,
    notes: list[str],
    expired: set[str],
) -> tuple[LoadedBars, int]:
    """Return the bars of an instrument from the beginning of the data on, and the first one of the run.

    Raises:
        OutOfRangeError: there is none from the start of the run on.
        DataError: they are unavailable or rejected.
    """
    request = request_of(graph, instrument, (None, span[1]))
    result = loader(instrument.provider, request, on_bad_bars=instrument.spec.on_bad_bars)
    if result.after_expiry:
        _tell_expiry(instrument.spec, result.after_expiry, notes)
        expired.add(instrument.spec.symbol)
    return result, first_from(result.bars, span[0])


def _request_of_feed(
    graph: BoundGraph, instrument: BoundInstrument, feed: BoundFeed, span: tuple[int | None, int | None]
) -> DataRequest:
    """Return what the provider of a feed is asked for."""
    return replace(
        request_of(graph, instrument, span),
        symbol=feed.component.symbol,
        timeframe=feed.component.timeframe or instrument.spec.timeframe,
        session=feed.terms.session,
        timezone=feed.terms.zone,
        negative_prices=may_be_negative(feed.terms),
        spread_column="",
        expiry=None,
    )


def _only(graph: BoundGraph, there: Sequence[int]) -> BoundGraph:
    """Return a graph with some of its instruments.

    Raises:
        DataError: the benchmark is another one.
    """
    benchmark = graph.benchmark
    if benchmark is not None and benchmark.instrument is not None:
        if benchmark.instrument not in there:
            raise DataError(
                Message(
                    "The benchmark {name} has no bar within the range of the run. Choose another one.",
                    name=benchmark.name,
                )
            )
        benchmark = replace(benchmark, instrument=there.index(benchmark.instrument))
    instruments = tuple(graph.instruments[number] for number in there)
    spec = replace(graph.spec, instruments=tuple(each.spec for each in instruments))
    return replace(graph, spec=spec, instruments=instruments, benchmark=benchmark)


def _tell_expiry(spec: InstrumentSpec, after: int, notes: list[str]) -> None:
    """Note how many bars come after the session with which an instrument expires."""
    notes.append(
        Message(
            "{symbol}: expired on {expiry}. Bars after that are not used: {count:,}.",
            symbol=spec.symbol,
            expiry=str(spec.expiry),
            count=after,
        )
    )


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
        spread_column="",
        expiry=None,
        timezone=benchmark.terms.zone,
        negative_prices=may_be_negative(benchmark.terms),
    )
    result = loader(benchmark.provider, request)
    _tell(Message("Benchmark {name}", name=benchmark.name), result, findings, notes)
    return result.bars


def first_from(bars: Bars, start_ns: int | None) -> int:
    """Return the first bar that opens at or after a moment.

    Raises:
        OutOfRangeError: there is none.
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


def _too_late(bars: Bars) -> OutOfRangeError:
    return OutOfRangeError(
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
        negative_prices=may_be_negative(terms) or spec.kind == "contract",
        spread_column="" if spec.spread is None else spec.spread.column,
        expiry=spec.expiry,
    )


def may_be_negative(terms: Terms) -> bool:
    """Return whether prices may be zero or less by the market of an instrument or feed."""
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

    evaluations = [
        Evaluation(plan.of(number), bars, feeds, store.keep)
        for number, (bars, feeds) in enumerate(zip(market.bars, market.feeds, strict=True))
    ]
    return evaluate_together(plan, evaluations, step_done)


def with_choices(settings: RunSettings, mode: str | None, engine: str | None) -> RunSettings:
    """Return the settings with mode and engine replaced where given; the engine says whether it knows the mode."""
    chosen = {name: value for name, value in (("mode", mode), ("engine", engine)) if value is not None}
    return settings.model_copy(update=chosen)
