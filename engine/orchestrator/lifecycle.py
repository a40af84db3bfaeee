"""Which workers should run now: `LifecycleManager`, and `TradingScheduler` for one schedule.

1. Each worker has a schedule. `wanted` asks it what holds at the time of the worker's own clock; nothing is kept from
   one call to the next but what saves work, so that the answer is right whenever it is asked for.
2. Changes since the call before are told as events. Nobody acts on an event; they are there to be shown.
3. Calendars whose end comes near are renewed in the background, once a day at most.

The orchestrator compares what is wanted with what runs. `start` does the same for workers that are added by
`add_worker` and run in threads of this process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.worker import StrategyWorker, WorkerState
from quantcrafter.engine.orchestrator.factories import takes_config
from quantcrafter.engine.orchestrator.schedule import (
    WARN_DAYS,
    SchedulePhase,
    ScheduleState,
    TradingSchedule,
)
from quantcrafter.engine.orchestrator.trading_hours import Tables
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar
from quantcrafter.engine.trading_calendar.renewal import CalendarBook
from quantcrafter.engine.trading_calendar.zones import DAY_NS

log = logging.getLogger("quantcrafter.lifecycle")

MOST_EVENTS = 100
"""How many events are kept."""

RENEW_DAYS = 400
"""How far ahead a calendar is renewed."""

_EPOCH = date(1970, 1, 1)
_LONGEST_RETRY_S = 600.0
_END_S = 10.0
_ENDED = frozenset({WorkerState.STOPPED, WorkerState.ERROR})


WorkerFactory = Callable[..., StrategyWorker]


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    """What changed for a worker: its phase, a notice about its calendar, or a start or stop.

    `ts_ns` is the time of the worker's clock (UTC nanoseconds); `kind` is `phase`, `notice`, `started`, `stopped` or
    `failed`; `text` says it in words.
    """

    ts_ns: int
    worker: str
    kind: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"ts_ns": self.ts_ns, "worker": self.worker, "kind": self.kind, "text": str(self.text)}


class TradingScheduler:
    """Answers for one schedule, with the last answer kept for as long as it holds. Used by one thread at a time.

    Args:
        schedule: when what runs.
        clock: gives the time in UTC nanoseconds where a call gives none.
        tables: gives the calendars of exchanges by name.
    """

    def __init__(
        self,
        schedule: TradingSchedule | None = None,
        *,
        clock: Callable[[], int] = time.time_ns,
        tables: Tables = calendar,
    ) -> None:
        self.schedule = schedule or TradingSchedule()
        self._clock, self._tables = clock, tables
        self._state: ScheduleState | None = None
        self._holds = (0, 0)

    def state(self, now_ns: int | None = None) -> ScheduleState:
        """Return what holds at a moment, by default now."""
        now = self._clock() if now_ns is None else now_ns
        first, end = self._holds
        if self._state is None or not first <= now < end:
            found = self.schedule.at(now, self._tables)
            # Notices, and phases without an end in sight, are looked at again every day.
            begin = now - DAY_NS if found.since_ns is None else max(found.since_ns, now - DAY_NS)
            end = now + DAY_NS if found.until_ns is None else min(found.until_ns, now + DAY_NS)
            self._state, self._holds = found, (begin, end)
        return self._state

    def is_trading_time(self, now_ns: int | None = None) -> bool:
        """Return whether a session is open, breaks not counted."""
        return self.state(now_ns).is_trading_time

    def should_run(self, now_ns: int | None = None) -> bool:
        """Return whether the strategy should run: in a session, before it for the warm-up, and shortly after it."""
        return self.state(now_ns).runs

    def forget(self) -> None:
        """Forget the kept answer, as when a calendar was renewed."""
        self._state = None


@dataclass(slots=True, eq=False)
class _Run:
    """A worker that this process runs in a thread, and how often its start failed in a row."""

    worker: StrategyWorker
    factory: WorkerFactory | None
    config: dict[str, Any]
    thread: threading.Thread | None = None
    failures: int = 0
    retry_s: float = 0.0
    is_stopping: bool = False
    has_ended: bool = False
    """Whether it ended without being told to by its schedule: then it is started again in the next session."""
    session: int | None = None
    """The next session's opening, as it was when it was started: another one means another session."""

    @property
    def is_alive(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def made(self) -> StrategyWorker:
        """Return the worker for a further start: what the factory makes, else the same one."""
        if self.factory is None:
            return self.worker
        return self.factory(self.config) if takes_config(self.factory) else self.factory(**self.config)


class LifecycleManager:
    """Knows the schedules of all workers, and what should run now.

    All methods can be called by any thread.

    Args:
        auto_start: whether workers are started by their schedule.
        auto_stop: whether workers are stopped by their schedule.
        check_interval_sec: how often `start`'s thread compares what runs with what should.
        clock: gives the time in UTC nanoseconds where a worker has no clock of its own.
    """

    def __init__(
        self,
        auto_start: bool = True,  # noqa: FBT001, FBT002 - as its users call it
        auto_stop: bool = True,  # noqa: FBT001, FBT002 - the same
        check_interval_sec: float = 30.0,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.auto_start, self.auto_stop, self.check_interval_sec = auto_start, auto_stop, check_interval_sec
        self._clock = clock
        self._book = CalendarBook()
        self._schedulers: dict[str, TradingScheduler] = {}
        self._seen: dict[str, tuple[SchedulePhase, str]] = {}
        self._warned: set[str] = set()
        self._events: deque[LifecycleEvent] = deque(maxlen=MOST_EVENTS)
        self._runs: dict[str, _Run] = {}
        self._renewed_day: dict[str, int] = {}
        self._renewal: threading.Thread | None = None
        self._lock = threading.RLock()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------ what should run

    @property
    def tables(self) -> Tables:
        """What gives calendars by name, renewed when their end comes near; for others of the same thread."""
        return self._book

    def set_schedule(self, key: str, schedule: TradingSchedule | None = None) -> None:
        """Give a worker a schedule; without one it always runs."""
        with self._lock:
            self._schedulers[key] = TradingScheduler(schedule, clock=self._clock, tables=self._book)

    def forget(self, key: str) -> None:
        """Forget a worker, if it is known."""
        with self._lock:
            self._schedulers.pop(key, None)
            self._seen.pop(key, None)

    def wanted(self, now_ns: int | None = None, clocks: Mapping[str, int] | None = None) -> dict[str, ScheduleState]:
        """Return what each worker should do now, by key.

        Args:
            now_ns: the time in UTC nanoseconds; that of the clock if left out.
            clocks: the times of workers whose feed has a clock of its own.
        """
        now = self._clock() if now_ns is None else now_ns
        own = clocks or {}
        with self._lock:
            found = {key: each.state(own.get(key, now)) for key, each in self._schedulers.items()}
            for key, state in found.items():
                self._tell(key, state, own.get(key, now))
            self._renew(now)
        return found

    def _tell(self, key: str, state: ScheduleState, now_ns: int) -> None:
        phase, notice = self._seen.get(key, (None, ""))
        if phase is not state.phase:
            self._event(
                now_ns, key, "phase", Message("The schedule is in the phase '{phase}'.", phase=str(state.phase))
            )
        if state.notice and state.notice != notice:
            if state.notice not in self._warned:
                self._warned.add(state.notice)
                log.warning("%s", state.notice)
            self._event(now_ns, key, "notice", state.notice)
        self._seen[key] = (state.phase, state.notice)

    def _event(self, ts_ns: int, key: str, kind: str, text: str) -> None:
        self._events.append(LifecycleEvent(ts_ns, key, kind, text))

    def events(self) -> tuple[LifecycleEvent, ...]:
        """Return the latest events, oldest first."""
        with self._lock:
            return tuple(self._events)

    # ------------------------------------------------------------------ renewal

    def _renew(self, now_ns: int) -> None:
        """Renew calendars whose end is near in a thread, as that library takes seconds to import."""
        today = now_ns // DAY_NS
        hours = [each.schedule.hours for each in self._schedulers.values()]
        names = {name for each in hours if each is not None for name in each.calendars()}
        due = [
            name
            for name in sorted(names)
            if self._book(name).known[1] < today + 2 * WARN_DAYS and self._renewed_day.get(name) != today
        ]
        if not due or (self._renewal is not None and self._renewal.is_alive()):
            return
        self._renewed_day |= dict.fromkeys(due, today)
        until = _EPOCH + timedelta(days=int(today) + RENEW_DAYS)
        self._renewal = threading.Thread(target=self._renew_all, args=(due, until), name="calendars", daemon=True)
        self._renewal.start()

    def _renew_all(self, names: list[str], until: date) -> None:
        for name in names:
            if self._book.renew(name, until):
                log.info("%s", Message("The calendar {name} was renewed.", name=name))
                with self._lock:
                    for each in self._schedulers.values():
                        each.forget()

    # ------------------------------------------------------------------ workers in threads of this process

    def add_worker(
        self,
        worker: StrategyWorker,
        factory: WorkerFactory | None = None,
        config: Mapping[str, Any] | None = None,
        schedule: TradingSchedule | None = None,
    ) -> None:
        """Add a worker that `start` runs by its schedule, in a thread.

        Args:
            worker: the worker, not started.
            factory: makes the worker anew for each start after the first; without it the worker itself is run again.
            config: the factory's arguments, by name, or all in its one argument if that is called `config`.
            schedule: when it runs; always if left out.
        """
        with self._lock:
            self._runs[worker.key] = _Run(worker, factory, dict(config or {}))
            self.set_schedule(worker.key, schedule)

    def start(self) -> None:
        """Begin to start and stop the added workers by their schedules, in a thread. Repeated calls have no effect."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._ends.clear()
            self._thread = threading.Thread(target=self._watch, name="lifecycle", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop the added workers and the thread. Orders and positions stay as they are."""
        self._ends.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_END_S)
        with self._lock:
            runs = [run for run in self._runs.values() if run.is_alive]
            for run in runs:
                self._stop(run)
        for run in runs:
            if run.thread is not None:
                run.thread.join(_END_S)

    def check(self, now_ns: int | None = None) -> None:
        """Start and stop the added workers as their schedules have it now."""
        now = self._clock() if now_ns is None else now_ns
        with self._lock:
            wanted = self.wanted(now)
            for key, run in self._runs.items():
                state = wanted[key]
                is_over = run.has_ended and run.session == state.opens_ns
                if state.runs and not run.is_alive and not is_over and self.auto_start:
                    run.session = state.opens_ns
                    self._start(run, now)
                elif not state.runs and run.is_alive and not run.is_stopping and self.auto_stop:
                    self._stop(run)
                    self._event(now, key, "stopped", Message("The schedule stopped the worker."))

    def get_status(self) -> dict[str, Any]:
        """Return how many workers run and what their schedules say, as plain values."""
        with self._lock:
            states = self.wanted()
            alive = sum(run.is_alive for run in self._runs.values())
            return {
                "total_workers": len(self._schedulers),
                "active_workers": alive if self._runs else sum(each.runs for each in states.values()),
                "stopped_workers": len(self._runs) - alive
                if self._runs
                else sum(not each.runs for each in states.values()),
                "auto_start": self.auto_start,
                "auto_stop": self.auto_stop,
                "is_trading_time": any(each.is_trading_time for each in states.values()),
                "last_events": [event.to_json() for event in self._events],
            }

    def _watch(self) -> None:
        while not self._ends.is_set():
            try:
                self.check()
            except Exception:
                log.exception("%s", Message("The schedules could not be checked; this is tried again."))
            self._ends.wait(self.check_interval_sec)

    def _start(self, run: _Run, now_ns: int) -> None:
        """Run a worker in a thread; after a failure later and later."""
        if time.monotonic() < run.retry_s:
            return
        key = run.worker.key
        try:
            if run.worker.state in _ENDED:
                run.worker = run.made()
                run.worker._stop_event.clear()  # noqa: SLF001 - the contract of workers
        except Exception as error:  # noqa: BLE001 - a factory is a user's code
            self._failed(run, now_ns, key, error)
            return
        run.has_ended = run.is_stopping = False
        run.thread = threading.Thread(target=self._run, args=(run, key), name=key, daemon=True)
        run.thread.start()
        self._event(now_ns, key, "started", Message("The schedule started the worker."))

    def _run(self, run: _Run, key: str) -> None:
        worker = run.worker
        try:
            worker.load_state()
            worker.run()
        except Exception as error:  # noqa: BLE001 - a worker is a user's code
            worker._state = WorkerState.ERROR  # noqa: SLF001 - the contract of workers
            with self._lock:
                self._failed(run, self._clock(), key, error)
            return
        run.failures, run.has_ended = 0, not run.is_stopping
        if worker.state not in _ENDED:
            worker._state = WorkerState.STOPPED  # noqa: SLF001 - the same

    def _failed(self, run: _Run, now_ns: int, key: str, error: Exception) -> None:
        run.failures += 1
        delay = min(2.0**run.failures, _LONGEST_RETRY_S)
        run.retry_s = time.monotonic() + delay
        text = Message(
            "The worker failed: {type}: {text}. It is started again in {seconds:g} seconds.",
            type=type(error).__name__,
            text=str(error),
            seconds=delay,
        )
        log.error("%s: %s", key, text)
        self._event(now_ns, key, "failed", text)

    @staticmethod
    def _stop(run: _Run) -> None:
        run.is_stopping = True
        try:
            run.worker.stop()
        except Exception:
            log.exception("%s", Message("Stopping the worker '{key}' failed.", key=run.worker.key))
            run.worker._stop_event.set()  # noqa: SLF001 - the contract of workers
