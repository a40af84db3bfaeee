"""BarClassWorker: a strategy class of another engine as a worker, on a feed, with a log like every other one's.

1. The log begins with the bars before the start, which the class sees first. A bar is in the log before the class gets
   it, and what the class does is in the log beside it.
2. After a restart the class is made anew and gets all its bars again: so its position, orders and variables are what
   they were, and it goes on where it stood.
3. What it does on the way is compared with the log. A class that does otherwise is no function of its bars (it uses
   the time, random numbers or files); the worker ends in `error` instead of guessing what it holds.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quantcrafter.engine.adapters.classes.stepping import ClassEvent, ClassTerms, SteppedClass
from quantcrafter.engine.api import Bar, BarClosed, Bars, Feed, FeedConnection, FeedState, RunError, Subscription
from quantcrafter.engine.api.feed import bars_from
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.anchoring import ALL_BARS, LEAST_HISTORY, StoredMarket, stored_market, subscriptions_of
from quantcrafter.engine.live.input_log import CLASS_VENUE, LOG, InputLog, NumberedOutput, has_log
from quantcrafter.engine.live.inputs import Anchored, BarsClosed, LiveInput, LiveOutput, dumped, written_terms
from quantcrafter.engine.live.logged_worker import LoggedWorker
from quantcrafter.engine.live.origin import begin_anew_if_elsewhere, origin_of
from quantcrafter.engine.live.status_file import WorkerStatus
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.live.worker_folder import check_log_is_there, order_prefix, put_aside
from quantcrafter.engine.runtime.running.prepare import terms_with
from quantcrafter.engine.trading_calendar.zones import DAY_NS

log = logging.getLogger("quantcrafter.live")

_NO_STATS: Mapping[str, Any] = {"position": 0.0, "equity": None, "pnl_today": 0.0, "steps": 0, "variables": {}}


class BarClassWorker(LoggedWorker):
    """A strategy class that runs on a feed, and continues where it was. Its engine fills its orders.

    Args:
        symbol: the instrument.
        strategy_key: the name of the strategy.
        make: makes the class's engine, with its account and instrument; called at each start.
        about: says what class it is, with which parameters; another text is another strategy.
        graph: the instrument and the settings of the account, see `class_graph`.
        feed: where bars come from.
        folder: where its data is kept; its name is the worker's key.
        warmup_days: how many days of bars before the start it sees; None for as many as there are in 1,500 bars.
        mode: `paper` or `replay`, which is shown.
        user_id: whose it is.
    """

    def __init__(  # noqa: PLR0913 - most are what every worker has
        self,
        symbol: str,
        strategy_key: str,
        *,
        make: Callable[[ClassTerms], SteppedClass],
        about: str,
        graph: BoundGraph,
        feed: Feed,
        folder: Path,
        warmup_days: int | None = None,
        mode: str = "paper",
        user_id: str | None = None,
    ) -> None:
        super().__init__(symbol, strategy_key, user_id, folder=folder, mode=mode)
        self.steps = 0
        self._make, self.graph, self._feed_of = make, graph, feed.beside(str(graph.spec.base_dir))
        self._subscription: Subscription | None = None
        self._hash = hashlib.blake2b(about.encode(), digest_size=16).hexdigest()
        self._warmup_days = warmup_days
        self._class: SteppedClass | None = None
        self._last_stats: Mapping[str, Any] = _NO_STATS
        self._now_ns = 0
        self._last_close = -(2**62)
        self._day_equity = (0, 0.0)
        self._ended = False

    @property
    def has_ended(self) -> bool:
        """Whether the feed has ended for good."""
        return self._ended

    @property
    def writes_status(self) -> bool:
        """Whether it writes its status file itself."""
        return True

    def step(self, timeout_s: float = 0.0) -> int:
        """Take what the feed has now, waiting up to `timeout_s` for it; return how many inputs.

        Raises:
            RunError: the log can't be written, the class raised, or the worker is not started. It ends in `error`.
        """
        if self._ended:
            return 0
        if self._feed is None:
            raise self._not_started()
        try:
            count = sum(self._took(event) for event in self._feed.poll(timeout_s))
        except BaseException as error:
            self._fail(error)
            raise
        if count:
            self._seen_s = time.monotonic()
            self._write_status()
        return count

    def close(self) -> None:
        """Close class, log and feed. What the class holds stays in the log."""
        was = self.state
        made, self._last_stats = self._class, self._stats_now()
        self._class = None
        for part in (self._feed, made):
            if part is not None:
                part.close()
        try:
            if self._log is not None and was is not WorkerState.ERROR:
                self._log.put_outputs(self._pending, durable=True)
                self._pending = []
                self._change(WorkerState.STOPPED)
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            if self._log is not None:
                self._log.close()
            self._log = self._feed = None

    def get_position(self) -> float:
        """Return the quantity held, after the end that held then; negative if short."""
        return float(self._last_stats["position"]) if self._class is None else self._class.position

    def get_stats(self) -> dict[str, Any]:
        """Return figures as plain values, after the end those of then."""
        shown = {"symbol": self.symbol, "strategy": self.strategy_key, "state": str(self.state)}
        return shown | dict(self._stats_now())

    def _stats_now(self) -> Mapping[str, Any]:
        made = self._class
        if made is None:
            return self._last_stats
        return {
            "position": made.position,
            "equity": made.equity,
            "pnl_today": self._pnl_today(),
            "steps": self.steps,
            "variables": made.variables(),
        }

    # ------------------------------------------------------------------ opening

    def _prepare(self) -> None:
        self._stop_event.clear()
        self._ended = False
        if self._feed_of.own_clock and _is_over(self.folder):
            put_aside(self.folder)
        if (self.folder / LOG).exists():
            check_log_is_there(self.folder)
        begin_anew_if_elsewhere(self.folder, self._feed_of, check=self._try_feed)

    def _try_feed(self) -> None:
        """Open the feed and close it: one that can't be had costs nothing of the run before."""
        stored = stored_market(self.graph) if self._feed_of.replays else None
        subscriptions = subscriptions_of(self.graph, None if stored is None else stored.bars)
        self._feed_of.open(subscriptions, self.graph.spec.base_dir).close()

    def _open(self, opened: InputLog, *, began: bool) -> None:
        stored = stored_market(self.graph) if self._feed_of.replays else None
        (self._subscription,) = subscriptions_of(self.graph, None if stored is None else stored.bars)
        self._feed = self._feed_of.open([self._subscription], self.graph.spec.base_dir)
        self._change(WorkerState.WARMING_UP)
        if began:
            self._begin(opened, self._feed, stored)
        else:
            self._resume(opened, self._feed)
        self._is_folded = True

    def _begin(self, opened: InputLog, feed: FeedConnection, stored: StoredMarket | None) -> None:
        begin_ns = feed.now_ns() if stored is None else stored.begin_ns
        history = self._history(feed, -(2**62) if begin_ns is None else begin_ns)
        feed.begin(begin_ns)
        self._now_ns = feed.now_ns()
        self._last_close = int(history.close_ns[-1]) if len(history) else self._last_close
        instrument = self.graph.instruments[0]
        known = (
            stored.terms if stored is not None else {self.symbol: written_terms(terms_with(instrument.terms, history))}
        )
        anchor = Anchored(0, self._now_ns, self._hash, 0, known)
        opened.set_meta(
            key=self.key,
            worker=order_prefix(self.key),
            venue=CLASS_VENUE,
            mode=self.mode,
            file="",
            strategy_hash=self._hash,
            created_ns=self.started_ns,
            **origin_of(self._feed_of),
        )
        opened.anchor(anchor, {self.symbol: history})
        self._make_class(history, anchor)

    def _history(self, feed: FeedConnection, before_ns: int) -> Bars:
        count = LEAST_HISTORY if self._warmup_days is None else ALL_BARS
        found = feed.history(self._subscribed().name, before_ns, count)
        if self._warmup_days is None or not len(found):
            return found
        first = int(found.close_ns.searchsorted(before_ns - self._warmup_days * DAY_NS, side="right"))
        return found.slice(first, len(found))

    def _resume(self, opened: InputLog, feed: FeedConnection) -> None:
        meta = opened.meta()
        if meta["strategy_hash"] != self._hash:
            raise self._other_strategy()
        if "feed" not in meta:  # of an earlier version
            opened.set_meta(**origin_of(self._feed_of))
        anchor, at = opened.anchored()
        history = opened.histories(anchor.number, at)[self.symbol]
        self._now_ns = anchor.ts_ns
        self._last_close = int(history.close_ns[-1]) if len(history) else self._last_close
        self._make_class(history, anchor)
        there: dict[int, list[str]] = {}
        for seq, _, each in opened.outputs():
            there.setdefault(seq, []).append(_text(each))
        for seq, given in opened.inputs(at):
            self._again(seq, given, there.get(seq), is_last=seq == opened.last_seq)
        # Bars that were brought together with the last one, and are not in the log, come again.
        feed.begin(self._last_close if self.steps else anchor.ts_ns)
        if not self._feed_of.own_clock:
            name, now_ns = self._subscribed().name, feed.now_ns()
            for bar in feed.missed(name, self._last_close, now_ns):
                self._took(BarClosed(name, bar, now_ns))

    def _make_class(self, history: Bars, anchor: Anchored) -> None:
        """Make the class with the terms of the anchor: what the bars showed when the worker began."""
        run, (terms,) = self.graph.spec.run, anchor.terms.values()
        tick, lot = (terms["values"][name][0] for name in ("tick_size", "lot_size"))
        self.steps = 0
        self._class = self._make(ClassTerms(run.cash, run.commission, tick, lot))
        self._class.open(history)

    def _again(self, seq: int, given: LiveInput, before: list[str] | None, *, is_last: bool) -> None:
        """Give the class a bar that it had before."""
        if isinstance(given, FeedState):
            self._ended = given.state == "ended"
            return
        if not isinstance(given, BarsClosed):
            return
        found = self._given(seq, given)
        if before is None and is_last:
            self._pending += found
            return
        if [_text(each.given) for each in found] != (before or []):
            raise RunError(
                Message(
                    "The class of the worker '{key}' did something else on the same bars than before, at input {seq}. "
                    "It must depend on its bars alone, not on the time, random numbers or files. Check what it holds, "
                    "and remove the folder '{folder}' to begin anew.",
                    key=self.key,
                    seq=seq,
                    folder=self.folder,
                )
            )

    # ------------------------------------------------------------------ the pump

    def _took(self, event: object) -> bool:
        """Commit what a feed brought and act on it; return whether it was anything new."""
        if self._log is None:
            return False
        if isinstance(event, FeedState):
            self._commit(event)
            self._ended = event.state == "ended"
            return True
        if not isinstance(event, BarClosed) or event.bar.close_ns <= self._last_close:
            return False
        given = BarsClosed({self.symbol: event.bar}, event.seen_ns, (self.symbol,) if event.is_last else ())
        seq = self._commit(given)
        self._pending += self._given(seq, given)
        if self._pending:
            self._log.put_outputs(self._pending, durable=True)
            self._pending = []
        return True

    def _commit(self, given: LiveInput) -> int:
        if self._log is None:
            raise self._not_started()
        seq = self._log.append([given], self._pending, durable=False)
        self._pending = []
        return seq

    def _given(self, seq: int, given: BarsClosed) -> list[NumberedOutput]:
        """Give the class a bar, and return what it did."""
        made, bar = self._class, given.bars[self.symbol]
        if made is None:
            return []
        day = bar.close_ns // DAY_NS
        if day != self._day_equity[0]:
            self._day_equity = (day, made.equity)
        events = made.take(self._bars([bar]))
        self._last_close, self._now_ns = bar.close_ns, max(self._now_ns, given.ts_ns)
        self.steps += 1
        return list(self._outputs(seq, bar, events))

    def _outputs(self, seq: int, bar: Bar, events: Sequence[ClassEvent]) -> Iterable[NumberedOutput]:
        prefix = order_prefix(self.key)
        for n, event in enumerate(events):
            body = {"symbol": self.symbol, **event.body}
            yield NumberedOutput(seq, n, LiveOutput(event.kind, bar.close_ns, f"{prefix}-{event.order}", body))

    def _bars(self, bars: Sequence[Bar]) -> Bars:
        return bars_from(self._subscribed(), bars)

    def _subscribed(self) -> Subscription:
        if self._subscription is None:
            raise self._not_started()
        return self._subscription

    # ------------------------------------------------------------------ details

    def _pnl_today(self) -> float:
        if self._class is None:
            return float(self._last_stats["pnl_today"])
        return self._class.equity - self._day_equity[1] if self.steps else 0.0

    def _status(self, seen_ns: int | None) -> WorkerStatus:
        return WorkerStatus(
            state=str(self.state),
            mode=self.mode,
            strategy=self.strategy_key,
            symbol=self.symbol,
            strategy_hash=self._hash,
            epoch=0,
            started_at=self.started_ns,
            last_input_at=seen_ns,
            position=self.get_position(),
            pnl_today=self._pnl_today(),
            error=self.error,
        )


def _is_over(folder: Path) -> bool:
    """Return whether the feed of a worker's log has ended."""
    if not has_log(folder / LOG):
        return False
    with InputLog.read(folder / LOG) as opened:
        last = opened.inputs(opened.last_seq - 1)
        return any(isinstance(each, FeedState) and each.state == "ended" for _, each in last)


def _text(given: LiveOutput) -> str:
    return json.dumps([given.kind, given.ts_ns, given.client_order_id]) + dumped(given.body)
