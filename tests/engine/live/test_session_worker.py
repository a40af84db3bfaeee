"""Workers in paper mode on stored bars have the books of a backtest, however often they are killed."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from quantcrafter.engine.api import Bar, BarClosed, BarRevised, RunError
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.feeds import clocked
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live import input_log
from quantcrafter.engine.live.assembly import GRACE_NS, BarAssembler
from quantcrafter.engine.live.input_log import InputLog
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.live.worker_folder import put_aside, put_aside_if_over
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph, load_text
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.sessions.strategy_session import Host
from tests.support.bar_by_bar import start_near, step_count
from tests.support.contract_files import write_series
from tests.support.counts import sample, seed
from tests.support.live_cases import (
    STOPPED,
    abandon,
    assert_same_books,
    backtest_of,
    contents,
    to_its_end,
    worker_of,
)
from tests.support.random_strategies import write_random_strategy

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "resources" / "examples").glob("*.yaml"))
MOST_STEPS = sample(250, of=100_000)
RANDOM = sample(2, of=60)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture
def graph(registry: Registry) -> BoundGraph:
    return load_text(STOPPED, registry)


def shortened(path: Path, registry: Registry) -> BoundGraph:
    """Return a strategy that begins late in its data, if there is much of it: the bars before are known."""
    graph = load_graph(path, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    most = MOST_STEPS // len(graph.instruments)
    start = start_near(market, -most) if step_count(market) > most else None
    return graph if start is None else load_graph(path, registry, [f"run.start={start}"])


def check_against_backtest(graph: BoundGraph, folder: Path, registry: Registry, rng: random.Random) -> int:
    """Let a worker take all bars, killed at random ones, and compare its books; return how many fills there were."""
    backtest, host = backtest_of(graph, registry), Host()
    kills = 2
    while True:
        worker = SessionWorker(graph, StoredFeed(speed="max"), PaperBroker(), folder, host=host, snapshot_steps=40)
        worker.start()
        for _ in range(rng.randrange(1, 4) if kills else 10_000):
            worker.step()
            if worker.has_ended:
                break
        if worker.has_ended:
            break
        kills -= 1
        abandon(worker)
    assert_same_books(worker.ledger(), backtest)
    worker.close()
    return len(backtest.fills)


@pytest.mark.slow
@pytest.mark.long
def test_examples_as_workers_have_the_books_of_a_backtest_also_if_they_are_killed(
    registry: Registry, tmp_path: Path
) -> None:
    rng = random.Random(seed("examples as workers"))  # noqa: S311 - cases of a test
    fills = 0
    for path in rng.sample(EXAMPLES, sample(3, of=len(EXAMPLES))):
        fills += check_against_backtest(shortened(path, registry), tmp_path / path.stem, registry, rng)
    assert fills


def test_a_continuous_series_as_a_worker_has_the_books_of_a_backtest(registry: Registry, tmp_path: Path) -> None:
    rng = random.Random(seed("series as worker"))  # noqa: S311 - cases of a test
    for start in ((), ("run.start=2024-03-06",)):
        graph = load_graph(write_series(tmp_path / str(len(start))), registry, start)
        assert check_against_backtest(graph, tmp_path / f"worker {len(start)}", registry, rng) > 8


@pytest.mark.slow
@pytest.mark.long
def test_random_strategies_as_workers_have_the_books_of_a_backtest_also_if_they_are_killed(
    registry: Registry, tmp_path: Path
) -> None:
    rng = random.Random(seed("strategies as workers"))  # noqa: S311 - cases of a test
    first = seed("workers") % 1_000_000
    for number in range(first, first + RANDOM):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = write_random_strategy(folder, registry, number)
        try:
            check_against_backtest(shortened(path, registry), folder / "worker", registry, rng)
        except AssertionError as error:
            raise AssertionError(f"{number}: {error}") from error


def test_a_worker_goes_through_its_states_and_says_what_it_does(
    graph: BoundGraph, registry: Registry, tmp_path: Path
) -> None:
    worker = worker_of(graph, tmp_path / "one")
    assert worker.state is WorkerState.CREATED
    assert read_status(tmp_path / "one") is None
    with pytest.raises(RunError, match="'one' is not started"):
        worker.get_stats()
    worker.load_state()
    worker.start()
    assert (worker.state, worker.is_running, worker.key, worker.mode) == (WorkerState.RUNNING, True, "one", "paper")
    status = read_status(tmp_path / "one")
    assert status is not None
    assert (status.state, status.strategy, status.symbol, status.last_input_at) == ("running", "Small", "ONE", None)
    while not worker.has_ended:
        worker.step()
    assert worker.step() == 0
    worker.stop()
    assert worker.get_stats()["steps"] == 160
    ledger = worker.ledger()
    worker.close()
    status = read_status(tmp_path / "one")
    assert status is not None
    assert (worker.state, status.state) == (WorkerState.STOPPED, "stopped")
    assert_same_books(ledger, backtest_of(graph, registry))
    info = worker.get_worker_info()
    assert (info["key"], info["state"], info["log_stream_url"]) == ("one", "stopped", None)


def test_run_ends_with_the_feed_and_a_killed_worker_is_known_to_be_stopped(graph: BoundGraph, tmp_path: Path) -> None:
    worker_of(graph, tmp_path / "one").run()
    inputs, outputs, _ = contents(tmp_path / "one")
    assert (len(inputs), inputs[-1].given.state) == (1 + 160 + 1, "ended")
    assert outputs
    killed = worker_of(graph, tmp_path / "two")
    killed.start()
    abandon(killed)
    status = read_status(tmp_path / "two")
    assert status is not None
    assert status.state == "stopped"


@pytest.mark.logs_errors
def test_a_changed_strategy_is_refused_and_can_begin_anew(
    graph: BoundGraph, registry: Registry, tmp_path: Path
) -> None:
    to_its_end(worker_of(graph, tmp_path / "one"))
    other = load_text(STOPPED.replace("timeperiod: 8", "timeperiod: 9"), registry)
    worker = worker_of(other, tmp_path / "one")
    with pytest.raises(RunError, match="strategy of the worker 'one' has changed"):
        worker.start()
    assert worker.state is WorkerState.ERROR
    worker.close()
    put_aside(tmp_path / "one")
    assert (tmp_path / "one" / "previous" / "log.db").exists()
    assert_same_books(to_its_end(worker_of(other, tmp_path / "one")), backtest_of(other, registry))


@pytest.mark.logs_errors
def test_a_worker_whose_log_is_gone_does_not_begin_anew_silently(graph: BoundGraph, tmp_path: Path) -> None:
    folder = tmp_path / "worker"
    worker = SessionWorker(graph, StoredFeed(speed="max"), PaperBroker(), folder)
    worker.start()
    worker.step()
    worker.close()
    for path in folder.glob("log.db*"):
        path.unlink()
    again = SessionWorker(graph, StoredFeed(speed="max"), PaperBroker(), folder)
    for _ in range(2):  # a refused start changes nothing
        with pytest.raises(RunError, match=r"has run before, and its log .* is missing"):
            again.start()
        again.close()
    assert not list(folder.glob("log.db*"))


def test_a_worker_that_is_killed_often_is_kept_as_often_as_one_that_is_not(
    graph: BoundGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocked, "MOST_MOMENTS", 4)
    for _ in range(8):
        worker = worker_of(graph, tmp_path / "one", snapshot_steps=10)
        worker.start()
        worker.step()
        abandon(worker)
    with InputLog.read(tmp_path / "one" / "log.db") as log:
        assert len(log.snapshots()) == 2


def test_a_worker_can_not_start_while_its_log_is_put_aside(
    graph: BoundGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its host may be starting again just then: the new log would be mixed with the old one."""
    folder, refused = tmp_path / "worker", []
    to_its_end(worker_of(graph, folder))
    rename = Path.rename

    def renamed(path: Path, target: Path) -> Path:
        with pytest.raises(RunError, match="is running already"):
            InputLog.open(folder)
        refused.append(path.name)
        return rename(path, target)

    monkeypatch.setattr(input_log, "_LOOKED_AT_S", 0.0)
    monkeypatch.setattr(Path, "rename", renamed)
    assert put_aside_if_over(folder, graph)
    assert "log.db" in refused
    assert not put_aside_if_over(folder, graph)
    worker = worker_of(graph, folder)
    worker.start()
    worker.close()
    assert not put_aside_if_over(folder, graph)  # it has begun meanwhile


