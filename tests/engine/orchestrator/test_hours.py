"""A worker on a feed with its own clock allows no entries outside the hours of its schedule."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.orchestrator.lifecycle import hours_of
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import PLAIN, abandon

HOUR_NS = 3_600_000_000_000
TEXT = PLAIN.replace("1d, bars: 160", "1h, bars: 700").replace("percent: 2", "percent: 20")
DAYS = "run: {schedule: {weekly: [mon-fri 08:00-16:00], lead_minutes: 0, after_minutes: 0}}\n"


def graph_of(schedule: str) -> BoundGraph:
    return load_text(TEXT + schedule, load_registry())


def made(graph: BoundGraph, folder: Path) -> SessionWorker:
    return SessionWorker(graph, StoredFeed(speed="max"), PaperBroker(), folder, is_open=hours_of(graph))


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
    rng = random.Random(5)  # noqa: S311 - a test
    while True:
        worker = made(graph, tmp_path / "killed" / "w")
        worker.start()
        for _ in range(rng.randrange(1, 4)):
            worker.step()
        if worker.has_ended:
            break
        abandon(worker)
    worker.close()
    assert events(tmp_path / "killed" / "w") == events(tmp_path / "whole" / "w")


def test_without_a_schedule_there_are_no_hours() -> None:
    assert hours_of(graph_of("")) is None
