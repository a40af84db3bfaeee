"""A strategy that is given its bars as they close: histories, columns and the simulation, as one session.

1. The histories are there up to the step before the first one (`known`), from a fixed anchor on.
2. `append` takes what closed at one moment: columns are brought up to it, the simulation runs the step, and what a
   broker has to be told comes out.
3. `state` is all that has to be kept to go on later, in another process, over the same bars.

The books are those of a run over the same bars, to the last bit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from quantcrafter.engine.api import Bar, Bars, EngineJob, Ledger, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.order_state import TrackedOrder
from quantcrafter.engine.api.orders import OrderCommand, OrderEvent
from quantcrafter.engine.graph import BASE_CLOCK, BoundGraph, make_plan
from quantcrafter.engine.graph.column_cache import ColumnCache
from quantcrafter.engine.graph.history import HistoryCache
from quantcrafter.engine.graph.live import BlankRow, LiveColumns, NewestRow, columns_of
from quantcrafter.engine.graph.live_sources import Clock
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.runtime.results.notices import Notice
from quantcrafter.engine.runtime.running.job import instrument_job, job_of
from quantcrafter.engine.runtime.running.prepare import traded_bars
from quantcrafter.engine.runtime.sessions.session_checks import HISTORIES, NODES, check_end, check_kept
from quantcrafter.engine.runtime.sessions.session_columns import Given, GivenRows, due_at_newest
from quantcrafter.engine.runtime.sessions.session_data import SessionData
from quantcrafter.engine.runtime.sessions.session_notices import SessionNotices
from quantcrafter.engine.runtime.sessions.session_terms import check_points, known_terms
from quantcrafter.engine.simulation.adopting import adopt
from quantcrafter.engine.simulation.closed_bar import ClosedBar, row_of
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.kernel_forms import RunSteps
from quantcrafter.engine.simulation.node_program import NodeProgram
from quantcrafter.engine.simulation.outside import Missed, Unplaced
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from quantcrafter.engine.simulation.warm_steps import remembered_steps
from quantcrafter.engine.spec.identity import strategy_hash

_NOTED = "noted"


class Host:
    """Shared data of the strategies in a process: histories, and columns that are computed once for all of them."""

    def __init__(self) -> None:
        self.histories = HistoryCache()
        self.columns = ColumnCache()


class StrategySession:
    """A strategy that runs bar by bar; created by `StrategySession.open`.

    Bars are named by the instrument's symbol or the feed's id (`names`).
    """

    def __init__(
        self, graph: BoundGraph, known: Mapping[str, Bars], host: Host, terms: Sequence[Terms] | None = None
    ) -> None:
        for each in graph.instruments:
            if each.spec.continuous is not None and each.spec.continuous.adjust != "none":
                raise RunError(
                    Message(
                        "A session can't use 'adjust: {adjust}' of the continuous series {symbol}: earlier prices "
                        "depend on rolls to come. Set 'adjust: none'.",
                        adjust=each.spec.continuous.adjust,
                        symbol=each.spec.symbol,
                    )
                )
        self.graph = graph
        self.plan = make_plan(graph)
        self._data = SessionData(graph, known, host.histories)
        self._columns = columns_of(self.plan, self._data.clocks, host.columns, NodeProgram)
        self._symbols = [each.spec.symbol for each in graph.instruments]
        blank = [BlankRow(each) for each in self._columns]
        self.terms = tuple(known_terms(graph, self._columns)) if terms is None else tuple(terms)
        self._has_points = any(each.point is not None for each in self.terms)
        self._job: EngineJob = job_of(graph, graph.spec.run, self.plan, blank, terms=self.terms)
        self._session: SimulationSession
        self._failed = ""
        self._given: list[GivenRows] | None = None
        self._noting = SessionNotices(self.plan, self._symbols, self._columns)

    @classmethod
    def open(  # noqa: PLR0913 - most have a default
        cls,
        graph: BoundGraph,
        known: Mapping[str, Bars],
        state: str | None = None,
        *,
        host: Host | None = None,
        worker: str = "session",
        epoch: int = 0,
        venue: Literal["simulated", "external"] = "simulated",
        holds_both: bool = True,
        kernel: RunSteps | None = None,
        terms: Sequence[Terms] | None = None,
    ) -> StrategySession:
        """Return a session of a strategy.

        Args:
            graph: the strategy.
            known: the bars before the next step, of each instrument and feed; they may be none. The first ones are the
                anchors, which a session keeps for good: nothing is decided on these bars, but columns reach back to
                them. With a state they are all bars that its session had, those that were appended included.
            state: what `state()` gave; the session continues from there.
            host: what it shares with other strategies of the process.
            worker: 1 to 12 letters and digits that the ids of orders begin with.
            epoch: a number that each start of the worker raises, part of the ids.
            venue: who fills the orders: the simulated venue, or a broker outside whose reports `apply` is told.
            holds_both: whether that broker accepts a second stop for the same position.
            kernel: the bar loop to run on, compiled or interpreted; by default compiled where it is loaded already.
            terms: those of each instrument, where they are known better than the bars before the first step show them.

        Raises:
            DataError: bars are missing, or belong to nothing.
            ComponentError: a component failed.
            RunError: there is nothing to run; the state is that of another strategy, or was kept over other bars, or
                orders of it work at a broker, but the venue is simulated.
        """
        self = cls(graph, known, host or Host(), terms)
        kept = None if state is None else SessionState.from_json(state)
        if kept is None:
            self._remember_known()
        identity = self._identity(worker, epoch)
        self._session = SimulationSession.open(
            self._job, kept, identity=identity, venue=venue, holds_both=holds_both, kernel=kernel
        )
        if kept is not None:
            columns = dict(zip(self._symbols, self._columns, strict=True))
            check_kept(self._session.kept, self._data.marks(), columns)
            self._noting.remember(self._session.kept.get(_NOTED, {}))
        return self

    @classmethod
    def adopt(  # noqa: PLR0913 - most have a default
        cls,
        graph: BoundGraph,
        known: Mapping[str, Bars],
        state: str,
        *,
        host: Host | None = None,
        worker: str = "session",
        epoch: int = 0,
        venue: Literal["simulated", "external"] = "simulated",
        holds_both: bool = True,
        kernel: RunSteps | None = None,
        terms: Sequence[Terms] | None = None,
    ) -> tuple[StrategySession, tuple[str, ...]]:
        """Return a session of a changed strategy that continues from the state of an earlier one, and what it dropped.

        Account, positions and orders go on where symbols and nodes are the same; what is dropped is said in a sentence
        each. Terms are the new strategy's. The histories may have other anchors, but end with the bars of the state.
        Arguments are those of `open`.

        Raises:
            DataError, ComponentError: as of `open`.
            RunError: a position is open in an instrument that is gone or has other lots, or the bars end elsewhere.
        """
        self = cls(graph, known, host or Host(), terms)
        old = SessionState.from_json(state)
        check_end(self._symbols, old, known)
        self._remember_known()
        identity = self._identity(worker, epoch)
        adopted = adopt(old, self._job, identity)
        self._session = SimulationSession.open(
            self._job, adopted.state, identity=identity, venue=venue, holds_both=holds_both, kernel=kernel
        )
        self._noting.remember(self._session.kept.get(_NOTED, {}))
        return self, adopted.dropped

    @property
    def names(self) -> tuple[str, ...]:
        """The instruments and feeds of which bars are brought."""
        return self._data.names

    def bars(self, name: str, begin: int = 0) -> Bars:
        """Return the bars of an instrument or feed from number `begin` on, as far as they have come."""
        return self._data.bars(name, begin)

    @property
    def clocks(self) -> tuple[Mapping[str, Clock], ...]:
        """The histories of each instrument as far as they have come, by clock: `bars` its own, the feeds' by name."""
        return self._data.clocks

    @property
    def columns(self) -> tuple[LiveColumns, ...]:
        """The columns of each instrument as far as they have come."""
        return tuple(self._columns)

    def keep_columns(self) -> None:
        """Compute from now on also what no decision reads, and keep what nodes give that read the position.

        Raises:
            RunError: steps are done.
            ComponentError: a component failed on the bars that are known.
        """
        if self.steps:
            raise RunError(
                Message("A session is recorded from its first step on, this one has done {steps:,}.", steps=self.steps)
            )
        for columns in self._columns:
            columns.compute_all()
        self.keep_given()

    def keep_given(self) -> None:
        """Keep from now on what nodes give that read the position, for `take_given`."""
        width = 0 if self.plan.loop is None else len(self.plan.loop.program.outputs)
        self._given = [GivenRows(width, len(self.plan.decisions)) for _ in self._symbols]

    def take_given(self) -> tuple[Given, ...]:
        """Return what nodes gave that read the position since the last call, of each instrument, and forget it.

        Raises:
            RunError: it is not kept (`keep_given`, `keep_columns`).
        """
        if self._given is None:
            raise RunError(
                Message("What a session's nodes gave isn't kept. Call keep_columns() before its first step.")
            )
        return tuple(each.take() for each in self._given)

    @property
    def equity(self) -> float:
        """Equity as marked at the latest close."""
        return self._session.equity

    @property
    def orders(self) -> Mapping[int, TrackedOrder]:
        """The orders that an external venue was sent, as far as it has reported, by number; old ones are forgotten."""
        return self._session.orders

    @property
    def steps(self) -> int:
        """How many steps are done."""
        return self._session.index

    @property
    def rows_written(self) -> tuple[int, ...]:
        """Counts that change whenever an order ends or fills."""
        return self._session.rows_written

    @property
    def positions(self) -> Mapping[str, float]:
        """The quantity held of each instrument, negative if short; those without a position are left out."""
        return self._session.positions

    @property
    def rates(self) -> Mapping[str, float]:
        """What a unit of each instrument's currency is worth in the account's, at the latest rate."""
        return self._session.rates

    def id_of(self, number: int) -> OrderId:
        """Return the id of an order by its number in the ledger."""
        return self._session.id_of(number)

    def append(
        self, bars: Mapping[str, Bar], *, last: Collection[str] = (), now_ns: int | None = None
    ) -> tuple[OrderCommand, ...]:
        """Take the bars that closed at the same time, run the step, and return the commands for a broker.

        Bars of feeds alone make no step; they come before those of the instruments that see them, or with them.
        `last` are the instruments that this bar is known to be the last of, as a backtest knows it. Bars of a contract
        that open after its expiry are left out: it is closed at its last close before. `now_ns` is when they came, in
        UTC; when they closed if it isn't given.

        Raises:
            DataError: a bar can't be the next one. Nothing is changed.
            ComponentError: a component failed; the session can't go on.
            RunError: it failed before, the data of an instrument has ended, or a value of a bar has a wrong type.
        """
        self._check_running()
        self._check_names(last)
        given, bars = bars, self._without_expired(bars)
        if bars is not given and not bars:
            return self._session.commands(now_ns) if self._session.is_external else ()
        self._session.check_open(symbol for symbol in self._symbols if symbol in bars)
        if self._has_points and isinstance(bars, Mapping):
            check_points(self._symbols, self.terms, bars)
        if not self._data.take(bars):
            return ()
        try:
            step = {}
            for i, (symbol, columns) in enumerate(zip(self._symbols, self._columns, strict=True)):
                if symbol in bars:
                    columns.advance()
                    step[symbol] = self._closed(i, columns)
            self._session.append(step)
            if last:
                self._session.end_data(*last)
            commands = self._session.close_step(now_ns)
            self._noting.note(step, self._session.memory)
            if self._given is not None and self.plan.loop is not None:
                memory = self._session.memory
                for i in (self._symbols.index(symbol) for symbol in step):
                    self._given[i].note(memory.steps, memory.holdings[i])
        except Exception as error:
            self._failed = str(error)
            raise
        return commands

    def _check_names(self, last: Collection[str]) -> None:
        """Refuse names of instruments that there are not.

        Raises:
            RunError: there is one.
        """
        unknown = [name for name in last if name not in self._symbols]
        if unknown:
            raise RunError(
                Message(
                    "There is no instrument '{unknown}' here; there are {symbols}.",
                    unknown=unknown[0],
                    symbols=", ".join(self._symbols),
                )
            )

    def _without_expired(self, bars: Mapping[str, Bar]) -> Mapping[str, Bar]:
        """Return the bars without those that open after the expiry of their contract, which ends with them."""
        if not isinstance(bars, Mapping):
            return bars
        late = {
            symbol: given.open_ns
            for symbol in self._symbols
            if isinstance(given := bars.get(symbol), Bar) and self._session.is_after_expiry(symbol, given.open_ns)
        }
        if not late:
            return bars
        self._session.expire(max(late.values()))
        return {symbol: bar for symbol, bar in bars.items() if symbol not in late}

    def apply(self, event: OrderEvent, now_ns: int | None = None) -> tuple[OrderCommand, ...]:
        """Book what the external venue reports of an order, and return what it has to be told now.

        A fill belongs to the bar that is in progress. Late and repeated reports change nothing. What was refused is
        asked again at the next close, or by `ask_again`. `now_ns` is when the report came, in UTC.

        Raises:
            OrderError: the order is not one that was sent, or the report can't be true. Nothing is changed.
            RunError: the venue is simulated, the event is none, or the session failed before.
        """
        self._check_running()
        return self._session.apply(event, now_ns)

    def ask_again(self, now_ns: int) -> tuple[OrderCommand, ...]:
        """Return the commands that are due by a time (UTC ns) because the external venue refused them before.

        Raises:
            RunError: the venue is simulated, or the session failed before.
        """
        self._check_running()
        return self._session.ask_again(now_ns)

    @property
    def next_due_ns(self) -> int | None:
        """When `ask_again` has something to ask (UTC ns); None if nothing was refused."""
        return self._session.next_due_ns

    def take_missed(self) -> Sequence[Missed]:
        """Return the protective orders that the broker ended since the last call, though they are still wanted."""
        return self._session.take_missed()

    def refusals_of(self, number: int) -> int:
        """Return how often the broker refused a protective order, by the number that it has now."""
        return self._session.refusals_of(number)

    def unplaced(self) -> tuple[Unplaced, ...]:
        """Return the protective orders that are wanted, and that the broker has refused and not accepted yet."""
        return self._session.unplaced()

    def shut_entries(self, *, shut: bool) -> None:
        """Block all entries that the steps to come decide on, or no longer. It is not part of the state."""
        self._session.shut_entries(shut=shut)

    def withdraw_entries(self, now_ns: int | None = None) -> tuple[OrderCommand, ...]:
        """Cancel all orders that would open or increase a position, and return the commands for a broker.

        Raises:
            RunError: the session failed before.
        """
        self._check_running()
        return self._session.withdraw_entries(now_ns)

    def close_positions(self, *symbols: str, now_ns: int | None = None) -> tuple[OrderCommand, ...]:
        """Withdraw entries, order positions to be closed at the next open, and return the commands for a broker.

        Of these instruments, or of all if none are named. Repeating it while they are being closed has no effect.

        Raises:
            RunError: the session failed before.
        """
        self._check_running()
        return self._session.close_positions(*symbols, now_ns=now_ns)

    def take_notices(self) -> tuple[Notice, ...]:
        """Return what nodes such as `notify` and `assert` noted since the last call, in the order of time."""
        return self._noting.take()

    def end_data(self, *symbols: str) -> None:
        """Say that no bar will follow those appended so far: of these instruments, or of all.

        Raises:
            RunError: a symbol doesn't exist.
        """
        self._session.end_data(*symbols)

    def ledger(self) -> Ledger:
        """Return the ledger since the session was opened, or last drained; open orders are among the orders."""
        return self._session.ledger()

    def drain(self) -> Ledger:
        """Return the ledger rows since the last call, and drop them; for orders, those that have ended."""
        return self._session.drain()

    def state(self) -> str:
        """Return what another process needs to continue from here, as JSON; the books are not in it (`drain`).

        It holds the account, positions and orders, what the nodes remember, and by hashes which bars it was kept over.

        Raises:
            RunError: the session has failed.
        """
        if self._failed:
            raise RunError(
                Message(
                    "A session that failed has no state: {failed} Go on from the last one that was kept.",
                    failed=self._failed,
                )
            )
        nodes = {symbol: columns.states() for symbol, columns in zip(self._symbols, self._columns, strict=True)}
        noted = self._noting.kept()
        parts = {HISTORIES: self._data.marks(), NODES: nodes} | ({_NOTED: noted} if noted else {})
        return self._session.state(parts).to_json()

    # ------------------------------------------------------------------ details

    def _remember_known(self) -> None:
        """Let the session know the bars before it, as a run from a later start does.

        The nodes that read the position remember them, and the limits of prices follow from them.
        """
        known = [traded_bars(each.bars) for each in self._columns]
        if not any(map(len, known)):
            return
        loop = self.plan.loop
        job = (
            self._job
            if loop is None
            else job_of(self.graph, self.graph.spec.run, self.plan, self._columns, terms=self.terms)
        )
        states = remembered_steps(job) or (None,) * len(known)
        self._job = replace(
            self._job,
            instruments=tuple(
                replace(each, history=bars, step_state=state)
                for each, bars, state in zip(self._job.instruments, known, states, strict=True)
            ),
        )

    def _check_running(self) -> None:
        if self._failed:
            raise RunError(
                Message(
                    "The session ended by a failure: {failed} Open it anew from its last state.", failed=self._failed
                )
            )

    def _identity(self, worker: str, epoch: int) -> Identity:
        return Identity(strategy_hash(self.graph.spec), self.plan.rule_nodes, worker, epoch)

    def _closed(self, i: int, columns: LiveColumns) -> ClosedBar:
        instrument = instrument_job(self.graph, i, self.plan, NewestRow(columns), self.plan.loop, self.terms[i])
        inputs = {
            part.node: {
                port: tuple(map(columns.column, wires)) if isinstance(wires, tuple) else columns.column(wires)
                for port, wires in part.inputs.items()
            }
            for part in self.plan.components
        }
        bars = columns.clocks[BASE_CLOCK].bars
        history = (bars if bars.traded is None else bars.traded) if inputs else None
        due = due_at_newest(self.graph.instruments[i].spec, self.terms[i], bars)
        return row_of(instrument, 0, inputs, history, due)
