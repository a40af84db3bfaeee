"""A worker that is given another feed or broker than its log has: it begins anew, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import Broker, Feed, RunError
from quantcrafter.engine.brokers.ccxt import CcxtBroker
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.feeds.ccxt import CcxtFeed
from quantcrafter.engine.feeds.csv_file import CsvFeed
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.feeds.synthetic import SyntheticFeed
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.kill_switch import KILL
from quantcrafter.engine.live.origin import elsewhere, origin_of
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.live.worker_folder import put_aside
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import STOPPED, assert_same_books, backtest_of, to_its_end, worker_of
from tests.support.scripted import ScriptedBroker, ScriptedFeed, scripted_worker, step_until


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture(scope="module")
def graph(registry: Registry) -> BoundGraph:
    return load_text(STOPPED, registry)


def interrupted(graph: BoundGraph, feed: Feed, folder: Path) -> None:
    """Let a worker take some steps on a feed, and close it."""
    worker = SessionWorker(graph, feed, PaperBroker(), folder)
    worker.start()
    while worker.core.session.steps < 60:
        worker.step(0.1)
    worker.close()


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        (StoredFeed(), StoredFeed(speed="max"), ""),
        (SyntheticFeed(seed=7), SyntheticFeed(seed=7, speed="60x"), ""),
        (CcxtFeed(exchange="kraken"), CcxtFeed(exchange="kraken", stream=False, url="http://mirror"), ""),
        (SyntheticFeed(), StoredFeed(), "its feed was 'synthetic' and is 'replay'"),
        (SyntheticFeed(), SyntheticFeed(seed=7), "its feed was 'synthetic,seed=default' and is 'synthetic,seed=7'"),
        (SyntheticFeed(price=5.0), SyntheticFeed(price=6.0), "'synthetic,price=5.0' and is 'synthetic,price=6.0'"),
        (CsvFeed(path="a.csv"), CsvFeed(path="b.csv"), "its feed was 'csv,path=a.csv' and is 'csv,path=b.csv'"),
        (CcxtFeed(exchange="kraken"), CcxtFeed(exchange="binance"), "exchange=kraken' and is 'ccxt,exchange=binance'"),
    ],
)
def test_the_kind_and_the_terms_of_a_feed_count_and_its_speed_does_not(first: Feed, then: Feed, why: str) -> None:
    found = elsewhere(origin_of(first), then)
    assert why in found
    assert bool(found) == bool(why)


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        (CcxtBroker(exchange="kraken"), CcxtBroker(exchange="kraken", symbols="BTC/USDT"), ""),
        (CcxtBroker(exchange="kraken"), CcxtBroker(exchange="kraken", account="two"), "its broker was"),
        (CcxtBroker(exchange="kraken"), PaperBroker(), "and is 'paper'"),
    ],
)
def test_the_account_of_a_broker_counts(first: Broker, then: Broker, why: str) -> None:
    feed = StoredFeed()
    found = elsewhere(origin_of(feed, first), feed, then)
    assert why in found
    assert bool(found) == bool(why)


@pytest.mark.logs_errors
def test_an_interrupted_worker_on_another_feed_begins_anew(
    graph: BoundGraph, registry: Registry, tmp_path: Path
) -> None:
    folder = tmp_path / "one"
    interrupted(graph, SyntheticFeed(speed="max"), folder)
    (folder / KILL).write_text("no-entries")
    worker = worker_of(graph, folder)
    worker.start()
    assert worker.core.session.steps == 0
    worker.close()
    assert (folder / "previous" / LOG).exists()
    assert (folder / KILL).exists()  # what stops a worker stays
    put_aside(folder)
    (folder / KILL).unlink()
    assert_same_books(to_its_end(worker_of(graph, folder)), backtest_of(graph, registry))


@pytest.mark.logs_errors
def test_a_log_of_an_earlier_version_goes_on_and_gets_its_origin(graph: BoundGraph, tmp_path: Path) -> None:
    interrupted(graph, StoredFeed(speed="max"), tmp_path / "one")
    with InputLog.open(tmp_path / "one") as log:
        log._connection.execute("DELETE FROM meta WHERE name IN ('feed', 'broker')")
    worker = worker_of(graph, tmp_path / "one")
    worker.start()
    assert worker.core.session.steps >= 60
    worker.close()
    with InputLog.read(tmp_path / "one" / LOG) as log:
        assert log.meta()["feed"] == {"name": "replay", "options": {}}
        assert log.meta()["broker"] == {"name": "paper", "options": {}}


@pytest.mark.logs_errors
@pytest.mark.parametrize("version", ["today's", "an earlier one"])
def test_what_may_hold_positions_at_a_broker_outside_is_not_put_aside(
    graph: BoundGraph, tmp_path: Path, version: str
) -> None:
    folder, feed = tmp_path / "one", ScriptedFeed.of(graph)
    worker = scripted_worker(graph, folder, feed, ScriptedBroker(fills=100.0))
    worker.start()
    step_until(worker, feed, lambda: worker.core.session.positions)
    worker.close()
    if version != "today's":
        with InputLog.open(folder) as log:
            log._connection.execute("DELETE FROM meta WHERE name IN ('feed', 'broker')")
    again = worker_of(graph, folder)
    with pytest.raises(RunError, match=r"can't go on: its (feed|broker) was .* only its log knows. Start it with"):
        again.start()
    again.close()
    assert not (folder / "previous").exists()
    status = read_status(folder)
    assert status is not None
    assert status.position == 10.0


@pytest.mark.logs_errors
def test_a_worker_that_can_not_start_says_what_it_holds(graph: BoundGraph, tmp_path: Path) -> None:
    folder, feed = tmp_path / "one", ScriptedFeed.of(graph)
    first = scripted_worker(graph, folder, feed, ScriptedBroker(fills=100.0))
    first.start()
    step_until(first, feed, lambda: first.core.session.positions)
    held, pnl = first.get_position(), first.core.pnl_today
    first.close()
    (tmp_path / "limits.yaml").write_text("default: {exposure: none}", encoding="utf-8")
    for _ in range(2):
        worker = scripted_worker(graph, folder, feed, ScriptedBroker())
        with pytest.raises(RunError, match=r"limits\.yaml"):
            worker.start()
        worker.close()
        status = read_status(folder)
        assert status is not None
        assert (status.state, status.position, status.pnl_today) == ("error", held, pnl)
        assert status.positions == {"ONE": held}


@pytest.mark.logs_errors
def test_an_empty_log_is_refused_as_a_missing_one_is(graph: BoundGraph, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    interrupted(graph, StoredFeed(speed="max"), folder)
    for path in folder.glob(f"{LOG}*"):
        path.unlink()
    (folder / LOG).touch()
    for _ in range(2):
        worker = worker_of(graph, folder)
        with pytest.raises(RunError, match=r"has run before, and its log .* is empty. Restore it"):
            worker.start()
        worker.close()
        assert (folder / LOG).stat().st_size == 0


def test_a_start_that_was_killed_at_its_very_first_is_made_again(graph: BoundGraph, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / LOG).touch()
    worker = worker_of(graph, tmp_path / "one")
    assert worker.start()
    worker.close()
