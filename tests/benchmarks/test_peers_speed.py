"""The same strategies by vectorbt with its part in Rust; the two take turns on the same bars, in one run."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.bars import BAR_COLUMNS
from quantcrafter.engine.data.cache import BarCache
from quantcrafter.engine.runtime.running.run import Prepared
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.kernel_forms import compiled
from tests.support import vectorbt_turns
from tests.support.performance_page import publish
from tests.support.speed_cases import LEVEL, PERIOD, RULES, STOP, TARGET, columns, spent

PYTHON = "QUANTCRAFTER_VECTORBT_PYTHON"
TURNS = 15
PEERS = {
    "SMA cross": ("cross", "plain cross"),
    "RSI, stop and target in the bar": ("rsi", "RSI, stop and target in the bar"),
    "cross with a trailing stop": ("trailing", "trailing stop"),
    "50 instruments, one account": ("many", "50 instruments"),
}


def python_with_vectorbt() -> str:
    """Return the Python that has vectorbt, or skip."""
    named = os.environ.get(PYTHON, "")
    if named:
        return named
    if importlib.util.find_spec("vectorbt") is None or importlib.util.find_spec("vectorbt_rust") is None:
        pytest.skip(
            f"vectorbt is not installed. Install 'vectorbt[rust]' into an environment of its own and set {PYTHON} to "
            "the Python there."
        )
    return sys.executable


@contextmanager
def peer() -> Iterator[subprocess.Popen[str]]:
    """Run vectorbt's process."""
    command = [python_with_vectorbt(), vectorbt_turns.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def ask(process: subprocess.Popen[str], question: dict[str, Any]) -> dict[str, Any]:
    """Have vectorbt take a turn."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def saved_prices(prepared: Prepared, path: Path) -> Path:
    """Write the bars of all instruments."""
    jobs = prepared.job.instruments
    prices = {name: np.column_stack([each.bars.column(name) for each in jobs]) for name in BAR_COLUMNS[:4]}
    np.savez(path, **prices)  # type: ignore[arg-type]  # arrays by name
    return path


@pytest.mark.benchmark_report
@pytest.mark.timeout(1_800)
def test_the_same_work_by_vectorbt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = BarCache(1 << 32)
    terms = {"period": PERIOD, "level": LEVEL, "stop": STOP, "target": TARGET, "trail": 2.0, "periods": (10, 30)}
    rows: list[tuple[str, int, int, float, float, float]] = []
    with peer() as process:
        for title, (name, rule) in PEERS.items():
            prepared = RULES[rule].prepared(cache)
            prices = saved_prices(prepared, tmp_path / f"{name}.npz")
            best, fills, orders = (np.inf, np.inf, np.inf), 0, 0
            for _ in range(TURNS):
                answer = ask(process, {"name": name, "prices": str(prices), "terms": terms})
                column_ms, _ = spent(partial(columns, prepared))
                loop_ms, ledger = spent(partial(simulate, prepared.job, kernel=compiled()))
                best = (min(best[0], column_ms + loop_ms), min(best[1], answer["ms"]), min(best[2], answer["equity"]))
                fills, orders = len(ledger.fills), answer["orders"]
            assert abs(orders - fills) <= 0.05 * fills  # ticks and ties move a few
            rows.append((title, fills, orders, *best))
    head = (
        "| strategy | fills | fills of vectorbt | QuantCrafter ms | vectorbt ms | times as fast | with equity ms "
        "| times as fast |"
        "\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    body = [
        f"| {title} | {fills:,} | {orders:,} | {ours:.1f} | {made:.1f} | {made / ours:.1f} "
        f"| {valued:.1f} | {valued / ours:.1f} |"
        for title, fills, orders, ours, made, valued in rows
    ]
    publish("vectorbt", [*head.splitlines(), *body])
    with capsys.disabled():
        print("\n".join(["", head, *body]))  # noqa: T201 - the report is what this is for
