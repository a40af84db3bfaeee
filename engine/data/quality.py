"""Checks a source's bars: every error is found and reported with its row, then rejected or repaired.

1. Prices and volumes: NaN or infinite, zero or negative, high below low, open or close outside high and low.
2. Times: not in order, twice the same, closer together than a bar is long.
3. Bars that are missing, or are outside the session, cause a warning; they are never rejected.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import BoolColumn, DataError, RawBars, Severity, Timeframe
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.data.findings import Finding, clock, finding
from quantcrafter.engine.data.gaps import find_gaps, find_outside, find_overlaps, take, without_overlaps

PRICES = ("open", "high", "low", "close")
_UNIT_JUMP = (np.log(50.0), np.log(200.0))


class CheckedBars(NamedTuple):
    """Valid bars in order without duplicates, and the findings."""

    bars: RawBars
    findings: tuple[Finding, ...]


def check(
    raw: RawBars,
    timeframe: Timeframe,
    *,
    symbol: str = "",
    on_bad_bars: str = "refuse",
    negative_prices: bool = False,
    is_import: bool = False,
) -> CheckedBars:
    """Return `raw` when it is sound; with `on_bad_bars` `repair`, made sound.

    With `negative_prices` prices may be zero or less, as those of futures may. With `is_import`, errors name options
    of an import instead of keys of a strategy.

    Repair drops bars whose prices are not numbers above zero, sets impossible volumes to 0, swaps high and low or
    widens them around open and close, sorts by time, and keeps the last of bars with the same time.

    Raises:
        DataError: bars are bad and not to be repaired, or none is left.
    """
    findings: list[Finding] = []
    prices = _unreadable_prices if negative_prices else _unusable_prices
    for step in (prices, _volumes, _swapped, _outside_range, _unsorted, _duplicates):
        raw, found = step(raw)
        findings += found
    raw, found = _overlapping(raw, timeframe)
    findings += found
    if findings and on_bad_bars != "repair":
        raise DataError(_refusal(symbol, raw.source, findings, is_import=is_import))
    if not len(raw.time_ns):
        raise DataError(
            Message(
                "{subject}: no usable bar is left.\n  - {faults}\nGive other data.",
                subject=_subject(symbol, raw.source),
                faults=joined(map(str, findings), _BULLET),
            )
        )
    warnings = (find_outside(raw, timeframe), find_gaps(raw, timeframe), _other_unit(raw))
    return CheckedBars(raw, (*findings, *(item for item in warnings if item is not None)))


def _refusal(symbol: str, source: str, findings: list[Finding], *, is_import: bool) -> str:
    faults = Message(
        "{subject}: bars must be possible, in order and each once, but:\n  - {faults}",
        subject=_subject(symbol, source),
        faults=joined((item.message for item in findings), _BULLET),
    )
    remedies = [
        Message("Correct the file, or repair the bars with '--repair'.")
        if is_import
        else Message("Correct the source, or set 'on_bad_bars: repair'.")
    ]
    if any(item.kind == "not_positive" for item in findings):
        remedies.append(
            Message(
                "If prices can be zero or less, as those of futures, use '--negative-prices' or a market such as "
                "us_futures."
            )
            if is_import
            else Message(
                "If the instrument can have prices of zero or less, set a market such as us_futures, or "
                "'kind: contract'."
            )
        )
    return joined([faults, joined(remedies)], "\n")


def _subject(symbol: str, source: str) -> str:
    if symbol and source:
        return Message("{symbol} from {source}", symbol=symbol, source=source)
    return symbol or source or Message("Bars")


_BULLET = "\n  - "
Step = tuple[RawBars, list[Finding]]


def _unusable_prices(raw: RawBars) -> Step:
    finite = np.ones(len(raw.time_ns), dtype=np.bool_)
    positive = finite.copy()
    for name in PRICES:
        column = getattr(raw, name)
        finite &= np.isfinite(column)
        positive &= column > 0
    found = [
        *_price_fault(
            raw, "not_a_number", Message("without a price, or with one that is no number"), ~finite, Message("Dropped.")
        ),
        *_price_fault(
            raw, "not_positive", Message("with a price of zero or less"), finite & ~positive, Message("Dropped.")
        ),
    ]
    return (take(raw, np.flatnonzero(finite & positive)), found) if found else (raw, [])


def _unreadable_prices(raw: RawBars) -> Step:
    finite = np.logical_and.reduce([np.isfinite(getattr(raw, name)) for name in PRICES])
    found = _price_fault(
        raw, "not_a_number", Message("without a price, or with one that is no number"), ~finite, Message("Dropped.")
    )
    return (take(raw, np.flatnonzero(finite)), found) if found else (raw, [])


def _volumes(raw: RawBars) -> Step:
    finite = np.isfinite(raw.volume)
    negative = raw.volume < 0
    found = []
    for kind, subject, bad in (
        ("volume_not_a_number", Message("with a volume that is no number"), ~finite),
        ("negative_volume", Message("with a volume below zero"), finite & negative),
    ):
        where = np.flatnonzero(bad)
        if len(where):
            detail = Message("volume {volume:g}", volume=raw.volume[where[0]])
            item = finding(kind, subject, where, raw.rows, raw.time_ns, detail=detail)
            found.append(item.repaired(Message("Volume set to 0.")))
    return (replace(raw, volume=np.where(finite & ~negative, raw.volume, 0.0)), found) if found else (raw, [])


def _swapped(raw: RawBars) -> Step:
    found = _price_fault(
        raw, "high_below_low", Message("with the high below the low"), raw.high < raw.low, Message("Swapped.")
    )
    if not found:
        return raw, found
    return replace(raw, high=np.maximum(raw.high, raw.low), low=np.minimum(raw.high, raw.low)), found


def _outside_range(raw: RawBars) -> Step:
    top, bottom = np.maximum(raw.open, raw.close), np.minimum(raw.open, raw.close)
    bad = (top > raw.high) | (bottom < raw.low)
    subject = Message("with open or close outside high and low")
    found = _price_fault(raw, "outside_high_low", subject, bad, Message("High and low widened."))
    return (
        (replace(raw, high=np.maximum(raw.high, top), low=np.minimum(raw.low, bottom)), found) if found else (raw, [])
    )


def _unsorted(raw: RawBars) -> Step:
    where = np.flatnonzero(np.diff(raw.time_ns) < 0) + 1
    if not len(where):
        return raw, []
    detail = Message("after {time}", time=clock(int(raw.time_ns[where[0] - 1])))
    subject = (
        Message("earlier than the one before") if len(where) == 1 else Message("that are earlier than the one before")
    )
    item = finding("unsorted", subject, where, raw.rows, raw.time_ns, detail=detail)
    return take(raw, np.argsort(raw.time_ns, kind="stable")), [item.repaired(Message("Sorted."))]


def _duplicates(raw: RawBars) -> Step:
    # Also used on bars that were sorted to look further: rows keep their names.
    same = np.diff(raw.time_ns) == 0
    where = np.flatnonzero(same) + 1
    if not len(where):
        return raw, []
    detail = Message("also row {row}", row=raw.rows[where[0] - 1])
    item = finding("duplicate_time", Message("with the time of another"), where, raw.rows, raw.time_ns, detail=detail)
    return take(raw, np.flatnonzero(np.append(~same, True))), [item.repaired(Message("Kept the last one."))]


def _overlapping(raw: RawBars, timeframe: Timeframe) -> Step:
    where = find_overlaps(raw, timeframe)
    if not len(where):
        return raw, []
    subject = Message("closer to the one before than {timeframe}, the length of most", timeframe=timeframe)
    item = finding("overlap", subject, where, raw.rows, raw.time_ns)
    return without_overlaps(raw, where, timeframe), [item.repaired(Message("Dropped where they overlap."))]


def _other_unit(raw: RawBars) -> Finding | None:
    """Return a warning about prices that jump about a hundredfold, as where pence and pounds are mixed, or None."""
    with np.errstate(divide="ignore", invalid="ignore"):
        jump = np.abs(np.log(raw.close[1:] / raw.close[:-1]))
    where = np.flatnonzero((jump > _UNIT_JUMP[0]) & (jump < _UNIT_JUMP[1])) + 1
    if not len(where):
        return None
    first = int(where[0])
    detail = Message("close {before:.10g}, then {close:.10g}", before=raw.close[first - 1], close=raw.close[first])
    subject = Message("about 100 times above or below the one before, as where pence and pounds are mixed")
    return finding("other_unit", subject, where, raw.rows, raw.time_ns, severity=Severity.WARNING, detail=detail)


def _price_fault(raw: RawBars, kind: str, subject: str, bad: BoolColumn, repair: str) -> list[Finding]:
    where = np.flatnonzero(bad)
    if not len(where):
        return []
    prices = {name: float(getattr(raw, name)[where[0]]) for name in PRICES}
    detail = Message(
        "open {open:.10g}, high {high:.10g}, low {low:.10g}, close {close:.10g}",
        open=prices["open"],
        high=prices["high"],
        low=prices["low"],
        close=prices["close"],
    )
    return [finding(kind, subject, where, raw.rows, raw.time_ns, detail=detail).repaired(repair)]
