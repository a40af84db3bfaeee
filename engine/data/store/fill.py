"""Fill the gaps of a series from another source of bars."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import Bars, BoolColumn, DataError, DataProvider, DataRequest, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.findings import Finding, remark
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers.session_guess import assumed_zone
from quantcrafter.engine.data.resample import take_bars
from quantcrafter.engine.data.store.bar_columns import Overlap
from quantcrafter.engine.data.store.index import Series
from quantcrafter.engine.data.store.store import BarStore
from quantcrafter.engine.data.store.stored_gaps import Gap, gaps_of


class Fill(NamedTuple):
    """The result of filling: the original gaps, the added bars, the current series, and errors of the source."""

    gaps: tuple[Gap, ...]
    added: int
    series: Series
    findings: tuple[Finding, ...] = ()


def fill_gaps(
    store: BarStore,
    symbol: str,
    timeframe: Timeframe,
    source: DataProvider,
    *,
    source_symbol: str = "",
    base_dir: str = "",
    on_bad_bars: str = "refuse",
) -> Fill:
    """Add bars of `source` to the gaps of a series; stored bars are never changed.

    Only bars that are within a gap as a whole are taken. `source_symbol` is the symbol's name there, if it is another.

    Raises:
        DataError: the series is not kept, or the source has no bars, or they are bad and not to be repaired.
    """
    series = store.series(symbol, timeframe)
    bars = store.read(symbol, series.timeframe)
    gaps = gaps_of(bars)
    if not gaps:
        return Fill((), 0, series)
    request = DataRequest(
        source_symbol or symbol, series.timeframe, base_dir, gaps[0].after_ns, max(gap.until_ns for gap in gaps)
    )
    found = load_bars(source, request, on_bad_bars=on_bad_bars)
    new = _picked(found.bars, symbol, within(found.bars, gaps))
    if not len(new):
        return Fill(gaps, 0, series, found.findings)
    if found.bars.session.timezone != series.session.timezone and not series.timeframe.is_intraday:
        raise DataError(
            Message(
                "{symbol} {timeframe}: days of the source are counted in {timezone}, those "
                "stored in {timezone_2}. Set 'session' and 'timezone' of the source.",
                symbol=symbol,
                timeframe=series.timeframe,
                timezone=found.bars.session.timezone,
                timezone_2=series.session.timezone,
            ),
            field="session",
        )
    zone = assumed_zone(found.findings)
    put = store.put(_like(new, bars), overlap=Overlap.KEEP, currency=found.currency, assumed_zone=zone)
    return Fill(gaps, put.added, put.series, (*found.findings, *map(remark, put.notes)))


def within(bars: Bars, gaps: tuple[Gap, ...]) -> BoolColumn:
    """Return which bars are within one of the gaps as a whole."""
    after = np.array([gap.after_ns for gap in gaps], dtype=np.int64)
    until = np.array([gap.until_ns for gap in gaps], dtype=np.int64)
    place = np.searchsorted(after, bars.open_ns, side="right") - 1
    inside: BoolColumn = (place >= 0) & (bars.close_ns <= until[np.maximum(place, 0)])
    return inside


def _picked(bars: Bars, symbol: str, mask: BoolColumn) -> Bars:
    return replace(take_bars(bars, np.flatnonzero(mask)), symbol=symbol)


def _like(bars: Bars, stored: Bars) -> Bars:
    """Return bars with the trading hours of the stored ones: they fill places within them."""
    return replace(bars, session=stored.session)
