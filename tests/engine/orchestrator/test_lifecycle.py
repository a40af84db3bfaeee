"""The lifecycle of workers: derived from the schedule at each look, whatever happened before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api.schedule import Schedule
from quantcrafter.engine.live.worker import StrategyWorker, WorkerState
from quantcrafter.engine.orchestrator.lifecycle import LifecycleManager, TradingScheduler
from quantcrafter.engine.orchestrator.schedule import SchedulePhase, TradingSchedule, trading_schedule
from tests.engine.orchestrator.test_schedule import MINUTE_NS, SHANGHAI, XSHG, ns, some_schedule

OPEN, LUNCH, NIGHT = (ns(f"2026-09-29 {text}", SHANGHAI) for text in ("10:00", "12:00", "20:00"))
HOLIDAY = ns("2026-10-02 10:00", SHANGHAI)


class Clock:
    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


class Waiting(StrategyWorker):
    """Does nothing until it is stopped, as the first generation's example does."""

    def run(self) -> None:
        self._state = WorkerState.RUNNING
        while not self._stop_event.is_set():
            self._stop_event.wait(timeout=1)
        self._state = WorkerState.STOPPED


def until(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_each_worker_has_its_own_schedule_and_clock() -> None:
    manager = LifecycleManager(clock=Clock(OPEN))
    manager.set_schedule("cn", trading_schedule(XSHG))
    manager.set_schedule("replayed", trading_schedule(XSHG))
    manager.set_schedule("always")
    found = manager.wanted(clocks={"replayed": HOLIDAY})
    assert {key: each.runs for key, each in found.items()} == {"cn": True, "replayed": False, "always": True}
    manager.forget("cn")
    assert set(manager.wanted()) == {"replayed", "always"}


@pytest.mark.parametrize("times", [(OPEN, NIGHT, OPEN), (NIGHT, HOLIDAY, OPEN), (HOLIDAY, OPEN, NIGHT, LUNCH)])
def test_a_sleep_and_a_clock_that_is_set_in_either_direction_end_in_the_right_state(times: tuple[int, ...]) -> None:
    manager = LifecycleManager()
    manager.set_schedule("cn", trading_schedule(XSHG))
    for moment in times:
        assert manager.wanted(moment)["cn"] == trading_schedule(XSHG).at(moment)


@given(number=st.integers(0, 5), minutes=st.lists(st.integers(0, 60 * 24 * 500), min_size=1, max_size=8))
def test_the_answer_depends_on_the_time_alone(number: int, minutes: list[int]) -> None:
    schedule = some_schedule(number)
    scheduler = TradingScheduler(schedule)
    begin = ns("2025-01-01 00:00")
    for minute in minutes:
        now = begin + minute * MINUTE_NS
        fresh = schedule.at(now)
        assert scheduler.state(now).phase is fresh.phase
        assert scheduler.should_run(now) is fresh.runs
        assert scheduler.state(now).flat is fresh.flat


def test_a_state_that_holds_is_not_computed_again() -> None:
    looked_up: list[str] = []

    def tables(name: str) -> Any:
        from quantcrafter.engine.trading_calendar.exchange_calendar import calendar

        looked_up.append(name)
        return calendar(name)

    scheduler = TradingScheduler(trading_schedule(XSHG), tables=tables)
    scheduler.state(OPEN)
    once = len(looked_up)
    assert all(scheduler.is_trading_time(OPEN + n * MINUTE_NS) for n in range(80))
    assert len(looked_up) == once
    assert not scheduler.is_trading_time(LUNCH)
    assert len(looked_up) > once


def test_changes_are_told_once() -> None:
    manager = LifecycleManager()
    manager.set_schedule("cn", trading_schedule(XSHG))
    for moment in (OPEN, OPEN + MINUTE_NS, LUNCH, LUNCH + MINUTE_NS, NIGHT):
        manager.wanted(moment)
    told = [(each.worker, each.kind, each.text) for each in manager.events()]
    assert told == [
        ("cn", "phase", f"The schedule is in the phase '{phase}'.") for phase in ("open", "break", "closed")
    ]


def test_the_end_of_a_calendar_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    manager = LifecycleManager()
    manager.set_schedule("cn", trading_schedule(XSHG))
    late = ns("2031-03-05 10:00", SHANGHAI)
    for n in range(3):
        manager.wanted(late + n * MINUTE_NS)
    assert [each.kind for each in manager.events()] == ["phase", "notice"]
    manager.set_schedule("cn2", trading_schedule(XSHG))
    manager.wanted(late)
    assert sum("holidays of XSHG" in record.getMessage() for record in caplog.records) == 1


# ---------------------------------------------------------------------- workers in threads


@pytest.fixture
def manager() -> Any:
    made = LifecycleManager(check_interval_sec=0.02, clock=Clock(NIGHT))
    yield made
    made.stop()
    assert not [each for each in threading.enumerate() if each.name in ("lifecycle", "AAPL_x")]


def set_clock(manager: LifecycleManager, now_ns: int) -> None:
    manager._clock.now_ns = now_ns  # type: ignore[attr-defined]


@pytest.mark.parametrize("takes_one", [False, True])
def test_a_worker_is_started_and_stopped_by_its_schedule_and_made_anew_the_next_day(
    manager: LifecycleManager, *, takes_one: bool
) -> None:
    made: list[Waiting] = []

    def by_name(**config: Any) -> Waiting:
        made.append(Waiting(**config))
        return made[-1]

    def by_config(config: dict[str, Any]) -> Waiting:
        return by_name(**config)

    factory = by_config if takes_one else by_name
    config = {"symbol": "AAPL", "strategy_key": "x"}
    first = Waiting(**config)
    manager.add_worker(first, factory, config, trading_schedule(XSHG))
    manager.start()
    until(lambda: manager.get_status()["stopped_workers"] == 1)
    assert first.state is WorkerState.CREATED
    set_clock(manager, OPEN)
    until(lambda: first.state is WorkerState.RUNNING)
    status = manager.get_status()
    assert (status["active_workers"], status["is_trading_time"]) == (1, True)
    set_clock(manager, NIGHT)
    until(lambda: first.state is WorkerState.STOPPED)
    set_clock(manager, OPEN + 24 * 60 * MINUTE_NS)
    until(lambda: bool(made) and made[0].state is WorkerState.RUNNING)
    kinds = [each["kind"] for each in manager.get_status()["last_events"]]
    assert [kind for kind in kinds if kind != "phase"] == ["started", "stopped", "started"]


@pytest.mark.logs_errors
def test_a_start_that_fails_is_tried_again(manager: LifecycleManager, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    class Failing(Waiting):
        def run(self) -> None:
            tries.append(1)
            if len(tries) == 1:
                raise OSError("no gateway")
            super().run()

    with caplog.at_level("CRITICAL"):
        worker = Failing("AAPL", "x")
        manager.add_worker(worker, schedule=trading_schedule(XSHG))
        set_clock(manager, OPEN)
        manager.start()
        until(lambda: len(tries) == 2 and worker.state is WorkerState.RUNNING)
    assert "failed" in [each.kind for each in manager.events()]
    manager.stop()


def test_a_worker_that_has_ended_is_not_started_again_in_the_same_session(manager: LifecycleManager) -> None:
    worker = Waiting("AAPL", "x")
    manager.add_worker(worker, schedule=TradingSchedule())
    manager.check()
    until(lambda: worker.state is WorkerState.RUNNING)
    worker.stop()
    until(lambda: worker.state is WorkerState.STOPPED)
    for _ in range(5):
        manager.check()
    assert manager.get_status()["active_workers"] == 0


def test_nothing_is_started_or_stopped_that_should_not_be() -> None:
    manager = LifecycleManager(auto_start=False, auto_stop=False, clock=Clock(OPEN))
    worker = Waiting("AAPL", "x")
    manager.add_worker(worker, schedule=trading_schedule(XSHG))
    manager.check()
    assert worker.state is WorkerState.CREATED
    status = manager.get_status()
    assert (status["auto_start"], status["auto_stop"], status["total_workers"]) == (False, False, 1)
    assert status["last_events"][-1]["kind"] == "phase"
    assert manager.wanted()["AAPL_x"].phase is SchedulePhase.OPEN


def test_a_schedule_reads_as_its_file_has_it() -> None:
    settings = Schedule(hours="XNYS", lead_minutes=1, after_minutes=2, flat_minutes=3, breaks="stop")
    made = trading_schedule(settings)
    assert (made.lead_ns, made.after_ns, made.flat_ns, made.stops_in_breaks) == (
        MINUTE_NS,
        2 * MINUTE_NS,
        3 * MINUTE_NS,
        True,
    )
