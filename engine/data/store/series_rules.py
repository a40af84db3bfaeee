"""Rules for series: to which series bars belong, and which bars can be in the same series."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from quantcrafter.engine.api import Bars, DataError, Session, Timeframe
from quantcrafter.engine.api.currencies import currency_code
from quantcrafter.engine.api.extra_columns import MOST_EXTRA_COLUMNS
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import first_of
from quantcrafter.engine.data.findings import clock
from quantcrafter.engine.data.gaps import describe
from quantcrafter.engine.data.store.bar_columns import BarColumns
from quantcrafter.engine.data.store.index import Series
from quantcrafter.engine.trading_calendar.zones import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

_NAME_LENGTH = 40
_CLOSE = 3
_COMPARED, _FEWEST_COMPARED = 1000, 3
_MANY, _NEARLY_ALL, _SAME = 50, 0.9, 1e-6
"""From how many times on, and of which part of them, closes must not differ at all: corrections are few."""
_FAR = 0.2
"""By what part of the larger one closes of the same time may differ, at the median: corrections differ by less."""


def usual(timeframe: Timeframe) -> Timeframe:
    """Return an intraday timeframe in its largest unit, so that 60m and 1h are one series."""
    if not timeframe.is_intraday or timeframe.nominal_ns > DAY_NS:
        return timeframe
    for unit, length in (("h", HOUR_NS), ("m", MINUTE_NS)):
        if timeframe.nominal_ns % length == 0:
            return Timeframe(timeframe.nominal_ns // length, unit)
    return Timeframe(timeframe.nominal_ns // SECOND_NS, "s")


_SHOWN = 10


def together(stored: Series, bars: Bars) -> Session:
    """Return the common session of stored and new bars.

    Raises:
        DataError: they do not belong together.
    """
    subject = f"{stored.symbol} {stored.timeframe}"
    if stored.synthetic != bars.synthetic:
        kinds = (Message("generated"), Message("real")) if bars.synthetic else (Message("real"), Message("generated"))
        raise DataError(
            Message(
                "{subject}: {kinds} bars are never mixed with {kinds_2} ones, which the store has. Keep them under "
                "another symbol, or delete the stored ones first.",
                subject=subject,
                kinds=kinds[0],
                kinds_2=kinds[1],
            )
        )
    one, other = stored.session, bars.session
    if (one.timezone, one.open_minute, one.close_minute) != (other.timezone, other.open_minute, other.close_minute):
        raise DataError(
            Message(
                "{subject}: bars of one series must have the same trading hours, the store has {hours}, the new "
                "ones {hours_2}. Set 'session' for them, or replace the stored ones.",
                subject=subject,
                hours=describe(one),
                hours_2=describe(other),
            ),
            field="session",
        )
    weekdays = tuple(sorted({*one.weekdays, *other.weekdays}))
    return Session(one.timezone, one.open_minute, one.close_minute, weekdays, other.calendar or one.calendar)


def check_prices(series: Series, stored: BarColumns, new: BarColumns) -> None:
    """Refuse bars whose prices are far from the stored ones of the same times: another instrument, or other units.

    Raises:
        DataError: they are; the message names the first time and both closes.
    """
    times = new.times[0][:: max(1, new.bars // _COMPARED)]
    place = np.minimum(np.searchsorted(stored.times[0], times), stored.bars - 1)
    both = np.flatnonzero(stored.times[0][place] == times)
    if len(both) < _FEWEST_COMPARED:
        return
    closes = new.values[_CLOSE][:: max(1, new.bars // _COMPARED)][both]
    kept = stored.values[_CLOSE][place[both]]
    apart = np.abs(closes - kept) / np.maximum(np.abs(closes), np.abs(kept))
    if float(np.median(apart)) <= _FAR:
        return
    first = int(np.argmax(apart > _FAR))
    raise DataError(
        Message(
            "{symbol} {timeframe}: the store has other prices for the same times, such as {kept:g} at {times} where "
            "these bars have {closes:g}. They are another instrument's, or were adjusted since. Keep them under "
            "another symbol, or replace the stored series as a whole ('--fresh').",
            symbol=series.symbol,
            timeframe=series.timeframe,
            kept=kept[first],
            times=clock(int(times[both[first]])),
            closes=closes[first],
        ),
        field="symbol",
    )


def check_currency(stored: Series, currency: str) -> None:
    """Refuse bars whose prices are in another currency than the stored ones.

    Raises:
        DataError: they are, as both sources say.
    """
    known = currency_code(stored.known_currency)
    if known and currency and known != currency:
        raise DataError(
            Message(
                "{symbol} {timeframe}: the store has prices in {known}, these are in {currency}. Keep them under "
                "another symbol, or replace the stored series as a whole ('--fresh').",
                symbol=stored.symbol,
                timeframe=stored.timeframe,
                known=known,
                currency=currency,
            ),
            field="symbol",
        )


def check_columns(stored: Series, merged: BarColumns) -> None:
    """Refuse bars with which a series would have more further columns than there may be.

    Raises:
        DataError: it would.
    """
    if len(merged.names) > MOST_EXTRA_COLUMNS:
        raise DataError(
            Message(
                "{symbol} {timeframe}: a series can have {most} further columns, with the new ones there would be "
                "{count}. Keep the bars under another symbol, or import fewer columns.",
                symbol=stored.symbol,
                timeframe=stored.timeframe,
                most=MOST_EXTRA_COLUMNS,
                count=len(merged.names),
            ),
            field="columns",
        )


def gone_columns(stored: Series, new: BarColumns) -> tuple[str, ...]:
    """Return what is to be said where all stored bars go and the new ones lack their further columns."""
    return tuple(
        Message("The column '{name}' went with the stored bars: the new ones don't have it.", name=name)
        for name in stored.columns
        if name not in new.names
    )


def incomplete_columns(stored: Series, new: BarColumns, merged: BarColumns) -> tuple[str, ...]:
    """Return what is to be said of further columns that either the stored or the new bars don't have."""
    notes: list[str] = []
    further = merged.further
    mine = np.isin(merged.times[0], new.times[0]) if merged.names else np.zeros(0, np.bool_)
    for name in merged.names:
        if name in stored.columns and name in new.names:
            continue
        empty = np.isnan(further[name])
        if name in new.names:
            count = int((empty & ~mine).sum())
            text = Message(
                "The column '{name}' is new: stored bars without a value: {count:,}.", name=name, count=count
            )
        else:
            count = int((empty & mine).sum())
            text = Message(
                "The new bars don't have the stored column '{name}': bars without a value: {count:,}.",
                name=name,
                count=count,
            )
        if count:
            notes.append(text)
    return tuple(notes)


