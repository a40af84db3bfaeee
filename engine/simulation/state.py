"""State of a simulation: its arrays, what it has written so far, and the ledger made of both."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.api.engine import EngineJob
from engine.api.errors import RunError
from engine.api.ledger import (
    BLOCKED_DTYPE,
    CASHFLOW_DTYPE,
    FILL_DTYPE,
    INTERVENTION_DTYPE,
    ORDER_DTYPE,
    TRADE_DTYPE,
    Ledger,
    OpenPosition,
)
from engine.api.ports import FloatColumn, TimeColumn
from engine.simulation.ahead import kernel_for
from engine.simulation.arrays import books_of, check, desk_of, market_of, rules_of, timeline_of
from engine.simulation.execution_terms import check_execution
from engine.simulation.kernels import RunSteps
from engine.simulation.records import TABLE_ROWS, WORKING_SLOTS, Market, Record, Table, Timeline
from engine.simulation.step_arrays import record_of, with_steps
from engine.simulation.steps import Steps

TABLES = ("orders", "fills", "trades", "blocked", "interventions", "cashflows")
_DTYPES = (FILL_DTYPE, TRADE_DTYPE, BLOCKED_DTYPE, INTERVENTION_DTYPE, CASHFLOW_DTYPE)


@dataclass
class State:
    """All that a simulation reads and writes.

    `desks` is one record, `books` one for each instrument; `curve` has shape (2, steps): equity and cash. The desk's
    tables are emptied into `pages` now and then. `steps` are the programs that read the position, whose `state` lasts
    from bar to bar like the books. `kernel` is the bar loop that works on them.
    """

    desks: Table
    books: Table
    rules: Table
    market: Market
    timeline: Timeline
    curve: FloatColumn
    ts_ns: TimeColumn
    steps: Steps
    kernel: RunSteps
    pages: list[dict[str, Table]] = field(default_factory=list)

    @classmethod
    def of(cls, job: EngineJob, table_rows: int = TABLE_ROWS, kernel: RunSteps | None = None) -> State:
        """Return the state before the first step.

        Raises:
            RunError: an instrument has no bars, columns of the wrong length, or an impossible tick or lot size.
        """
        if not job.instruments:
            raise RunError("A run needs at least one instrument, had none. Add one under 'instruments'.")
        for instrument in job.instruments:
            check(instrument, job.protection, job.steps)
        check_execution(job)
        ts_ns, timeline = timeline_of(job)
        curve = np.empty((2, len(ts_ns)))
        market, steps = with_steps(job, market_of(job))
        arrays = (desk_of(job, table_rows), books_of(job), rules_of(job), market, timeline, curve, ts_ns, steps)
        bars = sum(len(instrument.bars) for instrument in job.instruments)
        return cls(*arrays, kernel if kernel is not None else kernel_for(bars))

    @property
    def desk(self) -> Record:
        """The one record that all instruments share."""
        desk: Record = self.desks[0]
        return desk

    def arrays(self) -> tuple[Table, Table, Table, Market, Timeline, FloatColumn, Steps]:
        """Return what the bar loop works on."""
        return self.desks, self.books, self.rules, self.market, self.timeline, self.curve, self.steps

    def harvest(self) -> None:
        """Move the rows in use from the desk's tables to a page of their own.

        Raises:
            RunError: an instrument had more orders at work than there are slots.
        """
        desk = self.desk
        if desk["overflow"]:
            raise RunError(
                f"An instrument had more than {WORKING_SLOTS} orders at work at once. Use fewer levels or entries."
            )
        if any(desk[name] for name in TABLES):
            names = [(name, f"{name.removesuffix('s')}_rows") for name in TABLES]
            self.pages.append({name: whole_rows(desk[rows][: desk[name]]).copy() for name, rows in names})
        for name in TABLES:
            desk[name] = 0

    def ledger(self, steps: int | None = None) -> Ledger:
        """Return the books after that many steps (None: all); orders still at work are among the orders."""
        self.harvest()
        written = (self._written(name, dtype) for name, dtype in zip(TABLES[1:], _DTYPES, strict=True))
        fills, trades, blocked, interventions, cashflows = written
        # Orders were written as they ended; by id they are in the order of their making.
        parts = [page["orders"] for page in self.pages]
        parts += [whole_rows(book["slots"][: book["working"]]) for book in self.books if book["working"]]
        in_order = np.empty(sum(map(len, parts)), ORDER_DTYPE)
        for part in parts:
            whole_rows(in_order)[part.view(ORDER_DTYPE)["id"]] = part
        ts_ns, curve = self.ts_ns[:steps], self.curve[:, :steps]
        positions = tuple(_open_position(book) for book in self.books if book["lots"] != 0)
        curves = (ts_ns, curve[0], curve[1])
        record = record_of(self.steps, self.books)
        return Ledger(in_order, fills, trades, blocked, *curves, positions, interventions, cashflows, record)

    def _written(self, name: str, dtype: np.dtype[np.void]) -> Table:
        if not self.pages:
            return np.zeros(0, dtype)
        return np.concatenate([page[name] for page in self.pages]).view(dtype)


def whole_rows(table: Table) -> Table:
    """Return a view of rows as plain bytes: numpy copies those at once, and records field by field, without gaps."""
    return table.view(np.dtype((np.void, table.dtype.itemsize)))


def _open_position(book: Record) -> OpenPosition:
    gain = (book["mark"] * book["rate"] - book["basis"]) * book["quantity"]
    return OpenPosition(
        instrument=int(book["index"]),
        lots=int(book["lots"]),
        entry_bar=int(book["entry_bar"]),
        entry_price=float(book["price"]),
        unrealised_pnl=float(gain - book["commission"] - book["slippage"] + book["carry"]),
    )
