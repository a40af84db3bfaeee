"""Mutated files opened, and random edits typed, in the app under its real event loop: no fault, no wait, no leak."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.plugins import load_registry
from tests.support.command_line import ROOT, clean_environment
from tests.support.counts import is_long, limit_s, sample, seed
from tests.support.desktop import copy_example
from tests.support.driven_app import DONE
from tests.support.mutate import write_mutants
from tests.support.reliability import record

HEADINGS = ("tried", "valid", "crashes", "errors", "longest wait, s", "memory, MB")
LONGEST_S = 4.0
"""Seconds of the processor for one turn of the event loop."""


def drive(home: Path, *arguments: str, timeout: float) -> dict[str, Any]:
    """Run the app with these arguments; return its report, with what it did last where there is none."""
    with (home.parent / f"{home.name}.txt").open("w+", encoding="utf-8") as output:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.driven_app", *arguments],
            cwd=ROOT,
            env=clean_environment(home, QT_QPA_PLATFORM="offscreen"),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=timeout,
        )
        output.seek(0)
        lines = output.read().splitlines()
    reports = [line for line in lines if line.startswith("{")]
    assert done.returncode == DONE, (done.returncode, lines[-15:])
    report: dict[str, Any] = json.loads(reports[-1])
    assert report["faults"] == [], "\n\n".join(report["faults"][:5])
    assert report["longest_s"] < LONGEST_S, report
    assert list((home / "logs").glob("desktop-2*.txt")) == []
    return report


def note(section: str, tried: int, reports: list[dict[str, Any]], valid: object) -> None:
    """Write the figures of a test down."""
    longest = max(each["longest_s"] for each in reports)
    memory = f"{min(each['start_mb'] for each in reports)} to {max(each['end_mb'] for each in reports)}"
    record(section, HEADINGS, [(tried, valid, 0, 0, longest, memory)])


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(limit_s(of=7200))
def test_the_app_opens_whatever_file_there_is(tmp_path: Path) -> None:
    """Long-lived processes, each of which opens hundreds; what is valid and what is not shows in every pane."""
    registry = load_registry()
    processes, each = (4, 500) if is_long() else (1, 60)

    def opened(number: int) -> dict[str, Any]:
        folder = tmp_path / str(number)
        return drive(tmp_path / f"home{number}", "open", str(folder), timeout=6000)

    for number in range(processes):
        (tmp_path / str(number)).mkdir()
        write_mutants(tmp_path / str(number), registry, each, seed(f"app {number}"))
    with ThreadPoolExecutor(processes) as pool:
        reports = list(pool.map(opened, range(processes)))
    assert sum(report["done"] for report in reports) == processes * each
    valid = sum(report["valid"] for report in reports)
    assert valid > processes * each * 0.2
    for report in reports:
        assert report["end_mb"] - report["start_mb"] < 200, report
    note("strategy files in the app", processes * each, reports, valid)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(limit_s(of=1200))
def test_the_yaml_view_takes_whatever_is_typed(tmp_path: Path) -> None:
    file = copy_example("rsi_pullback", tmp_path)
    before = file.read_bytes()
    count = sample(100, of=500)
    report = drive(tmp_path / "home", "type", str(file), str(count), str(seed("typing")), timeout=1000)

    assert report["done"] == count
    assert file.read_bytes() == before
    assert report["end_mb"] - report["start_mb"] < 400, report
    note("edits in the YAML view", count, [report], "-")
