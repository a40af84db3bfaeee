"""Log, broker and strategy agree, or the worker only reduces; nothing is guessed, adopted or sent twice."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.orders import Accepted, Submit
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live import broker_desk, reconciliation
from quantcrafter.engine.live.account_book import ACCOUNTS, AccountBook, AccountFigures
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.limits import AccountLimits, limits_of
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import PLAIN, abandon, to_its_end, worker_of
from tests.support.scripted import ScriptedBroker, ScriptedFeed, scripted_worker, step_until


class Place(NamedTuple):
    """A worker between a feed and a broker, in a data folder."""

    worker: SessionWorker
    feed: ScriptedFeed
    broker: ScriptedBroker


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (reconciliation, "EVERY_S"),
        (reconciliation, "SETTLE_S"),
        (broker_desk, "UNANSWERED_S"),
        (broker_desk, "ASK_S"),
    ):
        monkeypatch.setattr(module, name, 0.0)


@pytest.fixture(scope="module")
def graph() -> BoundGraph:
    return load_text(PLAIN, load_registry())


def place_of(graph: BoundGraph, folder: Path, broker: ScriptedBroker | None = None, known: int = 30) -> Place:
    feed = ScriptedFeed.of(graph, known)
    broker = broker or ScriptedBroker(fills=100.0)
    worker = scripted_worker(graph, folder, feed, broker)
    worker.start()
    return Place(worker, feed, broker)


@pytest.fixture
def place(graph: BoundGraph, tmp_path: Path) -> Iterator[Place]:
    made = place_of(graph, tmp_path / "one")
    yield made
    made.worker.close()
    assert replay_recording(tmp_path / "one" / LOG, load_registry()).different == ()


def positions(worker: SessionWorker) -> dict[str, float]:
    return dict(worker.core.session.positions)


def alarms(worker: SessionWorker) -> list[str]:
    worker.save_state()
    with InputLog.read(worker.folder / LOG) as log:
        return [str(each["text"]) for each in events_of(log) if each["kind"] == "notice" and each["level"] == "alarm"]


def against(worker: SessionWorker) -> list[str]:
    return list(map(str, worker.core.gate.against()))


def steps(worker: SessionWorker, count: int = 8) -> None:
    for _ in range(count):
        worker.step()


def test_a_fill_whose_report_was_lost_is_found_among_the_executions(place: Place) -> None:
    worker, feed, broker = place
    broker.fills = None
    step_until(worker, feed, broker.submits)
    (entry,) = broker.submits()
    broker.fill(str(entry.order), entry.lots, 101.5, told=False)
    steps(worker)
    assert positions(worker) == broker.held
    assert worker.ledger().fills["price"].tolist() == [101.5]
    assert (alarms(worker), against(worker)) == ([], [])
    assert [each.kind for each in broker.submits()] == ["market", "stop"]


@pytest.mark.logs_errors
def test_a_fill_during_a_restart_and_during_a_disconnect_is_booked_before_the_next_bar(
    graph: BoundGraph, tmp_path: Path
) -> None:
    worker, feed, broker = place_of(graph, tmp_path / "one", ScriptedBroker())
    step_until(worker, feed, broker.submits)
    (entry,) = broker.submits()
    abandon(worker)
    broker.fill(str(entry.order), entry.lots - 3, 101.0, told=False)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    assert positions(worker) == broker.held
    broker.say("lost")
    steps(worker)
    broker.fill(str(entry.order), 3, 102.0, told=False)
    broker.say("connected")
    steps(worker)
    assert positions(worker) == broker.held == {"ONE": 10.0}
    assert (alarms(worker), against(worker)) == ([], [])
    stops = [each for each in broker.open_orders() if each.kind == "stop"]
    assert [each.quantity for each in stops] == [10.0]
    worker.close()


def test_an_outcome_stays_unknown_until_the_broker_tells_it_and_nothing_is_sent_again(place: Place) -> None:
    worker, feed, broker = place
    broker.answers = False
    step_until(worker, feed, broker.submits)
    (entry,) = broker.submits()
    steps(worker, 5)
    order = worker.core.session.orders[entry.order.number]
    assert order.state == "unknown"
    assert against(worker) == [f"the outcome of {entry.order} is unknown"]
    broker.answers = True
    broker.tell(Accepted(entry.order, 1))
    broker.fill(str(entry.order), entry.lots, 100.0)
    steps(worker)
    assert against(worker) == []
    assert positions(worker) == broker.held
    sent = [each.order for each in broker.submits()]
    assert len(set(sent)) == len(sent)


@pytest.mark.logs_errors
def test_an_order_without_a_fill_survives_a_restart_and_is_not_sent_again(graph: BoundGraph, tmp_path: Path) -> None:
    worker, feed, broker = place_of(graph, tmp_path / "one", ScriptedBroker())
    step_until(worker, feed, broker.submits)
    abandon(worker)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    steps(worker)
    (entry,) = broker.submits()
    assert worker.core.session.orders[entry.order.number].state == "accepted"
    worker.close()


def test_a_protective_stop_works_at_the_broker_before_the_first_bar_after_a_kill(
    graph: BoundGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is killed when the entry's fill is in the log, and its stop is not sent."""
    worker, feed, broker = place_of(graph, tmp_path / "one", ScriptedBroker())
    step_until(worker, feed, broker.submits)
    (entry,) = broker.submits()

    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(SessionWorker, "_fail", lambda *_: None)
        patch.setattr(InputLog, "put_outputs", kill)
        broker.fill(str(entry.order), entry.lots, 100.0)
        with pytest.raises(Killed):
            worker.step()
    abandon(worker)
    assert len(broker.submits()) == 1
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    assert [each.kind for each in broker.submits()] == ["market", "stop"]
    worker.close()


