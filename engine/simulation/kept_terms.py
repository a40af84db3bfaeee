"""A job's terms as records: made once for runs whose jobs differ in their columns only."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.ports import FlagColumn
from quantcrafter.engine.simulation.account_terms import check_volume, may_be_short
from quantcrafter.engine.simulation.arrays import (
    execution_columns_of,
    head_of,
    holdings_of,
    portfolio_of,
    rules_of,
    shared_columns,
)
from quantcrafter.engine.simulation.buffers import PORTFOLIOS
from quantcrafter.engine.simulation.pages import whole_rows
from quantcrafter.engine.simulation.records import Table
from quantcrafter.engine.simulation.venue_columns import expires_at_end

_ALONE = frozenset({"bars", "history", "execution_columns", "step_columns", "further", "swap", "terms"})
"""Fields of an instrument that are neither a column nor a plain value."""

_COLUMNS = tuple(
    each.name
    for each in fields(InstrumentJob)
    if each.name not in _ALONE and ("Column" in each.type or "Dated" in each.type)
)
_PLAIN = attrgetter(*(each.name for each in fields(InstrumentJob) if each.name not in {*_ALONE, *_COLUMNS}))
_PRESENT = attrgetter(*_COLUMNS)

MOST_JOBS, MOST_INSTRUMENTS = 8, 200
"""How many jobs are remembered, and the most instruments that one of them may have."""


class Books(NamedTuple):
    """The records of a run before its first step: portfolio, holdings and rules."""

    portfolios: Table
    holdings: Table
    rules: Table


class _Kept(NamedTuple):
    terms: tuple[Any, ...]
    kind: np.dtype[np.void]
    head: npt.NDArray[np.uint8]
    holdings: Table
    rules: Table


class LatestTerms:
    """Keeps the records of the latest jobs, and copies them for the next one whose terms are equal."""

    def __init__(self) -> None:
        self._kept: tuple[_Kept, ...] = ()

    def books_of(self, job: EngineJob, table_rows: int, flags: FlagColumn) -> Books:
        """Return new records of a job; `flags` are the signals of all its instruments together.

        Raises:
            RunError: terms that can't be met, as of `portfolio_of` and `holdings_of`.
        """
        check_volume(job)
        terms = _terms_of(job, table_rows, flags)
        for kept in self._kept:
            if kept.terms == terms:
                portfolios = PORTFOLIOS.take(1, kept.kind)
                head_of(portfolios)[:] = kept.head
                return Books(portfolios, _copied(kept.holdings), kept.rules)
        books = Books(portfolio_of(job, table_rows), holdings_of(job), rules_of(job))
        if not job.components and len(job.instruments) <= MOST_INSTRUMENTS:
            head = head_of(books.portfolios).copy()
            made = _Kept(terms, books.portfolios.dtype, head, _copied(books.holdings), books.rules)
            self._kept = (made, *self._kept[: MOST_JOBS - 1])
        return books


def _copied(holdings: Table) -> Table:
    copy: Table = whole_rows(holdings).copy().view(holdings.dtype)
    return copy


def _terms_of(job: EngineJob, table_rows: int, flags: FlagColumn) -> tuple[Any, ...]:
    """Return all that the records of a job depend on."""
    instruments = [_instrument_terms(each) for each in job.instruments]
    columns = (shared_columns(job), execution_columns_of(job))
    traits = (bool(job.components), job.steps is None, may_be_short(job, flags))
    return (table_rows, instruments, job.executions, job.protection, job.guards, job.settings, columns, traits)


def _instrument_terms(instrument: InstrumentJob) -> tuple[Any, ...]:
    """Return all of an instrument but the values of its columns; of those, only which there are."""
    bars, swap = instrument.bars, instrument.swap
    return (
        _PLAIN(instrument),
        [each is None for each in _PRESENT(instrument)],
        (len(bars), bars.timeframe, bars.session, bars.open_ns[:1].tolist() if instrument.tick_tables else None),
        None if swap is None else (swap.long, swap.short, swap.by_value, swap.triple_day, swap.dated is None),
        expires_at_end(instrument),
    )


LATEST_TERMS = LatestTerms()
"""Those of this process."""
