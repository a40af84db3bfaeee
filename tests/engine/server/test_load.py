"""Many readers of logs: nothing is lost for those that keep up, and a slow one is told what it missed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from quantcrafter.engine.api.home import home
from quantcrafter.engine.live.api_files import log_stream_url
from tests.support.api_server import registered, served
from tests.support.log_load import read_lines, read_while_written, write_lines

pytestmark = pytest.mark.slow

LINES = 100_000
AT_ONCE = 2_000


def test_readers_that_keep_up_get_every_line_in_order() -> None:
    folders = [registered(key) for key in ("one", "two")]
    with served(home()) as base:
        found = asyncio.run(read_while_written(folders, base, readers=20, lines=300, a_second=300.0))
    assert [each.numbers for each in found] == [list(range(300))] * 20
    assert sum(each.skipped for each in found) == 0


async def count_all(socket: ClientConnection) -> tuple[int, int]:
    """Return how many lines a reader gets until the last one, and how many it is told that it missed."""
    got = skipped = 0
    while True:
        line = json.loads(await asyncio.wait_for(socket.recv(), 60))
        if line.get("type") == "skipped":
            skipped += line["lines"]
            continue
        got += 1
        if line["number"] == LINES - 1:
            return got, skipped


async def stall(folder: Path, base: str) -> tuple[int, int]:
    url = log_stream_url("one", base=base)
    assert url is not None
    async with connect(url, max_queue=1, compression=None) as stalled:
        assert json.loads(await stalled.recv())["message"] == "first"
        for begin in range(0, LINES, AT_ONCE):
            ready = asyncio.Event()
            quick = asyncio.create_task(read_lines("one", base, begin + AT_ONCE - 1, ready))
            await ready.wait()
            write_lines(folder, begin, AT_ONCE)
            got = await asyncio.wait_for(quick, 60)
            assert got.numbers[-AT_ONCE:] == list(range(begin, begin + AT_ONCE))
        return await count_all(stalled)


def test_a_reader_that_stalls_is_told_how_many_lines_it_missed_and_holds_up_nobody() -> None:
    folder = registered("one")
    with served(home()) as base:
        got, skipped = asyncio.run(stall(folder, base))
    assert got + skipped == LINES
    assert skipped > 0
