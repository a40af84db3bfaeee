"""A strategy that is changed while it runs: position and orders go on, or the old strategy does."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.live.swap import is_idle
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.spec.identity import strategy_hash
from tests.support.live_cases import PLAIN, STOPPED, abandon
from tests.support.scripted import HeldFeed, ScriptedBroker, ScriptedFeed, scripted_worker, step_until

WIDER = PLAIN.replace("timeperiod: 8", "timeperiod: 12").replace("percent: 2", "percent: 5")
"""The same nodes with other values."""


def loaded(text: str) -> BoundGraph:
    return load_text(text, load_registry())


def paper(text: str, folder: Path, speed: str = "max") -> SessionWorker:
    return SessionWorker(loaded(text), StoredFeed(speed=speed), PaperBroker(), folder, snapshot_steps=9)


def held_worker(text: str, folder: Path) -> tuple[SessionWorker, ScriptedFeed]:
    """Return a paper worker with a position, and its feed."""
    feed = ScriptedFeed.of(loaded(text))
    worker = SessionWorker(loaded(text), HeldFeed(held=feed), PaperBroker(), folder, snapshot_steps=9)
    worker.start()
    step_until(worker, feed, lambda: worker.core.session.positions)
    return worker, feed


def test_position_and_orders_go_on_with_the_changed_strategy(tmp_path: Path) -> None:
    worker, feed = held_worker(PLAIN, tmp_path / "one")
    core = worker.core
    positions, equity, steps = dict(core.session.positions), core.session.equity, core.session.steps
    orders = core.session.state()
    preview = worker.preview(loaded(WIDER))
    assert core.session.state() == orders
    assert worker.change(loaded(WIDER)) == preview == ("The position of 10 ONE goes on, with 1 of 1 orders at work.",)
    assert (dict(core.session.positions), core.session.equity, core.session.steps) == (positions, equity, steps)
    status = read_status(tmp_path / "one")
    assert status is not None
    assert (status.strategy_hash, dict(status.positions)) == (worker_hash(WIDER), {"ONE": 10.0})
    step_until(worker, feed, lambda: not core.session.positions)
    worker.close()
    with InputLog.read(tmp_path / "one" / LOG) as log:
        notices = [each["text"] for each in events_of(log) if each["kind"] == "notice"]
    assert "The strategy was changed between two bars. Account, positions and orders go on." in notices


def worker_hash(text: str) -> str:
    return strategy_hash(loaded(text).spec)


@pytest.mark.logs_errors
def test_after_a_kill_the_changed_strategy_goes_on_and_a_recording_repeats_both(tmp_path: Path) -> None:
    worker, feed = held_worker(PLAIN, tmp_path / "one")
    worker.change(loaded(WIDER))
    for _ in range(3):
        feed.bring()
        worker.step()
    state = worker.core.kept()
    abandon(worker)
    again = SessionWorker(loaded(WIDER), HeldFeed(held=feed), PaperBroker(), tmp_path / "one")
    again.start()
    assert again.core.kept() == state
    again.change(loaded(PLAIN))
    step_until(again, feed, lambda: feed.next > 80)
    kept = again.core.kept()
    again.close()
    replayed = replay_recording(tmp_path / "one" / LOG, load_registry())
    assert (replayed.different, replayed.state) == ((), kept)
    old = SessionWorker(loaded(WIDER), HeldFeed(held=feed), PaperBroker(), tmp_path / "one")
    with pytest.raises(RunError, match="has changed since it began"):
        old.start()
    old.close()


def test_at_a_broker_orders_stay_at_work_and_nothing_is_sent_by_the_change(tmp_path: Path) -> None:
    graph = loaded(PLAIN)
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker(fills=100.0)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, lambda: worker.core.session.positions)
    for _ in range(4):
        worker.step()
    sent, orders = list(broker.sent), dict(worker.core.session.orders)
    worker.change(loaded(WIDER))
    assert (broker.sent, dict(worker.core.session.orders)) == (sent, orders)
    assert dict(worker.core.session.positions) == broker.held
    lots = loaded(WIDER.replace("seed: 3}", "seed: 3, lot_size: 5}"))
    with pytest.raises(RunError, match=r"lot"):
        worker.change(lots)
    for _ in range(4):
        feed.bring()
        worker.step()
    assert list(worker.core.gate.against()) == []
    worker.close()
    assert replay_recording(tmp_path / "one" / LOG, load_registry()).different == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            PLAIN.replace("risk:\n  stop:", "risk:\n  other:").replace("risk: [stop]", "risk: [other]"),
            "would lose its stop",
        ),
        (PLAIN.replace("symbol: ONE", "symbol: TWO"), "It trades TWO in place of ONE"),
        (PLAIN.replace("timeframe: 1d", "timeframe: 1h"), "It needs other bars, of ONE"),
        (PLAIN.replace("seed: 3}", "seed: 3, lot_size: 5}"), "'lot_size' of ONE was"),
    ],
)
def test_what_cannot_carry_the_position_is_refused_and_the_old_strategy_goes_on(
    tmp_path: Path, text: str, said: str
) -> None:
    worker, feed = held_worker(PLAIN, tmp_path / "one")
    state, anchor = worker.core.kept(), worker.core.anchor
    with pytest.raises(RunError, match=said):
        worker.change(loaded(text))
    assert (worker.core.kept(), worker.core.anchor) == (state, anchor)
    assert not is_idle(worker.core)
    step_until(worker, feed, lambda: feed.next > 60)
    worker.close()
    again = SessionWorker(loaded(PLAIN), HeldFeed(held=feed), PaperBroker(), tmp_path / "one")
    again.start()
    again.close()


def test_a_strategy_is_changed_before_its_first_bar(tmp_path: Path) -> None:
    worker = paper(PLAIN, tmp_path / "one")
    worker.start()
    assert worker.core.session.steps == 0
    worker.change(loaded(WIDER))
    while not worker.has_ended:
        worker.step()
    fills = len(worker.ledger().fills)
    worker.close()
    other = paper(WIDER, tmp_path / "two")
    other.start()
    while not other.has_ended:
        other.step()
    assert len(other.ledger().fills) == fills > 0
    other.close()


def test_a_replay_goes_on_with_a_changed_strategy_only_over_the_same_bars(tmp_path: Path) -> None:
    worker = paper(STOPPED, tmp_path / "one", speed="400000x")
    worker.start()
    while worker.core.session.steps < 40:
        worker.step(0.1)
    with pytest.raises(RunError, match="Its bars of ONE are others than those so far"):
        worker.change(loaded(STOPPED.replace("seed: 3", "seed: 4")))
    worker.change(loaded(STOPPED.replace("percent: 3", "percent: 6")))
    while worker.core.session.steps < 60:
        worker.step(0.1)
    worker.close()
    assert replay_recording(tmp_path / "one" / LOG, load_registry()).different == ()