def test_a_start_that_failed_costs_nothing_of_the_run_before(graph: BoundGraph, tmp_path: Path) -> None:
    folder = tmp_path / "worker"
    worker = SessionWorker(graph, StoredFeed(speed="max"), PaperBroker(), folder)
    worker.start()
    worker.step()
    worker.close()
    assert put_aside(folder)
    kept = (folder / "previous" / "log.db").read_bytes()
    InputLog.open(folder).close()  # as a start leaves it that fails before its first bar
    assert not put_aside(folder)
    assert (folder / "previous" / "log.db").read_bytes() == kept
    assert not (folder / "log.db").exists()


def test_bars_that_come_again_are_ignored_and_others_with_other_values_are_noted(
    graph: BoundGraph, tmp_path: Path
) -> None:
    worker = worker_of(graph, tmp_path / "one")
    worker.start()
    worker.step()
    assert worker._feed_side is not None
    had = worker._feed_side.bar_closing("ONE", worker.core.now_ns)
    assert had is not None
    assert worker._feed_side.add(BarClosed("ONE", had, 1)) is None
    changed = replace(had, volume=had.volume + 1.0)
    assert worker._feed_side.add(BarClosed("ONE", changed, 1)) == BarRevised("ONE", changed, 1)
    early = Bar(had.open_ns - 5, had.close_ns - 5, 1.0, 1.0, 1.0, 1.0)
    assert worker._feed_side.add(BarClosed("ONE", early, 1)) is None
    state = worker.core.kept()
    worker._take([BarRevised("ONE", changed, 1)])
    assert worker.core.kept() == state.replace('"outdated":false', '"outdated":true')
    worker.close()


