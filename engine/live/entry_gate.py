"""Whether a worker allows entries: a fold of its inputs, beside the strategy and without its help.

1. Entries are allowed unless something speaks against them; exits and protective orders always go on.
2. What a user asked for holds until `resume`. So does `reducing`, which also a mismatch with the broker sets.
3. What the program sees holds as long as it is so: hours of a schedule that are over, a feed that is lost or whose bars
   are overdue, a broker that is lost or not yet compared with the log, an order whose outcome isn't known.
4. Each change is told once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from quantcrafter.engine.api import BrokerState, FeedState
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_state import OrderState
from quantcrafter.engine.live.inputs import (
    SCHEDULE,
    BarsClosed,
    BarsOverdue,
    LiveInput,
    Reconciled,
    ScheduleHours,
    Stopped,
    UserCommand,
)

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession

Level = Literal["info", "warning", "alarm"]
LATE_NS = 30_000_000_000
"""How late a bar may come at least, before a broker outside is sent no entry that was decided on it."""
LATE_PART = 10
"""The same as a part of the bar's length."""


@dataclass(frozen=True, slots=True)
class GateNotice:
    """What a user is told."""

    level: Level
    text: Message


@dataclass(slots=True)
class EntryGate:
    """What speaks against entries.

    `venue` says who fills the orders: only a broker outside can be lost, or disagree. `broker` is its connection's
    state, `agreed` whether log and broker were compared since and agreed, `disagreed` what doesn't agree; `unknown` are
    orders without an outcome, `unprotected` symbols of which it has refused a protective order.
    `flattening` and `stopping` last until it is done. `closing` are symbols that are closed since their stops can't be
    had; `close_refusals` counts how often the broker refused to close, and at `close_due_ns` it is asked again.
    `is_closed` says that the hours of the schedule are over, since `closed_ns`. `flattened_ns` is when the schedule had
    positions closed last, `may_resume` whether it may allow entries again: not if a user has said something since, or
    something else spoke against them.
    """

    venue: Literal["simulated", "external"]
    paused: bool = False
    reducing: bool = False
    flattening: bool = False
    stopping: bool = False
    is_closed: bool = False
    closed_ns: int = 0
    flattened_ns: int | None = None
    may_resume: bool = False
    feed: str = ""
    overdue: tuple[str, ...] = ()
    broker: str = ""
    agreed: bool = False
    disagreed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unprotected: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    close_refusals: int = 0
    close_due_ns: int = 0
    nobodys: Mapping[str, float] = field(default_factory=dict)

    # ------------------------------------------------------------------ what it is

    def against(self, come: Collection[str] = ()) -> Iterator[Message]:
        """Yield what speaks against entries, a few words each; bars of the names in `come` have come just now."""
        overdue = [name for name in self.overdue if name not in come]
        yield from self.held()
        if self.is_closed:
            yield Message("outside the hours of the schedule")
        if self.feed == "lost":
            yield Message("the feed is lost")
        if overdue:
            yield Message("bars of {names} are overdue", names=", ".join(overdue))
        if self.venue == "external":
            yield from self._against_broker()

    def _against_broker(self) -> Iterator[Message]:
        if self.broker == "lost":
            yield Message("the broker is lost")
        elif not self.agreed:
            yield Message("the account is not compared with the log yet")
        if self.unknown:
            yield Message("the outcome of {orders} is unknown", orders=", ".join(self.unknown))
        if self.unprotected:
            yield Message("protective orders of {symbols} are missing", symbols=", ".join(self.unprotected))

    def held(self) -> Iterator[Message]:
        """Yield what speaks against entries until `resume`, a word each."""
        if self.paused:
            yield Message("paused")
        if self.reducing:
            yield Message("reducing")

    def allows(self, given: BarsClosed) -> bool:
        """Return whether entries may be decided on bars that have just come.

        The simulated venue fills at the prices of the bars, however late they come: the same as a backtest of them. A
        broker outside would fill at those of now.
        """
        if self.venue == "external":
            return next(self.against(), None) is None and not is_late(given)
        return next(self.against(given.bars), None) is None

    # ------------------------------------------------------------------ the fold

    def take(self, given: LiveInput) -> Iterator[GateNotice]:
        """Take an input, and yield what is to be told."""
        match given:
            case UserCommand():
                yield from self._asked(given)
            case Stopped():
                self.stopping = False
                yield GateNotice("info", Message("Stopped, as asked. It allows no entries until 'resume'."))
            case ScheduleHours():
                self.is_closed, self.closed_ns = not given.is_open, given.ts_ns
                yield GateNotice("info", _BEGUN if given.is_open else _OVER)
            case FeedState():
                yield from self._feed_is(given)
            case BarsOverdue():
                yield from self._overdue_are(given.names)
            case BrokerState():
                yield from self._broker_is(given)
            case Reconciled():
                yield from self._compared(given)

    def reduce_only(self) -> None:
        """Allow no entries until a user's `resume`."""
        self.reducing, self.may_resume = True, False

    def _asked(self, given: UserCommand) -> Iterator[GateNotice]:
        if given.source == SCHEDULE and given.verb == "resume" and not self.may_resume:
            return
        if given.source == SCHEDULE and given.verb == "flatten":
            self.flattened_ns = given.ts_ns
            self.may_resume = self.may_resume or next(self.held(), None) is None
        else:
            self.may_resume = False
        before = (self.paused, self.reducing, self.flattening, self.stopping)
        match given.verb:
            case "pause":
                self.paused = True
            case "resume":
                self.paused = self.reducing = self.flattening = self.stopping = False
                self.agreed, self.disagreed = self.agreed and not self.disagreed, ()
            case _:
                self.reducing = True
                self.flattening = self.flattening or given.verb == "flatten"
                self.stopping = self.stopping or given.verb == "stop"
        if before != (self.paused, self.reducing, self.flattening, self.stopping) or given.verb == "cancel":
            yield GateNotice("info" if given.verb in ("pause", "resume") else "warning", _TOLD[given.verb])

    def _feed_is(self, given: FeedState) -> Iterator[GateNotice]:
        before, self.feed = self.feed, given.state
        if given.state == "lost" and before != "lost":
            yield GateNotice(
                "warning", Message("The feed is lost: no entries until it is back. {text}", text=given.text)
            )
        if given.state == "connected" and before == "lost":
            yield GateNotice("info", Message("The feed is back."))

    def _overdue_are(self, names: tuple[str, ...]) -> Iterator[GateNotice]:
        before, self.overdue = self.overdue, names
        new = [name for name in names if name not in before]
        if new:
            yield GateNotice(
                "warning", Message("Bars of {names} are overdue: no entries until they come.", names=", ".join(new))
            )
        if before and not names:
            yield GateNotice("info", Message("The bars that were overdue have come."))

    def _broker_is(self, given: BrokerState) -> Iterator[GateNotice]:
        before, self.broker = self.broker, given.state
        self.agreed = False
        if given.state == "lost" and before != "lost":
            yield GateNotice(
                "warning", Message("The broker is lost: no entries until it is back. {text}", text=given.text)
            )
        if given.state == "connected" and before == "lost":
            yield GateNotice("info", Message("The broker is back; the account is compared with the log."))

    def _compared(self, given: Reconciled) -> Iterator[GateNotice]:
        changed, self.nobodys = dict(given.nobodys) != dict(self.nobodys), given.nobodys
        self.agreed = not given.differences
        new = [each for each in given.differences if each not in self.disagreed]
        self.disagreed = given.differences
        for each in new:
            yield GateNotice("alarm", Message("{difference} Only reducing until 'resume'.", difference=each))
        if given.differences:
            self.reduce_only()
        if changed:
            held = ", ".join(f"{symbol} {quantity:g}" for symbol, quantity in sorted(given.nobodys.items()))
            yield GateNotice(
                "info",
                Message("Positions of the account that belong to no worker, and are left alone: {held}.", held=held)
                if held
                else Message("All positions of the account belong to workers."),
            )

    def note_orders(self, session: StrategySession) -> None:
        """Note which orders have no outcome, and which positions lack a protective order."""
        if self.venue == "external":
            unknown = (each for each in session.orders.values() if each.state is OrderState.UNKNOWN)
            self.unknown = tuple(str(each.order) for each in unknown)
            self.unprotected = tuple(dict.fromkeys(each.symbol for each in session.unplaced()))

    # ------------------------------------------------------------------ keeping it

    def kept(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_kept(cls, venue: Literal["simulated", "external"], given: Mapping[str, Any]) -> EntryGate:
        """Return what `kept` returned."""
        read = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        plain: dict[str, Any] = {**read, "venue": venue}
        return cls(**plain)


_BEGUN = Message("The hours of the schedule have begun.")
_OVER = Message("Outside the hours of the schedule: no entries.")
_TOLD: Mapping[str, Message] = {
    "pause": Message("Paused: no entries until 'resume'. Exits go on."),
    "resume": Message("Resumed."),
    "no-entries": Message("No entries until 'resume'. Exits go on."),
    "cancel": Message("Entry orders are cancelled, and none are made until 'resume'. Protective orders stay."),
    "flatten": Message("Entry orders are cancelled and positions closed; no entries until 'resume'."),
    "stop": Message("Entry orders are cancelled, then the worker stops. Positions and their protective orders stay."),
}


def is_late(given: BarsClosed) -> bool:
    """Return whether bars came so late that an entry on them would be none of this moment."""
    close_ns = max(bar.close_ns for bar in given.bars.values())
    length_ns = min(bar.close_ns - bar.open_ns for bar in given.bars.values())
    return given.ts_ns - close_ns > max(LATE_NS, length_ns // LATE_PART)
