"""The job `preview`: the data of a provider, its errors, and their repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from quantcrafter.engine.api import (
    ROUND_THE_CLOCK,
    Bars,
    DataError,
    DataProvider,
    DataRequest,
    FloatColumn,
    RawBars,
    Session,
    TimeColumn,
    Timeframe,
)
from quantcrafter.engine.api.foreign import reason_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.providers.glance import Glance
from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, Request

if TYPE_CHECKING:
    from quantcrafter.engine.data.findings import Finding

SHOWN_ROWS = 4
LINE_POINTS = 400
_DAY = Timeframe(1, "d")
_USUAL = ("1s", "1m", "5m", "15m", "30m", "1h", "2h", "4h", "1d", "1w", "1mo", "3mo", "12mo")


@dataclass(frozen=True, slots=True)
class PreviewRequest(Request):
    """Preview the bars of a data provider.

    Args:
        provider: its name.
        options: its parameters, as the strategy file has them.
        symbol: the requested symbol.
        timeframe: the requested length of the bars; if empty that of the source, as for an import.
        base_dir: the folder for relative paths.
        market: the name of the symbol's market; by the symbol's suffix if empty.
    """

    kind: ClassVar[str] = "preview"

    provider: str
    options: Mapping[str, Any] = field(default_factory=dict)
    symbol: str = ""
    timeframe: str = ""
    base_dir: str = ""
    market: str = ""

    def execute(self, context: JobContext) -> Preview:
        return preview_bars(self, context)


@dataclass(frozen=True, slots=True)
class Row:
    """One bar: when it opens (UTC ns), open, high, low, close, volume, and further columns."""

    ts_ns: int
    values: tuple[float, ...]
    further: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultyBar:
    """One bad bar: its row in the source, the original bar, and the repaired bar (None if it is removed)."""

    row: int
    found: Row
    repaired: Row | None


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding of the checks: an error would refuse the bars unless they are repaired.

    `faults` are the first few affected bars; `count` is their total number.
    """

    kind: str
    message: str
    repair: str
    is_error: bool
    count: int
    faults: tuple[FaultyBar, ...] = ()


@dataclass(frozen=True)
class Line:
    """The price history, reduced: for each period its lowest, highest and last price.

    `ts_ns` is when the last bar of the stretch opens (UTC ns); for the first stretch, when its first one does.
    """

    ts_ns: TimeColumn
    low: FloatColumn
    high: FloatColumn
    close: FloatColumn


@dataclass(frozen=True)
class Preview:
    """The preview of a source.

    `glance` has the first lines of a file as they are there, whether or not there are bars. `error` says why there are
    no bars, '' if there are; all other information is still available. `count`, `first_ns`, `last_ns` and `end_ns`
    refer to the requested bars, repaired where necessary. `source_timeframe` is the length of the bars as the source
    has them; `timeframes` are those that can be requested, `symbols` likewise (any if empty). `further` names further
    columns.
    """

    symbol: str = ""
    error: str = ""
    error_field: str = ""
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    end_ns: int = 0
    source_timeframe: str = ""
    timeframe: str = ""
    timeframes: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    session: Session = ROUND_THE_CLOCK
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    findings: tuple[FindingView, ...] = ()
    head: tuple[Row, ...] = ()
    tail: tuple[Row, ...] = ()
    line: Line | None = None
    glance: Glance = field(default_factory=Glance)
    further: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether the bars are bad and must be repaired to be used."""
        return any(finding.is_error for finding in self.findings)


def preview_bars(request: PreviewRequest, context: JobContext) -> Preview:
    """Carry out a PreviewRequest; a source that has no bars to give is told about in the result."""
    from quantcrafter.engine.data.markets import market_for, market_request
    from quantcrafter.engine.data.store.sources import make_provider
    from quantcrafter.engine.plugins import load_registry

    registry = load_registry()
    cls = registry.provider(request.provider)
    if cls is None:
        return Preview(
            request.symbol, Message("There is no data provider '{provider}'.", provider=request.provider), "data"
        )
    context.progress("load", 0, 1)
    try:
        provider = make_provider(cls, request.options)
        wanted = Timeframe.parse(request.timeframe) if request.timeframe else None
    except DataError as error:
        return Preview(request.symbol, str(error), error.field)
    except ValueError as error:
        return Preview(request.symbol, f"{str(error)[:1].upper()}{str(error)[1:]}.", "timeframe")
    wish = DataRequest(request.symbol, wanted or _DAY, request.base_dir, keeps_columns=wanted is None)
    try:
        wish = market_request(wish, market_for(request.symbol, registry.markets, request.market))
    except DataError as error:
        return Preview(request.symbol, str(error), error.field)
    return look_at(provider, wish, own=wanted is None)


def look_at(provider: DataProvider, request: DataRequest, *, own: bool = False) -> Preview:
    """Return the data of a symbol; with `own`, in the source's own timeframe instead of the requested one."""
    from quantcrafter.engine.data.load import length_of, raw_bars, timed
    from quantcrafter.engine.data.quality import check
    from quantcrafter.engine.data.resample import resample

    symbols, frames = _known(provider, request)
    base: dict[str, Any] = {
        "symbol": request.symbol,
        "symbols": symbols,
        "timeframe": "" if own else str(request.timeframe),
        "glance": _glance(provider, request),
    }
    source: Timeframe | None = None
    try:
        raw = raw_bars(provider, request)
        source = length_of(raw, request)
        checked = check(
            raw, source, symbol=request.symbol, on_bad_bars="repair", negative_prices=request.negative_prices
        )
        bars = timed(checked.bars, source, request.symbol)
        if not own:
            bars = resample(bars, request.timeframe)
    except DataError as error:
        frames = frames or (() if source is None else (source,)) or _probed(provider, request)
        return Preview(
            error=str(error),
            error_field=error.field,
            source_timeframe=str(source or ""),
            timeframes=offered(frames),
            **base,
        )
    except Exception as error:  # noqa: BLE001 - a plugin's provider may raise anything
        return Preview(
            error=Message("Data provider '{name}' failed: {reason}", name=provider.name, reason=reason_of(error)),
            **base,
        )
    base |= {"timeframe": str(bars.timeframe), "timeframes": offered(frames or (source,))}
    return _seen(raw, checked.bars, checked.findings, bars, str(source), base)


