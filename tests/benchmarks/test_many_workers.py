"""Many paper workers in one host, on one-minute bars at 60x. It reports; it does not fail by the clock.

A host on each of two cores serves half of 300 workers. A bar is late by the time from its close, by the feed's clock,
until the worker has decided on it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.orchestrator.host import WAIT_S, WorkerHost
from quantcrafter.engine.orchestrator.host_messages import Beat, HostSaid, StartWorker
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.orchestrator.worker_log import WorkerLogs
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import STOPPED

pytestmark = [pytest.mark.benchmark_report, pytest.mark.slow]

WORKERS = 150
SECONDS = 60.0
LEAST_BARS = 1_500
TEXT = STOPPED.replace("1d", "1m").replace("bars: 160", f"bars: {LEAST_BARS + 3_000}")


def timed(worker: SessionWorker, late_s: list[float]) -> None:
    """Note how late each bar of a worker is decided on."""
    feed: Any = worker._feed
    plain = worker.step

    def step(timeout_s: float = 0.0) -> int:
        due_ns = feed._next_ns()
        count = plain(timeout_s)
        if count and due_ns is not None:
            late_s.append((feed._reached_ns() - due_ns) / (60.0 * 1e9))
        return count

    worker.step = step  # type: ignore[method-assign]


def test_many_workers_of_a_host(tmp_path: Path) -> None:
    registry, said, late_s = load_registry(), list[HostSaid](), list[float]()
    logs = WorkerLogs(tmp_path / "rest.log")
    root = logging.getLogger()
    root.addHandler(logs)
    host = WorkerHost(said.append, Beat([0, 0, 0]), logs, lambda: registry)
    try:
        began = time.perf_counter()
        for number in range(WORKERS):
            graph = load_text(TEXT.replace("seed: 3", f"seed: {number}"), registry, overrides=["run.start=2010-01-02"])
            config = WorkerConfig.of(graph, f"w{number}", feed="replay:60x", broker="paper", mode="paper")
            host.take(StartWorker(number + 1, config))
        while host._waiting:
            host.turn()
        started_s = time.perf_counter() - began
        assert len(host._served) == WORKERS
        for served in host._served.values():
            timed(served.worker, late_s)
        end_s, used_s = time.perf_counter() + SECONDS, time.process_time()
        while time.perf_counter() < end_s:
            if not host.turn():
                time.sleep(WAIT_S)
        used_s = time.process_time() - used_s
    finally:
        host.close()
        root.removeHandler(logs)
        logs.close()
    memory = psutil.Process(os.getpid()).memory_info().rss / 1e6
    middle, high = (np.percentile(late_s, share) * 1e3 for share in (50, 99))
    sys.stdout.write(
        f"\n{WORKERS} workers started in {started_s:.0f} s; {len(late_s):,} bars in {SECONDS:.0f} s took "
        f"{used_s:.0f} s of the processor; decided after {middle:.0f} ms, p99 {high:.0f} ms, at most "
        f"{max(late_s) * 1e3:.0f} ms; {memory:.0f} MB (aims: p99 250 ms, 1,000 MB)\n"
    )
    assert len(late_s) > WORKERS
