"""StrategyCore: what a running strategy is, as a function of its inputs. No files, sockets, clocks or threads.

1. `apply` takes the next input and returns what came out of it: commands for the broker, reports of the simulated
   broker, notices.
2. `kept` is the state after the inputs so far; `open` continues from it over the same bars.
3. The same inputs always give the same outputs and states, whether they were taken in one go or from a snapshot on.
4. Beside the strategy, an `EntryGate` is folded from the same inputs: it says whether entries are allowed.

With the simulated venue, the session fills orders itself, and its reports are derived from the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from quantcrafter.engine.api import (
    Bar,
    BarRevised,
    Bars,
    DataError,
    Ledger,
    OrderCommand,
    QuantCrafterError,
    RunError,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderError
from quantcrafter.engine.api.step_program import StepRecord
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.live.entry_gate import EntryGate, GateNotice
from quantcrafter.engine.live.inputs import (
    Anchored,
    BarsClosed,
    ClockTick,
    LiveInput,
    LiveOutput,
    Report,
    UserCommand,
    dumped,
    output_of,
    output_of_report,
    terms_from,
    time_of,
)
from quantcrafter.engine.live.packed import compact_ledger, joined_ledgers
from quantcrafter.engine.live.protection_watch import closing, watched
from quantcrafter.engine.live.simulated_reports import SimulatedReports
from quantcrafter.engine.runtime.results.notices import Notice
from quantcrafter.engine.runtime.sessions.strategy_session import Host, StrategySession

Venue = Literal["simulated", "external"]
VERSION = 1
"""The version of snapshots."""


@dataclass(frozen=True, slots=True)
class CoreResult:
    """What came out of an input: outputs in their order, of which `commands` are those for a broker."""

    outputs: tuple[LiveOutput, ...] = ()
    commands: tuple[OrderCommand, ...] = ()


_NOTHING = CoreResult()


class StrategyCore:
    """A strategy as the fold of its inputs.

    Args:
        graph: the strategy.
        worker: 1 to 12 letters and digits that the ids of orders begin with.
        venue: who fills the orders.
        holds_both: whether a broker outside accepts a second stop for the same position.
        host: what it shares with other strategies of the process.
    """

    def __init__(
        self,
        graph: BoundGraph,
        *,
        worker: str,
        venue: Venue = "simulated",
        holds_both: bool = True,
        host: Host | None = None,
    ) -> None:
        self.graph = graph
        self.venue: Venue = venue
        self._holds_both = holds_both
        self.anchor: Anchored | None = None
        self.gate = EntryGate(venue)
        self.is_outdated = False
        """Whether bars before now are others than they were taken as: there were corrections, splits or the like."""
        self.now_ns = 0
        self._worker, self._host = worker, host or Host()
        self._session: StrategySession | None = None
        self._reports: SimulatedReports
        self._rows: tuple[int, ...] = ()
        self._books: list[Ledger] = []
        self._day, self._day_equity = -1, 0.0

    # ------------------------------------------------------------------ opening

    def open(self, anchor: Anchored, known: Mapping[str, Bars], kept: str | None = None) -> None:
        """Begin with an anchor, or continue from what `kept` returned; `known` are the bars up to there.

        Raises:
            DataError, ComponentError, RunError: as `StrategySession.open`.
        """
        if kept is None:
            self._begin(anchor, known)
            return
        read = json.loads(kept)
        if read.get("version") != VERSION:
            raise RunError(
                Message(
                    "The snapshot of a worker has version {version}, this program knows {known}. Install the newer "
                    "QuantCrafter that made it.",
                    version=repr(read.get("version")),
                    known=VERSION,
                )
            )
        self._take(self._opened(anchor, known, read["session"]), anchor)
        self._reports.told, self._reports.fills = set(read["told"]), dict(read["fills"])
        self.gate, self.now_ns = EntryGate.from_kept(self.venue, read["gate"]), read["now_ns"]
        self.is_outdated = read["outdated"]
        self._day, self._day_equity = read["day"], read["day_equity"]

    def begin_again(self, anchor: Anchored, known: Mapping[str, Bars], graph: BoundGraph | None = None) -> CoreResult:
        """Let the histories begin anew with an anchor: `known` are the bars up to now, as their source has them now.

        Account, positions and orders go on. With a `graph`, they go on with that changed strategy.

        Raises:
            DataError, ComponentError, RunError: as `StrategySession.adopt`; among others, the bars end elsewhere.
                Nothing is changed then.
        """
        session, dropped = self.adopted(anchor, known, graph or self.graph)
        self._drain()
        reports = self._reports
        if graph is not None:
            self.graph = graph
        self._take(session, anchor)
        self._reports.told, self._reports.fills = reports.told, reports.fills
        self.is_outdated, self.now_ns = False, max(self.now_ns, anchor.ts_ns)
        if graph is None:
            done = Message("The histories were loaded again, with what has changed in them.")
            what = [Message("When histories were loaded again: {what}", what=each) for each in dropped]
        else:
            done = Message("The strategy was changed between two bars. Account, positions and orders go on.")
            what = [Message("When the strategy was changed: {what}", what=each) for each in dropped]
        told = [GateNotice("info", done), *(GateNotice("warning", each) for each in what)]
        return CoreResult(tuple(_output_of_change(anchor.ts_ns, each) for each in told))

    def adopted(
        self, anchor: Anchored, known: Mapping[str, Bars], graph: BoundGraph
    ) -> tuple[StrategySession, tuple[str, ...]]:
        """Return a session of a strategy that would go on from here, and what it would drop; nothing is changed.

        Raises:
            DataError, ComponentError, RunError: as `StrategySession.adopt`.
        """
        return StrategySession.adopt(
            graph,
            known,
            self.session.state(),
            host=self._host,
            worker=self._worker,
            epoch=anchor.epoch,
            venue=self.venue,
            holds_both=self._holds_both,
            terms=_terms_of(anchor, graph),
        )

    def _begin(self, anchor: Anchored, known: Mapping[str, Bars]) -> None:
        self._take(self._opened(anchor, known, None), anchor)
        self.now_ns = anchor.ts_ns
        self._day_equity = self.session.equity

    def _opened(self, anchor: Anchored, known: Mapping[str, Bars], state: str | None) -> StrategySession:
        return StrategySession.open(
            self.graph,
            known,
            state,
            host=self._host,
            worker=self._worker,
            epoch=anchor.epoch,
            venue=self.venue,
            holds_both=self._holds_both,
            terms=_terms_of(anchor, self.graph),
        )

    def _take(self, session: StrategySession, anchor: Anchored) -> None:
        session.keep_given()
        self._session, self.anchor, self._rows = session, anchor, session.rows_written
        self._reports = SimulatedReports(self.graph, session)

    # ------------------------------------------------------------------ the fold

    def apply(self, seq: int, given: LiveInput) -> CoreResult:
        """Take input number `seq`, and return what comes out of it.

        Impossible bars and reports change nothing; a notice says why they were refused.

        Raises:
            ComponentError, RunError: the strategy failed, and can't go on.
        """
        told = [_output_of_change(time_of(given), each) for each in self.gate.take(given)]
        match given:
            case BarsClosed():
                return self._closed(given)
            case Report():
                return self._reported(given)
            case UserCommand():
                return self._asked(given, told)
            case Anchored():
                raise RunError(Message("Input {seq} begins the histories again. Call begin_again() for it.", seq=seq))
            case ClockTick():
                return self._ticked(given)
            case BarRevised():
                self.is_outdated = True
        self.now_ns = max(self.now_ns, time_of(given))
        return CoreResult(tuple(told)) if told else _NOTHING

    def _closed(self, given: BarsClosed) -> CoreResult:
        session = self.session
        before = session.equity
        withdrawn = self._withdrawn_before(given)
        session.shut_entries(shut=not self.gate.allows(given))
        try:
            commands = (*withdrawn, *session.append(given.bars, last=given.last, now_ns=given.ts_ns))
        except DataError as error:
            return _refused(given.ts_ns, ", ".join(given.bars), error)
        if self.gate.is_closed:
            commands = (*commands, *session.withdraw_entries(given.ts_ns))
        close_ns = max(bar.close_ns for bar in given.bars.values())
        self.is_outdated = self.is_outdated or any(map(_changes_the_past, given.bars.values()))
        self._note_day(close_ns, before)
        self.now_ns = max(self.now_ns, given.ts_ns)
        self.gate.note_orders(session)
        told = [_output_of_notice(each) for each in session.take_notices()]
        if self.venue == "external":
            told = [replace(each, ts_ns=max(each.ts_ns, given.ts_ns)) for each in told]
        return self._told((*commands, *closing(self.gate, session, given.ts_ns)), close_ns, told)

    def _reported(self, given: Report) -> CoreResult:
        session, number = self.session, given.event.order.number
        before = session.orders.get(number)
        try:
            commands = session.apply(given.event, given.ts_ns)
        except OrderError as error:
            return _refused(given.ts_ns, "", error)
        self.now_ns = max(self.now_ns, given.ts_ns)
        is_news = session.orders.get(number) is not before  # late and repeated ones are none
        reports = (output_of_report(given),) if is_news else ()
        notices = list(watched(given.event, self.gate, session, given.ts_ns))
        commands = (*commands, *closing(self.gate, session, given.ts_ns))
        self.gate.note_orders(session)
        told = [_output_of_change(given.ts_ns, each) for each in notices]
        return CoreResult((*reports, *map(output_of, commands), *told), commands)

    def _ticked(self, given: ClockTick) -> CoreResult:
        """Ask again for what the broker refused, when it is due."""
        self.now_ns = max(self.now_ns, given.ts_ns)
        if self.venue == "simulated":
            return _NOTHING
        commands = (*self.session.ask_again(given.ts_ns), *closing(self.gate, self.session, given.ts_ns))
        return CoreResult(tuple(map(output_of, commands)), commands)

    def _asked(self, given: UserCommand, told: Sequence[LiveOutput]) -> CoreResult:
        commands: tuple[OrderCommand, ...] = ()
        if given.verb in ("cancel", "stop"):
            commands = self.session.withdraw_entries(given.ts_ns)
        elif given.verb == "flatten":
            commands = self.session.close_positions(now_ns=given.ts_ns)
        self.now_ns = max(self.now_ns, given.ts_ns)
        return self._told(commands, given.ts_ns, told)

    def _told(self, commands: tuple[OrderCommand, ...], ts_ns: int, notices: Iterable[LiveOutput]) -> CoreResult:
        """Return what came out: with the simulated venue the reports of it, else the commands."""
        if self.venue == "external":
            return CoreResult((*map(output_of, commands), *notices), commands)
        new = self._drain() if self.session.rows_written != self._rows else None
        messages = self._reports.of(commands, new, ts_ns)
        return CoreResult((*map(output_of, messages), *notices))

    def _withdrawn_before(self, given: BarsClosed) -> tuple[OrderCommand, ...]:
        """Return the cancels of entry orders that wait, if bars opened after the hours of the schedule had ended."""
        if not self.gate.is_closed or min(bar.open_ns for bar in given.bars.values()) < self.gate.closed_ns:
            return ()
        return self.session.withdraw_entries(given.ts_ns)

    def _note_day(self, close_ns: int, before: float) -> None:
        day = close_ns // 86_400_000_000_000
        if day > self._day:
            self._day, self._day_equity = day, before

    # ------------------------------------------------------------------ what there is

    @property
    def session(self) -> StrategySession:
        """The strategy's session.

        Raises:
            RunError: it is not open.
        """
        if self._session is None:
            raise RunError(Message("The worker is not started: it has no histories yet."))
        return self._session

    @property
    def feed_state(self) -> str:
        """The state of the feed: '' before the first one that it told."""
        return self.gate.feed

    @property
    def next_due_ns(self) -> int | None:
        """When a `ClockTick` makes it ask again for what the broker refused (UTC ns); None if nothing is due."""
        due = [each for each in (self.session.next_due_ns, self.gate.close_due_ns or None) if each is not None]
        return min(due, default=None)

    @property
    def pnl_today(self) -> float:
        """Change of equity since the first bar that closed on the latest UTC day."""
        return self.session.equity - self._day_equity

    def kept(self) -> str:
        """Return the state as JSON; the ledger is not in it (`take_books`).

        Raises:
            RunError: the session has failed.
        """
        return dumped(
            {
                "version": VERSION,
                "session": self.session.state(),
                "told": sorted(self._reports.told),
                "fills": sorted(self._reports.fills.items()),
                "gate": self.gate.kept(),
                "outdated": self.is_outdated,
                "now_ns": self.now_ns,
                "day": self._day,
                "day_equity": self._day_equity,
            }
        )

    def take_books(self) -> Ledger:
        """Return what was booked since the last call, and forget it; orders that still work are left out."""
        self._drain()
        books, self._books = self._books, []
        return joined_ledgers(books)

    def books(self) -> Ledger:
        """Return what was booked since `take_books` was called last, with the orders that work."""
        self._drain()
        return joined_ledgers([*self._books, self.session.ledger()])

    def _drain(self) -> Ledger:
        session = self.session
        booked = compact_ledger(session.drain())  # rows are views of large buffers, which would be kept with them
        if session.plan.loop is not None:
            given = session.take_given()
            values, flags, allowed = zip(*given, strict=True)
            booked = replace(booked, steps=StepRecord(values, flags, allowed))
        self._books.append(booked)
        self._rows = session.rows_written
        return booked


def _terms_of(anchor: Anchored, graph: BoundGraph) -> list[Terms] | None:
    if not anchor.terms:
        return None
    return [terms_from(each.terms, anchor.terms[each.spec.symbol]) for each in graph.instruments]


def _changes_the_past(bar: Bar) -> bool:
    """Return whether earlier prices are others since this bar: a split, a dividend or a new contract."""
    own = bar if bar.traded is None else bar.traded
    acted = own.split != 1.0 or own.dividend != 0.0
    return acted or (bar.contract is not None and bar.contract.roll is not None)


def _refused(ts_ns: int, symbol: str, error: QuantCrafterError) -> CoreResult:
    """Return the notice of an input that is impossible, and changed nothing."""
    return CoreResult((LiveOutput("notice", ts_ns, "", {"level": "refused", "symbol": symbol, "text": str(error)}),))


def _output_of_notice(notice: Notice) -> LiveOutput:
    body = {"node": notice.node, "level": notice.kind, "symbol": notice.symbol, "text": notice.text}
    return LiveOutput("notice", notice.ts_ns, "", body)


def _output_of_change(ts_ns: int, notice: GateNotice) -> LiveOutput:
    return LiveOutput("notice", ts_ns, "", {"level": notice.level, "symbol": "", "text": str(notice.text)})


def books_of(parts: Sequence[Ledger], core: StrategyCore) -> Ledger:
    """Return the whole ledger of a worker: what was kept with its snapshots, and what came since."""
    return joined_ledgers([*parts, core.books()])
