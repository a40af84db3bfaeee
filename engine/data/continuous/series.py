"""Joins the bars of contracts to a continuous series, at real prices and at those on which columns are computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from quantcrafter.engine.api import BAR_COLUMNS, Bars, DataError, DataRequest, FloatColumn, Rolls, Severity
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.continuous.contracts import LoadedContract
from quantcrafter.engine.data.continuous.rolls import Hold, iso
from quantcrafter.engine.data.findings import Finding
from quantcrafter.engine.data.load import OutOfRangeError
from quantcrafter.engine.trading_calendar.trading_days import bounds, trading_days_in_order

_EPOCH = date(1970, 1, 1).toordinal()
_DIGITS = 10
_PRICES = ("open", "high", "low", "close")


def join(
    request: DataRequest, contracts: Sequence[LoadedContract], holds: Sequence[Hold], adjust: str, source: str
) -> tuple[Bars, tuple[Finding, ...]]:
    """Return the series up to the end of the request, and what is to be said of its rolls.

    The bars of a contract are those after the last day of the one before, up to its own last day. Later bars and rolls
    have no effect on earlier prices.

    Raises:
        DataError: ratios of prices that are not above zero are needed, or there is no bar.
    """
    symbol, end_ns = request.symbol, request.end_ns
    parts: list[Bars] = []
    numbers: list[int] = []
    news: list[float] = []
    notes: list[Finding] = []
    after: int | None = None
    for hold in holds:
        bars = contracts[hold.contract].bars
        bars = _within(bars, after, _last_day(contracts[hold.contract], hold), end_ns)
        if not len(bars):
            break
        if parts:
            old, new = parts[-1], contracts[hold.contract]
            close, note = _roll(contracts[numbers[-1]].name, old, new, int(after or 0))
            news.append(close)
            notes.append(note)
        parts.append(bars)
        numbers.append(hold.contract)
        after = hold.last_day
    if not parts:
        raise OutOfRangeError(
            Message("{symbol}: no contract has bars in the chosen range. Change 'start' or 'end'.", symbol=symbol)
        )
    lengths = [len(each) for each in parts]
    joined = replace(_joined(symbol, parts), source=source)
    starts = np.cumsum([0, *lengths])[1:-1]
    price = np.full(len(joined), np.nan)
    price[starts] = news
    factor, offset = _adjustment(symbol, adjust, [float(each.close[-1]) for each in parts[:-1]], news, lengths)
    rolls = Rolls(
        price,
        np.repeat(np.arange(len(parts)), lengths),
        factor,
        offset,
        tuple(contracts[number].name for number in numbers),
        (
            *(_days(contracts[number].expiry) for number in numbers[:-1]),
            _last_expiry(contracts[numbers[-1]], parts[-1], end_ns),
        ),
    )
    traded = replace(joined, rolls=rolls)
    if adjust == "none" or len(parts) == 1:
        return traded, tuple(notes)
    columns: dict[str, Any] = {name: _unreal(getattr(joined, name), factor, offset) for name in _PRICES}
    return replace(joined, **columns, traded=traded), tuple(notes)


def _last_day(contract: LoadedContract, hold: Hold) -> int | None:
    """Return the last day of a contract in the series: that of its roll, or of its expiry."""
    return _days(contract.expiry) if hold.last_day is None else hold.last_day


def _last_expiry(contract: LoadedContract, kept: Bars, end_ns: int | None) -> int | None:
    """Return the day on which the last contract expires; if bars are missing then, the day of the last one before.

    Bars after the expiry, which are not kept, show that it has passed.
    """
    expiry = _days(contract.expiry)
    if expiry is None:
        return None
    days = trading_days_in_order(contract.bars.open_ns, contract.bars.session)
    later = contract.bars.open_ns[np.searchsorted(days, expiry, side="right") :]
    if not len(later) or (end_ns is not None and later[0] >= end_ns):
        return expiry
    return min(expiry, int(trading_days_in_order(kept.open_ns[-1:], kept.session)[0]))


def _days(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - _EPOCH


def _within(bars: Bars, after: int | None, until: int | None, end_ns: int | None) -> Bars:
    """Return the bars of the trading days after one and up to another, that open before `end_ns`."""
    days = trading_days_in_order(bars.open_ns, bars.session)
    first = 0 if after is None else int(np.searchsorted(days, after, side="right"))
    last = len(bars) if until is None else int(np.searchsorted(days, until, side="right"))
    if end_ns is not None:
        last = min(last, int(np.searchsorted(bars.open_ns, end_ns)))
    return bars.slice(first, max(first, last))


def _roll(old_name: str, old: Bars, new: LoadedContract, day: int) -> tuple[float, Finding]:
    """Return the last close of the new contract on the day of a roll, and a note of the roll."""
    end = bounds(np.array([day]), new.bars.session)[1][0]
    days = trading_days_in_order(new.bars.open_ns, new.bars.session)
    row = int(np.searchsorted(days, day, side="right")) - 1
    price, before = float(new.bars.close[row]), float(old.close[-1])
    text = Message(
        "Rolled on {day} from {old} to {new}, at {before:.12g} and {price:.12g}: a difference of {difference:+.10g}.",
        day=iso(day),
        old=shown_path(old_name),
        new=shown_path(new.name),
        before=before,
        price=price,
        difference=round(price - before, _DIGITS),
    )
    away = abs(int(new.bars.close_ns[row]) - int(old.close_ns[-1]))
    if away > new.bars.timeframe.nominal_ns:
        late = Message("Their last bars on that day are {minutes:,} minutes apart.", minutes=away // 60_000_000_000)
        text = Message("{roll} {late}", roll=text, late=late)
    return price, Finding("guess", 0, (), (int(end),), text, Severity.WARNING)


def _joined(symbol: str, parts: Sequence[Bars]) -> Bars:
    """Return the bars of all parts, one after the other."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(each, name) for each in parts]) for name in (*BAR_COLUMNS, *_TIMES)
    }
    spreads = [each.spread for each in parts if each.spread is not None]
    spread = np.concatenate(spreads) if len(spreads) == len(parts) else None
    extra = {name: np.concatenate([each.extra[name] for each in parts]) for name in parts[-1].extra}
    return replace(parts[-1], symbol=symbol, spread=spread, open_interest=None, extra=extra, **columns)