@pytest.mark.logs_errors
@pytest.mark.parametrize("what", ["stop", "entry"])
def test_a_stop_that_was_not_handed_over_before_a_kill_is_placed_again_and_an_entry_is_not(
    graph: BoundGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The process is killed between the commit of an order and its sending: the broker is certain that it has none."""
    worker, feed, broker = place_of(graph, tmp_path / "one", ScriptedBroker())

    class Killed(BaseException):
        pass

    def kill(_: object) -> None:
        raise Killed

    if what == "stop":
        step_until(worker, feed, broker.submits)
        (entry,) = broker.submits()
        broker.fill(str(entry.order), entry.lots, 100.0)
    monkeypatch.setattr(broker, "on_send", kill)
    with pytest.raises(Killed):
        step_until(worker, feed, lambda: False)
    abandon(worker)
    monkeypatch.setattr(broker, "on_send", None)
    worker = scripted_worker(graph, tmp_path / "one", feed, broker)
    worker.start()
    if what == "entry":
        assert (broker.submits(), positions(worker)) == ([], {})
        assert [each.state for each in worker.core.session.orders.values()] == ["rejected"]
    else:
        assert [each.kind for each in broker.submits()] == ["market", "stop"]
        assert [each.quantity for each in broker.open_orders()] == [10.0]
        assert (worker.state, positions(worker)) == ("running", {"ONE": 10.0})
        steps(worker)
        assert worker.core.gate.unprotected == ()
    worker.close()


def test_a_position_that_differs_means_reducing_until_resume_accepts_it(place: Place) -> None:
    worker, feed, broker = place
    step_until(worker, feed, lambda: positions(worker))
    count = len(broker.submits())
    broker.held["ONE"] = 4.0
    steps(worker)
    assert worker.state == "reducing"
    (text,) = alarms(worker)
    assert text.startswith("The broker's position in ONE differs by -6 from what the workers and nobody hold.")
    step_until(worker, feed, lambda: feed.next > 100)
    assert all(each.reduce_only for each in broker.submits()[count:])
    assert len(alarms(worker)) == 1
    worker.command("resume")
    steps(worker)
    assert (worker.state, against(worker)) == ("running", [])
    assert worker.core.gate.nobodys == {"ONE": broker.held["ONE"] - positions(worker).get("ONE", 0.0)}


def test_a_difference_that_does_not_last_is_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, feed, broker = place
    monkeypatch.setattr(reconciliation, "SETTLE_S", 3600.0)
    step_until(worker, feed, lambda: positions(worker))
    broker.held["ONE"] = 4.0
    steps(worker)
    assert (worker.state, alarms(worker)) == ("running", [])


def test_a_trade_by_hand_is_shown_and_neither_adopted_nor_closed(place: Place) -> None:
    worker, feed, broker = place
    step_until(worker, feed, lambda: positions(worker))
    broker.trade_by_hand("ONE", 25.0, feed.at_ns)
    broker.trade_by_hand("ONE", -2.0, feed.at_ns, order="my-own-order")
    steps(worker)
    assert (alarms(worker), against(worker)) == ([], [])
    assert worker.core.gate.nobodys == {"ONE": 23.0}
    assert positions(worker) == {"ONE": 10.0}
    worker.command("flatten")
    steps(worker)
    assert (positions(worker), broker.held) == ({}, {"ONE": 23.0})


def test_what_was_in_the_account_before_belongs_to_nobody(graph: BoundGraph, tmp_path: Path) -> None:
    worker, feed, broker = place_of(graph, tmp_path / "one", ScriptedBroker(fills=100.0, held={"ONE": -7.0}))
    assert worker.core.gate.nobodys == {"ONE": -7.0}
    step_until(worker, feed, lambda: positions(worker))
    assert (broker.held, alarms(worker)) == ({"ONE": 3.0}, [])
    worker.close()


def test_an_order_that_the_broker_ended_without_a_word_is_asked_for(place: Place) -> None:
    worker, feed, broker = place
    step_until(worker, feed, lambda: positions(worker))
    (stop,) = [each for each in broker.open_orders() if each.kind == "stop"]
    broker.ended.add(stop.client_order_id)
    steps(worker)
    assert worker.state == "reducing"
    assert alarms(worker)[0].startswith(f"The order {stop.client_order_id} works in the log, and not at the broker.")


def test_an_order_that_works_at_the_broker_and_has_ended_in_the_log_is_an_alarm(place: Place) -> None:
    worker, feed, broker = place
    step_until(worker, feed, lambda: positions(worker))
    (entry, *_) = broker.submits()
    broker.ended.discard(str(entry.order))
    steps(worker)
    assert worker.state == "reducing"
    assert alarms(worker)[0].startswith(f"The order {entry.order} works at the broker, and has ended in the log.")


def test_an_account_that_can_not_be_asked_allows_no_entries(graph: BoundGraph, tmp_path: Path) -> None:
    broker = ScriptedBroker(fills=100.0)
    broker.reachable = False
    worker, feed, _ = place_of(graph, tmp_path / "one", broker)
    assert against(worker) == ["the account is not compared with the log yet"]
    step_until(worker, feed, lambda: feed.next > 100)
    assert (broker.sent, len(worker.ledger().blocked) > 0) == ([], True)
    broker.reachable = True
    step_until(worker, feed, broker.submits)
    worker.close()


def test_events_are_in_the_order_of_time_and_tell_the_brokers_own_time(graph: BoundGraph, tmp_path: Path) -> None:
    worker, feed, broker = place_of(graph, tmp_path / "one", ScriptedBroker())
    step_until(worker, feed, broker.submits)
    (entry,) = broker.submits()
    broker.silent = True
    broker.fill(str(entry.order), entry.lots, 100.0)
    for _ in range(3):
        feed.bring()
        worker.step()
    broker.silent = False
    steps(worker)
    worker.save_state()
    with InputLog.read(worker.folder / LOG) as log:
        events = list(events_of(log))
    times = [each["ts_ns"] for each in events]
    assert times == sorted(times)
    fill = next(each for each in events if each["kind"] == "filled")
    assert fill["ts_ns"] >= fill["venue_ts_ns"] == entry.ts_ns
    worker.close()


def test_a_fee_that_is_taken_in_the_coin_is_no_difference(graph: BoundGraph, tmp_path: Path) -> None:
    worker, feed, broker = place_of(graph, tmp_path / "one", ScriptedBroker(fills=100.0))
    step_until(worker, feed, lambda: positions(worker))
    broker.executed[-1] = replace(broker.executed[-1], fee_quantity=0.6)
    broker.held["ONE"] -= 0.6
    desk = worker._desk
    assert desk is not None
    for _ in range(3):
        desk._reconciliation.soon()
        steps(worker)
    assert (worker.state, worker.core.gate.disagreed, worker.core.gate.nobodys) == ("running", (), {})
    broker.held["ONE"] -= 0.6  # and what nobody explains is one
    for _ in range(3):
        desk._reconciliation._next_s = -1.0
        steps(worker)
    assert worker.state == "reducing"
    worker.close()


def test_an_account_whose_answers_take_long_is_asked_beside_the_worker(
    graph: BoundGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker takes bars and reports while the exchange thinks, and compares when the answer is there."""
    worker, feed, broker = place_of(graph, tmp_path / "one", ScriptedBroker(fills=100.0))
    step_until(worker, feed, lambda: positions(worker))
    answers = threading.Event()

    def slow(since_ns: int) -> Any:
        del since_ns
        assert answers.wait(60)
        return list(broker.executed)

    monkeypatch.setattr(ScriptedBroker, "is_slow", True)
    monkeypatch.setattr(broker, "executions", slow)
    broker.trade_by_hand("ONE", 5.0, feed.at_ns)
    begin, before = time.monotonic(), worker.core.session.steps
    worker._desk._reconciliation.soon()  # type: ignore[union-attr]
    for _ in range(3):
        feed.bring()
        worker.step()
    assert worker.core.session.steps == before + 3
    assert worker.core.gate.nobodys == {}
    answers.set()
    end = time.monotonic() + 60
    while worker.core.gate.nobodys != {"ONE": 5.0}:
        assert time.monotonic() < end
        worker.step()
    assert time.monotonic() - begin < 60
    worker.close()


def test_workers_of_one_account_and_symbol_hold_their_own_positions_whose_sum_is_the_brokers(
    graph: BoundGraph, tmp_path: Path
) -> None:
    one, feed, broker = place_of(graph, tmp_path / "one")
    two, feed_two, _ = place_of(graph, tmp_path / "two", broker)
    step_until(one, feed, lambda: positions(one))
    steps(two)
    assert (positions(one), positions(two), broker.held) == ({"ONE": 10.0}, {}, {"ONE": 10.0})
    step_until(two, feed_two, lambda: positions(two))
    steps(one)
    assert (positions(one), positions(two), broker.held) == ({"ONE": 10.0}, {"ONE": 10.0}, {"ONE": 20.0})
    assert (alarms(one), alarms(two), against(one), against(two)) == ([], [], [], [])
    one.command("flatten")
    steps(one)
    steps(two)
    assert (positions(one), positions(two), broker.held) == ({}, {"ONE": 10.0}, {"ONE": 10.0})
    broker.held["ONE"] = 11.0
    steps(two)
    assert alarms(two)[0].startswith("The broker's position in ONE differs by +1 from")
    for worker in (one, two):
        worker.close()


def test_what_another_worker_traded_and_has_not_booked_yet_is_no_difference(graph: BoundGraph, tmp_path: Path) -> None:
    one, feed, broker = place_of(graph, tmp_path / "one")
    two, _, _ = place_of(graph, tmp_path / "two", broker)
    broker.silent = True
    feed.bring()
    while not broker.held:
        feed.bring()
        one.step()
    steps(two)
    assert (positions(one), against(two), alarms(two)) == ({}, [], [])
    assert two.core.gate.nobodys == {}
    for worker in (one, two):
        worker.close()


def test_workers_in_paper_mode_are_in_no_account(graph: BoundGraph, tmp_path: Path) -> None:
    live, feed, broker = place_of(graph, tmp_path / "live")
    to_its_end(worker_of(graph, tmp_path / "paper"))
    step_until(live, feed, lambda: positions(live))
    assert live._desk is not None
    book = live._desk._book
    assert list(book.prefixes().values()) == ["live"]
    assert (book.held("ONE"), broker.held) == (10.0, {"ONE": 10.0})
    assert len(list((tmp_path / "accounts").glob("*.db"))) == 1
    live.close()


# ------------------------------------------------------------------------------------------------------------ limits


def denied(worker: SessionWorker) -> list[str]:
    return [order.text for order in worker.core.session.orders.values() if order.state == "denied"]


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ("default: {exposure: 500}", "exposure would be"),
        ("brokers: {held: {orders_a_minute: 1}}", "1 orders a minute"),
        ("default: {daily_loss: 0.001}", "has lost"),
    ],
)
def test_an_entry_beyond_a_limit_of_the_account_is_denied_and_exits_are_not(
    graph: BoundGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: str, text: str
) -> None:
    broker = ScriptedBroker(fills=100.0)
    first, feed, _ = place_of(graph, tmp_path / "first", broker)
    step_until(first, feed, lambda: positions(first))  # without a limit
    (tmp_path / "limits.yaml").write_text(limits)
    worker, feed, _ = place_of(graph, tmp_path / "one", broker)
    if "loss" in limits:
        monkeypatch.setattr(AccountBook, "others", lambda *_: AccountFigures(0.0, -5.0))
    count = len(broker.submits())
    step_until(worker, feed, lambda: denied(worker))
    assert text in denied(worker)[0]
    assert all(isinstance(each, Submit) and each.reduce_only for each in broker.submits()[count:])
    first.command("flatten")
    steps(first)
    assert positions(first) == {}
    for each in (first, worker):
        each.close()


