"""A recording of a killed worker, replayed, gives the same state and commands."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.feeds import clocked
from quantcrafter.engine.live import session_worker
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import STOPPED, abandon, contents, in_a_child, killed_at, to_its_end, worker_of


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is made by fork")
def test_a_recording_of_a_killed_worker_gives_its_state_and_commands_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocked, "MOST_MOMENTS", 8)
    registry = load_registry()
    graph = load_text(STOPPED, registry)
    folder = tmp_path / "one"

    def work(tell: object) -> None:
        del tell
        with killed_at(15, "after", lambda *_: None):
            to_its_end(worker_of(graph, folder))

    assert in_a_child(work)[1] == -9
    with InputLog.read(folder / LOG) as log:
        log.copy_to(tmp_path / "one.qcflight")
        recorded, last = list(log.outputs()), log.last_seq
    first = replay_recording(tmp_path / "one.qcflight", registry)
    assert (first.begin, first.different) == (1, ())
    assert list(first.outputs)[: len(recorded)] == recorded != []
    assert first == replay_recording(tmp_path / "one.qcflight", registry)

    resumed = worker_of(graph, folder)
    resumed.start()
    assert resumed.core.kept() == first.state
    resumed.close()
    with InputLog.read(folder / LOG) as log:
        assert list(log.outputs(upto=last)) == list(first.outputs)


def test_an_output_that_is_not_what_it_was_is_found(tmp_path: Path) -> None:
    registry = load_registry()
    to_its_end(worker_of(load_text(STOPPED, registry), tmp_path))
    with sqlite3.connect(tmp_path / LOG) as connection:
        (seq,) = connection.execute("SELECT seq FROM outputs WHERE kind = 'filled' LIMIT 1").fetchone()
        connection.execute("UPDATE outputs SET body = '{}' WHERE seq = ? AND kind = 'filled'", (seq,))
    connection.close()
    assert replay_recording(tmp_path / LOG, registry).different == (seq,)


def test_a_log_without_its_old_bars_is_replayed_from_its_oldest_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_worker, "MOST_BARS", 60)
    monkeypatch.setattr(clocked, "MOST_MOMENTS", 8)
    registry = load_registry()
    worker = worker_of(load_text(STOPPED, registry), tmp_path / "one", snapshot_steps=10)
    worker.start()
    for _ in range(14):
        worker.step()
    abandon(worker)
    with InputLog.read(tmp_path / "one" / LOG) as log:
        oldest = log.snapshots()[0]
        assert 0 < log.compacted < oldest  # further snapshots came after bars were dropped
    replayed = replay_recording(tmp_path / "one" / LOG, registry)
    assert (replayed.begin, replayed.different) == (oldest, ())
    assert replayed.outputs
    assert replayed.state == contents(tmp_path / "one")[2]


def test_a_log_that_was_never_begun_can_not_be_replayed(tmp_path: Path) -> None:
    with InputLog.open(tmp_path):
        pass
    with pytest.raises(RunError, match="no beginning"):
        replay_recording(tmp_path / LOG, load_registry())


def test_workers_of_one_process_take_turns_and_have_the_books_of_each_alone(tmp_path: Path) -> None:
    registry = load_registry()
    texts = [STOPPED.replace("percent: 3", f"percent: {number}") for number in (2, 3, 4)]
    alone = [
        to_its_end(worker_of(load_text(text, registry), tmp_path / "alone" / str(n))) for n, text in enumerate(texts)
    ]
    workers = [worker_of(load_text(text, registry), tmp_path / "many" / str(n)) for n, text in enumerate(texts)]
    for worker in workers:
        worker.start()
    while not all(worker.has_ended for worker in workers):
        for worker in workers:
            worker.step()
    for worker, ledger in zip(workers, alone, strict=True):
        assert len(worker.ledger().fills) == len(ledger.fills) > 10
        assert worker.ledger().equity.tolist() == ledger.equity.tolist()
        worker.close()
