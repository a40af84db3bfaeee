"""kill -9 of hosts and of the orchestrator at random moments: the same logs and states as an undisturbed run.

The processes are those that a user starts. Kills at named points, in large numbers: `test_kill_points.py`.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from quantcrafter.engine.api import FeedState
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.control import ask
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph
from tests.support.counts import sample, seed
from tests.support.live_cases import STOPPED, contents, to_its_end, worker_of
from tests.support.orchestrators import kill, started, told
from tests.support.supervised import wait_until

KILLS = sample(4, of=60)
MOST = 4
"""How many kills a run of the workers goes through at most."""
FEED = ("--feed", "replay:1000000x", "-q")
BARS = 600
TEXTS = {
    "first": STOPPED.replace("bars: 160", f"bars: {BARS}").replace("1d", "1h"),
    "second": STOPPED.replace("bars: 160", f"bars: {BARS}").replace("1d", "1h").replace("seed: 3", "seed: 5"),
}


def last_input(key: str) -> int:
    """Return the number of the last input in a worker's log; 0 if there is none."""
    path = workers_folder() / key / LOG
    if not path.exists():
        return 0
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT coalesce(max(seq), 0) FROM inputs").fetchone()[0])
    return 0


def is_over(key: str) -> bool:
    """Return whether a worker has had all its bars."""
    with InputLog.read(workers_folder() / key / LOG) as log:
        return any(isinstance(each.given, FeedState) for each in log.inputs(log.last_seq - 1))


def goes_on(key: str, more: int) -> bool:
    """Wait until a worker has had some further inputs; return False if it is over."""
    target = min(last_input(key) + more, BARS)
    wait_until(lambda: last_input(key) >= target)
    return not is_over(key)


def killed(rng: random.Random, files: list[str], home: Path, most: int) -> int:
    """Run workers to the end of their bars, with up to `most` kills; return how many there were."""
    count, arguments = 0, files
    while True:
        with started(*arguments, *FEED, home=home) as process:
            if process.poll() is not None:
                return count  # both are over
            again = False
            while count < most and not again and goes_on(rng.choice(list(TEXTS)), rng.randrange(1, 100)):
                time.sleep(rng.random() * 0.02)
                again = rng.random() < 0.4
                if again:
                    kill(process)
                else:
                    wait_until(lambda: told()["hosts"])
                    os.kill(rng.choice(list(told()["hosts"].values())), SIGKILL)
                count += 1
            if not again:
                wait_until(lambda: all(map(is_over, TEXTS)))
                assert main(["stop"]) == 0
                return count
        arguments = []


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are killed by signals")
def test_killed_hosts_and_orchestrators_lead_to_the_state_of_an_undisturbed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed("killed orchestrators"))  # noqa: S311 - cases of a test
    expected: dict[str, Any] = {}
    files = []
    for key, text in TEXTS.items():
        path = tmp_path / f"{key}.yaml"
        path.write_text(text, encoding="utf-8")
        files.append(str(path))
        to_its_end(worker_of(load_graph(path, load_registry()), tmp_path / "undisturbed" / key, snapshot_steps=500))
        expected[key] = contents(tmp_path / "undisturbed" / key)
    count = 0
    while count < KILLS:
        home = tmp_path / "home"
        monkeypatch.setenv("QUANTCRAFTER_HOME", str(home))
        try:
            count += killed(rng, files, home, min(MOST, KILLS - count))
            for key in TEXTS:
                assert contents(workers_folder() / key) == expected[key]
        finally:
            found = ask("status")
            assert found is None, found
        shutil.rmtree(home)
    assert count == KILLS
