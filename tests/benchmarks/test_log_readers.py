"""200 readers of logs at 5,000 lines a second in all, beside workers. It reports; it does not fail by the clock."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import httpx2
import numpy as np
import psutil
import pytest

from quantcrafter.engine.api.home import home
from quantcrafter.engine.live.api_files import api_token
from tests.support.api_server import registered, served
from tests.support.log_load import GotLines, read_while_written

pytestmark = [pytest.mark.benchmark_report, pytest.mark.slow]

READERS, WORKERS, A_SECOND, SECONDS = 200, 20, 25.0, 20.0


async def ask_status(base: str, until: Callable[[], bool]) -> list[float]:
    took_s = []
    async with httpx2.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {api_token()}"}) as api:
        while not until():
            begin_s = time.perf_counter()
            assert (await api.get("/status")).status_code == 200
            took_s.append(time.perf_counter() - begin_s)
            await asyncio.sleep(0.5)
    return took_s


async def measure(base: str) -> tuple[list[GotLines], list[float]]:
    folders = [home() / "workers" / f"w{number}" for number in range(WORKERS)]
    reading = asyncio.create_task(
        read_while_written(folders, base, readers=READERS, lines=int(A_SECOND * SECONDS), a_second=A_SECOND)
    )
    took_s = await ask_status(base, reading.done)
    return await reading, took_s


def test_many_readers_of_logs() -> None:
    for number in range(WORKERS):
        registered(f"w{number}")
    with served(home()) as base:
        server = next(each for each in psutil.Process().children() if "serve" in each.cmdline())
        before, begin_s = server.cpu_times(), time.perf_counter()
        found, took_s = asyncio.run(measure(base))
        after, whole_s = server.cpu_times(), time.perf_counter() - begin_s
        memory_mb = server.memory_info().rss / 1e6
    lines = sum(len(each.numbers) for each in found)
    late_ms = 1000 * np.concatenate([each.late_s for each in found])
    cpu = (after.user + after.system - before.user - before.system) / whole_s
    sys.stdout.write(
        f"\n{READERS} readers, {lines:,} lines of {READERS * int(A_SECOND * SECONDS):,} in {whole_s:.1f} s, "
        f"{sum(each.skipped for each in found)} skipped; late p50 {np.median(late_ms):.0f} ms, "
        f"p99 {np.quantile(late_ms, 0.99):.0f} ms; server {100 * cpu:.0f} % of a core, {memory_mb:.0f} MB; "
        f"status p50 {1000 * np.median(took_s):.0f} ms, longest {1000 * max(took_s):.0f} ms\n"
    )
    assert lines == READERS * int(A_SECOND * SECONDS)