_TIMES = ("open_ns", "close_ns")


def _adjustment(
    symbol: str, adjust: str, old: Sequence[float], new: Sequence[float], lengths: Sequence[int]
) -> tuple[FloatColumn, FloatColumn]:
    """Return factor and offset by which prices of columns become real ones, for each bar."""
    count = len(lengths)
    factor, offset = np.ones(count), np.zeros(count)
    if adjust == "back_ratio":
        if min([*old, *new], default=1.0) <= 0.0:
            raise DataError(
                Message(
                    "{symbol}: 'back_ratio' needs prices above zero at each roll, was {least:g}. Set 'adjust: "
                    "back_difference'.",
                    symbol=symbol,
                    least=min([*old, *new]),
                ),
                field="continuous",
            )
        ratios = np.array(old) / np.array(new)
        factor[:-1] = np.cumprod(ratios[::-1])[::-1]
    elif adjust == "back_difference":
        differences = np.array(old) - np.array(new)
        offset[:-1] = np.cumsum(differences[::-1])[::-1]
    return np.repeat(factor, lengths), np.repeat(offset, lengths)


def _unreal(prices: FloatColumn, factor: FloatColumn, offset: FloatColumn) -> FloatColumn:
    """Return prices on which columns are computed; differences are rounded as prices are written."""
    if not offset.any():
        return prices / factor
    return np.round((prices - offset) / factor, _DIGITS)
