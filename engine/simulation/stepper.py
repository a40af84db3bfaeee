"""The Python driver: the same bar loop as the kernel's, one step at a time.

It runs the same functions as the bar loop, so that both drivers keep the same books to the last bit, and lets Python in
where the loop cannot: a matcher of another engine, decisions written in Python, a look at the state between two steps,
and a way back to an earlier one. Around those the functions run interpreted: Python takes most of the time anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.api.engine import EngineJob
from engine.api.errors import RunCancelledError, RunError
from engine.api.ledger import Ledger
from engine.api.ports import FloatColumn
from engine.simulation.components import Deciders, States
from engine.simulation.kernel import begin_days_of, has_room_for, open_step, settle
from engine.simulation.kernels import RunSteps
from engine.simulation.matcher import Matcher, WorkingOrder
from engine.simulation.matching import (
    after_entry_of,
    armed_slot,
    entered_inside,
    fill_slot,
    next_slot,
    touch_slot,
)
from engine.simulation.ranking import next_ranked
from engine.simulation.records import (
    ANY,
    BOOK_TERMS,
    CLOSING,
    DECISIONS,
    DESK_TERMS,
    LIMITS,
    OPENS,
    STOP_LIMIT,
    STOPS,
    TABLE_ROWS,
    UP_TO_CLOSE,
    Record,
    Table,
)
from engine.simulation.state import State, whole_rows
from engine.simulation.step_arrays import take_over_steps

CANCEL_BARS = 1_000
"""How many steps run between two looks at `cancelled`."""


@dataclass(frozen=True)
class Snapshot:
    """The state after `index` steps. It stays as it is, whatever the stepper does next."""

    index: int
    desk: npt.NDArray[np.uint8]
    books: Table
    pages: tuple[dict[str, Table], ...]
    steps: FloatColumn
    states: States = field(default_factory=dict)


class Stepper:
    """A simulation that is run step by step; a step is a moment at which bars close.

    `index` counts the steps done. `fill()` and `decide()` are the two halves of a step: what happens up to the close,
    and what is decided on it. With a `matcher`, that one says at what price each order fills. The job's `components`
    are asked for their decisions.

    Raises:
        RunError: an instrument has no bars, columns of the wrong length, or an impossible tick or lot size.
    """

    def __init__(
        self,
        job: EngineJob,
        matcher: Matcher | None = None,
        *,
        table_rows: int = TABLE_ROWS,
        kernel: RunSteps | None = None,
    ) -> None:
        self.job = job
        self.matcher = matcher
        self.state = State.of(job, table_rows, kernel)
        self._deciders = None if job.is_compiled else Deciders(job, self.state)
        # One instrument that acts on signals alone: most closes ask for nothing, and need no call.
        desk = self.state.desk
        asked = desk["rebalance"] or desk["care"] or desk["stepped"] or not desk["plain"]
        self._is_quiet = len(self.state.timeline.first_event) == 0 and not asked
        self.index = 0
        self._equity = float(job.settings.cash)
        self._decided = True

    def __len__(self) -> int:
        return len(self.state.ts_ns)

    @property
    def done(self) -> bool:
        """Whether there is no further step."""
        return self.index == len(self)

    @property
    def equity(self) -> float:
        """Equity as marked at the latest close."""
        return self._equity

    @property
    def cash(self) -> float:
        """Cash now."""
        return float(self.state.desk["cash"])

    def step(self) -> None:
        """Run one step: orders fill, positions are marked, decisions are taken.

        Raises:
            RunError: the data has ended.
        """
        self.fill()
        self.decide()

    def fill(self) -> None:
        """Run the next step up to its close."""
        if self.done:
            raise RunError(f"The data has ended after {self.index} steps. Restore a snapshot to go back.")
        if not self._decided:
            raise RunError("Decisions of the last step are still to be taken. Call decide() before fill().")
        with np.errstate(all="ignore"):
            if self.matcher is None:
                self._run(UP_TO_CLOSE)
            else:
                self._fill_by(self.matcher)
        self._equity = float(self.state.curve[0, self.index])
        self._decided = False

    def _fill_by(self, matcher: Matcher) -> None:
        state = self.state
        if not has_room_for(state.desks, state.timeline, self.index):
            state.harvest()
        begin_days_of(state.desks, state.books, state.market, state.timeline, self.index)
        if not state.desk["plain"]:
            open_step(state.desks, state.books, state.market, state.timeline, self.index)
        self._match(matcher)
        settle(state.desks, state.books, state.market, state.timeline, state.curve, self.index)

    def _run(self, part: int) -> None:
        state, step = self.state, self.index
        if state.kernel(*state.arrays(), step, step + 1, part) == step:
            state.harvest()
            state.kernel(*state.arrays(), step, step + 1, part)

    def decide(self) -> None:
        """Take the decisions on the close of the step that `fill` ran."""
        if self._decided:
            raise RunError("There is no close to decide on. Call fill() first.")
        with np.errstate(all="ignore"):
            if self._deciders is not None:
                self._deciders.decide(self.index, self._equity, self.events(self.index))
                if self.index == len(self) - 1:
                    self._deciders.check_inputs()
            elif not self._is_quiet or self.state.market.flags[self.index] or self.index == len(self) - 1:
                self._run(DECISIONS)
        self.index += 1
        self._decided = True

    def events(self, step: int) -> list[tuple[int, int]]:
        """Return instrument and bar of everything that closes at a step, in file order."""
        first_event, instrument, bar, _ = self.state.timeline
        if len(first_event) == 0:
            return [(0, step)]
        span = slice(first_event[step], first_event[step + 1])
        return list(zip(instrument[span].tolist(), bar[span].tolist(), strict=True))

    def working_orders(self, instrument: int) -> Table:
        """Return a copy of the instrument's orders at work (`ORDER_DTYPE`), by id."""
        book = self.state.books[instrument]
        orders: Table = book["slots"][: book["working"]].copy()
        return orders

    def ledger(self) -> Ledger:
        """Return the books up to now; orders still at work are among the orders."""
        return self.state.ledger(self.index)

    # ------------------------------------------------------------------ going back

    def snapshot(self) -> Snapshot:
        """Return the state after the steps done so far.

        Raises:
            RunError: the decisions of the last step have not been taken.
        """
        if not self._decided:
            raise RunError("A snapshot is taken between two steps. Call decide() first.")
        self.state.harvest()
        books = whole_rows(self.state.books).copy().view(self.state.books.dtype)
        states = {} if self._deciders is None else self._deciders.states()
        pages, steps = tuple(self.state.pages), self.state.steps.state.copy()
        return Snapshot(self.index, self._head().copy(), books, pages, steps, states)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back, or forward again, to a snapshot of this stepper, or of one for the same job up to there."""
        if snapshot.index > 0:
            self._equity = float(self.state.curve[0, snapshot.index - 1])
        else:
            self._equity = float(self.job.settings.cash)
        self._head()[:] = snapshot.desk
        whole_rows(self.state.books)[:] = whole_rows(snapshot.books)
        self.state.pages[:] = snapshot.pages
        self._remember(snapshot.states)
        self.state.steps.state[:] = snapshot.steps
        self.index = snapshot.index
        self._decided = True

    def take_over(self, other: Stepper) -> None:
        """Go on from where another stepper stands, with its books and orders at work but the terms of this one's job.

        Both jobs have the same bars, and as many protective rules.

        Raises:
            RunError: the other one is within a step, or its strategy did not read of the position what this one does.
        """
        taken = other.snapshot()
        mine, theirs = self.state, other.state
        for record, source, terms in ((mine.desk, theirs.desk, DESK_TERMS), *self._books_with(theirs)):
            for name in record.dtype.names or ():
                if name not in terms:
                    record[name] = source[name]
        mine.pages[:] = theirs.pages
        self._remember(taken.states)
        mine.curve[:, : taken.index] = theirs.curve[:, : taken.index]
        take_over_steps(mine.steps, theirs.steps, mine.books, self._bars_done(taken.index))
        self.index, self._equity, self._decided = taken.index, other.equity, True

    def _remember(self, states: States) -> None:
        if self._deciders is not None:
            self._deciders.restore(states)

    def _bars_done(self, steps: int) -> list[int]:
        """Return how many bars of each instrument close within that many steps."""
        first_event, instrument, *_ = self.state.timeline
        if len(first_event) == 0:
            return [steps]
        counts = np.bincount(instrument[: first_event[steps]], minlength=len(self.state.books))
        return [int(count) for count in counts]

    def _books_with(self, other: State) -> list[tuple[Record, Record, frozenset[str]]]:
        return [(mine, theirs, BOOK_TERMS) for mine, theirs in zip(self.state.books, other.books, strict=True)]

    def _head(self) -> npt.NDArray[np.uint8]:
        """Return a view of the desk's terms, account and counts, without its tables."""
        desks = self.state.desks
        return desks.view(np.uint8)[: desks.dtype.fields["order_rows"][1]]  # type: ignore[index]  # it has fields

    # ------------------------------------------------------------------ orders one by one

    def _match(self, matcher: Matcher) -> None:
        events = self.events(self.index)
        books = self.state.books
        ranked = self.state.desk["rank"] >= 0
        if self.state.desk["rebalance"] or ranked:
            for i, bar in events:
                if books[i]["working"]:
                    self._match_phase(matcher, i, bar, OPENS, CLOSING)
        if ranked:
            self._match_ranked(matcher)
        for i, bar in events:
            if books[i]["working"]:
                self._match_phase(matcher, i, bar, OPENS)
        self._match_prices(matcher, events)

    def _match_prices(self, matcher: Matcher, events: list[tuple[int, int]]) -> None:
        """Ask for stops and limits: at the open, inside the bar, and on what came after entries inside it."""
        books = self.state.books
        for inside in (0, 1):
            for phase in (STOPS, LIMITS):
                for i, bar in events:
                    books[i]["inside"] = inside
                    self._match_phase(matcher, i, bar, phase)
                    books[i]["inside"] = 0
        for phase in (STOPS, LIMITS):
            for i, bar in events:
                if entered_inside(self.state.desks, books, i, bar):
                    self._match_after(matcher, i, bar, phase)

    def _match_ranked(self, matcher: Matcher) -> None:
        """Ask for entries at the open, the instrument of the highest rank first."""
        state, (first_event, instrument, bars, *_) = self.state, self.state.timeline
        span = (int(first_event[self.index]), int(first_event[self.index + 1]))
        while True:
            arrays = (state.desks, state.books, state.market, state.timeline)
            event = next_ranked(*arrays, *span, self.index)
            if event < 0:
                return
            self._match_phase(matcher, int(instrument[event]), int(bars[event]), OPENS)

    def _match_phase(self, matcher: Matcher, i: int, bar: int, phase: int, part: int = ANY) -> None:
        state = self.state
        book = state.books[i]
        k = next_slot(state.books, i, bar, phase, part, -1)
        while k >= 0:
            order = book["slots"][k]
            number, touched = int(order["id"]), phase == STOPS and order["kind"] == STOP_LIMIT
            price = matcher.match(self._query(book, i, bar, phase, k))
            if price is not None and touched:
                touch_slot(state.books, i, k, bar, price)
            elif price is not None:
                arrays = (state.desks, state.books, state.rules, state.market)
                fill_slot(*arrays, i, k, bar, price)
            k = next_slot(state.books, i, bar, phase, part, number)

    def _match_after(self, matcher: Matcher, i: int, bar: int, phase: int) -> None:
        """Ask for stops, or targets, of an entry inside the bar, on what the bar certainly saw after it."""
        state = self.state
        book = state.books[i]
        open_, high, low, close = after_entry_of(state.books, i, bar, *self._prices(book, bar))
        k = armed_slot(state.books, i, bar, phase, -1)
        while k >= 0:
            order = book["slots"][k]
            number, lots = int(order["id"]), int(order["lots"] - order["filled"])
            side, level = int(order["side"]), float(order["price"])
            asked = WorkingOrder(number, i, bar, phase, side, lots, level, open_, high, low, close, whole_bar=False)
            price = matcher.match(asked)
            if price is not None:
                fill_slot(state.desks, state.books, state.rules, state.market, i, k, bar, price)
            k = armed_slot(state.books, i, bar, phase, number)

    def _prices(self, book: Record, bar: int) -> tuple[float, float, float, float]:
        row, market = book["start"] + bar, self.state.market
        return float(market.open[row]), float(market.high[row]), float(market.low[row]), float(market.close[row])

    def _query(self, book: Record, i: int, bar: int, phase: int, k: int) -> WorkingOrder:
        order = book["slots"][k]
        open_, high, low, close = self._prices(book, bar)
        price = float(order["price"])
        whole = phase == OPENS or bool(book["inside"])
        if not whole:
            high = low = close = open_
        if phase == LIMITS and order["kind"] == STOP_LIMIT:
            price = float(order["limit"])
            at = float(book["touch_price"][k])
            if order["touched_bar"] == bar and at != open_:
                open_, high, low, whole = at, max(at, close), min(at, close), False
        lots = int(order["lots"] - order["filled"])
        number, side = int(order["id"]), int(order["side"])
        return WorkingOrder(number, i, bar, phase, side, lots, price, open_, high, low, close, whole)


def simulate_stepwise(job: EngineJob, matcher: Matcher | None = None, kernel: RunSteps | None = None) -> Ledger:
    """Run a job to its end by the Python driver and return the books.

    Raises:
        RunError: as of `Stepper`.
        RunCancelledError: `job.cancelled()` returned True.
    """
    stepper = Stepper(job, matcher, kernel=kernel)
    total = len(stepper.state.market.close)
    first_event = stepper.state.timeline.first_event
    while not stepper.done:
        if job.cancelled():
            raise RunCancelledError("The run was cancelled.")
        for _ in range(min(CANCEL_BARS, len(stepper) - stepper.index)):
            stepper.step()
        job.progress(int(first_event[stepper.index]) if len(first_event) else stepper.index, total)
    return stepper.ledger()
