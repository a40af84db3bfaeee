"""SessionWorker: a strategy file as a worker. A feed in front of the core, a log beside it, a broker behind it.

1. `start` opens the log. A new worker begins with an anchor; one that was there before is folded from its latest
   snapshot and the inputs after it, and its feed goes on where it stood.
2. `step` takes what the feed and the broker have, commits it, and only then acts on it: the core gives commands, which
   are committed and then sent. It never blocks longer than it is told, so that one thread can serve many workers.
3. Outputs of the simulated venue are committed with the next inputs: until then, a restart makes them again.
4. From time to time a snapshot is taken, so that a restart has little to fold.
5. `close` takes a last snapshot. A worker that is killed instead loses nothing that was committed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import (
    Broker,
    Feed,
    Ledger,
    OrderCommand,
    RunError,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.anchoring import (
    StoredMarket,
    stored_market,
    subscriptions_of,
)
from quantcrafter.engine.live.beginning import about_strategy, first_anchor, known_before
from quantcrafter.engine.live.broker_desk import BrokerDesk, open_desk
from quantcrafter.engine.live.core import CoreResult, StrategyCore
from quantcrafter.engine.live.feed_side import FeedSide
from quantcrafter.engine.live.folding import core_of, fold
from quantcrafter.engine.live.hours_side import HoursSide, WorkerHours
from quantcrafter.engine.live.input_log import InputLog, Kept, NumberedOutput
from quantcrafter.engine.live.inputs import (
    BarsClosed,
    LiveInput,
    LiveOutput,
    Report,
    Stopped,
    UserCommand,
    checked_verb,
    output_of,
)
from quantcrafter.engine.live.kill_switch import KillSwitch
from quantcrafter.engine.live.logged_worker import LoggedWorker
from quantcrafter.engine.live.origin import begin_anew_if_elsewhere, origin_of
from quantcrafter.engine.live.packed import joined_ledgers
from quantcrafter.engine.live.status_file import WorkerStatus
from quantcrafter.engine.live.swap import StrategySwap, swap_to
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.live.worker_folder import check_log_is_there, data_folder_of, order_prefix
from quantcrafter.engine.runtime.running.prepare import Loader
from quantcrafter.engine.runtime.sessions.strategy_session import Host
from quantcrafter.engine.spec.identity import strategy_hash

log = logging.getLogger("quantcrafter.live")

SNAPSHOT_STEPS = 500
"""After how many steps a snapshot is taken."""

MOST_BARS = 50_000
"""How many inputs with bars the log keeps behind its oldest snapshot."""

_FIRST_LOOKS = 2
"""How often log and broker are compared before the first bar: what the log lacked, then whether all agrees."""

STOP_WAIT_S = 30.0
"""How long a worker that was told to stop waits for the broker's answers."""


