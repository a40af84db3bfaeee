"""Streams of lines: in order, whole for readers that keep up, and with a notice for those that don't."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json

from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.worker_log import LogFollower, note_in
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.server.line_sources import EventLines, LogLines, object_line
from quantcrafter.engine.server.streams import LineHub, LineRing
from tests.support.api_server import client, registered, socket_of
from tests.support.live_cases import STOPPED, worker_of


class Given:
    """A source of lines that the test gives."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._lock = threading.Lock()
        self.closed = 0

    def give(self, *lines: str) -> None:
        with self._lock:
            self._waiting += lines

    def lines(self) -> list[str]:
        with self._lock:
            found, self._waiting = self._waiting, []
        return found

    def close(self) -> None:
        self.closed += 1


def run(body: Callable[[LineHub, Given], Awaitable[None]], *, most_lines: int = 1000) -> Given:
    source = Given()

    async def whole() -> None:
        hub = LineHub(lambda _: source, ring=lambda: LineRing(most_lines=most_lines))
        try:
            await asyncio.wait_for(body(hub, source), 60)
        finally:
            hub.close()

    asyncio.run(whole())
    return source


async def take(batches: AsyncIterator[tuple[int, list[str]]], count: int) -> tuple[list[int], list[str]]:
    skips: list[int] = []
    lines: list[str] = []
    while len(lines) < count:
        skipped, found = await anext(batches)
        skips.append(skipped)
        lines += found
    return skips, lines


def test_a_ring_keeps_the_newest_lines_and_counts_what_is_gone() -> None:
    ring = LineRing(most_lines=3, most_characters=100)
    ring.add(["a", "b"])
    assert ring.read(0) == (0, ["a", "b"])
    ring.add(["c", "d", "e"])
    assert (ring.read(0), ring.read(4), ring.read(5), ring.next) == ((2, ["c", "d", "e"]), (0, ["e"]), (0, []), 5)
    ring.add(["f" * 200])
    assert ring.read(4) == (1, ["f" * 200])


def test_every_reader_gets_the_past_and_then_all_lines_in_order() -> None:
    async def body(hub: LineHub, source: Given) -> None:
        source.give(*map(str, range(150)))
        async with contextlib.aclosing(hub.follow("x")) as one, contextlib.aclosing(hub.follow("x", tail=10)) as two:
            assert (await take(one, 100))[1] == list(map(str, range(50, 150)))
            assert (await take(two, 10))[1] == list(map(str, range(140, 150)))
            source.give(*map(str, range(150, 850)))
            for each in (one, two):
                skips, lines = await take(each, 700)
                assert (sum(skips), lines) == (0, list(map(str, range(150, 850))))
            assert source.closed == 0

    assert run(body).closed == 1


def test_a_slow_reader_is_told_what_it_missed_and_the_others_miss_nothing() -> None:
    async def body(hub: LineHub, source: Given) -> None:
        source.give("0")
        async with contextlib.aclosing(hub.follow("x")) as slow, contextlib.aclosing(hub.follow("x")) as quick:
            await take(slow, 1)
            await take(quick, 1)
            for start in range(1, 3001, 100):
                source.give(*map(str, range(start, start + 100)))
                assert await take(quick, 100) == ([0], list(map(str, range(start, start + 100))))
            skips, lines = await take(slow, 1000)
            assert skips[0] + len(lines) == 3000
            assert lines == list(map(str, range(3001 - len(lines), 3001)))

    run(body, most_lines=1000)


@pytest.mark.parametrize(
    ("line", "wrapped"),
    [('{"a": 1}', False), ("plain", True), ("{", True), ("[1]", True), ('{"a": ' + "[" * 100_000, True)],
)
def test_what_is_no_object_is_wrapped(line: str, wrapped: bool) -> None:  # noqa: FBT001 - a parameter of the test
    found = json.loads(object_line(line))
    assert found == ({"timestamp": None, "level": "INFO", "message": line} if wrapped else json.loads(line))


def test_a_follower_begins_with_the_last_whole_lines_and_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    path.with_name("worker.log.1").write_text("a\nb\nc\n", encoding="utf-8")
    path.write_text("d\ne\nhal", encoding="utf-8")
    follower = LogFollower(path, tail=4)
    with path.open("a", encoding="utf-8") as stream:
        stream.write("f\ng\n")
    assert follower.lines() == ["b", "c", "d", "e", "half", "g"]
    assert follower.lines() == []
    follower.close()
    assert LogFollower(tmp_path / "none.log", tail=4).lines() == []


def test_a_log_that_begins_later_is_followed(tmp_path: Path) -> None:
    source = LogLines(tmp_path / "worker.log")
    assert source.lines() == []
    note_in(tmp_path, "first")
    assert [json.loads(each)["message"] for each in source.lines()] == ["first"]
    source.close()


def test_events_are_those_of_the_log_each_once_while_it_grows() -> None:
    worker = worker_of(load_text(STOPPED, load_registry()), workers_folder() / "one")
    source = EventLines(worker.folder)
    assert source.lines() == []
    worker.start()
    seen = [source.lines()]
    while not worker.has_ended:
        worker.step()
        seen.append(source.lines())
    worker.close()
    seen.append(source.lines())
    found = [json.loads(each) for part in seen for each in part]
    with InputLog.read(worker.folder / LOG) as log:
        whole = [json.loads(to_json(each)) for each in events_of(log)]
    assert {each["kind"] for each in found} >= {"anchored", "bar", "submit", "filled"}
    assert by_text(found) == by_text(whole)


def by_text(events: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in events)


def test_logs_and_events_come_by_websocket() -> None:
    folder = registered("one")
    with client() as api:
        token = api.headers["authorization"]
        with socket_of(api, "/workers/one/logs", authorization=token) as socket:
            assert socket.receive_json()["message"] == "first"
            note_in(folder, "second")
            assert socket.receive_json()["message"] == "second"
        worker = worker_of(load_text(STOPPED, load_registry()), folder)
        worker.start()
        with socket_of(api, "/workers/one/events", authorization=token) as socket:
            assert socket.receive_json()["kind"] == "anchored"
        worker.close()
