"""Many paper workers in two hosts, on one-minute bars at 60x. It reports; it does not fail by the clock.

Run it alone: `make test-one T="tests/benchmarks/test_many_workers.py -s"`. Each host serves half of 300 workers. A bar
is late by the time from its close, by the feed's clock, until the worker has decided on it.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import time
from multiprocessing.connection import Connection
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

WORKERS, HOSTS = 300, 2
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


def serve(pipe: Connection, folder: Path, first: int, count: int, seconds: float) -> None:
    """Serve workers in this process for a while, and send how that went."""
    os.environ["QUANTCRAFTER_HOME"] = str(folder)
    os.environ["NUMPY_MADVISE_HUGEPAGE"] = "0"  # as the supervisor sets it
    registry, said, late_s = load_registry(), list[HostSaid](), list[float]()
    logs = WorkerLogs(folder / f"rest-{first}.log")
    logging.getLogger().addHandler(logs)
    host = WorkerHost(said.append, Beat([0, 0, 0]), logs, lambda: registry)
    began_s = time.perf_counter()
    for number in range(first, first + count):
        graph = load_text(TEXT.replace("seed: 3", f"seed: {number}"), registry, overrides=["run.start=2010-01-02"])
        config = WorkerConfig.of(graph, f"w{number}", feed="replay:60x", broker="paper", mode="paper")
        host.take(StartWorker(number + 1, config))
    while host._waiting:
        host.turn()
    started_s = time.perf_counter() - began_s
    assert len(host._served) == count
    for served in host._served.values():
        timed(served.worker, late_s)
    used_s, end_s = time.process_time(), time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        if not host.turn():
            time.sleep(WAIT_S)
    memory = psutil.Process(os.getpid()).memory_info().rss / 1e6
    pipe.send((started_s, late_s, time.process_time() - used_s, memory))
    host.close()


def test_many_workers_in_two_hosts(tmp_path: Path) -> None:
    spawn, each = multiprocessing.get_context("spawn"), WORKERS // HOSTS
    pipes = [spawn.Pipe(duplex=False) for _ in range(HOSTS)]
    processes = [
        spawn.Process(target=serve, args=(theirs, tmp_path, number * each, each, SECONDS), daemon=True)
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    for _, theirs in pipes:
        theirs.close()
    found = [ours.recv() for ours, _ in pipes]
    for process in processes:
        process.join()
    starts, lates, used, memory = zip(*found, strict=True)
    late_ms = np.concatenate(lates) * 1e3
    middle, high = np.percentile(late_ms, 50), np.percentile(late_ms, 99)
    sys.stdout.write(
        f"\n{WORKERS} workers in {HOSTS} hosts started in {max(starts):.0f} s; "
        f"{len(late_ms):,} bars in {SECONDS:.0f} s: "
        f"decided after {middle:.0f} ms, p99 {high:.0f} ms, at most {max(late_ms):.0f} ms; {sum(memory):.0f} MB; "
        f"{sum(used) / SECONDS * 100:.0f} % of a core, {sum(used) / len(late_ms) * 1e3:.2f} ms a bar "
        f"(aims: p99 250 ms, 2,000 MB)\n"
    )
    assert len(late_ms) > WORKERS
