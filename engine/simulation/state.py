"""State of a simulation: its arrays, the rows written so far, and the ledger made from both."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import (
    BLOCKED_DTYPE,
    CASHFLOW_DTYPE,
    FILL_DTYPE,
    INTERVENTION_DTYPE,
    ORDER_DTYPE,
    Ledger,
    OpenPosition,
    Stretches,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.api.round_trips import PART_DTYPE
from quantcrafter.engine.simulation.ahead import kernel_for
from quantcrafter.engine.simulation.arrays import check, holdings_of, market_of, portfolio_of, rules_of, timeline_of
from quantcrafter.engine.simulation.buffers import COLUMNS
from quantcrafter.engine.simulation.execution_terms import check_executions
from quantcrafter.engine.simulation.kept_terms import LATEST_TERMS
from quantcrafter.engine.simulation.kernel_forms import RunSteps
from quantcrafter.engine.simulation.pages import Room, joined_pages, whole_rows
from quantcrafter.engine.simulation.records import (
    NO_BAR,
    TABLE_ROWS,
    WORKING_SLOTS,
    MarketArrays,
    Record,
    Table,
    Timeline,
)
from quantcrafter.engine.simulation.step_arrays import record_of, with_steps
from quantcrafter.engine.simulation.steps import Steps
from quantcrafter.engine.simulation.worth import open_profit

TABLES = ("orders", "fills", "parts", "blocked", "interventions", "cashflows")
_ROWS = {name: f"{name.removesuffix('s')}_rows" for name in TABLES}
_DTYPES = (FILL_DTYPE, PART_DTYPE, BLOCKED_DTYPE, INTERVENTION_DTYPE, CASHFLOW_DTYPE)
_NO_ROWS = {name: whole_rows(np.empty(0, dtype)) for name, dtype in zip(TABLES, (ORDER_DTYPE, *_DTYPES), strict=True)}

BARS_A_ROW, LEAST_ROWS = 8, 256
"""Initial memory for the rows of a run; it grows if necessary."""

FEW_ROWS = 2_048
"""Rows that a finished run copies, so that its ledger doesn't keep all the memory of its tables."""


