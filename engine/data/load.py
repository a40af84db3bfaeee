"""Loads bars from a provider and makes them ready for a run.

1. The provider returns raw bars.
2. Their length is derived from their distances, unless the provider knows it.
3. All errors are found, and rejected or repaired.
4. Opening and closing times follow from stamps, length and session.
5. Bars after the expiry of a contract are left out.
6. Finer bars are resampled to the requested timeframe.
7. The requested range is selected.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from quantcrafter.engine.api import (
    BAR_COLUMNS,
    Bars,
    CorporateActions,
    DataError,
    DataProvider,
    DataRequest,
    QuantCrafterError,
    RawBars,
    Session,
    Severity,
    Timeframe,
)
from quantcrafter.engine.api.currencies import currency_code
from quantcrafter.engine.api.foreign import calling, is_own, is_plain, reason_of, with_origin
from quantcrafter.engine.api.frozen import frozen_bars
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.corporate_actions import actions_from_adjusted, adjusted, not_booked_twice
from quantcrafter.engine.data.findings import Finding, clock, remark
from quantcrafter.engine.data.quality import check
from quantcrafter.engine.data.resample import check_multiple, resample, same_length
from quantcrafter.engine.data.spacing import timeframe_of, usual_spacing_ns
from quantcrafter.engine.data.times import bar_times
from quantcrafter.engine.trading_calendar.exchange_calendar import DAY_MINUTES, calendar
from quantcrafter.engine.trading_calendar.trading_days import bounds, hours, last_session_day, weekdays
from quantcrafter.engine.trading_calendar.zones import DAY_NS, EARLIEST_NS, LATEST_NS

_STAMPS = ("open", "close", "date")
_SUNDAY = 6
_MORE = ("close_ns", "spread", "open_interest")


class LoadedBars(NamedTuple):
    """Bars ready to run on, with what the provider had to guess and the faults found in the source."""

    bars: Bars
    findings: tuple[Finding, ...] = ()
    currency: str = ""
    """That of the prices as a code, such as GBX for pence; empty if the source doesn't name it."""
    after_expiry: int = 0
    """How many bars of the source are left out because their contract has expired."""


class OutOfRangeError(DataError):
    """No bar opens within the range of the run."""


class AssembledProvider(DataProvider):
    """A provider that makes its bars from those of several sources, each loaded and checked by itself."""

    @abstractmethod
    def assembled(self, request: DataRequest, load: Callable[..., LoadedBars], on_bad_bars: str) -> LoadedBars:
        """Return the bars that `request` asks for; `load` is `load_bars`."""

    def load(self, request: DataRequest) -> RawBars:
        """Not used: there are no raw bars."""
        raise NotImplementedError(request)


def load_bars(provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "refuse") -> LoadedBars:
    """Return the bars that `request` asks for.

    Bars that open within [start_ns, end_ns) are given out. Resampled bars are made before the cut, so that the first
    one is whole.

    Raises:
        DataError: there are none, the source cannot be read, its bars are bad and not to be repaired, or they are
            longer than those asked for.
    """
    if isinstance(provider, AssembledProvider):
        return provider.assembled(request, load_bars, on_bad_bars)
    raw = raw_bars(provider, request)
    source = length_of(raw, request)
    check_multiple(source, request.timeframe, request.symbol)
    raw, findings = check(
        raw,
        source,
        symbol=request.symbol,
        on_bad_bars=on_bad_bars,
        negative_prices=request.negative_prices,
    )
    bars = timed(raw, source, request.symbol)
    ends_ns = None if request.expiry is None else _last_close_ns(request.expiry, bars.session)
    after_expiry = 0 if ends_ns is None else len(bars) - int(np.searchsorted(bars.open_ns, ends_ns))
    if after_expiry == len(bars):
        raise _expired_before(bars, request)
    bars = resample(bars, request.timeframe, ends_ns)
    if not len(bars):
        raise DataError(
            Message(
                "{symbol} from {source}: {count:,} bars of {source_2} make no complete bar of "
                "{timeframe}. Give more data, or a shorter timeframe.",
                symbol=request.symbol,
                source=raw.source,
                count=len(raw.time_ns),
                source_2=source,
                timeframe=request.timeframe,
            )
        )
    if raw.actions is not None or raw.adjusted_close is not None:
        bars, twice = _with_actions(bars, raw, source, request)
        findings = (*findings, *([twice] if twice is not None else []))
    if ends_ns is not None:
        bars = bars.slice(0, int(np.searchsorted(bars.open_ns, ends_ns)))
    found = (*_guesses(raw), *_calendar_end(bars), *findings)
    bars = replace(bars, session_source=_session_source(raw, request))
    return LoadedBars(_cut(frozen_bars(bars), request), found, currency_code(raw.currency), after_expiry)