def offered(sources: tuple[Timeframe, ...]) -> tuple[str, ...]:
    """Return the usual timeframes, and the sources' own, that can be made from bars of these lengths."""
    from quantcrafter.engine.data.resample import is_multiple

    usual = [Timeframe.parse(text) for text in _USUAL]
    all_ = sorted({*usual, *sources}, key=lambda frame: (frame.nominal_ns, not frame.is_intraday))
    return tuple(str(frame) for frame in all_ if any(is_multiple(source, frame) for source in sources))


def _known(provider: DataProvider, request: DataRequest) -> tuple[tuple[str, ...], tuple[Timeframe, ...]]:
    """Return the symbols and timeframes that the source itself names."""
    try:
        symbols = provider.known_symbols(request.base_dir)
        return symbols, provider.known_timeframes(request.symbol, request.base_dir)
    except Exception:  # noqa: BLE001 - whatever it is, loading the bars says it
        return (), ()


def _glance(provider: DataProvider, request: DataRequest) -> Glance:
    from quantcrafter.engine.data.providers.files import FileProvider

    if not isinstance(provider, FileProvider):
        return Glance()
    try:
        return provider.glance(request.base_dir)
    except DataError:
        return Glance()  # loading the bars reports the error


def _probed(provider: DataProvider, request: DataRequest) -> tuple[Timeframe, ...]:
    """Return the length of a source's bars if it rejects the requested one but not daily bars."""
    from quantcrafter.engine.data.load import length_of, raw_bars

    if request.timeframe == _DAY:
        return ()
    daily = DataRequest(request.symbol, _DAY, request.base_dir)
    try:
        return (length_of(raw_bars(provider, daily), daily),)
    except DataError:
        return ()


def _seen(
    raw: RawBars, repaired: RawBars, findings: tuple[Finding, ...], bars: Bars, source: str, base: dict[str, Any]
) -> Preview:
    views = tuple(_view(finding, raw, repaired) for finding in findings)
    rest: dict[str, Any] = {
        "source_timeframe": source,
        "session": raw.session,
        "synthetic": raw.synthetic,
        "notes": raw.notes,
        "findings": views,
        **base,
    }
    if not len(bars):
        text = Message(
            "{symbol}: {count:,} bars of {source} make no complete bar of {timeframe}.",
            symbol=base["symbol"],
            count=len(raw.time_ns),
            source=source,
            timeframe=base["timeframe"],
        )
        return Preview(error=text, error_field="timeframe", **rest)
    ends = range(min(SHOWN_ROWS, len(bars))), range(max(len(bars) - SHOWN_ROWS, min(SHOWN_ROWS, len(bars))), len(bars))
    head, tail = (tuple(_row(bars.open_ns, bars, place) for place in places) for places in ends)
    return Preview(
        count=len(bars),
        first_ns=int(bars.open_ns[0]),
        last_ns=int(bars.open_ns[-1]),
        end_ns=int(bars.close_ns[-1]),
        head=head,
        tail=tail,
        line=thinned(bars),
        further=tuple(bars.extra),
        **rest,
    )


def _view(finding: Finding, raw: RawBars, repaired: RawBars) -> FindingView:
    from quantcrafter.engine.api import Severity

    mends = bool(finding.repair)
    return FindingView(
        finding.kind,
        finding.message,
        finding.repair,
        mends or finding.severity is Severity.ERROR,
        finding.count,
        tuple(fault for row in finding.rows if (fault := _fault(row, raw, repaired)) is not None) if mends else (),
    )


def _fault(row: int, raw: RawBars, repaired: RawBars) -> FaultyBar | None:
    before = np.flatnonzero(raw.rows == row)
    if not len(before):
        return None
    after = np.flatnonzero(repaired.rows == row)
    mended = _row(_opens(repaired), repaired, int(after[0])) if len(after) else None
    return FaultyBar(row, _row(_opens(raw), raw, int(before[0])), mended)


def _opens(raw: RawBars) -> TimeColumn:
    """Return the open times of raw bars, or their time stamps."""
    from quantcrafter.engine.trading_calendar.trading_days import bounds
    from quantcrafter.engine.trading_calendar.zones import DAY_NS

    return bounds(raw.time_ns // DAY_NS, raw.session)[0] if raw.stamp == "date" else raw.time_ns


def _row(times: TimeColumn, bars: Bars | RawBars, place: int) -> Row:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    further = tuple(float(column[place]) for column in bars.extra.values())
    return Row(int(times[place]), tuple(float(column[place]) for column in columns), further)


def thinned(bars: Bars, points: int = LINE_POINTS) -> Line:
    """Return the course of the price in at most so many points, none of its extremes lost."""
    starts = np.unique(np.linspace(0, len(bars), min(points, len(bars)), endpoint=False).astype(np.int64))
    ends = np.append(starts[1:], len(bars)) - 1
    low, high = np.minimum.reduceat(bars.low, starts), np.maximum.reduceat(bars.high, starts)
    times = bars.open_ns[ends]
    times[:1] = bars.open_ns[:1]
    return Line(times, low, high, bars.close[ends])