def closed(name: str, close_ns: int, *, is_last: bool = False) -> BarClosed:
    return BarClosed(name, Bar(close_ns - 1, close_ns, 1.0, 1.0, 1.0, 1.0), close_ns + 7, is_last=is_last)


def test_a_moment_is_given_when_all_have_closed_or_after_a_while() -> None:
    assembler = BarAssembler(["A", "B", "f"], ["A", "B"], own_clock=False, after_ns=0)
    for event in (closed("B", 10), closed("f", 10)):
        assert assembler.add(event)
    assert list(assembler.given(10)) == []
    for event in (closed("A", 10), closed("A", 20), closed("f", 20)):
        assert assembler.add(event)
    (step,) = assembler.given(20)
    assert (set(step.bars), step.ts_ns) == ({"A", "B", "f"}, 17)
    assert not assembler.add(closed("A", 10))
    (late,) = assembler.given(20 + GRACE_NS)
    assert set(late.bars) == {"A", "f"}
    assert not assembler.add(closed("B", 20))


def test_a_clock_of_the_feeds_own_says_what_is_complete_and_the_last_bar_is_known() -> None:
    assembler = BarAssembler(["A", "f"], ["A"], own_clock=True, after_ns=0)
    for event in (closed("A", 20, is_last=True), closed("f", 15, is_last=True), closed("A", 30)):
        assert assembler.add(event)
    first, second = assembler.given(29)
    assert (list(first.bars), list(first.last)) == (["f"], [])
    assert (list(second.bars), second.last) == (["A"], ("A",))