def expiry_session(expiry: date, session: Session) -> int:
    """Return the trading day (since 1970) of the last session up to the day of an expiry, which may have none."""
    day = np.array([expiry.toordinal() - date(1970, 1, 1).toordinal()], np.int64)
    return int(last_session_day(day, session)[0])


def _last_close_ns(expiry: date, session: Session) -> int:
    """Return when the session ends with which a contract expires, in UTC ns."""
    return int(bounds(np.array([expiry_session(expiry, session)], np.int64), session)[1][0])


def _expired_before(bars: Bars, request: DataRequest) -> OutOfRangeError:
    return OutOfRangeError(
        Message(
            "{symbol} from {source}: expired on {expiry}, before the first bar, which opens on {time}. Correct "
            "'expiry', or give data from before.",
            symbol=request.symbol,
            source=bars.source,
            expiry=str(request.expiry),
            time=clock(int(bars.open_ns[0])),
        )
    )


def _session_source(raw: RawBars, request: DataRequest) -> str:
    return "market" if request.session is not None and raw.session_source != "file" else raw.session_source


def _calendar_end(bars: Bars) -> tuple[Finding, ...]:
    """Return a warning where bars go beyond the days whose holidays are known."""
    name = bars.session.calendar
    if not name:
        return ()
    last = calendar(name).known[1]
    if bars.close_ns[-1] // DAY_NS <= last + 1:
        return ()
    text = Message(
        "Holidays of {name} are known until {day}: later ones are taken as sessions.",
        name=name,
        day=str(np.datetime64(last, "D")),
    )
    return (Finding("calendar_end", 0, (), (), text, Severity.WARNING),)


def _with_actions(bars: Bars, raw: RawBars, source: Timeframe, request: DataRequest) -> tuple[Bars, Finding | None]:
    """Return the bars at adjusted prices, with those as traded next to them, and what is to be said of splits."""
    subject = Message("{symbol} from {source}", symbol=request.symbol, source=raw.source)
    if not same_length(source, request.timeframe):
        raise DataError(
            Message(
                "{subject}: splits and dividends are booked on the bars of the source, {source}; {timeframe} was "
                "requested. Set 'timeframe: {source}', or leave 'corporate_actions' out.",
                subject=subject,
                source=source,
                timeframe=request.timeframe,
            )
        )
    actions, twice = raw.actions, None
    if actions is not None:
        actions, twice = not_booked_twice(raw, actions, subject)
    elif raw.adjusted_close is not None:
        actions = actions_from_adjusted(raw.close, raw.adjusted_close, raw.rows, subject)
    return (bars if actions is None else adjusted(bars, actions)), twice


def load_as_they_are(provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "refuse") -> LoadedBars:
    """Return all bars of a source for an import, in its own timeframe.

    That of `request` counts where a source has any or tells none.

    Raises:
        DataError: there are none, the source cannot be read, or its bars are bad and not to be repaired.
    """
    raw = raw_bars(provider, request)
    source = length_of(raw, request)
    raw, findings = check(
        raw,
        source,
        symbol=request.symbol,
        on_bad_bars=on_bad_bars,
        negative_prices=request.negative_prices,
        is_import=True,
    )
    bars = frozen_bars(timed(raw, source, request.symbol))
    return LoadedBars(bars, (*_guesses(raw), *findings), currency_code(raw.currency))


def _guesses(raw: RawBars) -> tuple[Finding, ...]:
    doubts = (Finding("doubt", 0, (), (), text, Severity.WARNING) for text in raw.warnings)
    return (*map(remark, raw.notes), *doubts)