def test_loss_and_exposure_are_those_of_all_workers_of_the_account(graph: BoundGraph, tmp_path: Path) -> None:
    one, feed, broker = place_of(graph, tmp_path / "one")
    two, feed_two, _ = place_of(graph, tmp_path / "two", broker)
    step_until(one, feed, lambda: positions(one))
    for _ in range(feed.next - feed_two.next):
        feed_two.bring()
        two.step()
    for here, other in ((one, two), (two, one)):
        assert here._desk is not None
        book = here._desk._book
        found = book.others(here.core.now_ns)
        last = other.core.session.bars("ONE").close[-1]
        held = positions(other).get("ONE", 0.0)
        assert found.exposure == pytest.approx(held * last)
        assert found.pnl == pytest.approx(other.core.pnl_today)
        other_day = book.others(here.core.now_ns + 86_400_000_000_000)
        assert other_day.pnl == 0.0
    assert positions(one)
    for worker in (one, two):
        worker.close()


def test_the_book_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    AccountBook.open(tmp_path, "account", "w", "one").close()
    with closing(sqlite3.connect(tmp_path / ACCOUNTS / "account.db")) as earlier:
        for statement in (
            "DROP TABLE fees",
            "ALTER TABLE workers DROP COLUMN currency",
            "INSERT INTO positions VALUES ('w', 'ONE', 10)",
            "PRAGMA user_version = 1",
        ):
            earlier.execute(statement)
        earlier.commit()
    book = AccountBook.open(tmp_path, "account", "v", "two")
    assert (book.prefixes(), book.held("ONE"), book.fees("ONE")) == ({"v": "two", "w": "one"}, 10.0, 0.0)
    assert book.currencies(0) == set()
    book.close()


