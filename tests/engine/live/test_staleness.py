"""A feed or broker that is lost or silent allows no entries, says so once, and does again when it is back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import Session, Timeframe
from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, ROUND_THE_CLOCK
from quantcrafter.engine.api.orders import Submit
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live import reconciliation
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.overdue import latest_ns
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import PLAIN
from tests.support.scripted import ScriptedBroker, ScriptedFeed, scripted_worker, step_until

SHANGHAI = Session("Asia/Shanghai", 570, 900, (0, 1, 2, 3, 4), "XSHG")
HOUR_NS = 3_600_000_000_000


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "EVERY_S", 0.0)
    monkeypatch.setattr(reconciliation, "SETTLE_S", 0.0)


@pytest.fixture(scope="module")
def graph() -> BoundGraph:
    return load_text(PLAIN, load_registry())


@pytest.fixture
def between(graph: BoundGraph, tmp_path: Path) -> Any:
    feed, broker = ScriptedFeed.of(graph), ScriptedBroker(fills=100.0)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    yield worker, feed, broker
    worker.close()
    assert replay_recording(tmp_path / "one" / LOG, load_registry()).different == ()


def notices(worker: SessionWorker) -> list[str]:
    worker.save_state()
    with InputLog.read(worker.folder / LOG) as log:
        return [str(each["text"]) for each in events_of(log) if each["kind"] == "notice"]


def entries(broker: ScriptedBroker) -> list[Submit]:
    return [each for each in broker.submits() if not each.reduce_only]


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("timeframe", "session", "closed", "latest"),
    [
        ("1m", ROUND_THE_CLOCK, "2026-03-01T00:01:00+00:00", "2026-03-01T00:02:30+00:00"),
        ("1m", NEW_YORK_STOCKS, "2026-11-25T16:00:00-05:00", "2026-11-27T09:31:30-05:00"),  # Thanksgiving
        ("1h", NEW_YORK_STOCKS, "2026-11-27T12:30:00-05:00", "2026-11-30T10:05:00-05:00"),  # a half day
        ("5m", SHANGHAI, "2026-09-30T11:30:00+08:00", "2026-09-30T13:07:30+08:00"),  # lunch
        ("5m", SHANGHAI, "2026-09-30T15:00:00+08:00", "2026-10-08T09:37:30+08:00"),  # Golden Week
        ("1h", NEW_YORK_STOCKS, "2026-10-30T16:00:00-04:00", "2026-11-02T10:35:00-05:00"),  # clocks go back
        ("1d", NEW_YORK_STOCKS, "2026-11-25T16:00:00-05:00", "2026-11-27T19:00:00-05:00"),
        ("1d", ROUND_THE_CLOCK, "2026-03-01T00:00:00+00:00", "2026-03-02T06:00:00+00:00"),
    ],
)
def test_a_bar_is_overdue_by_the_hours_of_its_market(
    timeframe: str, session: Session, closed: str, latest: str
) -> None:
    assert latest_ns(Timeframe.parse(timeframe), session, ns(closed)) == ns(latest)


def test_bars_of_weeks_are_never_overdue_and_no_bar_is_not_either() -> None:
    assert latest_ns(Timeframe.parse("1w"), ROUND_THE_CLOCK, ns("2026-03-01T00:00:00+00:00")) is None
    assert latest_ns(Timeframe.parse("1m"), ROUND_THE_CLOCK, -(2**62)) is None


def test_a_lost_feed_is_told_once_and_what_it_missed_is_no_reason_to_enter_late(between: Any) -> None:
    worker, feed, broker = between
    for _ in range(2):
        feed.say("lost", "gone")
        worker.step()
    assert list(map(str, worker.core.gate.against())) == ["the feed is lost"]
    feed.reachable = False
    feed.say("connected")
    for _ in range(60):
        feed.skip()
    worker.step()
    assert worker.core.feed_state == "lost"  # what was missed can't be had yet
    feed.reachable = True
    worker.step()
    assert (worker.core.feed_state, worker.core.session.steps) == ("connected", feed.next - 30)
    assert entries(broker) == []
    assert len(worker.ledger().blocked) > 0
    step_until(worker, feed, lambda: entries(broker))
    told = notices(worker)
    assert [each.split(":")[0] for each in told] == ["The feed is lost", "The feed is back."]


def test_overdue_bars_are_told_once_and_the_bar_that_comes_may_be_acted_on(between: Any) -> None:
    worker, feed, broker = between
    step_until(worker, feed, lambda: broker.held)
    for _ in range(3):
        feed.at_ns += 20 * HOUR_NS
        worker.step()
    assert list(map(str, worker.core.gate.against())) == ["bars of ONE are overdue"]
    count = len(entries(broker))
    feed.at_ns = 0
    step_until(worker, feed, lambda: len(entries(broker)) > count)
    told = notices(worker)
    assert told == [
        "Bars of ONE are overdue: no entries until they come.",
        "The bars that were overdue have come.",
    ]


def test_a_clock_that_is_set_back_and_forth_ends_in_the_right_state(between: Any) -> None:
    worker, feed, broker = between
    step_until(worker, feed, lambda: broker.held)
    now_ns = feed.at_ns
    for shift in (-1000, 1000, 0):
        feed.at_ns = now_ns + shift * HOUR_NS
        worker.step()
        assert bool(worker.core.gate.overdue) == (shift > 0)
    assert list(worker.core.gate.against()) == []


def test_a_lost_broker_gets_no_entry_and_keeps_its_stop_and_is_told_once(between: Any) -> None:
    worker, feed, broker = between
    broker.say("lost", "gone")
    worker.step()
    broker.reachable = False
    assert list(map(str, worker.core.gate.against())) == ["the broker is lost"]
    step_until(worker, feed, lambda: feed.next > 100)
    assert broker.sent == []
    broker.reachable = True
    broker.say("connected")
    worker.step()
    worker.step()
    assert list(worker.core.gate.against()) == []
    step_until(worker, feed, lambda: entries(broker))
    assert [each.split(":")[0].split(";")[0] for each in notices(worker)] == [
        "The broker is lost",
        "The broker is back",
    ]


def test_an_entry_that_can_not_be_sent_is_denied_and_a_stop_is_sent_when_it_can(between: Any) -> None:
    worker, feed, broker = between
    broker.reachable = False
    step_until(worker, feed, lambda: any(order.state == "denied" for order in worker.core.session.orders.values()))
    assert broker.sent == []
    broker.reachable, broker.fills = True, None
    worker.step()
    step_until(worker, feed, lambda: entries(broker))
    (entry,) = entries(broker)
    broker.reachable = False
    broker.fill(str(entry.order), entry.lots, 100.0)
    worker.step()
    assert len(broker.submits()) == 1
    broker.reachable = True
    worker.step()
    assert [each.kind for each in broker.submits()] == ["market", "stop"]
