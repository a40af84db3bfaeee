"""From a page of a server to bars that can be stored.

1. Rows that are there twice with the same values count once.
2. Each bar gets its closing time; bars that haven't closed yet, by the server's clock and by ours, are removed.
3. The rest is checked as any source is, and refused or repaired.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from quantcrafter.engine.api import BAR_COLUMNS, BarPage, Bars, DataRequest, RawBars, TimeColumn, Timeframe
from quantcrafter.engine.api.frozen import frozen_bars
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.findings import Finding
from quantcrafter.engine.data.gaps import take
from quantcrafter.engine.data.load import raw_columns, timed
from quantcrafter.engine.data.quality import check
from quantcrafter.engine.data.times import bar_times


class AcceptedBars(NamedTuple):
    """Bars of a page that have closed, None if there are none, and what was found in them."""

    bars: Bars | None
    findings: tuple[Finding, ...] = ()


def accept(
    page: BarPage, request: DataRequest, source: str, *, settle_s: float = 0.0, on_bad_bars: str = "refuse"
) -> AcceptedBars:
    """Return the bars of a page that open at or after `request.start_ns` and closed `settle_s` seconds ago or earlier.

    `request.session` is that of the symbol.

    Raises:
        DataError: they are bad, and not to be repaired.
    """
    if page.bars is None or not len(page.bars.time_ns):
        return AcceptedBars(None)
    subject = Message("{symbol}: download provider '{name}'", symbol=request.symbol, name=source)
    session = request.session or page.bars.session
    told = replace(page.bars, source=source, timeframe=request.timeframe, session=session)
    raw = once(raw_columns(told, request, source, subject))
    open_ns, close_ns = times_of(raw, request.timeframe)
    now = time.time_ns() if page.served_ns is None else min(time.time_ns(), page.served_ns)
    done = (close_ns + round(settle_s * 1e9) <= now) & (open_ns >= (request.start_ns or 0))
    if not done.any():
        return AcceptedBars(None)
    raw = take(raw, np.flatnonzero(done))
    checked = check(
        raw,
        request.timeframe,
        symbol=request.symbol,
        on_bad_bars=on_bad_bars,
        negative_prices=request.negative_prices,
    )
    repaired = tuple(finding for finding in checked.findings if finding.repair)  # gaps are those of the whole series
    return AcceptedBars(frozen_bars(timed(checked.bars, request.timeframe, request.symbol)), repaired)


def once(raw: RawBars) -> RawBars:
    """Return bars without rows that repeat another one to the last digit; the others stay in their order."""
    table = np.stack([raw.time_ns.astype(np.float64), *(getattr(raw, name) for name in BAR_COLUMNS)], axis=1)
    _, first = np.unique(table, axis=0, return_index=True)
    return raw if len(first) == len(raw.time_ns) else take(raw, np.sort(first))


def times_of(raw: RawBars, timeframe: Timeframe) -> tuple[TimeColumn, TimeColumn]:
    """Return when each bar opens and closes (UTC ns), whatever the order of the rows and however often one is there."""
    if raw.close_ns is not None:
        return raw.time_ns, raw.close_ns
    times, place = np.unique(raw.time_ns, return_inverse=True)
    opens, closes = bar_times(times, raw.stamp, timeframe, raw.session)
    return opens[place], closes[place]


def in_one(parts: Sequence[Bars]) -> Bars:
    """Return bars of several pages as one: oldest first, and of those with one opening time the latest that came."""
    names = ("open_ns", "close_ns", *BAR_COLUMNS)
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    further = dict.fromkeys(name for part in parts for name in part.extra)
    extra = {
        name: np.concatenate([part.extra.get(name, np.full(len(part), np.nan)) for part in parts]) for name in further
    }
    newest_first = columns["open_ns"][::-1]
    _, place = np.unique(newest_first, return_index=True)
    rows = len(newest_first) - 1 - place
    extra = {name: column[rows] for name, column in extra.items()}
    return replace(parts[-1], extra=extra, **{name: column[rows] for name, column in columns.items()})