def check_source(series: Series, stored: Bars, new: Bars) -> None:
    """Refuse bars of a file if nearly all prices differ from the stored ones of the same times.

    They are of another exchange, or adjusted since.

    Raises:
        DataError: they are; the message names the first time and both closes.
    """
    times, mine, its = np.intersect1d(new.open_ns, stored.open_ns, assume_unique=True, return_indices=True)
    if len(times) < _MANY:
        return
    closes, kept = new.close[mine], stored.close[its]
    differ = np.abs(closes - kept) > _SAME * np.maximum(np.abs(closes), np.abs(kept))
    if float(np.mean(differ)) < _NEARLY_ALL:
        return
    first = int(np.argmax(differ))
    raise DataError(
        Message(
            "{symbol} {timeframe}: the store has other prices for nearly all of the same times, such as {kept:g} at "
            "{times} where these bars have {closes:g}. They are of another exchange, or were adjusted since. Give them "
            "a symbol of their own with '--symbol', or the same one to join them, or replace the stored series as a "
            "whole ('--fresh').",
            symbol=series.symbol,
            timeframe=series.timeframe,
            kept=kept[first],
            times=clock(int(times[first])),
            closes=closes[first],
        ),
        field="symbol",
    )


def file_stem(symbol: str) -> str:
    """Return a file name that a person recognises the symbol by; it need not be its own."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", symbol)[:_NAME_LENGTH].strip(".")


def listed(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    return first_of(names, _SHOWN)
