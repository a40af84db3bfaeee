"""Corporate actions: conversion of prices as traded to prices that can be compared over time, and back.

1. The source provides prices as traded, and either splits and dividends or an adjusted close.
2. Actions are derived from an adjusted close: its ratio to the close changes only at an action.
3. Every price before an action is multiplied by its factor, so that the series has no jump; columns are computed on
   these prices, while orders fill at those as traded.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import Bars, CorporateActions, DataError, FloatColumn, RawBars, Severity, TimeColumn
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.findings import Finding

SPLITS = np.array([5 / 4, 4 / 3, 7 / 5, 3 / 2, 5 / 3, *range(2, 11), 5 / 2, 15, 20, 25, 30, 40, 50, 100])
"""Usual splits: number of units for one."""

REVERSE_SPLITS = 1.0 / np.array([*range(2, 11), 12, 15, 20, 25, 30, 40, 50, 100])
"""Usual reverse splits: the fraction that one unit becomes."""

_LEAST_SPLIT = 1.25
LEAST_CHECKED = 0.0953
"""The logarithm of 1.1: splits of less are hidden by a day's move."""
_EXACT, _DIVIDEND = 0.002, 0.06
_DAYS_MOVE = 1.6
_ROUNDING = 0.75
_TINY = 1e-9


def adjusted(bars: Bars, actions: CorporateActions) -> Bars:
    """Return the bars at adjusted prices; `traded` holds them as they were traded, with the actions.

    All prices before a bar with a split of s and a dividend of d are multiplied by 1 / s x (1 - d x s / close), with
    the close of the bar before: the method of CRSP and Yahoo. Volumes are divided by 1 / s.

    Raises:
        DataError: a dividend is not below the price.
    """
    before = np.append(np.nan, bars.close[:-1])
    with np.errstate(invalid="ignore"):
        paid = np.where(actions.dividend > 0.0, actions.dividend * actions.split / before, 0.0)
    paid[:1] = 0.0
    bad = np.flatnonzero(paid >= 1.0)
    if len(bad):
        raise DataError(
            Message(
                "{symbol} from {source}: a dividend must be below the price, bar {bad} pays "
                "{dividend:g} on a close of {before:g}. Correct it.",
                symbol=bars.symbol,
                source=bars.source,
                bad=bad[0],
                dividend=actions.dividend[bad[0]],
                before=before[bad[0]],
            )
        )
    of_bar = (1.0 - paid) / actions.split
    # A bar is adjusted by the actions of the bars after it.
    factor = np.append(np.cumprod(of_bar[:0:-1])[::-1], 1.0)
    units = np.append(np.cumprod(actions.split[:0:-1])[::-1], 1.0)
    prices = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}
    return replace(bars, **prices, volume=bars.volume * units, traded=replace(bars, actions=actions))


def not_booked_twice(raw: RawBars, actions: CorporateActions, subject: str) -> tuple[CorporateActions, Finding | None]:
    """Return the actions without splits that are already included in the prices, and a warning that names them.

    At a split the price as traded falls from one close to the next open by about as much; at prices that were adjusted
    before, it does not. Splits of less than a tenth are left as they are, as a day's move would hide them: if larger
    ones don't show whether prices are adjusted, a warning names them.

    Raises:
        DataError: the price fell at some splits and at others it did not.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        fell = np.log(np.append(np.nan, raw.close[:-1]) / raw.open)
        told = np.log(actions.split)
    checked = np.flatnonzero((np.abs(told) > LEAST_CHECKED) & np.isfinite(fell) & np.isfinite(told))
    held = checked[np.abs(fell[checked] - told[checked]) > np.abs(fell[checked])]
    if not len(held):
        return actions, None if len(checked) else _small_splits(raw, actions)
    first = int(held[0])
    told_of = {
        "split": actions.split[first],
        "row": raw.rows[first],
        "close": raw.close[first - 1],
        "open": raw.open[first],
    }
    if len(held) < len(checked):
        fallen = int(np.setdiff1d(checked, held)[0])
        raise DataError(
            Message(
                "{subject}: the price didn't change with the split of {split:g} in row {row} (close {close:g}, "
                "then open {open:g}), though it did with the one in row {fallen}. Correct the file.",
                subject=subject,
                fallen=raw.rows[fallen],
                **told_of,
            ),
            field="corporate_actions",
        )
    message = Message(
        "Splits are not booked, as prices are adjusted for them already: with the split of {split:g} in row {row} the "
        "close of {close:g} was followed by an open of {open:g} (splits like it: {count:,}). Dividends are booked; "
        "leave 'corporate_actions' out if prices are adjusted for them too.",
        count=len(held),
        **told_of,
    )
    rows, times = (tuple(column[held[:5]].tolist()) for column in (raw.rows, raw.time_ns))
    found = Finding("split_in_prices", len(held), rows, times, message, Severity.WARNING)
    return CorporateActions(np.where(np.isin(np.arange(len(told)), held), 1.0, actions.split), actions.dividend), found


def _small_splits(raw: RawBars, actions: CorporateActions) -> Finding | None:
    """Return a warning of splits that are booked although prices don't show whether they are adjusted for them."""
    small = np.flatnonzero((actions.split != 1.0) & (actions.split > 0.0))
    small = small[small > 0]
    if not len(small):
        return None
    first = int(small[0])
    message = Message(
        "Splits of less than a tenth are booked: {count:,}, first the one of {split:g} in row {row}, where the close "
        "of {close:g} was followed by an open of {open:g}. Prices don't show whether they are adjusted for such "
        "small ones already: if they are, leave 'corporate_actions' out.",
        count=len(small),
        split=actions.split[first],
        row=raw.rows[first],
        close=raw.close[first - 1],
        open=raw.open[first],
    )
    rows, times = (tuple(column[small[:5]].tolist()) for column in (raw.rows, raw.time_ns))
    return Finding("small_splits", len(small), rows, times, message, Severity.WARNING)