def raw_bars(provider: DataProvider, request: DataRequest) -> RawBars:
    """Return what the provider brings, unchecked, with columns of the right types and one length.

    Raises:
        DataError: there are no bars, or the source cannot be read.
    """
    subject = Message("{symbol}: data provider '{name}'", symbol=request.symbol, name=provider.name)
    who = with_origin(subject, provider)
    try:
        with calling(who, Message("loading"), provider):
            raw = provider.load(request)
    except Exception as error:
        if isinstance(error, QuantCrafterError) and is_plain(error):
            raise
        text = Message("{who} failed: {reason}.", who=who, reason=reason_of(error))
        raise DataError(text) from error
    if isinstance(raw, RawBars) and request.session is not None and raw.session_source != "file":
        raw = replace(raw, session=request.session)
        return _with_sundays(raw_columns(raw, request, provider.name, subject, own=is_own(provider)))
    return raw_columns(raw, request, provider.name, subject, own=is_own(provider))


def raw_columns(raw: RawBars, request: DataRequest, name: str, subject: str, *, own: bool = False) -> RawBars:
    """Return raw bars with columns of the right types and one length; copies, unless they are our `own`.

    Raises:
        DataError: there are no bars, or they can't be such.
    """
    if not isinstance(raw, RawBars) or raw.stamp not in _STAMPS:
        raise DataError(
            Message(
                "{subject} must return RawBars with a stamp of {stamps}. Report it to its author.",
                subject=subject,
                stamps=", ".join(_STAMPS),
            )
        )
    take = _as_it_is if own else _copied
    raw = replace(
        raw,
        time_ns=take(raw.time_ns, np.int64),
        open=take(raw.open, np.float64),
        high=take(raw.high, np.float64),
        low=take(raw.low, np.float64),
        close=take(raw.close, np.float64),
        volume=take(raw.volume, np.float64),
        rows=take(raw.rows, np.int64),
        close_ns=None if raw.close_ns is None else take(raw.close_ns, np.int64),
        adjusted_close=None if raw.adjusted_close is None else take(raw.adjusted_close, np.float64),
        actions=None if raw.actions is None else _actions(raw.actions, take),
        extra={name: take(column, np.float64) for name, column in raw.extra.items()},
        spread=None if raw.spread is None else take(raw.spread, np.float64),
        open_interest=None if raw.open_interest is None else take(raw.open_interest, np.float64),
    )
    columns = (*BAR_COLUMNS, "time_ns", "rows", *(name for name in _MORE if getattr(raw, name) is not None))
    shapes = {getattr(raw, name).shape for name in columns} | {column.shape for column in raw.extra.values()}
    if shapes != {(len(raw.time_ns),)}:
        raise DataError(
            Message("{subject} must return columns of one length. Report it to its author.", subject=subject)
        )
    if raw.close_ns is not None and (raw.stamp != "open" or (raw.close_ns <= raw.time_ns).any()):
        raise DataError(
            Message(
                "{subject} must return closing times after opening times. Report it to its author.", subject=subject
            )
        )
    if not len(raw.time_ns):
        raise DataError(
            Message(
                "{symbol} from {source}: there are no bars. Give other data.",
                symbol=request.symbol,
                source=raw.source or name,
            )
        )
    odd = np.flatnonzero((raw.time_ns < EARLIEST_NS) | (raw.time_ns >= LATEST_NS))
    if len(odd):
        raise DataError(
            Message(
                "{symbol} from {source}: times must lie between 1900 and 2200, row {rows} has {time}. Specify "
                "how times are written with 'time_format'.",
                symbol=request.symbol,
                source=raw.source,
                rows=raw.rows[odd[0]],
                time=clock(int(raw.time_ns[odd[0]])),
            )
        )
    return raw


def _as_it_is(column: Any, dtype: Any) -> Any:
    return np.ascontiguousarray(column, dtype=dtype)


def _copied(column: Any, dtype: Any) -> Any:
    """Return a copy: a provider of others may keep its array, and write to it later."""
    return np.array(column, dtype=dtype, order="C")


