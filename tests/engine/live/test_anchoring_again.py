"""Between two trading sessions the histories begin anew when something in them has changed; all else goes on."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import BarRevised, Bars, CorporateActions, Session
from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, ROUND_THE_CLOCK
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog, NumberedInput, NumberedOutput
from quantcrafter.engine.live.inputs import Anchored
from quantcrafter.engine.live.overdue import ends_a_session
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import PLAIN, STOPPED, abandon, contents
from tests.support.scripted import HeldFeed, ScriptedBroker, ScriptedFeed, scripted_worker, step_until


@pytest.fixture(scope="module")
def graph() -> BoundGraph:
    return load_text(PLAIN, load_registry())


def revise(feed: ScriptedFeed, number: int, factor: float) -> None:
    """Give a bar other prices at the source, and let the feed say so."""
    bars = feed.bars["ONE"]
    prices = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    for column in prices.values():
        column[number] *= factor
    feed.bars["ONE"] = replace(bars, **prices)
    feed.events.append(BarRevised("ONE", bar_of(feed.bars["ONE"], number), feed.at_ns))


def closes(worker: SessionWorker) -> list[float]:
    bars: Bars = worker.core.session.bars("ONE")
    found: list[float] = bars.close.tolist()
    return found


def paper(graph: BoundGraph, folder: Path, feed: ScriptedFeed) -> SessionWorker:
    return SessionWorker(graph, HeldFeed(held=feed), PaperBroker(), folder, snapshot_steps=9)


def test_a_revised_bar_is_in_the_histories_after_the_session_and_positions_and_orders_go_on(
    graph: BoundGraph, tmp_path: Path
) -> None:
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker(fills=100.0)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    step_until(worker, feed, lambda: worker.core.session.positions)
    for _ in range(6):
        worker.step()
    sent, orders = list(broker.sent), dict(worker.core.session.orders)
    steps, equity = worker.core.session.steps, worker.core.session.equity
    revise(feed, feed.next - 4, 1.01)
    worker.step()
    assert worker.core.anchor is not None
    assert worker.core.anchor.number == 1
    assert closes(worker) == feed.bars["ONE"].close[: feed.next].tolist()
    assert (worker.core.session.steps, worker.core.session.equity) == (steps, equity)
    assert dict(worker.core.session.positions) == broker.held == {"ONE": 10.0}
    assert (dict(worker.core.session.orders), broker.sent) == (orders, sent)
    step_until(worker, feed, lambda: feed.next > 120)
    for _ in range(6):
        worker.step()
    assert list(worker.core.gate.against()) == []
    worker.close()
    with InputLog.read(tmp_path / "one" / LOG) as log:
        told = list(events_of(log))
    assert [each["number"] for each in told if each["kind"] == "anchored"] == [0, 1]
    assert [each["text"] for each in told if each["kind"] == "notice"] == [
        "The histories were loaded again, with what has changed in them."
    ]
    assert replay_recording(tmp_path / "one" / LOG, load_registry()).different == ()


def test_nothing_begins_anew_while_a_session_runs_or_the_source_does_not_fit(graph: BoundGraph, tmp_path: Path) -> None:
    feed = ScriptedFeed.of(graph)
    worker = paper(graph, tmp_path / "one", feed)
    worker.start()
    step_until(worker, feed, lambda: feed.next == 40)
    whole = feed.bars["ONE"]
    revise(feed, 35, 1.01)
    revised = feed.bars["ONE"]
    feed.bars["ONE"] = replace_bars(whole, slice(0, 38))  # the source has lost bars
    worker.step()
    assert worker.core.anchor is not None
    assert (worker.core.anchor.number, worker.core.is_outdated) == (0, True)
    assert closes(worker) == whole.close[:40].tolist()
    feed.bars["ONE"] = revised
    feed.bring()
    worker.step()
    assert (worker.core.anchor.number, worker.core.is_outdated) == (1, False)
    assert closes(worker) == revised.close[:41].tolist()
    worker.close()


def replace_bars(bars: Bars, rows: slice) -> Bars:
    return bars.slice(rows.start, rows.stop)


def test_a_worker_that_is_killed_around_it_has_the_state_of_one_that_was_not(tmp_path: Path) -> None:
    graph = load_text(STOPPED, load_registry())

    def run(folder: Path, kills: set[int]) -> tuple[list[NumberedInput], list[NumberedOutput], str]:
        feed = ScriptedFeed.of(graph)
        worker = paper(graph, folder, feed)
        worker.start()
        while feed.next < 120:
            if feed.next % 17 == 0:
                revise(feed, feed.next - 3, 1.002)
            feed.bring()
            worker.step()
            if feed.next in kills:
                abandon(worker)
                worker = paper(graph, folder, feed)
                worker.start()
        books = worker.ledger()
        assert len(books.fills) > 3
        worker.close()
        return contents(folder)

    rng = random.Random(5)  # noqa: S311 - cases of a test
    calm = run(tmp_path / "calm" / "one", set())
    killed = run(tmp_path / "killed" / "one", {*rng.sample(range(31, 120), 6), 34, 35, 51})
    assert killed[0] == calm[0]
    assert killed[1] == calm[1]
    assert sum(isinstance(each.given, Anchored) for each in calm[0]) == 1 + 6
    assert killed[2] == calm[2]
    for name in ("calm", "killed"):
        assert replay_recording(tmp_path / name / "one" / LOG, load_registry()).different == ()


def split_in_two(bars: Bars, at: int, *, adjusted: bool) -> Bars:
    """Return bars of which one unit becomes two at a bar; with earlier prices as they were, or adjusted."""
    prices = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    for column in prices.values():
        column[0 if adjusted else at :] /= 2.0
    if adjusted:
        return replace(bars, **prices)
    split = np.ones(len(bars))
    split[at] = 2.0
    return replace(bars, **prices, actions=CorporateActions(split, np.zeros(len(bars))))


def test_a_split_adjusts_position_and_orders_at_its_bar_and_the_histories_after_it(
    graph: BoundGraph, tmp_path: Path
) -> None:
    feed = ScriptedFeed.of(graph)
    worker = paper(graph, tmp_path / "one", feed)
    worker.start()
    step_until(worker, feed, lambda: worker.core.session.positions)
    (stop,) = [row for row in worker.core.session.ledger().orders if row["status"] == 0]
    whole, at, equity = feed.bars["ONE"], feed.next, worker.core.session.equity
    raw = split_in_two(whole, at, adjusted=False)
    feed.bars["ONE"] = raw
    feed.bring()
    feed.bars["ONE"] = split_in_two(whole, at, adjusted=True)
    worker.step()
    assert dict(worker.core.session.positions) == {"ONE": 20.0}
    (after,) = [row for row in worker.core.session.ledger().orders if row["id"] == stop["id"] and row["status"] == 0]
    assert (after["id"], after["lots"]) == (stop["id"], 20)
    assert after["price"] == pytest.approx(stop["price"] / 2.0, abs=0.01)
    move = 10.0 * (float(whole.close[at]) - float(whole.close[at - 1]))
    assert worker.core.session.equity == pytest.approx(equity + move, abs=0.2)
    assert worker.core.anchor is not None
    assert worker.core.anchor.number == 1
    assert closes(worker) == feed.bars["ONE"].close[: at + 1].tolist()
    for _ in range(5):
        feed.bring()
        worker.step()
    assert worker.core.session.steps == at + 6 - 30
    worker.close()
    assert replay_recording(tmp_path / "one" / LOG, load_registry()).different == ()


@pytest.mark.parametrize(
    ("session", "closed", "ends"),
    [
        (NEW_YORK_STOCKS, "2026-11-25T16:00:00-05:00", True),
        (NEW_YORK_STOCKS, "2026-11-25T15:59:00-05:00", False),
        (NEW_YORK_STOCKS, "2026-11-27T13:00:00-05:00", True),
        (ROUND_THE_CLOCK, "2026-03-01T00:00:00+00:00", True),
        (ROUND_THE_CLOCK, "2026-03-01T00:01:00+00:00", False),
        (Session("America/Chicago", 1020, 960, (0, 1, 2, 3, 4)), "2026-03-02T16:00:00-06:00", True),
    ],
)
def test_the_last_bar_of_a_session_is_known(session: Session, closed: str, *, ends: bool) -> None:
    assert ends_a_session(session, int(np.datetime64(closed[:-6], "ns").astype(np.int64)) - shift_ns(closed)) == ends


def shift_ns(text: str) -> int:
    sign = -1 if text[-6] == "-" else 1
    return sign * int(text[-5:-3]) * 3_600_000_000_000
