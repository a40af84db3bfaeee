"""A full disk, a locked or damaged file: the worker ends in error, and has done nothing that its log doesn't say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import PLAIN, assert_same_books, backtest_of, to_its_end, worker_of
from tests.support.scripted import ScriptedBroker, ScriptedFeed, scripted_worker, step_until

pytestmark = pytest.mark.logs_errors


@pytest.fixture(scope="module")
def graph() -> BoundGraph:
    return load_text(PLAIN, load_registry())


def connection_of(worker: SessionWorker) -> sqlite3.Connection:
    assert worker._log is not None
    return worker._log._connection


def fill_disk(worker: SessionWorker) -> None:
    """Let the log have no further page."""
    connection = connection_of(worker)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


class Fault:
    """Makes the log of a worker impossible to write, until it is mended."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._other: sqlite3.Connection | None = None

    def breaks(self, worker: SessionWorker) -> None:
        if self._kind == "full":
            fill_disk(worker)
            return
        connection_of(worker).execute("PRAGMA busy_timeout = 20")
        self._other = sqlite3.connect(worker.folder / LOG, isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")

    def mended(self) -> None:
        if self._other is not None:
            self._other.close()


@pytest.fixture(params=["full", "locked"])
def fault(request: pytest.FixtureRequest) -> Iterator[Fault]:
    made = Fault(request.param)
    yield made
    made.mended()


def test_a_log_that_can_not_be_written_ends_the_worker_and_later_it_goes_on_to_the_same_end(
    graph: BoundGraph, tmp_path: Path, fault: Fault
) -> None:
    worker = worker_of(graph, tmp_path / "one")
    worker.start()
    worker.step()
    fault.breaks(worker)
    with pytest.raises(RunError):
        all(worker.step() or not worker.has_ended for _ in range(10_000))
    assert worker.state == "error"
    worker.close()
    fault.mended()
    again = to_its_end(worker_of(graph, tmp_path / "one"))
    assert_same_books(again, backtest_of(graph, load_registry()))


def test_a_worker_whose_disk_is_full_is_in_error_with_the_cause_also_after_its_end(
    graph: BoundGraph, tmp_path: Path
) -> None:
    for name in ("step", "close"):
        worker = worker_of(graph, tmp_path / name)
        worker.start()
        worker.step()
        fill_disk(worker)
        (tmp_path / name / ".status.json.part").mkdir()  # no further file can be written either
        with pytest.raises(RunError, match="full"):
            all(worker.step() or not worker.has_ended for _ in range(10_000)) if name == "step" else worker.close()
        worker.close()
        status = read_status(tmp_path / name)
        assert status is not None
        assert (status.state, "full" in status.error) == ("error", True)


def test_nothing_is_sent_that_could_not_be_written(graph: BoundGraph, tmp_path: Path, fault: Fault) -> None:
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker(fills=100.0)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, lambda: feed.next == 34)
    fault.breaks(worker)
    with pytest.raises(RunError):
        step_until(worker, feed, lambda: False)
    assert worker.state == "error"
    sent = list(broker.sent)
    with InputLog.read(tmp_path / "one" / LOG) as log:
        written = {each.given.client_order_id for each in log.outputs() if each.given.kind == "submit"}
    assert {str(each.order) for each in broker.submits()} <= written
    with pytest.raises(RunError):
        worker.command("no-entries")
    assert broker.sent == sent
    worker.close()
    fault.mended()
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, lambda: worker.core.session.positions)
    assert dict(worker.core.session.positions) == broker.held
    worker.close()


def test_a_damaged_log_or_account_is_refused_by_name_and_left_as_it_is(graph: BoundGraph, tmp_path: Path) -> None:
    def made() -> SessionWorker:
        return scripted_worker(graph, tmp_path / "one", ScriptedFeed.of(graph), ScriptedBroker())

    worker = made()
    worker.start()
    worker.close()
    (account,) = (tmp_path / "accounts").glob("*.db")
    for path, text in ((account, "book of an account"), (tmp_path / "one" / LOG, "log of a worker")):
        whole = path.read_bytes()
        for rest in path.parent.glob(f"{path.name}-*"):
            rest.unlink()
        path.write_bytes(b"x" * len(whole))
        worker = made()
        with pytest.raises(RunError, match=text):
            worker.start()
        assert worker.state == "error"
        worker.close()
        assert path.read_bytes() == b"x" * len(whole)
        path.write_bytes(whole)
    worker = made()
    worker.start()
    assert worker.state == "running"
    worker.close()


def test_a_worker_that_is_closed_leaves_orders_and_positions_as_they_are(graph: BoundGraph, tmp_path: Path) -> None:
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker(fills=100.0)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, lambda: worker.core.session.positions)
    sent, held = list(broker.sent), dict(broker.held)
    worker.close()
    assert (broker.sent, broker.held, len(broker.open_orders())) == (sent, held, 1)