def _actions(actions: CorporateActions, take: Callable[[Any, Any], Any]) -> CorporateActions:
    return CorporateActions(take(actions.split, np.float64), take(actions.dividend, np.float64))


def _with_sundays(raw: RawBars) -> RawBars:
    """Return bars of an overnight session with days that end at midnight, if there are dates of Sundays.

    A Sunday's bar ends after the trading of Monday's session has begun, so its days are not those of the session.
    """
    session, days = raw.session, raw.time_ns // DAY_NS
    if raw.stamp != "date" or not hours(session).day_shift or not (weekdays(days) == _SUNDAY).any():
        return raw
    note = Message(
        "Dates include Sundays, which end before trading begins in the session of the market: days are taken to end at "
        "midnight {zone}. Set 'session' for the true close.",
        zone=session.timezone,
    )
    midnight = Session(session.timezone, 0, DAY_MINUTES, (*session.weekdays, _SUNDAY))
    return replace(raw, session=midnight, notes=(*raw.notes, note))


def length_of(raw: RawBars, request: DataRequest) -> Timeframe:
    """Return how long raw bars are: as the provider says, else by their distances.

    Raises:
        DataError: they are no bars.
    """
    return raw.timeframe or _detect(raw, request)


def _detect(raw: RawBars, request: DataRequest) -> Timeframe:
    spacing = usual_spacing_ns(raw)
    if spacing is None:
        return request.timeframe
    timeframe = timeframe_of(spacing)
    if timeframe is None:
        raise DataError(
            Message(
                "{symbol} from {source}: bars are whole seconds apart, these are {spacing:g} s. "
                "Give bars, not ticks, and check 'time_format'.",
                symbol=request.symbol,
                source=raw.source,
                spacing=spacing / 1000000000.0,
            )
        )
    return request.timeframe if same_length(timeframe, request.timeframe) else timeframe


def timed(raw: RawBars, timeframe: Timeframe, symbol: str) -> Bars:
    """Return checked raw bars with their opening and closing times.

    Raises:
        DataError: two of them fall together.
    """
    if raw.close_ns is not None:
        open_ns, close_ns = raw.time_ns, raw.close_ns
    else:
        open_ns, close_ns = bar_times(raw.time_ns, raw.stamp, timeframe, raw.session)
    bad = np.flatnonzero((np.diff(open_ns) <= 0) | (np.diff(close_ns) <= 0) | (close_ns[1:] <= open_ns[1:]))
    if len(bad):
        raise DataError(
            Message(
                "{symbol} from {source}: each bar of {timeframe} must have a time of its own, rows {rows} and "
                "{rows_2} coincide. Check 'timezone', 'session' and 'stamp'.",
                symbol=symbol,
                source=raw.source,
                timeframe=timeframe,
                rows=raw.rows[bad[0]],
                rows_2=raw.rows[bad[0] + 1],
            )
        )
    return Bars(
        symbol=symbol,
        timeframe=timeframe,
        open_ns=open_ns,
        close_ns=close_ns,
        open=raw.open,
        high=raw.high,
        low=raw.low,
        close=raw.close,
        volume=raw.volume,
        session=raw.session,
        source=raw.source,
        synthetic=raw.synthetic,
        extra=raw.extra,
        spread=raw.spread,
        open_interest=raw.open_interest,
        decimals=raw.decimals,
    )


def _cut(bars: Bars, request: DataRequest) -> Bars:
    if request.start_ns is None and request.end_ns is None:
        return bars
    start = 0 if request.start_ns is None else int(np.searchsorted(bars.open_ns, request.start_ns))
    stop = len(bars) if request.end_ns is None else int(np.searchsorted(bars.open_ns, request.end_ns))
    if start >= stop:
        raise OutOfRangeError(
            Message(
                "{symbol} from {source}: no bar opens within the range of the run. The data covers {time} to "
                "{time_2}. Change 'start' or 'end'.",
                symbol=request.symbol,
                source=bars.source,
                time=clock(int(bars.open_ns[0])),
                time_2=clock(int(bars.open_ns[-1])),
            )
        )
    return bars.slice(start, stop)
