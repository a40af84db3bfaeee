"""A host without its process: schedules, what users ask, and what of it is told."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import time
import weakref
from datetime import UTC, datetime
from functools import partialmethod
from pathlib import Path
from typing import Any

import psutil
import pytest

from quantcrafter.engine.feeds.stored import StoredConnection
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator import host
from quantcrafter.engine.orchestrator.host import WorkerHost
from quantcrafter.engine.orchestrator.host_messages import (
    Beat,
    CommandDone,
    CommandWorker,
    HostSaid,
    StartWorker,
    StopWorker,
    WorkerSaid,
)
from quantcrafter.engine.orchestrator.lifecycle import LifecycleEvent
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.orchestrator.worker_log import LOG_FILE, WorkerLogs, last_lines
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.counts import sample
from tests.support.live_cases import STOPPED
from tests.support.plugin_packages import module
from tests.support.reliability import record

WALL = '''
from quantcrafter.engine.feeds.stored import StoredFeed

class WallFeed(StoredFeed):
    """Stored bars as if they came in real time."""
    name = "wall"
    own_clock = False

@hookimpl
def register_feeds():
    return [WallFeed]
'''


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(extra_plugins=[("wall", module("wall_feed", WALL))])


class Hosted:
    """A host with what it said."""

    def __init__(self, registry: Registry, tmp_path: Path) -> None:
        self.said: list[HostSaid] = []
        self.now = "2026-03-07T15:00"
        self.logs = WorkerLogs(tmp_path / "rest.log")
        self.host = WorkerHost(self.said.append, Beat([0, 0, 0]), self.logs, lambda: registry, self.clock)
        self.registry = registry

    def clock(self) -> int:
        return int(datetime.fromisoformat(self.now).replace(tzinfo=UTC).timestamp()) * 1_000_000_000

    def start(self, feed: str, *changes: str, text: str = STOPPED) -> None:
        graph = load_text(text, self.registry, overrides=list(changes))
        config = WorkerConfig.of(graph, "one", feed=feed, broker="paper", mode="paper")
        self.host.take(StartWorker(1, config))

    def at(self, now: str, turns: int = 3) -> list[WorkerSaid]:
        """Take turns at a time, and return what is said of workers."""
        self.now = now
        self.said.clear()
        for _ in range(turns):
            self.host._looked_s = -host.SCHEDULE_S * 10
            self.host.turn()
        return [each for each in self.said if isinstance(each, WorkerSaid)]

    def ask(self, verb: str) -> str:
        self.said.clear()
        self.host.take(CommandWorker("one", verb, 5))
        self.host.turn()
        (done,) = (each for each in self.said if isinstance(each, CommandDone))
        assert (done.key, done.number) == ("one", 5)
        return done.error


@pytest.fixture
def hosted(registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level("INFO", "quantcrafter")
    made = Hosted(registry, tmp_path)
    root = logging.getLogger()
    root.addHandler(made.logs)
    yield made
    made.host.close()
    root.removeHandler(made.logs)
    made.logs.close()


def messages() -> list[str]:
    return [json.loads(line)["message"] for line in last_lines(workers_folder() / "one" / LOG_FILE, 1000)]


def commands() -> list[str]:
    with InputLog.read(workers_folder() / "one" / LOG) as log:
        return [each.given.verb for each in log.inputs() if hasattr(each.given, "verb")]


def test_a_worker_runs_in_the_hours_of_its_schedule_and_what_is_asked_meanwhile_is_kept(hosted: Hosted) -> None:
    hosted.start("wall:0.1x", "run.schedule.hours=XNYS")
    (starting, waits) = hosted.at("2026-03-07T15:00")  # a Saturday
    assert (starting.state, waits.state, waits.waits) == ("starting", "created", True)
    assert hosted.at("2026-03-08T12:00") == []
    assert hosted.ask("no-entries") == ""
    assert commands() == ["no-entries"]
    (closed,) = hosted.at("2026-03-08T12:00")
    assert (closed.state, closed.waits) == ("stopped", True)

    told = hosted.at("2026-03-09T14:30")
    assert [each.state for each in told] == ["starting", "reducing"]
    assert any(isinstance(each, LifecycleEvent) for each in hosted.said)
    assert hosted.at("2026-03-09T19:59") == []
    assert [each.state for each in hosted.at("2026-03-09T22:00")] == ["stopped"]
    hosted.said.clear()
    hosted.host.take(StopWorker("one"))
    assert [(each.state, each.waits) for each in hosted.said if isinstance(each, WorkerSaid)] == [("stopped", False)]
    assert hosted.at("2026-03-10T15:00") == []
    assert any("waits for the hours" in each for each in messages())


def test_positions_are_closed_before_a_session_ends_and_only_a_user_ends_what_a_user_asked_for(hosted: Hosted) -> None:
    hosted.start("wall:0.1x", "run.schedule.hours=XNYS", "run.schedule.flat_minutes=30")
    assert [each.state for each in hosted.at("2026-03-09T14:30")] == ["starting", "running"]
    assert [each.state for each in hosted.at("2026-03-09T19:45")] == ["reducing"]
    assert [each.state for each in hosted.at("2026-03-09T22:00")] == ["stopped"]
    assert [each.state for each in hosted.at("2026-03-10T14:30")] == ["starting", "reducing", "running"]
    assert hosted.ask("pause") == ""
    assert [each.state for each in hosted.at("2026-03-10T19:45")] == ["reducing"]
    hosted.at("2026-03-10T22:00")
    assert [each.state for each in hosted.at("2026-03-11T14:30")] == ["starting", "reducing"]
    assert commands() == ["flatten", "resume", "pause", "flatten"]
    assert hosted.ask("resume") == ""
    assert [each.state for each in hosted.at("2026-03-11T15:00")] == []
    assert any("until a user says 'resume'" in each for each in messages())


def test_a_replay_closes_positions_by_its_own_clock(hosted: Hosted) -> None:
    text = STOPPED.replace("1d", "1h").replace("bars: 160", "bars: 2000")
    hosted.start("replay:max", "run.schedule.hours=XNYS", "run.schedule.flat_minutes=60", text=text)
    hosted.at("2026-03-07T15:00", 40)
    found = commands()
    assert found[:4] in (["flatten", "resume", "flatten", "resume"], ["resume", "flatten", "resume", "flatten"])
    assert len(found) > 6


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted by the system")
def test_a_day_of_minutes_takes_no_more_files_and_memory_than_its_first_hours(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers at 60x by a clock that the test moves: one minute of their market each turn."""
    count, minutes = sample(5, of=30), sample(120, of=24 * 60)
    root = logging.getLogger()  # those of pytest keep what is logged in memory
    monkeypatch.setattr(root, "handlers", [each for each in root.handlers if isinstance(each, WorkerLogs)])
    clock, connection = [1_000.0], StoredConnection.__init__
    monkeypatch.setattr(StoredConnection, "__init__", partialmethod(connection, clock=lambda: clock[0]))
    text = STOPPED.replace("1d", "1m").replace("bars: 160", f"bars: {2 * 24 * 60}")
    for number in range(count):
        graph = load_text(text.replace("seed: 3", f"seed: {number}"), hosted.registry)
        config = WorkerConfig.of(graph, f"w{number}", feed="replay:60x", broker="paper", mode="paper")
        hosted.host.take(StartWorker(number + 1, config))
    hosted.at("2026-03-07T15:00", 2 * count)
    used = []
    began_s = time.perf_counter()
    for minute in range(minutes):
        clock[0] += 1.0
        hosted.host.turn()
        if (minute + 1) % (minutes // 8) == 0:
            for served in hosted.host._served.values():
                served.worker.save_state()  # books are kept in memory until then
            used.append((len(os.listdir("/proc/self/fd")), objects(), memory_mb()))  # noqa: PTH208 - names are counted
    lasted_s = time.perf_counter() - began_s
    steps = {each.worker.core.session.steps for each in hosted.host._served.values()}
    assert len(hosted.host._served) == count
    assert min(steps) >= minutes - 1
    files, tracked, _ = zip(*used, strict=True)
    assert files[-1] <= files[0]
    assert tracked[-1] < tracked[1] * 1.02
    rows = [(f"{(n + 1) * minutes // 8 // 60} h", *each) for n, each in enumerate(used) if n % 2]
    headings = ("simulated time", "open files", "Python objects", "memory, MB")
    record("a day of workers", headings, rows)
    sys.stdout.write(f"{count} workers, {minutes} minutes in {lasted_s:.0f} s: {rows}\n")


def objects() -> int:
    """Return how many objects there are; connections to databases keep up to 200 weak references each."""
    gc.collect()
    # By the type itself: `isinstance` asks a proxy for what it stands for, which may be gone.
    return sum(not issubclass(type(each), weakref.ref) for each in gc.get_objects())


def memory_mb() -> int:
    return int(psutil.Process().memory_info().rss / 1e6)


def test_a_feed_with_a_clock_of_its_own_is_not_closed_by_the_hours(hosted: Hosted) -> None:
    hosted.start("replay:0.1x", "run.schedule.hours=XNYS")
    assert [each.state for each in hosted.at("2026-03-07T15:00")] == ["starting", "running"]


def test_what_a_user_asks_is_done_and_told(hosted: Hosted) -> None:
    assert "'one' is not running" in hosted.ask("pause")
    hosted.start("replay:max", text=STOPPED.replace("bars: 160", "bars: 4000"))
    hosted.host.take(CommandWorker("one", "pause", 4))
    assert [each.state for each in hosted.at("2026-03-07T15:00", 1)] == ["starting", "running", "paused"]
    assert hosted.ask("resume") == ""
    assert "a verb is one of" in hosted.ask("sing")
    kill = workers_folder() / "one" / "kill"
    kill.write_text("cancel", encoding="utf-8")
    assert "can't resume while the file" in hosted.ask("resume")
    kill.unlink()
    assert hosted.ask("stop") == ""
    told = hosted.at("2026-03-07T15:00")
    assert (told[-1].state, told[-1].over) == ("stopped", True)
    assert "A user asks: stop." in messages()
    assert any(each.startswith("Order ") and "filled at" in each for each in messages())


def test_a_strategy_that_cannot_run_fails_alone(hosted: Hosted) -> None:
    hosted.start("none")
    (_, failed) = hosted.at("2026-03-07T15:00", 1)
    assert (failed.state, failed.again) == ("error", False)
    assert "there is no feed 'none'" in failed.error
    assert any("there is no feed" in each for each in messages())
