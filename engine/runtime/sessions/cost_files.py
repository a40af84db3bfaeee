"""Fundings and swaps of the files that a strategy names, which grow while its session runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import Bar, DataError, DatedAmount, DatedAmounts
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.dated_file import rates_on, read_funding, read_swaps
from quantcrafter.engine.data.findings import clock
from quantcrafter.engine.graph import BASE_CLOCK
from quantcrafter.engine.graph.history_costs import LONGEST_NS, each_of, nights_between
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.trading_calendar.zones import DAY_NS


def with_costs_of_files(session: StrategySession, bars: Mapping[str, Bar]) -> dict[str, Bar]:
    """Return the next bars of a session with the fundings and swaps that the files of their instruments have by now.

    The files are read again each time. The last rates are never taken for later ones: a file of fundings must reach as
    far as the next one isn't due yet, by the time between its last two, and one of swaps must have a row of the day of
    each night or of a later one.

    Raises:
        DataError: a file can't be read, or doesn't reach up to a bar's close.
    """
    found = dict(bars)
    for instrument, clocks in zip(session.graph.instruments, session.clocks, strict=True):
        spec, known = instrument.spec, clocks[BASE_CLOCK].bars
        if spec.symbol not in bars:
            continue
        bar, base_dir = bars[spec.symbol], session.graph.spec.base_dir
        span = int(known.close_ns[-1]) if len(known) else bar.open_ns, bar.close_ns
        if spec.funding is not None and spec.funding.file:
            rates = read_funding(spec.funding.file, base_dir, spec.symbol, spec.funding.unit)
            bar = replace(bar, funding=_fundings(spec.symbol, spec.funding.file, rates, span))
        if spec.swap is not None and spec.swap.file:
            rates = read_swaps(spec.swap.file, base_dir, spec.symbol)
            bar = replace(bar, swap=_swaps(spec.symbol, spec.swap.file, rates, span))
        found[spec.symbol] = bar
    return found


def _fundings(symbol: str, file: str, rates: DatedAmounts, span: tuple[int, int]) -> tuple[DatedAmount, ...]:
    last = rates.times_ns[-2:].tolist()
    apart = last[1] - last[0] if len(last) > 1 else LONGEST_NS
    if last[-1] + apart < span[1]:
        raise _not_known(symbol, file, last[-1], last[-1] + apart)
    return each_of(rates.within(*span))


def _swaps(symbol: str, file: str, rates: DatedAmounts, span: tuple[int, int]) -> tuple[DatedAmount, ...]:
    days = np.array(nights_between(*span), np.int64)
    if len(days) and not rates.times_ns[0] <= days[0] <= days[-1] <= rates.times_ns[-1]:
        raise _not_known(symbol, file, int(rates.times_ns[-1]), int(days[-1]))
    return each_of(DatedAmounts(days, *rates_on(rates, days // DAY_NS)))


def _not_known(symbol: str, file: str, last_ns: int, due_ns: int) -> DataError:
    return DataError(
        Message(
            "{symbol}: {file} ends on {last}, and what was due on {due} is not known yet. Bring the bar when the file "
            "has it.",
            symbol=symbol,
            file=shown_path(file),
            last=clock(last_ns),
            due=clock(due_ns),
        )
    )