def actions_from_adjusted(
    close: FloatColumn, adjusted_close: FloatColumn, rows: TimeColumn, subject: str
) -> CorporateActions:
    """Return the splits and dividends derived from an adjusted close.

    The ratio of adjusted close and close rises by 1 / factor at each action. A rise of a quarter or more, or a fall, is
    a split if it is near a usual one, and if the price fell as it says; what else there is, is a dividend. Changes that
    the rounding of the adjusted prices explains are none, so that small dividends of long ago may be missed.

    Raises:
        DataError: the ratio changes as neither a split nor a dividend does.
    """
    n = len(close)
    split, dividend = np.ones(n), np.zeros(n)
    if not n:
        return CorporateActions(split, dividend)
    if not (np.isfinite(adjusted_close) & (adjusted_close > 0.0)).all():
        row = rows[np.flatnonzero(~(np.isfinite(adjusted_close) & (adjusted_close > 0.0)))[0]]
        raise DataError(
            Message(
                "{subject}: an adjusted close must be a number above 0, row {row} has none. Correct the file.",
                subject=subject,
                row=row,
            )
        )
    ratio = adjusted_close / close
    noise = _ROUNDING * _step(adjusted_close) / adjusted_close + _ROUNDING * _step(close) / close + _TINY
    level, level_noise = ratio[0], noise[0]
    for bar in range(1, n):
        rise = ratio[bar] / level
        if abs(rise - 1.0) <= noise[bar] + level_noise:
            continue
        split[bar] = _split_of(rise, close[bar - 1] / close[bar])
        rest = rise / split[bar]
        if split[bar] == 1.0 and (rest < 1.0 or rest >= 2.0):  # noqa: PLR2004 - half of the price paid out
            raise DataError(
                Message(
                    "{subject}: adjusted close / close changes by {rise:.4g} at row {rows}, which is neither a usual "
                    "split nor a dividend. Give columns of splits and dividends instead.",
                    subject=subject,
                    rise=rise,
                    rows=rows[bar],
                )
            )
        if rest - 1.0 > noise[bar] + level_noise and rest > 1.0:
            dividend[bar] = close[bar - 1] / split[bar] * (1.0 - 1.0 / rest)
        level, level_noise = ratio[bar], noise[bar]
    return CorporateActions(split, dividend)


def _split_of(rise: float, fall: float) -> float:
    """Return the usual split for a rise of the ratio and the fall of the price; 1 for none.

    A dividend of a few percent on the same day lets the ratio rise more than the split alone.
    """
    if _LEAST_SPLIT * (1.0 - _EXACT) > rise > 1.0 - _EXACT:
        return 1.0
    usual = SPLITS if rise > 1.0 else REVERSE_SPLITS
    rest = rise / usual
    fitting = usual[(rest >= 1.0 - _EXACT) & (rest <= 1.0 + _DIVIDEND)]
    if not len(fitting):
        return 1.0
    found = float(fitting[np.argmin(rise / fitting)])
    return found if 1.0 / _DAYS_MOVE < fall / found < _DAYS_MOVE else 1.0


def _step(prices: FloatColumn) -> float:
    """Return the step to which prices are rounded: a cent, a hundredth of it, or nothing."""
    for step in (0.01, 0.001, 0.0001):
        if np.allclose(prices / step, np.rint(prices / step), rtol=0.0, atol=1e-4):
            return step
    return 0.0
