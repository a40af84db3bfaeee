"""Hosts that are killed while rows change: each change is made once, and position and orders go on."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.orchestrator.registry import registered_worker
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.spec.identity import strategy_hash
from quantcrafter.engine.store.sqlite import SqliteStore
from tests.support.counts import sample, seed
from tests.support.store_reload import HOLDER, holds, row, served, soon, status_of


def edited(percent: int) -> str:
    return HOLDER.replace("percent: 90", f"percent: {percent}")


def hash_of(text: str) -> str:
    return strategy_hash(load_text(text, load_registry()).spec)


def fills() -> list[object]:
    with InputLog.read(workers_folder() / "one" / LOG) as log:
        return [each["lots"] for each in events_of(log) if each["kind"] == "filled"]


@pytest.mark.slow
@pytest.mark.long
def test_a_change_is_made_once_whenever_the_host_is_killed(tmp_path: Path) -> None:
    rng = random.Random(seed("kills of changes"))  # noqa: S311 - moments of a test
    store = SqliteStore(tmp_path / "strategies.db")
    store.put(row("one", HOLDER))
    with served(store) as found:
        soon(lambda: holds("one"), found.reload.status)
        for number in range(sample(4, of=60)):
            text = edited(89 - number % 80)
            store.put(row("one", text))
            time.sleep(rng.random() * 0.6)
            for pid in found.orchestrator.status()["hosts"].values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            wanted = hash_of(text)
            soon(lambda wanted=wanted: found.runs("one", strategy_hash=wanted), found.reload.status)
            soon(lambda wanted=wanted: status_of("one").strategy_hash == wanted)
            assert not found.problem("one")
        assert dict(status_of("one").positions) == {"ONE": 10.0}
    assert fills() == [10]
    assert replay_recording(workers_folder() / "one" / LOG, load_registry()).different == ()
    registered = registered_worker("one")
    assert registered is not None
    assert registered.config.strategy_hash == wanted


@pytest.mark.slow
def test_what_was_changed_in_the_log_and_not_yet_registered_goes_on_as_the_log_has_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "strategies.db")
    store.put(row("one", HOLDER))
    with served(store) as found:
        soon(lambda: holds("one"), found.reload.status)
    graph, new = load_text(HOLDER, load_registry()), load_text(edited(50), load_registry())
    worker = SessionWorker(graph, StoredFeed(speed="400000x"), PaperBroker(), workers_folder() / "one")
    worker.start()
    worker.change(new)
    worker.close()
    registered = registered_worker("one")
    assert registered is not None
    assert registered.config.strategy_hash == hash_of(HOLDER)
    for text in (edited(50), HOLDER):  # the row is as the log, and as before it
        store.put(row("one", text))
        with served(store) as found:
            wanted = hash_of(text)
            soon(
                lambda wanted=wanted: found.runs("one", strategy_hash=wanted),
                found.reload.status,
            )
            soon(lambda: dict(status_of("one").positions) == {"ONE": 10.0})
            assert not found.problem("one")
    assert fills() == [10]
    assert not (workers_folder() / "one" / "previous").exists()
