"""The jobs of downloads: what a provider offers, bars into the store, and what is new of stored series."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from quantcrafter.engine.api import DataError, Timeframe
from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, LogLine, Request

if TYPE_CHECKING:
    from quantcrafter.engine.data.download.batch import Task

_WHOLE = 1000
"""Steps of the progress of one symbol."""


@dataclass(frozen=True, slots=True)
class OfferRequest(Request):
    """Find out what a download provider offers; the result is an `DownloadOffer`."""

    kind: ClassVar[str] = "download_offer"

    provider: str
    place: str = ""

    def execute(self, _context: JobContext) -> DownloadOffer:
        return offer_of(self)


@dataclass(frozen=True, slots=True)
class DownloadOffer:
    """What a provider offers: places such as exchanges (none if it has no such choice), timeframes and adjustments.

    `error` says why it offers nothing, such as a library that isn't installed.
    """

    places: tuple[str, ...] = ()
    timeframes: tuple[str, ...] = ()
    adjustments: tuple[str, ...] = ()
    error: str = ""


def offer_of(request: OfferRequest) -> DownloadOffer:
    """Carry out an OfferRequest."""
    from quantcrafter.engine.data.download.batch import provider_of
    from quantcrafter.engine.plugins import load_registry

    registry = load_registry()
    cls = registry.download_provider(request.provider)
    places: tuple[str, ...] = ()
    try:
        if cls is not None and cls.place:
            places = cls.places()
            if not request.place:
                return DownloadOffer(places, (), cls.adjustments)
        source = f"{request.provider}:{request.place}" if request.place else request.provider
        provider = provider_of(registry, source, {})
        return DownloadOffer(places, tuple(map(str, provider.timeframes())), provider.adjustments)
    except DataError as error:
        return DownloadOffer(places, error=str(error))


@dataclass(frozen=True, slots=True)
class DownloadDone:
    """What came of one symbol: bars that the series gained and has now, and notes; or why nothing came."""

    symbol: str
    timeframe: str
    added: int = 0
    count: int = 0
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class BarsRequest(Request):
    """Download bars into the store; the result is a tuple of `DownloadDone`.

    Args:
        symbols: as the provider calls them.
        source: the provider as `--from` names it.
        timeframe: the length of the bars.
        since_ns: the earliest opening time (UTC), None to continue stored series.
        adjustment: what prices are adjusted for; the provider's usual one if empty.
        options: further options of the provider.
    """

    kind: ClassVar[str] = "download"

    symbols: tuple[str, ...]
    source: str
    timeframe: str
    since_ns: int | None = None
    adjustment: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def execute(self, context: JobContext) -> tuple[DownloadDone, ...]:
        return download_bars(self, context)


def download_bars(request: BarsRequest, context: JobContext) -> tuple[DownloadDone, ...]:
    """Carry out a BarsRequest; a symbol that fails does not stop the others.

    Raises:
        DataError: the provider can't be made.
        RunCancelledError: it was cancelled; what was downloaded is stored.
    """
    from quantcrafter.engine.data.download.batch import Task, provider_of
    from quantcrafter.engine.data.download.download import Wish
    from quantcrafter.engine.plugins import load_registry

    provider = provider_of(load_registry(), request.source, request.options)
    adjustment = request.adjustment or provider.adjustments[0]
    frame = Timeframe.parse(request.timeframe)
    tasks = [Task(provider, Wish(symbol, frame, request.since_ns, adjustment)) for symbol in request.symbols]
    return _carried_out(tasks, len(tasks), context)


@dataclass(frozen=True, slots=True)
class UpdateRequest(Request):
    """Download what is new of stored series, named by symbol and timeframe; all that were downloaded if none is named.

    The result is a tuple of `DownloadDone`.
    """

    kind: ClassVar[str] = "download_update"

    series: tuple[tuple[str, str], ...] = ()

    def execute(self, context: JobContext) -> tuple[DownloadDone, ...]:
        return update_series(self, context)


def update_series(request: UpdateRequest, context: JobContext) -> tuple[DownloadDone, ...]:
    """Carry out an UpdateRequest; a series that fails does not stop the others.

    Raises:
        DataError: a series is not stored.
        RunCancelledError: it was cancelled; what was downloaded is stored.
    """
    from quantcrafter.engine.data.download.batch import updates
    from quantcrafter.engine.data.store import BarStore
    from quantcrafter.engine.plugins import load_registry

    store = BarStore()
    series = [store.series(symbol, Timeframe.parse(frame)) for symbol, frame in request.series]
    series = series or [each for each in store.list() if each.origin is not None]
    return _carried_out(updates(load_registry(), series), len(series), context)


def _carried_out(tasks: Iterable[Task], count: int, context: JobContext) -> tuple[DownloadDone, ...]:
    """Carry out tasks; the log tells, by the number of the symbol, what each waits for and what came of it."""
    from quantcrafter.engine.data.download.batch import download_tasks
    from quantcrafter.engine.data.download.download import Conduct, Progress
    from quantcrafter.engine.data.store import BarStore
    from quantcrafter.engine.plugins import load_registry

    made: list[DownloadDone] = []

    def step(progress: Progress) -> None:
        context.progress("download", len(made) * _WHOLE + round(progress.share * _WHOLE), count * _WHOLE)

    def tell(text: str) -> None:
        context.log(LogLine(logging.INFO, text, instrument=len(made)))

    context.progress("download", 0, max(count, 1) * _WHOLE)
    conduct = Conduct(stop=context.cancelled, tell=tell, step=step)
    for outcome in download_tasks(BarStore(), tasks, load_registry().markets, conduct):
        frame = str(outcome.timeframe)
        if outcome.done is None:
            context.log(LogLine(logging.ERROR, outcome.error, instrument=len(made)))
            made.append(DownloadDone(outcome.symbol, frame, error=outcome.error))
            continue
        done = outcome.done
        for note in done.notes:
            tell(note)
        made.append(DownloadDone(outcome.symbol, frame, done.added, done.series.count, done.notes))
        context.progress("download", len(made) * _WHOLE, count * _WHOLE)
    return tuple(made)
