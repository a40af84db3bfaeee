"""The hours of a schedule by the clock of a replay: no entries outside them, and no positions after them."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import Bar
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.feeds.clocked import moment_of
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.feeds.synthetic import SyntheticFeed
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.inputs import BarsClosed
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.orchestrator.scheduled_hours import hours_of
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import PLAIN, abandon

HOUR_NS = 3_600_000_000_000
TEXT = PLAIN.replace("1d, bars: 160", "1h, bars: 700").replace("percent: 2", "percent: 20")
DAYS = "run: {schedule: {weekly: [mon-fri 08:00-16:00], lead_minutes: 0, after_minutes: 0}}\n"


def graph_of(schedule: str) -> BoundGraph:
    return load_text(TEXT + schedule, load_registry())


def made(graph: BoundGraph, folder: Path) -> SessionWorker:
    return SessionWorker(graph, StoredFeed(speed="max"), PaperBroker(), folder, hours=hours_of(graph))


def run_and_kill(graph: BoundGraph, folder: Path, most_steps: int) -> None:
    """Run a worker to its end; after some steps it is killed and started again."""
    rng = random.Random(5)  # noqa: S311 - a test
    while True:
        worker = made(graph, folder)
        worker.start()
        for _ in range(rng.randint(1, most_steps)):
            worker.step()
        if worker.has_ended:
            break
        abandon(worker)
    worker.close()


def events(folder: Path) -> list[dict[str, Any]]:
    with InputLog.read(folder / LOG) as log:
        return list(events_of(log))


def held_at_closes(found: list[dict[str, Any]]) -> list[tuple[int, float]]:
    """Return what was held at the close of each bar."""
    held, closes = 0.0, []
    sides: dict[str, int] = {}
    for each in found:
        if each["kind"] == "submit":
            sides[each["client_order_id"]] = 1 if each["side"] == "buy" else -1
        if each["kind"] == "filled":
            held += each["lots"] * sides[each["client_order_id"]]
        if each["kind"] == "bar":
            closes.append((int(each["close_ns"]), held))
    return [(close, after) for (close, _), (_, after) in pairwise([*closes, (0, held)])]


def weekday_and_hour(close_ns: int) -> tuple[int, int]:
    hours = close_ns // HOUR_NS
    return int((hours // 24 + 3) % 7), int(hours % 24)


def test_no_entry_is_made_outside_the_hours_and_positions_stay(tmp_path: Path) -> None:
    worker = made(graph_of(DAYS), tmp_path / "w")
    worker.run()
    found = events(tmp_path / "w")
    is_open, entries, changes = True, [], 0
    for each in found:
        is_open = each.get("is_open", is_open)
        changes += each["kind"] == "hours"
        if each["kind"] == "submit" and not each.get("reduce_only"):
            entries.append((is_open, weekday_and_hour(each["ts_ns"])))
    assert len(entries) > 3
    assert all(is_open and day < 5 and 8 <= hour < 16 for is_open, (day, hour) in entries)
    assert changes > 35
    assert any(held for close, held in held_at_closes(found) if weekday_and_hour(close)[1] >= 17)


def test_a_worker_that_is_killed_goes_on_with_the_same_hours(tmp_path: Path) -> None:
    graph = graph_of(DAYS)
    whole = made(graph, tmp_path / "whole" / "w")
    whole.run()
    run_and_kill(graph, tmp_path / "killed" / "w", most_steps=3)
    assert events(tmp_path / "killed" / "w") == events(tmp_path / "whole" / "w")


LUNCH = "run: {schedule: {weekly: [mon-fri 08:00-11:00 13:00-16:00], lead_minutes: 90, after_minutes: 60}}\n"
SESSION = {8, 9, 10, 13, 14, 15}


def entries_and_fills(found: list[dict[str, Any]]) -> tuple[list[int], list[int]]:
    """Return when entries were ordered, and the closes of the bars in which they were filled."""
    entries = {each["client_order_id"]: each for each in found if each["kind"] == "submit" and not each["reduce_only"]}
    fills = [each["ts_ns"] for each in found if each["kind"] == "filled" and each["client_order_id"] in entries]
    return [each["ts_ns"] for each in entries.values()], fills


def test_there_are_no_entries_in_the_lead_in_breaks_and_after_a_session(tmp_path: Path) -> None:
    worker = made(graph_of(LUNCH), tmp_path / "w")
    worker.run()
    ordered, filled = entries_and_fills(events(tmp_path / "w"))
    assert len(ordered) > 3
    assert filled
    assert {weekday_and_hour(ts_ns)[1] for ts_ns in ordered} <= SESSION
    assert {weekday_and_hour(ts_ns - 1)[1] for ts_ns in filled} <= SESSION


LIMIT = "execution: {entry: {use: limit, signals: [cross], risk: [stop], money: size, offset_percent: 0.6}}"


def test_an_entry_order_that_waits_ends_with_the_hours_if_the_market_goes_on(tmp_path: Path) -> None:
    graph = load_text(TEXT[: TEXT.index("execution:")] + LIMIT + "\n" + LUNCH, load_registry())
    worker = made(graph, tmp_path / "w")
    worker.run()
    found = events(tmp_path / "w")
    ordered, filled = entries_and_fills(found)
    assert len(ordered) > 5
    assert {weekday_and_hour(ts_ns - 1)[1] for ts_ns in filled} <= SESSION
    cancelled = [each for each in found if each["kind"] == "cancelled"]
    assert {weekday_and_hour(each["ts_ns"])[1] for each in cancelled} & {11, 16}


def test_an_entry_on_the_last_bar_of_a_market_waits_for_its_next_opening(tmp_path: Path) -> None:
    text = TEXT.replace("ONE, data: synthetic, timeframe: 1h", "SH600000, data: synthetic, timeframe: 30m")
    text = text.replace("quantity: 10", "quantity: 100")
    found = []
    for name, schedule in (("market", "run: {schedule: {hours: market}}\n"), ("always", "")):
        graph = load_text(text + schedule, load_registry())
        feed = SyntheticFeed.from_place("max@2024-01-03..2024-04-01,seed=4")
        worker = SessionWorker(graph, feed, PaperBroker(), tmp_path / name, hours=hours_of(graph))
        worker.run()
        found.append(entries_and_fills(events(tmp_path / name)))
    assert found[0] == found[1]
    assert any(weekday_and_hour(ts_ns)[1] == 7 for ts_ns in found[0][0])  # 15:00 in Shanghai


def test_the_close_of_a_bar_counts_and_not_when_it_was_seen() -> None:
    hours = hours_of(graph_of(LUNCH))
    assert hours is not None
    day = moment_of("2024-03-05")

    def seen(close: str, ts: str) -> bool:
        close_ns = moment_of(close)
        bar = Bar(close_ns - HOUR_NS, close_ns, 1.0, 1.0, 1.0, 1.0, 1.0)
        return hours.allows(BarsClosed({"ONE": bar}, moment_of(ts)))

    assert hours.at(day + 10 * HOUR_NS).is_open
    assert seen("2024-03-04T10:00", "2024-03-04T10:00")
    assert seen("2024-03-04T10:00", "2024-03-05T07:00")
    assert not seen("2024-03-04T12:00", "2024-03-04T13:05")
    assert not seen("2024-03-04T07:00", "2024-03-04T08:01")


FLAT = DAYS.replace("after_minutes: 0", "after_minutes: 0, flat_minutes: 90")


def test_positions_are_closed_by_the_clock_of_the_feed_at_any_speed_and_through_kills(tmp_path: Path) -> None:
    graph = graph_of(FLAT)
    whole = made(graph, tmp_path / "max" / "w")
    whole.run()
    found = events(tmp_path / "max" / "w")
    closes = [(*weekday_and_hour(close), held) for close, held in held_at_closes(found)]
    assert any(held for _, hour, held in closes if 9 <= hour <= 14)
    assert not [(day, hour, held) for day, hour, held in closes if held and (day > 4 or hour < 8 or hour > 15)]
    asked = [(each["verb"], each["source"], weekday_and_hour(each["ts_ns"])) for each in found if "verb" in each]
    assert len(asked) > 30
    assert {verb for verb, _, _ in asked[::2]} == {"flatten"}
    assert {verb for verb, _, _ in asked[1::2]} == {"resume"}
    flat = [each["ts_ns"] for each in found if each.get("verb") == "flatten"]
    assert {ts_ns % (24 * HOUR_NS) for ts_ns in flat[1:]} == {14 * HOUR_NS + HOUR_NS // 2}  # the first is the start's

    slow = SessionWorker(
        graph, StoredFeed(speed="1000000x"), PaperBroker(), tmp_path / "x" / "w", hours=hours_of(graph)
    )
    slow.run()
    assert events(tmp_path / "x" / "w") == found
    run_and_kill(graph, tmp_path / "killed" / "w", most_steps=5)
    assert events(tmp_path / "killed" / "w") == found


def test_what_a_user_asks_is_not_undone_by_the_schedule(tmp_path: Path) -> None:
    worker = made(graph_of(FLAT), tmp_path / "w")
    worker.start()
    worker.step()
    worker.command("pause", "user")
    while not worker.has_ended:
        worker.step()
    assert worker.core.gate.paused
    worker.close()
    found = events(tmp_path / "w")
    place = next(n for n, each in enumerate(found) if each.get("verb") == "pause")
    assert [each["verb"] for each in found[place:] if "verb" in each][:3] == ["pause", "flatten", "flatten"]
    assert not entries_and_fills(found[place:])[0]


def test_a_replay_beyond_the_end_of_a_calendar_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = TEXT.replace("ONE, data: synthetic, timeframe: 1h", "SH600000, data: synthetic, timeframe: 1h")
    graph = load_text(text + "run: {schedule: {hours: market}}\n", load_registry())
    feed = SyntheticFeed.from_place("max@2030-01-03..2030-02-01,seed=4")
    SessionWorker(graph, feed, PaperBroker(), tmp_path / "w", hours=hours_of(graph)).run()
    assert sum("holidays of XSHG" in record.getMessage() for record in caplog.records) == 1


def test_a_worker_that_begins_outside_a_session_has_no_event_before_its_beginning(tmp_path: Path) -> None:
    worker = made(graph_of(DAYS.replace("}}", ", flat_minutes: 60}}")), tmp_path / "one")
    worker.start()
    worker.step()
    worker.close()
    times = [each["ts_ns"] for each in events(tmp_path / "one")]
    assert times == sorted(times)
    assert len(times) > 10


def test_without_a_schedule_there_are_no_hours() -> None:
    assert hours_of(graph_of("")) is None
