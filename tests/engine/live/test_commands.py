"""What users ask of a worker is in its log before it is acted on, and holds through restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.orders import Cancel, Cancelled, Filled
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live import kill_switch
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.kill_switch import KILL, KillSwitch
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import STOPPED, abandon, worker_of
from tests.support.scripted import ScriptedBroker, ScriptedFeed, scripted_worker, step_until

WAITING = STOPPED.replace(
    "entry: {use: market, signals: [cross], risk: [stop, trail], money: size}",
    "entry: {use: limit, signals: [cross], risk: [stop], money: size, offset_percent: 20}",
).replace("  trail: {use: trailing_stop, percent: 3}\n", "")


@pytest.fixture(scope="module")
def graph() -> BoundGraph:
    return load_text(
        STOPPED.replace("  trail: {use: trailing_stop, percent: 3}\n", "").replace(", trail", ""), load_registry()
    )


def positions(worker: SessionWorker) -> dict[str, float]:
    return dict(worker.core.session.positions)


def test_a_paused_worker_makes_no_entry_and_keeps_its_state_through_a_kill(graph: BoundGraph, tmp_path: Path) -> None:
    worker = worker_of(graph, tmp_path / "one")
    worker.start()
    worker.command("pause", "test")
    assert worker.state == "paused"
    status = read_status(tmp_path / "one")
    assert status is not None
    assert status.state == "paused"
    abandon(worker)
    worker = worker_of(graph, tmp_path / "one")
    worker.start()
    assert worker.state == "paused"
    while not worker.has_ended:
        worker.step()
    assert len(worker.ledger().fills) == 0
    assert len(worker.ledger().blocked) > 5
    worker.close()
    with InputLog.read(tmp_path / "one" / LOG) as log:
        asked = [each for each in events_of(log) if each["kind"] == "command"]
    assert [(each["verb"], each["source"]) for each in asked] == [("pause", "test")]
    assert replay_recording(tmp_path / "one" / LOG, load_registry()).different == ()


def test_an_unknown_verb_is_refused_and_a_worker_that_does_not_run_says_so(graph: BoundGraph, tmp_path: Path) -> None:
    worker = worker_of(graph, tmp_path / "one")
    with pytest.raises(RunError, match="not started"):
        worker.command("pause")
    worker.start()
    with pytest.raises(ValueError, match=r"a verb is one of pause, .* stop, was 'halt'"):
        worker.command("halt")
    worker.close()


def test_flatten_closes_the_position_without_the_strategys_help(graph: BoundGraph, tmp_path: Path) -> None:
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker(fills=100.0)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, lambda: positions(worker))
    before = len(broker.submits())
    worker.command("flatten")
    worker.step()
    (exit_,) = broker.submits()[before:]
    assert (exit_.kind, exit_.reduce_only) == ("market", True)
    assert (positions(worker), worker.state) == ({}, "reducing")
    assert broker.open_orders() == []
    step_until(worker, feed, lambda: feed.next > 90)
    assert len(broker.submits()) == before + 1
    worker.command("resume")
    step_until(worker, feed, lambda: positions(worker))
    worker.close()


def test_a_fill_that_comes_after_flatten_is_closed_as_well(graph: BoundGraph, tmp_path: Path) -> None:
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker()
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, broker.submits)
    (entry,) = broker.submits()
    broker.answers = False
    worker.command("flatten")
    assert isinstance(broker.sent[-1], Cancel)
    broker.answers, broker.fills = True, 100.0
    broker.fill(str(entry.order), entry.lots, 100.0)
    worker.step()
    worker.step()
    assert (positions(worker), broker.held[entry.symbol]) == ({}, 0.0)
    worker.close()


@pytest.mark.parametrize("kill", [None, "before the cancel is sent", "after it", "when it is answered"])
def test_stop_denies_entries_then_cancels_then_waits_and_then_ends_also_if_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill: str | None
) -> None:
    graph = load_text(WAITING, load_registry())
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker()
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, broker.submits)
    (entry,) = broker.submits()
    broker.answers = False

    class Killed(BaseException):
        pass

    def fall(_: object) -> None:
        raise Killed

    def again() -> SessionWorker:
        abandon(worker)
        made = scripted_worker(graph, tmp_path / "one", feed, broker)
        made.start()
        return made

    if kill == "before the cancel is sent":
        broker.on_send = fall
        monkeypatch.setattr(SessionWorker, "_fail", lambda *_: None)
        with pytest.raises(Killed):
            worker.command("stop")
        broker.on_send = None
        worker = again()
        broker.tell(Cancelled(entry.order, 1))  # the outcome isn't known: it is asked for, and never sent again
    else:
        worker.command("stop")
        assert [type(each) for each in broker.sent] == [type(entry), Cancel]
        if kill == "after it":
            worker = again()
        worker.step()
        assert (worker.state, worker.has_ended) == ("stopping", False)
        broker.ended.add(str(entry.order))
        broker.tell(Cancelled(entry.order, 1))
    worker.step()
    if kill == "when it is answered":
        worker = again()
    worker.step()
    assert worker.has_ended
    assert worker.step() == 0
    worker.close()
    assert len(broker.sent) <= 2
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    assert (worker.state, worker.has_ended) == ("reducing", False)
    worker.close()


def test_an_order_that_filled_while_it_was_cancelled_keeps_its_stop_at_the_broker(tmp_path: Path) -> None:
    graph = load_text(WAITING, load_registry())
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker()
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, broker.submits)
    (entry,) = broker.submits()
    broker.answers = False
    worker.command("stop")
    broker.answers = True
    assert isinstance(broker.fill(str(entry.order), entry.lots, 100.0), Filled)
    for _ in range(3):
        worker.step()
    assert worker.has_ended
    (stop,) = broker.open_orders()
    assert (stop.kind, stop.quantity) == ("stop", entry.quantity)
    worker.close()


@pytest.mark.parametrize("text", ["", "flatten\n", "nonsense", "\xff"])
@pytest.mark.parametrize("place", ["one/kill", "kill"])
def test_a_kill_file_stops_entries_before_the_first_bar_and_forbids_to_resume(
    graph: BoundGraph, tmp_path: Path, text: str, place: str
) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="latin-1")
    worker = worker_of(graph, tmp_path / "one")
    worker.start()
    assert worker.state == "reducing"
    with pytest.raises(RunError, match="can't resume while the file"):
        worker.command("resume")
    worker.step()
    assert len(worker.ledger().fills) == 0
    path.unlink()
    worker.command("resume")
    assert worker.state == "running"
    worker.close()
    with InputLog.read(tmp_path / "one" / LOG) as log:
        verbs = [each["verb"] for each in events_of(log) if each["kind"] == "command"]
    assert verbs == ["flatten" if text.startswith("flatten") else "no-entries", "resume"]


def test_a_kill_file_that_can_not_be_looked_at_counts_as_there(tmp_path: Path) -> None:
    now_s = 0.0
    (tmp_path / "file").write_text("")
    switch = KillSwitch([tmp_path / "file"], lambda: now_s)  # below a file: not a folder
    assert switch.triggered() == ("no-entries",)
    assert switch.holding() == tmp_path / "file" / KILL
    now_s = 1.0
    assert switch.triggered() == ()


def test_a_kill_file_is_seen_while_the_worker_runs_and_again_when_it_changes(tmp_path: Path) -> None:
    now_s = 0.0
    switch = KillSwitch([tmp_path], lambda: now_s)
    assert switch.triggered() == ()
    (tmp_path / KILL).write_text("cancel")
    assert switch.triggered() == ()  # looked just now
    found = []
    for text in (None, "flatten\n", None):
        if text:
            (tmp_path / KILL).write_text(text)
        now_s += 2 * kill_switch._LOOK_S
        found.append(switch.triggered())
    assert found == [("cancel",), ("flatten",), ()]
