"""Tick and lot of an instrument as its prices and volumes show them, where neither file nor market says them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import Bars, FloatColumn, Term
from quantcrafter.engine.api.market import TickTables
from quantcrafter.engine.graph.terms import LOT, Terms

_MOST_DECIMALS = 12
_ROUNDED = 1.2e-7
"""How far a price may be from a whole number of ticks, of itself: that of a number of 32 bits."""
_EXACT, _CLEAR, _LARGEST = 1e-5, 0.05, 1e13
_DIGITS = 5
_SMALL = 10.0
MANY_PRICES = 100
"""How many different prices show a table of ticks, and the last decimal place for bars to come."""
_DAY_NS = 86_400_000_000_000
_TICK = 0.01

_PART = 1 << 14
"""Volumes that are looked at together: they stay in the processor's cache."""


def complete(terms: Terms, bars: Bars) -> Terms:
    """Return the terms with tick and lot from the data, if file, market and symbol don't set them.

    A market's tick that prices contradict gives way to a finer one that they show. Its lot does not: volumes of stocks
    contain odd lots, and some vendors count them in lots.
    """
    terms = _with_table(terms, bars)
    values = dict(terms.values)
    if len(bars) <= 1:  # a single bar shows nothing: a session asks for its newest one at each step
        values.setdefault("tick_size", Term(_TICK, "default"))
        values.setdefault("lot_size", _usual_lot(terms))
        return replace(terms, values=values)
    tick = values.get("tick_size")
    if tick is None or (not terms.tick_tables and tick.source != "file" and not fits(bars, tick.value)):
        shown = tick_shown(bars)
        if shown is not None:
            values["tick_size"] = Term(shown, "data")
        elif tick is None:
            values["tick_size"] = Term(_default_tick(bars), "default")
    if "lot_size" not in values:
        shown_lot = lot_shown(bars)
        values["lot_size"] = _usual_lot(terms) if shown_lot is None else Term(shown_lot, "data")
    return replace(terms, values=values)


