"""Workers in host processes: what happens to one doesn't touch its neighbours, and a killed host comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.orchestrator.back_off import BackOff
from quantcrafter.engine.orchestrator.worker_log import LOG_FILE, last_lines
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.command_line import ROOT, clean_environment
from tests.support.live_cases import STOPPED, contents, to_its_end, worker_of
from tests.support.plugin_packages import install, plugin_site
from tests.support.supervised import FAULTY, config_of, is_alive, runs, supervised, until, wait_until, worker

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with plugin_site(tmp_path, monkeypatch) as folder:
        install(folder, "faulty-feed", FAULTY)
        yield folder


def steps(key: str) -> int:
    return sum(hasattr(each.given, "bars") for each in contents(workers_folder() / key)[0])


def messages(key: str) -> list[str]:
    return [json.loads(line)["message"] for line in last_lines(workers_folder() / key / LOG_FILE, 100)]


def test_a_signal_to_the_whole_group_is_left_to_the_supervisor(
    site: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    del site, monkeypatch
    with supervised(config_of(STOPPED.replace("bars: 160", "bars: 9000"), "one", load_registry())) as supervisor:
        until(supervisor, lambda: runs(supervisor, "one"))
        (pid,) = supervisor.host_pids().values()
        os.kill(pid, signal.SIGTERM)
        before = steps("one")
        until(supervisor, lambda: steps("one") > before + 3)
        assert supervisor.host_pids() == {"host-1": pid}
    assert "unexpectedly" not in caplog.text
    assert messages("one")[-1] == "The worker is stopped."


def test_workers_of_a_host_go_to_the_end_of_their_feeds_and_their_logs_say_so(site: Path, tmp_path: Path) -> None:
    del site
    registry = load_registry()
    configs = [config_of(STOPPED.replace("seed: 3", f"seed: {n}"), f"w{n}", registry, "replay:max") for n in (3, 4)]
    with supervised(*configs) as supervisor:
        until(supervisor, lambda: all(each.over for each in supervisor.workers().values()))
        assert len(supervisor.host_pids()) == 1
        supervisor.start(configs[0])
        until(supervisor, lambda: worker(supervisor, "w3").over)
    assert {each.state for each in supervisor.workers().values()} == {WorkerState.STOPPED}
    to_its_end(worker_of(load_text(STOPPED, registry), tmp_path / "w3"))
    assert contents(workers_folder() / "w3") == contents(tmp_path / "w3")
    assert [each for each in messages("w4") if "worker" in each or "feed" in each] == [
        "The worker began.",
        "The worker has nothing more to do.",
        "The worker is stopped.",
    ]


def test_a_worker_that_raises_ends_alone_and_is_tried_again_when_it_is_started_again(
    site: Path, tmp_path: Path
) -> None:
    del site
    registry, flag = load_registry(), tmp_path / "flag"
    faulty, good = (
        config_of(STOPPED, "bad", registry, f"faulty:{flag}"),
        config_of(STOPPED, "good", registry),
    )
    with supervised(faulty, good) as supervisor:
        until(supervisor, lambda: runs(supervisor, "bad", "good"))
        hosts = supervisor.host_pids()
        flag.write_text("raise")
        until(supervisor, lambda: worker(supervisor, "bad").state is WorkerState.ERROR)
        assert "the line is broken" in worker(supervisor, "bad").error
        assert worker(supervisor, "bad").is_failed
        before = steps("good")
        until(supervisor, lambda: steps("good") > before)
        assert (supervisor.host_pids(), runs(supervisor, "good")) == (hosts, True)
        flag.unlink()
        supervisor.start(faulty)
        until(supervisor, lambda: runs(supervisor, "bad"))
        supervisor.stop("bad")
        until(supervisor, lambda: worker(supervisor, "bad").state is WorkerState.STOPPED)
        assert (supervisor.host_pids(), runs(supervisor, "good")) == (hosts, True)
    assert any("the line is broken" in each for each in messages("bad"))
    assert not any("broken" in each for each in messages("good"))


def test_a_worker_that_hangs_is_seen_and_goes_on_in_a_host_of_its_own(site: Path, tmp_path: Path) -> None:
    del site
    registry, flag = load_registry(), tmp_path / "flag"
    faulty, good = config_of(STOPPED, "bad", registry, f"faulty:{flag}"), config_of(STOPPED, "good", registry)
    with supervised(faulty, good, step_s=3.0) as supervisor:
        until(supervisor, lambda: runs(supervisor, "bad", "good") and steps("good") > 2)
        (first,) = supervisor.host_pids().values()
        flag.write_text("hang")
        until(supervisor, lambda: worker(supervisor, "bad").state is WorkerState.ERROR)
        assert "did not respond for 3 s" in worker(supervisor, "bad").error
        assert not is_alive(first)
        flag.unlink()
        before = steps("good")
        until(supervisor, lambda: runs(supervisor, "good", "bad") and steps("good") > before)
        assert worker(supervisor, "bad").host != worker(supervisor, "good").host
        assert len(supervisor.host_pids()) == 2
        supervisor.stop("bad")
        until(supervisor, lambda: len(supervisor.host_pids()) == 1)
    assert any("did not respond" in each for each in messages("bad"))


def test_a_killed_host_comes_back_with_its_workers(site: Path) -> None:
    del site
    with supervised(config_of(STOPPED, "one", load_registry())) as supervisor:
        until(supervisor, lambda: runs(supervisor, "one") and steps("one") > 2)
        (pid,) = supervisor.host_pids().values()
        before = steps("one")
        os.kill(pid, signal.SIGKILL)
        until(supervisor, lambda: worker(supervisor, "one").state is WorkerState.STOPPED)
        until(supervisor, lambda: runs(supervisor, "one") and steps("one") > before)
    assert any("ended unexpectedly" in each for each in messages("one"))
    assert any("goes on after" in each for each in messages("one"))


ALONE = """
import sys
from quantcrafter.engine.orchestrator.supervisor import Supervisor
from quantcrafter.engine.plugins import load_registry
from tests.support.live_cases import STOPPED
from tests.support.supervised import SLOW, config_of, runs, until

if __name__ == "__main__":
    supervisor = Supervisor()
    supervisor.start(config_of(STOPPED, "one", load_registry(), SLOW))
    until(supervisor, lambda: runs(supervisor, "one"))
    print(*supervisor.host_pids().values(), flush=True)
    while True:
        supervisor.look()
"""


def test_hosts_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "alone.py"
    script.write_text(ALONE, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=ROOT, env=clean_environment(tmp_path / "home"), stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            pids = [int(each) for each in process.stdout.readline().split()]
            assert pids
            assert all(map(is_alive, pids))
        finally:
            process.kill()
    wait_until(lambda: not any(map(is_alive, pids)))


def test_the_wait_becomes_longer_up_to_a_limit_and_begins_again() -> None:
    back_off = BackOff(1.0, 10.0)
    assert [back_off.after(0.5) for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert back_off.after(10.0) == 1.0
