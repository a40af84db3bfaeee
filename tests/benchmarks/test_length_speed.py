"""Whether a bar costs the same in short runs and in long ones; what the compiler and the first run ever take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantcrafter.engine.simulation.ahead import WITH_RARE
from tests.support.performance_page import publish

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "golden_cross.yaml"
LENGTHS = (10_000, 100_000, 1_000_000, 10_000_000)
FIRST_RUN_WANTED_S, COMPILER_WANTED_S = 1.5, 15.0


@pytest.mark.benchmark_report
@pytest.mark.timeout(1_800)
def test_what_a_bar_costs_in_runs_of_any_length(capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for bars in LENGTHS:
        command = [sys.executable, "-m", "tests.support.one_length", str(bars)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows.append(json.loads(answer.splitlines()[-1]))
    head = ["| bars | fills | columns, ns per bar | simulation, ns per bar | memory of the process, MB |"]
    head.append("|---:|---:|---:|---:|---:|")
    body = [
        f"| {row['bars']:,} | {row['fills']:,} | {row['columns']:.1f} | {row['simulation']:.1f} | {row['mb']:,.0f} |"
        for row in rows
    ]
    publish("lengths", [*head, *body])
    with capsys.disabled():
        print("\n".join(["", *head, *body]))  # noqa: T201 - the report is what this is for


@pytest.mark.benchmark_report
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="the CPU time of a child is known on POSIX only")
def test_what_the_compiler_and_the_first_run_ever_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fresh = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    fresh["QUANTCRAFTER_HOME"] = str(tmp_path / "home")
    wall, first_s = _spent([sys.executable, "-m", "quantcrafter.engine.cli", "run", str(EXAMPLE)], fresh)
    compiling = {**fresh, "NUMBA_CACHE_DIR": str(tmp_path / "code")}
    compiler = [sys.executable, "-m", "quantcrafter.engine.simulation.ahead"]
    _, compile_s = _spent(compiler, compiling)
    _, complete_s = _spent([*compiler, WITH_RARE], compiling)
    rows = (
        ("compiling the code for most strategies", compile_s),
        ("compiling the code with all rules", complete_s),
        ("first run on a new machine", first_s),
    )
    head = ["| what | CPU seconds |", "|---|---:|"]
    publish("compiler", [*head, *(f"| {what} | {seconds:.1f} |" for what, seconds in rows)])
    with capsys.disabled():
        print(  # noqa: T201 - the report is what this is for
            f"\nfirst run ever of the golden cross: {first_s:.2f} s of CPU time, {wall:.2f} s in all "
            f"(wanted: {FIRST_RUN_WANTED_S} s); the compiler: {compile_s:.1f} s of CPU time "
            f"(wanted: {COMPILER_WANTED_S} s), with all rules {complete_s:.1f} s"
        )


def _spent(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a command."""
    import resource

    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
