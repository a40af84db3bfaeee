"""Many readers of logs at once: what each of them gets, and how late."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from quantcrafter.engine.live.api_files import log_stream_url
from quantcrafter.engine.orchestrator.worker_log import LOG_FILE


@dataclass
class GotLines:
    """What a reader got: the numbers of the lines in order, how many were skipped, and how late each was."""

    numbers: list[int] = field(default_factory=list)
    skipped: int = 0
    late_s: list[float] = field(default_factory=list)


def write_lines(folder: Path, begin: int, count: int) -> None:
    """Add numbered lines with the time to a worker's log, as a host does: whole ones."""
    now = time.time()
    lines = (
        json.dumps({"timestamp": None, "level": "INFO", "message": f"line {number}", "number": number, "at": now})
        for number in range(begin, begin + count)
    )
    with (folder / LOG_FILE).open("a", encoding="utf-8") as stream:
        stream.write("".join(f"{line}\n" for line in lines))


async def read_lines(key: str, base: str, last: int, ready: asyncio.Event) -> GotLines:
    """Read the log of a worker, which isn't empty, until the line of a number.

    `ready` is set once the last lines from before have begun to come: what is written then comes too.
    """
    got = GotLines()
    url = log_stream_url(key, base=base)
    assert url is not None
    async with connect(url, max_queue=16, compression=None, open_timeout=60) as socket:
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                ready.set()
                line = json.loads(text)
                if line.get("type") == "skipped":
                    got.skipped += line["lines"]
                elif "number" in line:
                    got.numbers.append(line["number"])
                    got.late_s.append(time.time() - line["at"])
                    if line["number"] == last:
                        break
    return got


async def read_while_written(
    folders: Sequence[Path], base: str, *, readers: int, lines: int, a_second: float, at_once: int = 5
) -> list[GotLines]:
    """Return what each of many readers got, spread over the workers' logs, to each of which lines are written.

    Args:
        folders: those of the workers.
        base: the address of the API.
        readers: how many there are.
        lines: how many are written to each log.
        a_second: how many lines a second are written to each log.
        at_once: how many lines are written together.
    """
    ready = [asyncio.Event() for _ in range(readers)]
    reading = [
        asyncio.create_task(read_lines(folders[number % len(folders)].name, base, lines - 1, each))
        for number, each in enumerate(ready)
    ]
    for each in ready:
        await each.wait()
    begin_s = time.monotonic()
    for number in range(0, lines, at_once):
        for folder in folders:
            write_lines(folder, number, at_once)
        await asyncio.sleep(max(0.0, begin_s + number / a_second - time.monotonic()))
    return list(await asyncio.wait_for(asyncio.gather(*reading), 120))
