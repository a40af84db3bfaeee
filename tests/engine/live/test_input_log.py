"""The log of a worker: what was committed is there, in order, whatever ends the process."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from pathlib import Path

import pytest

from quantcrafter.engine.api import FeedState, RunError
from quantcrafter.engine.api.locks import try_lock
from quantcrafter.engine.feeds import clocked
from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.folding import fold
from quantcrafter.engine.live.input_log import InputLog, Kept, NumberedInput, NumberedOutput, is_running
from quantcrafter.engine.live.inputs import ClockTick, LiveInput, LiveOutput
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.counts import sample, seed
from tests.support.live_cases import (
    BOUNDARIES,
    STOPPED,
    Case,
    abandon,
    assert_same_books,
    backtest_of,
    contents,
    in_a_child,
    killed_at,
    to_its_end,
    worker_of,
)

SHORT = STOPPED.replace("bars: 160", "bars: 60")


@pytest.fixture(scope="module")
def case() -> Case:
    return Case.of(SHORT)


def written(folder: Path, case: Case, steps: int = 20, *, every: int = 5, older: int = 99) -> StrategyCore:
    """Write a log with a snapshot after some steps, and return the core at its end."""
    core: StrategyCore = case.core()
    with InputLog.open(folder) as log:
        log.anchor(case.anchor, case.known)
        known = {name: len(bars) for name, bars in case.known.items()}
        for number, step in enumerate(case.bars[:steps], 1):
            seq = log.append([step], durable=False)
            outputs = core.apply(seq, step).outputs
            log.put_outputs([NumberedOutput(seq, n, each) for n, each in enumerate(outputs)], durable=False)
            if number % every == 0:
                bars = {name: core.session.bars(name, known[name]) for name in known}
                known = {name: known[name] + len(each) for name, each in bars.items()}
                log.keep(Kept(seq, 0, core.kept()), core.take_books(), bars, older=older)
    return core


def folded(log: InputLog, case: Case, upto: int | None = None) -> StrategyCore:
    core = StrategyCore(case.graph, worker="w")
    fold(log, core, upto=upto)
    return core


def test_inputs_come_back_in_order_with_their_numbers(tmp_path: Path, case: Case) -> None:
    given: list[LiveInput] = [case.anchor, *case.bars[:3], FeedState("lost", 5, "gone"), ClockTick(7)]
    with InputLog.open(tmp_path) as log:
        assert not log.has_anchor
        assert log.anchor(case.anchor, case.known) == 1
        assert log.append(given[1:4], durable=False) == 2
        assert log.append(given[4:], durable=True) == 5
    with InputLog.read(tmp_path / "log.db") as log:
        assert log.has_anchor
        assert list(log.inputs()) == [NumberedInput(seq, each) for seq, each in enumerate(given, 1)]
        assert [seq for seq, _ in log.inputs(2, 4)] == [3, 4]
        assert log.last_seq == 6
        assert log.anchored() == (case.anchor, 1)
        with pytest.raises(RunError, match="no beginning"):
            log.anchored(7)


def test_an_output_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    first, second = LiveOutput("submit", 1, "w-0-1", {"lots": 1}), LiveOutput("submit", 2, "w-0-1", {"lots": 2})
    with InputLog.open(tmp_path) as log:
        log.append([ClockTick(1)], [NumberedOutput(1, 0, first)], durable=True)
        log.put_outputs([NumberedOutput(1, 0, second), NumberedOutput(1, 1, second)], durable=False)
        assert list(log.outputs()) == [NumberedOutput(1, 0, first), NumberedOutput(1, 1, second)]
        assert list(log.outputs(1)) == []


def test_the_fold_is_the_same_from_every_snapshot_and_after_old_bars_are_dropped(tmp_path: Path, case: Case) -> None:
    core = written(tmp_path, case, 23)
    with InputLog.open(tmp_path) as log:
        assert len(log.snapshots()) == 4
        assert folded(log, case).kept() == core.kept()
        whole = StrategyCore(case.graph, worker="w")
        whole.open(case.anchor, case.known)
        for seq, given in log.inputs(after=1):
            whole.apply(seq, given)
            assert folded(log, case, seq).kept() == whole.kept()
        assert log.compact(100) == 0
        assert (log.compact(4), log.compacted) == (5, 6)
        assert folded(log, case).kept() == core.kept()
        assert len(list(log.inputs())) == 1 + 18


def test_the_numbers_go_on_after_all_bars_behind_a_snapshot_are_dropped(tmp_path: Path, case: Case) -> None:
    core = written(tmp_path, case, 20, every=20)
    with InputLog.open(tmp_path) as log:
        assert (log.compact(4), log.last_seq) == (20, 21)
    with InputLog.open(tmp_path) as log:
        assert log.last_seq == 21
        assert folded(log, case).kept() == core.kept()


def test_only_some_earlier_snapshots_are_kept_and_all_books(tmp_path: Path, case: Case) -> None:
    written(tmp_path, case, 20, older=1)
    with InputLog.read(tmp_path / "log.db") as log:
        assert log.snapshots() == (16, 21)
        assert sum(len(each.ts_ns) for each in log.books(log.last_seq)) == 20
        assert len(log.histories(0, 16)["ONE"]) == 15


def test_one_process_has_a_worker_and_others_read_its_log(tmp_path: Path, case: Case) -> None:
    with InputLog.open(tmp_path) as log:
        log.append([ClockTick(1)], durable=True)
        assert is_running(tmp_path)
        with pytest.raises(RunError, match="is running already"):
            InputLog.open(tmp_path)
        with InputLog.read(tmp_path / "log.db") as other:
            assert other.last_seq == 1
        assert case.known
    assert not is_running(tmp_path)


def test_who_looks_whether_a_worker_runs_does_not_stop_it_from_starting(tmp_path: Path) -> None:
    stream = (tmp_path / "lock").open("ab")
    assert try_lock(stream)
    later = threading.Timer(0.05, stream.close)
    later.start()
    with InputLog.open(tmp_path):
        assert is_running(tmp_path)
    later.join()


def test_a_copy_holds_all_and_never_replaces_a_file(tmp_path: Path, case: Case) -> None:
    core = written(tmp_path / "one", case)
    with InputLog.read(tmp_path / "one" / "log.db") as log:
        log.copy_to(tmp_path / "out.qcflight")
        with pytest.raises(RunError, match="exists already"):
            log.copy_to(tmp_path / "out.qcflight")
        with pytest.raises(RunError, match="can't be used"):
            log.copy_to(tmp_path / "out.qcflight" / "out.qcflight")
        log.copy_to(tmp_path / "made" / "out.qcflight")
    with InputLog.read(tmp_path / "out.qcflight") as copy:
        assert folded(copy, case).kept() == core.kept()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["made", "one", "out.qcflight"]


def test_a_log_that_is_missing_damaged_or_of_a_later_version_is_refused(tmp_path: Path, case: Case) -> None:
    with pytest.raises(RunError, match="There is no log"):
        InputLog.read(tmp_path / "log.db")
    written(tmp_path, case)
    with sqlite3.connect(tmp_path / "log.db") as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(RunError, match="has format 9"):
        InputLog.open(tmp_path)
    (tmp_path / "log.db").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    with pytest.raises(RunError, match="log of a worker"):
        InputLog.open(tmp_path)
    assert not is_running(tmp_path)


# --------------------------------------------------------------------------------------------------------------- kills


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is made by fork")
def test_a_process_killed_at_a_write_loses_nothing_and_goes_on_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before, within and after commits; what was acknowledged is there, and the end is that of no kill."""
    monkeypatch.setattr(clocked, "MOST_MOMENTS", 4)
    registry = load_registry()
    graph = load_text(SHORT, registry)
    seqs: dict[int, int] = {}
    with killed_at(0, "", seqs.__setitem__):
        to_its_end(worker_of(graph, tmp_path / "whole" / "w", snapshot_steps=10))
    whole, backtest = contents(tmp_path / "whole" / "w"), backtest_of(graph, registry)
    assert len(seqs) > 20
    every = [(commit, boundary) for commit in seqs for boundary in BOUNDARIES]
    rng = random.Random(seed("kills of the log"))  # noqa: S311 - cases of a test
    for commit, boundary in rng.sample(every, min(len(every), sample(6, of=300))):
        folder = tmp_path / f"{commit}-{boundary}" / "w"

        def work(tell: object, folder: Path = folder, commit: int = commit, boundary: str = boundary) -> None:
            with killed_at(commit, boundary, lambda count, seq: tell(f"{count} {seq}".encode())):  # type: ignore[operator]
                to_its_end(worker_of(graph, folder, snapshot_steps=10))

        lines, code = in_a_child(work)
        assert code == -9
        assert len(lines) == commit - 1
        acknowledged = int(lines[-1].split()[1]) if lines else 0
        worker = worker_of(graph, folder, snapshot_steps=10)
        worker.start()
        assert worker._log is not None
        assert worker._log.last_seq >= acknowledged
        abandon(worker)
        assert_same_books(to_its_end(worker_of(graph, folder, snapshot_steps=10)), backtest)
        assert contents(folder) == whole