@dataclass
class SimulationState:
    """The data that a simulation reads and writes.

    `portfolios` is one record, `holdings` one for each instrument. `curve` has shape (3, steps): the equity of each
    step; the cash after each of its changes, which the portfolio counts; the step at which it began. The
    portfolio's tables are emptied into `pages` now and then. `steps` are the programs that read the position, whose
    `state` lasts from bar to bar like the books. `kernel` is the bar loop that works on them.
    """

    portfolios: Table
    holdings: Table
    rules: Table
    market: MarketArrays
    timeline: Timeline
    curve: FloatColumn
    ts_ns: TimeColumn
    steps: Steps
    kernel: RunSteps
    pages: list[dict[str, Table]] = field(default_factory=list)
    _rooms: dict[str, Room] = field(default_factory=dict)

    @classmethod
    def of(cls, job: EngineJob, table_rows: int = TABLE_ROWS, kernel: RunSteps | None = None) -> SimulationState:
        """Return the state before the first step.

        Raises:
            RunError: an instrument has no bars, columns of the wrong length, or an impossible tick or lot size.
        """
        _check(job)
        for each in job.instruments:
            if not len(each.bars):
                raise RunError(
                    Message(
                        "{symbol} has no bars in the chosen range. Widen 'start' and 'end' under 'run'.",
                        symbol=each.symbol,
                    )
                )
        ts_ns, timeline = timeline_of(job)
        curve = COLUMNS.take(3 * len(ts_ns), np.float64).reshape(3, len(ts_ns))
        market, steps = with_steps(job, market_of(job))
        arrays = (*LATEST_TERMS.books_of(job, table_rows, market.flags), market, timeline, curve, ts_ns, steps)
        if kernel is None:
            with_rare = bool(arrays[0][0]["has_rare"])
            kernel = kernel_for(len(market.close), len(steps.program), with_rare=with_rare)
        return cls(*arrays, kernel)

    @classmethod
    def growing(
        cls, job: EngineJob, market: MarketArrays, steps: Steps, table_rows: int, kernel: RunSteps | None
    ) -> SimulationState:
        """Return the state before the first bar of an open session: its step columns are those of one step.

        Raises:
            RunError: an impossible tick or lot size, or a rule without its column.
        """
        _check(job)
        count = len(job.instruments)
        holdings = holdings_of(job)
        holdings["last_bar"] = NO_BAR
        closing = (np.zeros(2, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(1, np.bool_))
        arrays = (portfolio_of(job, table_rows), holdings, rules_of(job), market, Timeline(*closing), np.zeros((3, 1)))
        if kernel is None:
            kernel = kernel_for(0, with_rare=bool(arrays[0][0]["has_rare"]))
        return cls(*arrays, np.zeros(1, np.int64), steps, kernel)

    @property
    def portfolio(self) -> Record:
        """The one record that all instruments share."""
        portfolio: Record = self.portfolios[0]
        return portfolio

    @property
    def has_rare(self) -> bool:
        """Whether the run needs the machine code that has the rules which few strategies use."""
        return bool(self.portfolio["has_rare"])

    def arrays(self) -> tuple[Table, Table, Table, MarketArrays, Timeline, FloatColumn, Steps]:
        """Return the arguments of the bar loop."""
        return self.portfolios, self.holdings, self.rules, self.market, self.timeline, self.curve, self.steps

    def harvest(self) -> None:
        """Move the rows in use from the portfolio's tables to a page of their own.

        Raises:
            RunError: an instrument had more open orders than there are slots.
        """
        self._check_slots()
        if any(self.portfolio[name] for name in TABLES):
            self._end_page({name: self._kept(name) for name in TABLES})

    def _finish_page(self) -> None:
        """End the last page, after which nothing is run: many rows stay where they are."""
        self._check_slots()
        if self.pages:
            self.harvest()
            return
        rows = {name: self._rows_in_use(name) for name in TABLES}
        stay = any(len(each) > FEW_ROWS for each in rows.values())
        self._end_page(rows if stay else {name: each.copy() for name, each in rows.items()})

    def _check_slots(self) -> None:
        if self.portfolio["overflow"]:
            raise RunError(
                Message(
                    "An instrument had more than {working_slots} open orders at once. Use fewer levels or entries.",
                    working_slots=WORKING_SLOTS,
                )
            )

    def _end_page(self, rows: dict[str, Table]) -> None:
        self.pages.append(rows)
        for name in TABLES:
            self.portfolio[name] = 0

    def forget_pages(self) -> None:
        """Forget the rows that were written so far."""
        self.pages.clear()
        self._rooms.clear()

    def _rows_in_use(self, name: str) -> Table:
        count = self.portfolio[name]
        return whole_rows(self.portfolio[_ROWS[name]][:count]) if count else _NO_ROWS[name]

    def _kept(self, name: str) -> Table:
        """Return a copy of a table's rows in use, put behind those of the last page where there is room."""
        rows = self._rows_in_use(name)
        if name not in self._rooms:
            self._rooms[name] = Room(rows.dtype, int(self.holdings["bars"].sum()) // BARS_A_ROW + LEAST_ROWS)
        return self._rooms[name].put(rows)

    def events(self, row: int) -> list[tuple[int, int]]:
        """Return instrument and bar of everything that closes at the step of a row, in file order."""
        first_event, instrument, bar, _ = self.timeline
        if len(first_event) == 0:
            return [(i, row) for i in range(len(self.holdings))]
        span = slice(first_event[row], first_event[row + 1])
        return list(zip(instrument[span].tolist(), bar[span].tolist(), strict=True))

    def ledger(
        self,
        steps: int | None = None,
        curves: tuple[TimeColumn, FloatColumn, FloatColumn | Stretches] | None = None,
        *,
        at_work: bool = True,
        last: bool = False,
    ) -> Ledger:
        """Return the ledger after that many steps (None: all); orders still `at_work` are among the orders.

        `curves` are times, equity and cash, where they are kept elsewhere. Nothing is run after the `last` one.
        """
        if last:
            self._finish_page()
        else:
            self.harvest()
        written = (self._written(name, dtype) for name, dtype in zip(TABLES[1:], _DTYPES, strict=True))
        fills, closed, blocked, interventions, cashflows = written
        # Orders were written as they ended; by id they are in the order of their making.
        working = [
            whole_rows(self.holdings[i]["slots"][: self.holdings[i]["working"]])
            for i in (np.flatnonzero(self.holdings["working"]) if at_work else ())
        ]
        in_order = _by_id([page["orders"] for page in self.pages], working, int(self.portfolio["next_order"]))
        whole = curves is None
        if curves is None:
            curves = (self.ts_ns[:steps], self.curve[0, :steps], self.cash(steps))
        positions = tuple(_open_position(self.holdings[i]) for i in np.flatnonzero(self.holdings["lots"]))
        record = record_of(self.steps, self.holdings) if whole else None
        return Ledger(in_order, fills, closed, blocked, *curves, positions, interventions, cashflows, record)

    def cash(self, steps: int | None = None) -> Stretches:
        """Return the cash at the close of each of the first steps (None: all)."""
        count = len(self.ts_ns) if steps is None else steps
        values, starts = self.curve[1:, : self.portfolio["cash_changes"]]
        known = int(np.searchsorted(starts, count))
        return Stretches(values[:known].copy(), starts[:known].astype(np.int64), count)

    def _written(self, name: str, dtype: np.dtype[np.void]) -> Table:
        return joined_pages([page[name] for page in self.pages], dtype)


def _check(job: EngineJob) -> None:
    if not job.instruments:
        raise RunError(Message("A run needs at least one instrument, had none. Add one under 'instruments'."))
    for instrument in job.instruments:
        check(instrument, job.protection, job.steps)
    check_executions(job)


def _by_id(pages: list[Table], working: list[Table], made: int) -> Table:
    """Return orders by id; of those that were made, some may be kept elsewhere."""
    parts = pages + working
    if len(pages) == 1 and not working:
        orders = pages[0].view(ORDER_DTYPE)
        if (orders["id"][1:] > orders["id"][:-1]).all():
            return orders
    in_order = COLUMNS.take(sum(map(len, parts)), ORDER_DTYPE)
    if len(in_order) == made:
        for part in parts:
            whole_rows(in_order)[part.view(ORDER_DTYPE)["id"]] = part
    elif parts:
        whole_rows(in_order)[:] = np.concatenate(parts)
        whole_rows(in_order)[:] = whole_rows(in_order)[np.argsort(in_order["id"])]
    return in_order


def _open_position(holding: Record) -> OpenPosition:
    return OpenPosition(
        instrument=int(holding["index"]),
        lots=int(holding["lots"]),
        entry_bar=int(holding["entry_bar"]),
        entry_price=float(holding["price"]),
        unrealised_pnl=float(open_profit(holding)),
    )
