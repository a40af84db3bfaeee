"""What a user waits for: whole processes, from the command to its end. It reports; it does not fail by the clock."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "golden_cross.yaml"
MILLION = """
quantcrafter: 1
name: SMA cross on a million minutes
instruments:
  - {symbol: SYN, data: synthetic, timeframe: 1m, bars: 1000000, seed: 1}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 10}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 30}
advisors:
  cross: {use: crossover, fast: fast, slow: slow, direction: long}
money: {size: {use: percent_of_equity, percent: 95}}
execution: {entry: {use: market, signals: [cross], money: size}}
run: {cash: 100000, commission: {percent: 0.1}}
"""


def seconds(*arguments: str, runs: int, env: dict[str, str] | None = None) -> list[float]:
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        command = [sys.executable, "-m", "quantcrafter.engine.cli", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, **(env or {})})
        taken.append(time.perf_counter() - started)
        assert done.returncode == 0, done.stderr.decode()
    return taken


def report(what: str, taken: list[float], wanted: float) -> None:
    middle = statistics.median(taken)
    print(f"\n{what}: median {middle:.2f} s, {min(taken):.2f} to {max(taken):.2f}; wanted under {wanted:g} s")  # noqa: T201


@pytest.mark.slow
@pytest.mark.benchmark_report
def test_starting_validating_and_running_from_the_command_line(tmp_path: Path, repeats: int) -> None:
    million = tmp_path / "million.yaml"
    million.write_text(MILLION, encoding="utf-8")
    cold = {"NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    if repeats > 1:
        report("first run ever, which compiles", seconds("run", str(EXAMPLE), runs=1, env=cold), 20)
    report("golden cross, compiled before", seconds("run", str(EXAMPLE), runs=repeats), 2)
    report("validate", seconds("validate", str(EXAMPLE), runs=repeats), 0.7)
    report("a million synthetic bars", seconds("run", str(million), "--no-history", runs=repeats), 3)
    report("--version", seconds("--version", runs=repeats), 0.25)
