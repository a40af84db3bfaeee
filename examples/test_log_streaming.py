"""Read the logs of workers as they come: `python examples/test_log_streaming.py [multi]`.

It reads the workers that run. If there are none, it starts one in a data folder of its own, or three with `multi`, on a
made-up market, and ends them afterwards. With `multi` all workers are read at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

EXAMPLES = Path(__file__).resolve().parents[1] / "resources" / "examples"
FILES = ("rsi2_scale_in.yaml", "rsi_pullback.yaml", "bollinger_squeeze.yaml")
LINES = 10
LONGEST_S = 60.0


def quantcrafter(*arguments: str) -> str:
    """Run a command of quantcrafter, and return what it prints."""
    command = [sys.executable, "-m", "quantcrafter.engine.cli", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own command


def streams() -> dict[str, str]:
    """Return the address of the log of each worker that runs, by its key."""
    workers: dict[str, dict[str, Any]] = json.loads(quantcrafter("status", "--json"))["workers"]
    return {
        key: each["log_stream_url"]
        for key, each in workers.items()
        if each["log_stream_url"] and each["state"] not in ("created", "stopped", "error")
    }


async def read(key: str, url: str) -> int:
    """Print the lines of a log until there were enough of them, or it takes too long; return how many."""
    count = 0
    async with connect(url) as socket:
        try:
            async with asyncio.timeout(LONGEST_S):
                while count < LINES:
                    line = json.loads(await socket.recv())
                    if line.get("type") == "skipped":
                        print(f"[{key}] {line['lines']} lines were skipped")
                        continue
                    print(f"[{key}] {line['timestamp']} {line['level']} {line['message']}")
                    count += 1
        except TimeoutError:
            print(f"[{key}] no more lines in {LONGEST_S:g} s")
    return count


async def read_all(urls: dict[str, str]) -> int:
    """Read all logs at once, and return how many lines there were."""
    return sum(await asyncio.gather(*(read(key, url) for key, url in urls.items())))


def start(count: int) -> dict[str, str]:
    """Start workers in the background, and return the addresses of their logs once they are there."""
    files = [str(EXAMPLES / name) for name in FILES[:count]]
    quantcrafter("start", "--detach", "--feed", "synthetic:1000000x", *files)
    until = time.monotonic() + LONGEST_S
    while len(found := streams()) < count and time.monotonic() < until:
        time.sleep(0.5)
    return found


def main(arguments: list[str]) -> int:
    """Read one log, or with `multi` all; return 0 if there were lines."""
    multi = arguments == ["multi"]
    if arguments and not multi:
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        urls = streams()
        own = not urls
        if own:
            os.environ["QUANTCRAFTER_HOME"] = folder
            urls = start(len(FILES) if multi else 1)
        try:
            chosen = urls if multi else dict(list(urls.items())[:1])
            lines = asyncio.run(read_all(chosen))
        finally:
            if own:
                quantcrafter("stop")
    print(f"{lines} lines of {len(chosen)} workers.")
    return 0 if lines else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
