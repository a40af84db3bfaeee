"""Workers on any feed in paper mode, compared with a backtest of the bars that they saw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from quantcrafter.engine.api import Bars, DataProvider, DataRequest, Feed, Ledger
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.data.load import LoadedBars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.packed import pack_ledger, unpack_ledger
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.run import run
from tests.support.ledger_checks import assert_same_bits
from tests.support.live_cases import abandon


def fed_graph(text: str, base_dir: Path = Path()) -> BoundGraph:
    """Return the strategy of a text, which may read the files of a folder."""
    return load_text(text, load_registry(), base_dir=base_dir)


def paper(graph: BoundGraph, feed: Feed, folder: Path) -> SessionWorker:
    """Return a worker in paper mode on a feed."""
    return SessionWorker(graph, feed, PaperBroker(), folder, snapshot_steps=20)


def seen_by(worker: SessionWorker) -> dict[str, Bars]:
    """Return all bars that a worker has had, those before its first step too."""
    return {name: worker.core.session.bars(name) for name in worker.core.session.names}


def began(worker: SessionWorker) -> str:
    """Return when the bar of the first step of a worker with one instrument opened, as `run.start` says it."""
    bars, steps = worker.core.session.bars(worker.symbol), worker.core.session.steps
    opened_ns = int(bars.open_ns[len(bars) - steps])
    return datetime.fromtimestamp(opened_ns // 1_000_000_000, UTC).replace(tzinfo=None).isoformat()


def backtest_of_seen(text: str, start: str, bars: dict[str, Bars]) -> Ledger:
    """Return the ledger of a backtest of the bars that a worker saw, from where it began."""
    graph = load_text(text, load_registry(), overrides=[f"run.start={start}"])

    def load(provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "") -> LoadedBars:
        del provider, on_bad_bars
        return LoadedBars(bars[request.symbol], (), "")

    return run(graph, registry=load_registry(), loader=load).ledger


def assert_fills_as_in_backtest(worker: SessionWorker, text: str) -> int:
    """Compare a worker's fills with those of a backtest of the same bars, to the last bit; return how many there are.

    The backtest closes what is open with its last bar, which the worker doesn't know to be the last.
    """
    own, other = worker.ledger(), backtest_of_seen(text, began(worker), seen_by(worker))
    count = len(own.fills)
    assert len(other.fills) - count in (0, 1)
    for name in own.fills.dtype.names or ():
        assert own.fills[name].tobytes() == other.fills[name][:count].tobytes(), name
    return count


def assert_books_as_in_backtest(worker: SessionWorker, text: str) -> int:
    """Compare all books of a worker whose feed has ended with those of a backtest; return how many fills there are."""
    own, other = worker.ledger(), backtest_of_seen(text, began(worker), seen_by(worker))
    assert_same_bits(unpack_ledger(pack_ledger(own)), unpack_ledger(pack_ledger(other)))
    return len(own.fills)


def run_until(make: Callable[[], SessionWorker], steps: int, kills: tuple[int, ...] = ()) -> SessionWorker:
    """Let a worker take steps until it has as many or its feed ends; at `kills` it is killed and started again."""
    left = list(kills)
    worker = make()
    worker.start()
    for _ in range(100_000):
        if worker.has_ended or worker.core.session.steps >= steps:
            return worker
        worker.step(0.01)
        if left and worker.core.session.steps >= left[0]:
            left.pop(0)
            abandon(worker)
            worker = make()
            worker.start()
    raise AssertionError(f"{worker.core.session.steps} of {steps} steps were taken")
