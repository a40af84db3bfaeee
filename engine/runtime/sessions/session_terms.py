"""The terms of a session's instruments: as the bars before its first step show them, and bars that contradict them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from quantcrafter.engine.api import Bar, Bars, DataError, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import Swap
from quantcrafter.engine.graph import BASE_CLOCK, BoundGraph
from quantcrafter.engine.graph.data_terms import MANY_PRICES, is_multiple, point_of, shows_decimals
from quantcrafter.engine.graph.live import LiveColumns
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.runtime.running.prepare import terms_with, traded_bars


def known_terms(graph: BoundGraph, columns_of_each: Sequence[LiveColumns]) -> Iterator[Terms]:
    """Yield the terms of each instrument, with tick and lot as the known bars show them if nothing else says them.

    Raises:
        RunError: an amount is in ticks, and the tick depends on the price or may be finer when more bars are known.
    """
    for instrument, columns in zip(graph.instruments, columns_of_each, strict=True):
        bars = columns.clocks[BASE_CLOCK].bars
        terms = terms_with(instrument.terms, bars)
        spec = instrument.spec
        spread = spec.spread is not None and (spec.spread.ticks > 0.0 or spec.spread.unit == "ticks")
        swap = spec.swap is not None and spec.swap.unit == "ticks" and spec.swap != Swap()
        is_open = terms.values["tick_size"].source in ("data", "default")
        if (spread and is_open) or (swap and (is_open or terms.tick_tables)):
            raise RunError(
                Message(
                    "A session can't use '{field}' of {symbol} in ticks: its tick is not fixed. "
                    "Give '{field}' in price, or set 'tick_size'.",
                    field="spread" if spread else "swap",
                    symbol=spec.symbol,
                )
            )
        if spec.spread is not None and spec.spread.unit == "points":
            terms = replace(terms, point=_known_point(terms, spec.symbol, bars))
        yield terms


def _known_point(terms: Terms, symbol: str, bars: Bars) -> float:
    """Return the last decimal place of an instrument's prices, in which its spreads count.

    Raises:
        RunError: the known bars have too few different prices to show it.
    """
    point, is_sure = point_of(terms, traded_bars(bars))
    if point is None or not (is_sure or shows_decimals(traded_bars(bars))):
        raise RunError(
            Message(
                "A session of {symbol} can't tell from the bars before its first step what a point of 'spread' is: "
                "they need {count} different prices. Give more of them, set 'tick_size', or another 'unit' of "
                "'spread'.",
                symbol=symbol,
                count=MANY_PRICES,
            )
        )
    return point


def check_points(symbols: Sequence[str], terms_of_each: Sequence[Terms], bars: Mapping[str, Bar]) -> None:
    """Refuse bars whose prices are finer than the points in which their spreads count.

    Raises:
        DataError: one is.
    """
    for symbol, terms in zip(symbols, terms_of_each, strict=True):
        given = bars.get(symbol)
        if terms.point is None or terms.values["tick_size"].source == "file" or not isinstance(given, Bar):
            continue
        bar = given if given.traded is None else given.traded
        prices = [each for each in (bar.open, bar.high, bar.low, bar.close) if isinstance(each, int | float)]
        if not is_multiple([each for each in prices if math.isfinite(each)], terms.point):
            raise DataError(
                Message(
                    "A bar of {symbol} has prices finer than {point:g}, the point of its spreads by known bars. "
                    "Open another session, or give the spread in price.",
                    symbol=symbol,
                    point=terms.point,
                )
            )