def _with_table(terms: Terms, bars: Bars) -> Terms:
    """Return the terms with the table of ticks that the instrument has, and with the tick of usual prices.

    A table that the file names is used in any case, the default one of the market unless prices contradict it. Others
    must be shown by all prices: tables finer than the default by those that contradict it, others by many.
    """
    tables = {choice.name: choice for choice in terms.tick_choices}
    default = next((choice for choice in terms.tick_choices if choice.source), None)
    chosen, source = default, "" if default is None else default.source
    if source != "file" and len(bars) > 1 and (default is None or misfits_of(bars, default.versions) > 0.0):
        enough = default is not None or len(_prices(bars)) >= MANY_PRICES
        shown = (choice for choice in tables.values() if enough and misfits_of(bars, choice.versions) == 0.0)
        chosen, source = next(shown, None), "data"
    values = dict(terms.values)
    if chosen is None:
        if tables:
            values["tick_table"] = Term("none", "data" if default is not None else "default")
        return replace(terms, values=values, tick_tables=())
    usual = float(np.median(np.abs(bars.close))) if len(bars) else 1.0
    bands = chosen.versions[-1][1]
    if len(bars):
        today = int(bars.open_ns[-1] // _DAY_NS)
        bands = next((each for since, each in reversed(chosen.versions) if since <= today), chosen.versions[0][1])
    values["tick_table"] = Term(chosen.name, source)
    values["tick_size"] = Term(_tick_in(bands, usual), source)
    return replace(terms, values=values, tick_tables=chosen.versions)


def _tick_in(bands: tuple[tuple[float, float], ...], price: float) -> float:
    """Return the tick at a price by the bands of a table."""
    return next(tick for low, tick in reversed(bands) if low <= price)


def _usual_lot(terms: Terms) -> Term:
    """Return the lot of an instrument if neither its market nor the volumes say one."""
    market = terms.market
    if market is None or market.fine_lot_size is None:
        return Term(LOT, "default")
    return Term(market.fine_lot_size, terms.values["market"].source)


def tick_shown(bars: Bars) -> float | None:
    """Return the least power of ten, at most 0.01, of which all prices are multiples; None for computed prices."""
    prices = _prices(bars)
    decimals = _decimals(prices)
    return None if decimals is None else min(_TICK, 10.0**-decimals)


def lot_shown(bars: Bars) -> float | None:
    """Return the least power of ten of which all volumes are multiples; None where they are whole or computed."""
    parts = (bars.volume[start : start + _PART] for start in range(0, len(bars), _PART))
    if all((part == np.rint(part)).all() for part in parts):
        return None
    volumes = bars.volume[bars.volume > 0]
    if (volumes == np.rint(volumes)).all():  # some are missing
        return None
    decimals = _decimals(np.unique(volumes[:: max(1, len(volumes) // 20_000)]))
    return None if decimals is None or decimals > 8 else 10.0**-decimals  # noqa: PLR2004 - as exchanges count coins


class Point(NamedTuple):
    """The last decimal place of prices, such as 0.00001, None for computed prices; and whether it is certain.

    It isn't if only the numbers show it: they have lost the zeros at the end of 17000.10.
    """

    value: float | None
    is_sure: bool


def point_of(terms: Terms, bars: Bars) -> Point:
    """Return the point of prices: by `tick_size` of the file, their text, their market, else by the numbers."""
    tick = terms.values.get("tick_size")
    if tick is not None and tick.source == "file":
        return Point(_place_of([tick.value]), is_sure=True)
    if bars.decimals is not None:
        return Point(10.0**-bars.decimals, is_sure=True)
    if tick is not None and tick.source not in ("data", "default") and not terms.tick_tables:
        return Point(_place_of([tick.value]), is_sure=True)
    return Point(_place_of(_prices(bars)), is_sure=False)


def _place_of(values: Sequence[float] | FloatColumn) -> float | None:
    """Return the last decimal place of numbers."""
    decimals = _decimals(np.asarray(values, np.float64))
    return None if decimals is None else 10.0**-decimals


def shows_decimals(bars: Bars) -> bool:
    """Return whether there are enough different prices to tell how finely those of later bars are written."""
    return bool(len(bars)) and len(_prices(bars)) >= MANY_PRICES


def is_multiple(prices: Sequence[float], step: float) -> bool:
    """Return whether prices are multiples of a step, as exactly as they are given."""
    values = np.array(prices, np.float64)
    return bool((np.abs(values / step - np.rint(values / step)) * step <= _tolerance(np.abs(values))).all())


def fits(bars: Bars, tick: float) -> bool:
    """Return whether prices are whole numbers of ticks, most of them and as exactly as they are given."""
    return misfits(bars, tick) == 0.0


def misfits(bars: Bars, tick: float) -> float:
    """Return the share of the prices that are no whole number of ticks."""
    prices = _prices(bars)
    return float(np.mean(np.abs(prices / tick - np.rint(prices / tick)) * tick > _tolerance(prices)))


def misfits_of(bars: Bars, versions: TickTables) -> float:
    """Return the share of the prices that are no whole number of ticks of a table, by the version of their day."""
    days = bars.open_ns // _DAY_NS
    starts = [0, *np.searchsorted(days, [since for since, _ in versions[1:]]).tolist(), len(bars)]
    off = count = 0
    for (_, bands), (start, end) in zip(versions, pairwise(starts), strict=True):
        if end <= start:
            continue
        prices = np.abs(_prices(bars.slice(start, end)))
        lows, ticks = (np.array(each) for each in zip(*bands, strict=True))
        tick = ticks[np.searchsorted(lows, prices, side="right") - 1]
        off += int(np.sum(np.abs(prices / tick - np.rint(prices / tick)) * tick > _tolerance(prices)))
        count += len(prices)
    return off / count if count else 0.0


def _default_tick(bars: Bars) -> float:
    """Return a tick for computed prices: 0.01, and less where prices are small."""
    middle = float(np.median(np.abs(bars.close)))
    if middle >= _SMALL or not middle > 0:
        return _TICK
    return float(10.0 ** (math.floor(math.log10(middle)) - _DIGITS))


def _prices(bars: Bars) -> FloatColumn:
    step = max(1, len(bars) // 20_000)
    return np.unique(np.concatenate([bars.column(name)[::step] for name in ("open", "high", "low", "close")]))


def _tolerance(prices: FloatColumn) -> FloatColumn:
    tolerance: FloatColumn = np.abs(prices) * _ROUNDED
    return tolerance


def _decimals(values: FloatColumn) -> int | None:
    """Return with how many decimals numbers are written; None where they have more than money has."""
    if not len(values):
        return None
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = np.abs(values) * 10.0**decimals
        whole = np.rint(scaled)
        largest = float(scaled.max())
        if largest >= _LARGEST:
            return None
        off, is_zero = np.abs(scaled - whole), bool(((whole == 0) & (scaled > 0)).any())
        exact = (off <= np.maximum(_EXACT, scaled * 4e-16)).all()
        single = largest * _ROUNDED < _CLEAR and (off <= scaled * _ROUNDED).all()
        if not is_zero and (exact or single):
            return decimals
    return None
