"""A session: one simulation, step by step, with open data or data that is completely known.

It runs the same functions as the bar loop, so that all drivers keep identical results:

- a batch has all bars, and lets the bar loop run many steps at once (`run_on`);
- a replay has all bars, and runs them one at a time, with access to the state between steps and jumps back;
- an open session (`SimulationSession.open`) is given what closes, bar by bar (`append`), and is told when data ends;
- with a matcher of another engine, that matcher returns the fill price of each order;
- decisions in Python are requested at each close.

What each of them does at a step is in `engine.simulation.stepping`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.order_state import TrackedOrder
from quantcrafter.engine.api.orders import EVENTS, OrderCommand, OrderEvent
from quantcrafter.engine.api.step_program import StepRecord
from quantcrafter.engine.simulation.account_terms import withdraws
from quantcrafter.engine.simulation.ahead import kernel_for
from quantcrafter.engine.simulation.closed_bar import ClosedBar, without_bars
from quantcrafter.engine.simulation.commanding import close_positions, shut_entries, withdraw_entries
from quantcrafter.engine.simulation.execution_terms import has_auction, trades_pairs
from quantcrafter.engine.simulation.growth import Growth
from quantcrafter.engine.simulation.identity import Identity, program_hash, rule_names, terms_hash
from quantcrafter.engine.simulation.kernel import equity_of
from quantcrafter.engine.simulation.kernel_forms import RunSteps
from quantcrafter.engine.simulation.matcher import Matcher
from quantcrafter.engine.simulation.order_commands import SentOrders
from quantcrafter.engine.simulation.outside import Missed, NoVenue, Outside, Unplaced
from quantcrafter.engine.simulation.placing import Placing
from quantcrafter.engine.simulation.pretrade import check_new_entries
from quantcrafter.engine.simulation.records import TABLE_ROWS
from quantcrafter.engine.simulation.session_state import (
    PORTFOLIO_STATE,
    SessionState,
    account_fields,
    check_owner,
    put_account,
)
from quantcrafter.engine.simulation.snapshots import Snapshot
from quantcrafter.engine.simulation.state import SimulationState
from quantcrafter.engine.simulation.stepping import Stepping

SMALL_TABLES = 256
"""Rows of the tables that an open session uses before it empties them."""


UNNAMED = Identity()
"""The default owner of a session."""


class SimulationSession(Stepping):
    """A simulation that is run step by step; a step is a time at which bars close.

    Made as `SimulationSession(job)` it knows all bars of the job, with which the data ends;
    `SimulationSession.open(job)` begins without any.

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
        growth: Growth | None = None,
        identity: Identity = UNNAMED,
        holds_both: bool = True,
    ) -> None:
        if growth is None:
            state = SimulationState.of(job, table_rows, kernel)
        else:
            state = SimulationState.growing(job, growth.market, growth.program, table_rows, kernel)
            growth.attach(state)
        super().__init__(job, state, matcher)
        self.identity = identity
        self._growth = growth
        self._chooses_kernel = kernel is None
        placing = Placing([each.symbol for each in job.instruments], holds_both=holds_both)
        self._outside = Outside(state, SentOrders(job, identity), placing, reporting=isinstance(matcher, NoVenue))
        # The values of a fresh account; only open sessions are saved.
        self._fresh = {name: state.portfolio[name].copy() for name in PORTFOLIO_STATE} if growth is not None else {}
        self.kept: dict[str, Any] = {}
        """States of the caller, as saved with the state from which the session continues."""

    @classmethod
    def open(
        cls,
        job: EngineJob,
        state: SessionState | None = None,
        *,
        identity: Identity = UNNAMED,
        matcher: Matcher | None = None,
        venue: Literal["simulated", "external"] = "simulated",
        holds_both: bool = True,
        kernel: RunSteps | None = None,
    ) -> SimulationSession:
        """Return a session of the job's terms to which bars are appended; those that the job has are not read.

        A column of the job says that its bars will have a value of it; its own values are not read either. With a
        `state` of the same strategy the session continues from there. `identity` is the owner of the session. If the
        `venue` is external, orders fill only through `apply`, and entries that the account can't pay for are reduced or
        rejected before they are sent; `holds_both` says whether it accepts a second stop for the same position.

        Raises:
            RunError: an impossible tick or lot size, a rule without its column, a state of another strategy, no such
                venue, or a state whose orders work at a broker while the venue is simulated.
        """
        if venue not in ("simulated", "external"):
            raise RunError(
                Message("The venue of a session must be 'simulated' or 'external', was {venue}.", venue=repr(venue))
            )
        if venue == "external":
            _check_external(job)
            matcher = NoVenue()
        if state is not None:
            check_owner(state, job, identity)
        growth = Growth(without_bars(job))
        session = cls(
            growth.job,
            matcher,
            table_rows=SMALL_TABLES,
            kernel=kernel,
            growth=growth,
            identity=identity,
            holds_both=holds_both,
        )
        if session.is_external:
            growth.closes_expired = False
            session.memory.portfolio["close_last"] = 0  # that is a fill of the simulated venue
        if state is not None:
            session._resume(state)
            if not session.is_external and any(not order.state.is_over for order in session.orders.values()):
                raise RunError(
                    Message(
                        "The state's orders work at a broker outside, which the simulated venue doesn't know. "
                        "Open it with venue='external'."
                    )
                )
        return session

    def __len__(self) -> int:
        """Return how many steps are known."""
        return super().__len__() if self._growth is None else self._growth.steps

    @property
    def has_ended(self) -> bool:
        """Whether the data has ended: no instrument will have a further bar than those known."""
        return self._growth is None or self._growth.has_ended

    @property
    def is_external(self) -> bool:
        """Whether orders fill at an external venue, which reports fills."""
        return isinstance(self.matcher, NoVenue)

    @property
    def orders(self) -> Mapping[int, TrackedOrder]:
        """The orders that an external venue was sent, as far as it has reported, by number; old ones are forgotten."""
        return self._outside.tracked

    @property
    def rows_written(self) -> tuple[int, ...]:
        """Counts that change whenever an order ends or fills."""
        portfolio = self.memory.portfolio
        return len(self.memory.pages), int(portfolio["orders"]), int(portfolio["fills"])

    @property
    def positions(self) -> Mapping[str, float]:
        """The quantity held of each instrument, negative if short; those without a position are left out."""
        held = self.memory.holdings
        return {self.job.instruments[i].symbol: float(held[i]["quantity"]) for i in np.flatnonzero(held["lots"])}

    @property
    def rates(self) -> Mapping[str, float]:
        """What a unit of each instrument's currency is worth in the account's, at the latest rate."""
        holdings = self.memory.holdings
        return {each.symbol: float(holdings[i]["rate"]) for i, each in enumerate(self.job.instruments)}

    def id_of(self, number: int) -> OrderId:
        """Return the id of an order by its number."""
        return self._outside.sent_orders.id_of(number)

    # ------------------------------------------------------------------ open data

    def append(self, bars: Mapping[str, ClosedBar]) -> None:
        """Take the bars that closed at the same time, by symbol: the next step, to be run by `fill` and `decide`.

        An instrument that has no bar at this moment is left out, before its first one as well as later.

        Raises:
            RunError: the last step is not run yet, a symbol doesn't exist, its data has ended, or a bar does not come
                after the last one, closes at another moment than the others, or lacks a value. Nothing is changed.
        """
        growth = self._growing()
        if not self.done or not self._decided:
            raise RunError(Message("The last step is not run yet. Call step() before the next bars are appended."))
        growth.append(self.memory, bars)
        if self._deciders is not None:
            self._deciders.rebind(bars)

    def end_data(self, *symbols: str) -> None:
        """Declare that no further bars will follow, for these instruments or for all.

        Between `append` and `step` this makes the appended bar the last one. After a step it ends what is left at once:
        orders are cancelled, and positions closed at their latest close, where the run's settings say so.

        Raises:
            RunError: a symbol doesn't exist.
        """
        self._growing().end_data(self.memory, symbols, finish=self.done)
        if self.done and self.index:
            self._equity = self._growth.equity[-1] if self._growth is not None and self._growth.equity else self._equity

    def is_after_expiry(self, symbol: str, open_ns: int) -> bool:
        """Return whether a bar that opens then (UTC ns) is not traded, as its contract has expired."""
        return self._growing().is_after_expiry(symbol, open_ns)

    def expire(self, now_ns: int) -> None:
        """End contracts that have expired by a moment (UTC ns), between two steps; `append` does it as well.

        Positions are closed at their last close if the venue is simulated, and orders are cancelled.
        """
        self._growing().expire(self.memory, now_ns)
        if self.index:
            self._equity = float(equity_of(self.memory.portfolio, self.memory.holdings))

    def check_open(self, symbols: Iterable[str]) -> None:
        """Refuse instruments whose data has ended.

        Raises:
            RunError: one of them has, or all bars are known from the start.
        """
        self._growing().check_open(symbols)

    def _growing(self) -> Growth:
        if self._growth is None:
            raise RunError(
                Message("All bars of this session are known from the start. Use SimulationSession.open to append bars.")
            )
        return self._growth

    # ------------------------------------------------------------------ orders at a broker

    def close_step(self, now_ns: int | None = None) -> tuple[OrderCommand, ...]:
        """Run the rest of the appended step, and return the new commands for the broker.

        Raises:
            RunError: all bars are known from the start.
        """
        self._growing()
        if not self.done:
            self.fill()
        if not self._decided:
            self.decide()
        return self.commands(now_ns)

    def commands(self, now_ns: int | None = None) -> tuple[OrderCommand, ...]:
        """Return the new commands for the broker: the changes from its state to the current open orders.

        An order that the simulated venue created and filled within the same step is not included. `now_ns` is the time
        at an external venue, in UTC; the last close if it isn't given.

        Raises:
            RunError: all bars are known from the start.
        """
        return self._commands(now_ns, in_answer=False)

    def _commands(self, now_ns: int | None, *, in_answer: bool) -> tuple[OrderCommand, ...]:
        close_ns = self._growing().last_ns or 0
        now_ns = close_ns if now_ns is None else max(close_ns, now_ns)
        return self._outside.commands(now_ns if self.is_external else close_ns, now_ns, in_answer=in_answer)

    def apply(self, event: OrderEvent, now_ns: int | None = None) -> tuple[OrderCommand, ...]:
        """Book a report of the external venue about an order, and return the new commands.

        A fill belongs to the current bar. Late and repeated reports change nothing. What was rejected is repeated at
        the next close, by `commands`, and some of it by `ask_again` before that. `now_ns` is when the report came, in
        UTC; the last close if it isn't given.

        Raises:
            OrderError: the order is not one that was sent, or the report can't be true. Nothing is changed.
            RunError: the venue is simulated, an appended step is not run yet, or the event is none.
        """
        self._check_reporting()
        if not isinstance(event, EVENTS):
            names = ", ".join(each.__name__ for each in EVENTS)
            raise RunError(
                Message(
                    "What a broker reports must be one of {names}; was {type}.", names=names, type=type(event).__name__
                )
            )
        self._outside.apply(event, max(self._growing().last_ns or 0, now_ns or 0))
        return self._commands(now_ns, in_answer=True)

    def ask_again(self, now_ns: int) -> tuple[OrderCommand, ...]:
        """Return the commands that are due by a time (UTC ns) because the external venue rejected them before.

        Raises:
            RunError: the venue is simulated, or an appended step is not run yet.
        """
        self._check_reporting()
        return self._commands(now_ns, in_answer=True)

    def _check_reporting(self) -> None:
        if not self.is_external:
            raise RunError(
                Message("The venue of this session is simulated: it reports nothing. Open it with venue='external'.")
            )
        if not self.done or not self._decided:
            raise RunError(
                Message("The last step is not run yet. Call close_step() before what is reported is applied.")
            )

    @property
    def next_due_ns(self) -> int | None:
        """When `ask_again` has something to ask (UTC ns); None if nothing was rejected."""
        return self._outside.next_due_ns

    def take_missed(self) -> Sequence[Missed]:
        """Return the protective orders that the broker ended since the last call, though they are still wanted."""
        return self._outside.take_missed()

    def refusals_of(self, number: int) -> int:
        """Return how often the external venue rejected a protective order, by the number that it has now."""
        return self._outside.refusals_of(number)

    def unplaced(self) -> tuple[Unplaced, ...]:
        """Return the protective orders that are wanted, and that the broker has rejected and not accepted yet."""
        return tuple(self._outside.unplaced())

    # ------------------------------------------------------------------ what the program asks

    def shut_entries(self, *, shut: bool) -> None:
        """Block all entries that the steps to come decide on, or no longer. It is not part of the state."""
        self._growing()
        shut_entries(self.memory, shut=shut)

    def withdraw_entries(self, now_ns: int | None = None) -> tuple[OrderCommand, ...]:
        """Cancel all orders that would open or increase a position, and return the new commands for the broker.

        Raises:
            RunError: all bars are known from the start, or an appended step is not run yet.
        """
        return self._asked(withdraw_entries, now_ns)

    def close_positions(self, *symbols: str, now_ns: int | None = None) -> tuple[OrderCommand, ...]:
        """Withdraw entries, order positions to be closed at the next open, and return the new commands.

        Of these instruments, or of all if none are named. Repeating it while they are being closed has no effect.

        Raises:
            RunError: all bars are known from the start, or an appended step is not run yet.
        """
        numbers = [i for i, each in enumerate(self.job.instruments) if not symbols or each.symbol in symbols]
        return self._asked(lambda state: close_positions(state, numbers), now_ns)

    def _asked(self, act: Callable[[SimulationState], None], now_ns: int | None) -> tuple[OrderCommand, ...]:
        self._growing()
        if not self.done or not self._decided:
            raise RunError(Message("The last step is not run yet. Call close_step() before orders are withdrawn."))
        act(self.memory)
        return self.commands(now_ns)

    def _note_close(self) -> None:
        if self._growth is not None:
            self._growth.note(self.memory)

    def _note_auction(self) -> None:
        if self._growth is not None:
            self._growth.note_again(self.memory)

    def _check_entries(self, first: int) -> None:
        if self.is_external:
            check_new_entries(self.memory, first)

    # ------------------------------------------------------------------ what there is

    def ledger(self) -> Ledger:
        """Return the ledger up to now, or what of them was not drained; orders still at work are among the orders."""
        if self._growth is None:
            return super().ledger()
        return self.memory.ledger(curves=self._growth.curves())

    def drain(self) -> Ledger:
        """Return the rows that were written since the last call, and drop them; for orders, those that have ended.

        A session can therefore run for months.

        Raises:
            RunError: all bars are known from the start, so that a replay may go back.
        """
        growth = self._growing()
        self._outside.before_drain()
        ledger = self.memory.ledger(curves=growth.curves(), at_work=False)
        self.memory.forget_pages()
        growth.forget()
        self._outside.after_drain()
        return ledger

    def recorded(self) -> StepRecord | None:
        """Return what the steps that read the position gave; it grows with the run.

        None where there are none, or where bars are appended: old ones are dropped.
        """
        return None if self._growth is not None else super().recorded()

    # ------------------------------------------------------------------ keeping it

    def state(self, components: Mapping[str, Any] | None = None) -> SessionState:
        """Return what another process needs to continue from here; the ledger is not in it (see `drain`).

        `components` are states of the caller, by name, of plain values; `kept` of the open session has them.

        Raises:
            RunError: the decisions of the last step have not been taken, or all bars are known from the start.
        """
        growth = self._growing()
        if not self.done or not self._decided:
            raise RunError(Message("A state is taken between two steps. Call step() first."))
        rules = rule_names(self.job, self.identity)
        own = {} if self._deciders is None else {name: list(each) for name, each in self._deciders.states().items()}
        return SessionState(
            strategy=self.identity.strategy,
            terms=self._terms,
            step=self.index,
            last_ns=growth.last_ns,
            equity=self._equity,
            due_first=growth.calendar.due_first,
            account=account_fields(self.memory.portfolio, self._fresh, rules),
            instruments={
                each.symbol: growth.instrument_state(self.memory, i, rules)
                for i, each in enumerate(self.job.instruments)
            },
            epochs=tuple(self._outside.sent_orders.epochs),
            told=self._outside.sent_orders.kept(),
            tracked=self._outside.kept(),
            refused=self._outside.refused,
            executions=tuple(each.node for each in self.job.executions),
            components={"deciding": own, "kept": dict(components or {})},
            program=program_hash(self.job),
        )

    @cached_property
    def _terms(self) -> str:
        return terms_hash(self.job)

    def _resume(self, state: SessionState) -> None:
        """Go on from a state of this strategy."""
        try:
            self._put(state)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            what = f"{type(error).__name__}: {error}"
            raise RunError(
                Message("The state of a session can't be read ({what}). It was changed by hand.", what=what)
            ) from error

    def _put(self, state: SessionState) -> None:
        growth, rules = self._growing(), rule_names(self.job, self.identity)
        put_account(self.memory.portfolio, state.account, rules)
        growth.resume(self.memory, state, rules)
        holdings = self.memory.holdings
        if (holdings["placed"] > 0).any() or holdings["grid_side"].any():
            # Orders of an earlier version of the strategy, whose rule this one may not have.
            self.memory.portfolio["has_rare"] = 1
        if self._chooses_kernel:
            self.memory.kernel = kernel_for(0, with_rare=self.memory.has_rare)
        self._remember(state.components.get("deciding", {}))
        self.kept = dict(state.components.get("kept", {}))
        next_order = int(self.memory.portfolio["next_order"])
        self._outside.sent_orders.resume(state.epochs, state.told, self.identity, next_order)
        self._outside.resume(state.tracked, state.refused)
        self.index, self._equity = state.step, state.equity
        self.memory.portfolio["first_step"] = state.step

    def snapshot(self) -> Snapshot:
        """Return the state after the steps done so far.

        Raises:
            RunError: the decisions of the last step have not been taken, or not all bars are known from the start.
        """
        if self._growth is not None:
            raise RunError(Message("A session that goes on is kept by its state. Call state() instead of snapshot()."))
        return super().snapshot()


def _check_external(job: EngineJob) -> None:
    """Refuse what an external venue doesn't do.

    Raises:
        RunError: the job needs it.
    """
    if trades_pairs(job):
        raise RunError(
            Message(
                "Both legs of a pair fill together or not at all, which an external venue can't promise. "
                "Open it with venue='simulated'."
            )
        )
    if any(each.roll is not None for each in job.instruments):
        raise RunError(
            Message(
                "A continuous series is rolled at the last closes of both contracts, which an external venue isn't "
                "told. Open it with venue='simulated', or trade a contract of it."
            )
        )
    if has_auction(job):
        raise RunError(
            Message(
                "With 'fills: close: auction', orders fill at the close on which they were decided. A live "
                "session can't send them in time: it knows no closing auction, and no moment before it at "
                "which to decide. Leave the setting out: they then fill at the next close."
            ),
            field="close",
        )
    if withdraws(job):
        raise RunError(
            Message(
                "Nothing withdraws profit from an account at an external venue, and a book of it would differ "
                "from the account. Leave 'withdrawal' out."
            ),
            field="withdrawal",
        )