def test_an_exposure_is_counted_in_the_currency_of_the_account(place: Place) -> None:
    worker, feed, _ = place
    step_until(worker, feed, lambda: positions(worker))
    desk, price = worker._desk, float(worker.core.session.bars("ONE").close[-1])
    assert desk is not None
    assert desk._guard._exposure(-1) == pytest.approx(10.0 * price)
    holding = worker.core.session._session.memory.holdings[0]
    holding["rate"] = 1.25
    assert desk._guard._exposure(-1) == pytest.approx(12.5 * price)
    holding["rate"] = 1.0


def test_workers_that_count_in_different_currencies_are_not_added_together(graph: BoundGraph, tmp_path: Path) -> None:
    one, feed, broker = place_of(graph, tmp_path / "one")
    step_until(one, feed, lambda: positions(one))
    (tmp_path / "limits.yaml").write_text("default: {exposure: 1000000}")
    in_euro = load_text(PLAIN + "run: {currency: EUR}\n", load_registry())
    two, feed_two, _ = place_of(in_euro, tmp_path / "two", broker)
    step_until(two, feed_two, lambda: denied(two))
    assert "the account's workers count in EUR and USD" in denied(two)[0]
    one.command("flatten")
    steps(one)
    step_until(two, feed_two, lambda: positions(two))
    for each in (one, two):
        each.close()


