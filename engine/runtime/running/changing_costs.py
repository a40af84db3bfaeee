"""Spread, funding and swap that change over time: read, and checked against the bars of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from quantcrafter.engine.api import Bars, DataError, DatedAmounts
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.dated_file import read_funding, read_swaps
from quantcrafter.engine.data.findings import clock
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.graph.history_costs import LONGEST_NS
from quantcrafter.engine.spec import InstrumentSpec

USUAL_FUNDING_PERCENT = 0.2
"""The most that the median of fundings, which is often 0.01 %, may be without a warning."""


def with_changing_costs(spec: InstrumentSpec, bars: Bars, first: int, base_dir: str) -> Bars:
    """Return bars with the fundings and swaps of the instrument's files; `first` is the first bar of the run.

    Raises:
        DataError: a spread is not a number or below zero, a file can't be read, or rates are missing.
    """
    if spec.spread is not None and spec.spread.column:
        _check_spread(spec, bars)
    changed: dict[str, Any] = {}
    run = bars.slice(first, len(bars))
    if spec.funding is not None and spec.funding.file:
        changed["funding"] = read_funding(spec.funding.file, base_dir, spec.symbol, spec.funding.unit)
        _check_funding(spec.symbol, spec.funding.file, changed["funding"], run)
    if spec.swap is not None and spec.swap.file:
        changed["swap"] = read_swaps(spec.swap.file, base_dir, spec.symbol)
        _check_swap(spec.symbol, spec.swap.file, changed["swap"], run)
    if not changed:
        return bars
    traded = None if bars.traded is None else replace(bars.traded, **changed)
    return replace(bars, traded=traded, **changed)


def funding_findings(spec: InstrumentSpec, bars: Bars) -> tuple[str, ...]:
    """Return a warning if the fundings of a file look like percentages that were read as parts of the value."""
    funding = spec.funding
    if funding is None or not funding.file or funding.unit == "percent" or bars.funding is None:
        return ()
    usual = float(np.median(np.abs(bars.funding.long)))
    if usual <= USUAL_FUNDING_PERCENT:
        return ()
    text = Message(
        "{symbol}: half of the fundings of {file} are {usual:g} % of the value or more, more than {most:g} %. Set "
        "'unit: percent' of 'funding' if the rates are in percent.",
        symbol=spec.symbol,
        file=shown_path(funding.file),
        usual=usual,
        most=USUAL_FUNDING_PERCENT,
    )
    return (text,)


def _check_spread(spec: InstrumentSpec, bars: Bars) -> None:
    if bars.spread is None:
        raise DataError(
            Message(
                "{symbol}: the data provider '{data}' has no column of spreads. Use a file, or a constant 'spread'.",
                symbol=spec.symbol,
                data=spec.data,
            ),
            field="spread",
        )
    bad = np.flatnonzero(~(np.isfinite(bars.spread) & (bars.spread >= 0.0)))
    if len(bad):
        raise DataError(
            Message(
                "{symbol} from {source}: a spread must be a number that is not negative, was {spread:g} on {time} "
                "(such bars: {count:,}). Correct the file.",
                symbol=spec.symbol,
                source=bars.source,
                spread=bars.spread[bad[0]],
                time=bar_label(int(bars.open_ns[bad[0]]), bars.timeframe, bars.session, named=True),
                count=len(bad),
            ),
            field="spread",
        )


def _check_funding(symbol: str, file: str, funding: DatedAmounts, run: Bars) -> None:
    """Refuse fundings that leave out a part of the run.

    Raises:
        DataError: they do.
    """
    begin, end = int(run.open_ns[0]), int(run.close_ns[-1])
    inside = funding.times_ns[(funding.times_ns > begin) & (funding.times_ns < end)]
    edges = np.concatenate(([begin], inside, [end]))
    gaps = np.flatnonzero(np.diff(edges) > LONGEST_NS)
    if len(gaps):
        raise DataError(
            Message(
                "{symbol}: {file} has no funding from {start} to {stop}. Give all fundings of the run, or change "
                "'start' or 'end' of the run.",
                symbol=symbol,
                file=shown_path(file),
                start=clock(int(edges[gaps[0]])),
                stop=clock(int(edges[gaps[0] + 1])),
            ),
            field="funding",
        )


def _check_swap(symbol: str, file: str, swap: DatedAmounts, run: Bars) -> None:
    """Refuse swaps that begin after the run.

    Raises:
        DataError: they do.
    """
    if swap.times_ns[0] > run.open_ns[0]:
        raise DataError(
            Message(
                "{symbol}: {file} begins on {first}, after the first bar of the run, {bar}. Give the swap of that day "
                "too, or change 'start' of the run.",
                symbol=symbol,
                file=shown_path(file),
                first=clock(int(swap.times_ns[0])),
                bar=clock(int(run.open_ns[0])),
            ),
            field="swap",
        )