class SessionWorker(LoggedWorker):
    """A strategy that runs on a feed and a broker, and continues where it was.

    Args:
        graph: the strategy; `graph` has those of its instruments that have bars, once the worker is started.
        feed: where bars come from.
        broker: who fills the orders.
        folder: where its data is kept; its name is the worker's key.
        host: what it shares with other workers of the process.
        loader: loads the stored bars that the file names; a cache, where several workers have the same.
        snapshot_steps: after how many steps a snapshot is taken.
        mode: `paper`, `replay` or `live`, which is shown.
        user_id: whose it is.
        tell: is given each output of a new input, for a log.
        hours: the hours of its schedule; None if it always runs.
    """

    def __init__(  # noqa: PLR0913 - most have a default
        self,
        graph: BoundGraph,
        feed: Feed,
        broker: Broker,
        folder: Path,
        *,
        host: Host | None = None,
        loader: Loader = load_bars,
        snapshot_steps: int = SNAPSHOT_STEPS,
        mode: str = "paper",
        user_id: str | None = None,
        tell: Callable[[LiveOutput], object] = lambda _: None,
        hours: WorkerHours | None = None,
    ) -> None:
        name = Path(graph.spec.file).stem or graph.spec.name
        super().__init__(graph.instruments[0].spec.symbol, name, user_id, folder=folder, mode=mode)
        self.strategy = graph
        place = str(graph.spec.base_dir)
        self.graph, self.feed, self.broker = graph, feed.beside(place), broker.beside(place)
        self._tell, self._hours = tell, hours
        self._host, self._loader, self._snapshot_steps = host or Host(), loader, snapshot_steps
        self._core: StrategyCore | None = None
        self._feed_side: FeedSide | None = None
        self._hours_side: HoursSide | None = None
        self._desk: BrokerDesk | None = None
        self._kill_switch = KillSwitch((folder, data_folder_of(folder)))
        self._has_stopped = False
        self._stop_s = 0.0
        self._unsent: list[OrderCommand] = []
        self._asked_at = -1
        self._kept_bars: dict[str, int] = {}
        self._kept_step = 0

    # ------------------------------------------------------------------ life

    @property
    def has_ended(self) -> bool:
        """Whether it has nothing more to do: the feed has ended for good, or it was told to stop and has done so."""
        return self._core is not None and (self._core.feed_state == "ended" or self._has_stopped)

    @property
    def state(self) -> WorkerState:
        """The state now; one that runs may be paused, or only reducing."""
        if self._state is not WorkerState.RUNNING or self._core is None:
            return WorkerState(self._state)
        gate = self._core.gate
        if gate.stopping:
            return WorkerState.STOPPING
        if gate.reducing:
            return WorkerState.REDUCING
        return WorkerState.PAUSED if gate.paused else WorkerState.RUNNING

    def command(self, verb: str, source: str = "") -> None:
        """Do what a user asks; it is in the log before it is acted on.

        Args:
            verb: `pause` (no entries, until `resume`), `resume`, `no-entries` (the same as pause, for when something is
                wrong), `cancel` (also cancel the orders that would open a position), `flatten` (also close all
                positions), `stop` (as cancel, then end when the broker has answered). Protective orders stay with their
                positions.
            source: by what way it came, which the log keeps.

        Raises:
            ValueError: there is no such verb.
            RunError: the worker is not started, the log can't be written, or a kill file forbids to resume.
        """
        asked = UserCommand(checked_verb(verb), self._opened_feed().now_ns(), source)
        holding = self._kill_switch.holding() if asked.verb == "resume" else None
        if holding is not None:
            raise RunError(
                Message(
                    "The worker '{key}' can't resume while the file '{path}' is there. Remove it first.",
                    key=self.key,
                    path=shown_path(holding),
                )
            )
        accepts = self.core.gate.disagreed if asked.verb == "resume" else ()
        try:
            self._take([asked])
            if accepts and self._desk is not None:
                self._desk.accept()
        except BaseException as error:
            self._fail(error)
            raise
        self._write_status(now=True)

    def preview(self, graph: BoundGraph) -> tuple[str, ...]:
        """Return what would become of position and orders with a changed strategy, in sentences; nothing is changed.

        Raises:
            RunError: the new strategy can't carry on, or the worker is not started.
            DataError, ComponentError: its bars can't be had, or a component failed.
        """
        return self._swap_to(graph).preview

    def change(self, graph: BoundGraph, hours: WorkerHours | None = None) -> tuple[str, ...]:
        """Go on with a changed strategy, between two bars; return what becomes of position and orders.

        Args:
            graph: the new strategy.
            hours: the hours of its schedule; None if it always runs.

        Raises:
            RunError: the new strategy can't carry on, and the old one goes on; or the log can't be written, and the
                worker ends.
            DataError, ComponentError: its bars can't be had, or a component failed; the old one goes on.
        """
        swap = self._swap_to(graph)
        try:
            self._keep()
            core = self.core
            outcome = core.begin_again(swap.anchor, swap.known, swap.graph)
            books, about = core.take_books(), about_strategy(graph.spec)
            self._opened_log().anchor_again(swap.anchor, swap.known, core.kept(), books, outcome.outputs, about=about)
        except BaseException as error:
            self._fail(error)
            raise
        self.strategy, self.graph = graph, swap.graph
        self.follow(hours)
        self._kept_bars = {name: len(bars) for name, bars in swap.known.items()}
        self._kept_step = core.session.steps
        for each in outcome.outputs:
            self._tell(each)
        self._write_status(now=True)
        return swap.preview

    def follow(self, hours: WorkerHours | None) -> None:
        """Keep to other hours from now on; None for always."""
        self._hours, self._hours_side = hours, None
        if hours is not None and self._core is not None:
            self._hours_side = HoursSide(self.key, hours, self._core, own_clock=self.feed.own_clock)

    def _swap_to(self, graph: BoundGraph) -> StrategySwap:
        feed = self._opened_feed()
        stored = stored_market(graph, self._loader) if self.feed.replays else None
        return swap_to(graph, stored, self.core, feed, self._opened_feed_side().subscriptions)

    def step(self, timeout_s: float = 0.0) -> int:
        """Take what the feed and the broker have now, waiting up to `timeout_s` for it; return how many inputs.

        Raises:
            RunError: the log can't be written; nothing was done that isn't in it. Or the worker is not started.
            ComponentError: a component failed. The worker ends in the state `error`.
        """
        if self._has_stopped:
            return 0
        try:
            inputs = self._inputs(timeout_s)
            if inputs:
                self._seen_s = time.monotonic()
                self._take(inputs)
                self._refresh()
        except BaseException as error:
            self._fail(error)
            raise
        if inputs:
            self._write_status()
        return len(inputs)

    def close(self) -> None:
        """Take a snapshot and close log, feed and broker. Orders and positions stay as they are."""
        was = self._state
        for connection in (self._feed, self._desk):
            if connection is not None:
                connection.close()
        try:
            if self._log is not None and self._core is not None and was is not WorkerState.ERROR:
                self._change(WorkerState.STOPPING)
                self._keep()
                self._change(WorkerState.STOPPED)
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            if self._log is not None:
                self._log.close()
            self._log = self._core = self._feed = self._feed_side = self._hours_side = self._desk = None

    def save_state(self) -> None:
        """Take a snapshot."""
        if self._core is not None:
            self._keep()

    # ------------------------------------------------------------------ what there is

    @property
    def core(self) -> StrategyCore:
        """The strategy.

        Raises:
            RunError: the worker is not started.
        """
        if self._core is None:
            raise self._not_started()
        return self._core

    def ledger(self) -> Ledger:
        """Return all that was booked since the worker began.

        Raises:
            RunError: the worker is not started.
        """
        return joined_ledgers([*self._opened_log().books(self._opened_log().last_seq), self.core.books()])

    def get_position(self) -> float:
        return self.core.session.positions.get(self.symbol, 0.0)

    def get_stats(self) -> dict[str, Any]:
        core = self.core
        return {
            "equity": core.session.equity,
            "pnl_today": core.pnl_today,
            "positions": dict(core.session.positions),
            "steps": core.session.steps,
        }

    # ------------------------------------------------------------------ opening

    def _prepare(self) -> None:
        check_log_is_there(self.folder)
        begin_anew_if_elsewhere(self.folder, self.feed, self.broker, check=self._try_feed)

    def _try_feed(self) -> None:
        """Open the feed and close it: one that can't be had costs nothing of the run before."""
        stored = stored_market(self.graph, self._loader) if self.feed.replays else None
        graph, bars = (self.graph, None) if stored is None else (stored.graph, stored.bars)
        self.feed.open(subscriptions_of(graph, bars), self.graph.spec.base_dir).close()

    def _open(self, opened: InputLog, *, began: bool) -> None:
        stored = stored_market(self.graph, self._loader) if self.feed.replays else None
        if stored is not None:
            self.graph = stored.graph
        subscriptions = subscriptions_of(self.graph, None if stored is None else stored.bars)
        self._change(WorkerState.WARMING_UP)
        self._core = core_of(self.graph, self._about() if began else opened.meta(), self._host)
        if not began:  # before feed and broker are asked: without them its status says what it holds too
            self._resume(opened, self._core)
            self._is_folded = True
        self._feed = self.feed.open(subscriptions, self.graph.spec.base_dir)
        connection = self.broker.connect() if self.broker.venue == "external" else None
        now_ns = self._feed.now_ns
        if connection is not None:
            self._desk = open_desk(self.folder, self.broker, connection, self._core, opened, now_ns)
        if not began:
            self._feed.begin(self._core.now_ns)
        else:
            self._begin(stored, [each.name for each in subscriptions])
            self._is_folded = True
        self._feed_side = FeedSide(self.key, self._feed, self._core, subscriptions, own_clock=self.feed.own_clock)
        if not began:
            self._feed_side.resume()
        self.follow(self._hours)
        unsent, self._unsent = self._unsent, []
        inputs = [*self._commanded(), *(() if self._desk is None else self._desk.begin(unsent))]
        if inputs:
            self._take(inputs)
        for _ in range(_FIRST_LOOKS):
            if self._desk is not None and (found := list(self._desk.compared(waits=True))):
                self._take(found)

    def _begin(self, stored: StoredMarket | None, names: Sequence[str]) -> None:
        """Begin with the bars before the first step, and let the feed's clock begin after them."""
        feed, strategy = self._opened_feed(), strategy_hash(self.strategy.spec)
        known = known_before(self.graph, feed, stored, names, own_clock=self.feed.own_clock)
        epoch = int(time.time()) if self.broker.venue == "external" else 0
        anchor = first_anchor(self.core, known, stored, strategy=strategy, epoch=epoch, ts_ns=feed.now_ns())
        self._opened_log().set_meta(**self._about(), **about_strategy(self.strategy.spec))
        self._opened_log().anchor(anchor, known)
        self._kept_bars = {name: len(bars) for name, bars in known.items()}

    def _about(self) -> dict[str, Any]:
        """Return what its log says of it."""
        return {
            "key": self.key,
            "worker": order_prefix(self.key),
            "venue": self.broker.venue,
            "holds_both": self.broker.holds_both([each.spec.symbol for each in self.graph.instruments]),
            "mode": self.mode,
            "created_ns": self.started_ns,
            **origin_of(self.feed, self.broker),
        }

    def _resume(self, opened: InputLog, core: StrategyCore) -> None:
        """Fold the log.

        Raises:
            RunError: it is that of another strategy.
        """
        found = strategy_hash(self.strategy.spec)
        meta = opened.meta()
        if meta["strategy_hash"] != found:
            raise self._other_strategy()
        if "feed" not in meta:  # of an earlier version
            opened.set_meta(**origin_of(self.feed, self.broker))
        kept = fold(opened, core, self._refolded)
        self._kept_step = core.session.steps - (opened.last_seq - kept[1])  # a worker that is killed often is kept too
        self._kept_bars = {name: len(bars) for name, bars in opened.histories(*kept).items()}

    def _refolded(self, seq: int, outcome: CoreResult, there: Mapping[int, LiveOutput]) -> None:
        """Compare what an input gives now with what it gave before; keep what was not sent yet."""
        for n, each in enumerate(outcome.outputs):
            if n not in there:
                self._pending.append(NumberedOutput(seq, n, each))
            elif there[n] != each:
                log.warning("Worker %s: output %d of input %d is not what it was: %s", self.key, n, seq, each)
        if outcome.commands and len(there) < len(outcome.outputs):
            self._opened_log().put_outputs(self._pending, durable=True)
            self._pending = []
            self._unsent += [each for each in outcome.commands if output_of(each) not in there.values()]

    # ------------------------------------------------------------------ the pump

    def _inputs(self, timeout_s: float) -> list[LiveInput]:
        """Return what has come, in the order in which it is acted on: what stops entries first."""
        found = [*self._commanded(), *(() if self._desk is None else self._desk.inputs())]
        if self.core.feed_state != "ended" and not self.core.gate.stopping:
            found += self._opened_feed_side().inputs(0.0 if found else timeout_s)
        if not found and self.core.gate.stopping and self._may_stop():
            found.append(Stopped(self._opened_feed().now_ns()))
        side = self._hours_side
        return found if side is None else list(side.inputs(found, self._opened_feed().now_ns()))

    def _commanded(self) -> Iterator[UserCommand]:
        now_ns = self._opened_feed().now_ns()
        yield from (UserCommand(verb, now_ns, "file") for verb in self._kill_switch.triggered())

    def _may_stop(self) -> bool:
        """Return whether the broker has answered all that it was sent, or had enough time for it."""
        if self._desk is None or (not (waiting := self._desk.waiting()) and self.core.next_due_ns is None):
            return True
        self._stop_s = self._stop_s or time.monotonic()
        if time.monotonic() - self._stop_s < STOP_WAIT_S:
            return False
        orders = ", ".join(str(each.order) for each in waiting) or "orders that it refused"
        log.error("Worker %s stops without the broker's answers for %s; its start asks for them.", self.key, orders)
        return True

    def _take(self, inputs: Sequence[LiveInput]) -> None:
        """Commit inputs, then act on them one by one."""
        about_orders = any(isinstance(each, (Report, UserCommand, Stopped)) for each in inputs)
        first = self._opened_log().append(inputs, self._pending, durable=about_orders)
        self._pending = []
        for seq, given in enumerate(inputs, first):
            outcome = self.core.apply(seq, given)
            self._has_stopped = self._has_stopped or isinstance(given, Stopped)
            self._pending += [NumberedOutput(seq, n, each) for n, each in enumerate(outcome.outputs)]
            if outcome.commands:
                self._send(outcome.commands)
            for each in outcome.outputs:
                self._tell(each)
            if isinstance(given, BarsClosed) and self.core.session.steps - self._kept_step >= self._snapshot_steps:
                self._keep_after(seq)
        if self._desk is not None:
            self._desk.note(inputs)
            if denied := self._desk.denied():
                self._take(denied)

    def _send(self, commands: Sequence[OrderCommand]) -> None:
        """Commit commands and send them."""
        self._opened_log().put_outputs(self._pending, durable=True)
        self._pending = []
        if self._desk is not None:
            self._desk.send(commands)

    # ------------------------------------------------------------------ keeping

    def _refresh(self) -> None:
        """Let the histories begin anew between two trading sessions, if something in them has changed."""
        side, core = self._opened_feed_side(), self.core
        if self.feed.own_clock or not core.is_outdated or core.anchor is None:
            return
        if self._asked_at == core.session.steps or not side.is_between_sessions():
            return
        self._asked_at = core.session.steps
        histories = side.histories()
        if histories is None:
            return
        self._keep()
        anchor = replace(core.anchor, number=core.anchor.number + 1, ts_ns=self._opened_feed().now_ns())
        outcome = core.begin_again(anchor, histories)
        self._opened_log().anchor_again(anchor, histories, core.kept(), core.take_books(), outcome.outputs)
        self._kept_bars = {name: len(bars) for name, bars in histories.items()}
        self._kept_step = core.session.steps

    def _keep(self) -> None:
        self._keep_after(self._opened_log().last_seq)

    def _keep_after(self, seq: int) -> None:
        """Take a snapshot after input `seq`, the last one that was acted on."""
        core, opened = self.core, self._opened_log()
        kept = opened.kept()
        if core.anchor is None or (kept is not None and kept.seq == seq):
            opened.put_outputs(self._pending, durable=True)
        else:
            bars = {name: core.session.bars(name, self._kept_bars[name]) for name in core.session.names}
            opened.keep(Kept(seq, core.anchor.number, core.kept()), core.take_books(), bars, self._pending)
            self._kept_bars = {name: self._kept_bars[name] + len(each) for name, each in bars.items()}
            self._kept_step = core.session.steps
            opened.compact(MOST_BARS)
        self._pending = []

    # ------------------------------------------------------------------ details

    def _opened_feed_side(self) -> FeedSide:
        if self._feed_side is None:
            raise self._not_started()
        return self._feed_side

    def _status(self, seen_ns: int | None) -> WorkerStatus:
        core = self._core
        strategy, spec = strategy_hash(self.strategy.spec), self.graph.spec
        start = WorkerStatus(str(self.state), self.mode, spec.name, self.symbol, strategy, 0, self.started_ns, seen_ns)
        status = replace(start, error=self.error)
        if core is None or core.anchor is None:
            return status
        epoch, position, positions = core.anchor.epoch, self.get_position(), dict(core.session.positions)
        return replace(status, epoch=epoch, position=position, positions=positions, pnl_today=core.pnl_today)