@pytest.mark.logs_errors
@pytest.mark.parametrize("text", ["", "# exposure: 5000"])
def test_an_empty_file_of_limits_lets_no_worker_start_and_none_are_written_as_such(
    graph: BoundGraph, tmp_path: Path, text: str
) -> None:
    (tmp_path / "limits.yaml").write_text(text, encoding="utf-8")
    worker = scripted_worker(graph, tmp_path / "one", ScriptedFeed.of(graph), ScriptedBroker())
    with pytest.raises(RunError, match=r"is empty. Write the limits into it, or 'default: \{\}' for none"):
        worker.start()
    worker.close()
    (tmp_path / "limits.yaml").write_text("default: {}", encoding="utf-8")
    assert limits_of(tmp_path, "held") == AccountLimits()


@pytest.mark.logs_errors
@pytest.mark.parametrize("text", ["default: {exposure: -1}", "default: {loss: 1}", "default: [", "\xff"])
def test_limits_that_can_not_be_read_let_no_worker_start(graph: BoundGraph, tmp_path: Path, text: str) -> None:
    (tmp_path / "limits.yaml").write_text(text, encoding="latin-1")
    worker = scripted_worker(graph, tmp_path / "one", ScriptedFeed.of(graph), ScriptedBroker())
    with pytest.raises(RunError, match=r"limits in .* can't be read"):
        worker.start()
    assert worker.state == "error"
    worker.close()
