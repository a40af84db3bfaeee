"""Mutated strategy files through validate, run and lookahead: each runs, or gives a located error.

None hangs, explodes, shows a traceback or leaves a process behind. The figures are in docs/reliability.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import validate_file
from tests.support.counts import limit_s, sample, seed
from tests.support.file_trials import Trial, WatchedProcess, trials
from tests.support.mutate import EXAMPLES, KINDS, write_mutants
from tests.support.mutate_text import mutants
from tests.support.reliability import record

COUNT = sample(90, of=2_000)
SECONDS_EACH = 20.0
MOST_BYTES = 1_000_000_000
MOST_LINES = 3 * 110
LONGEST_LINE = 700
_RAW = re.compile(r"Traceback|Unexpected|\w+Warning:|\[Errno|\b(?!ValueError\b)[A-Z]\w+(Error|Exception)\b")
"""What no user should read: a traceback, a warning or the name of an exception of Python's."""


def fault_of(trial: Trial) -> str:
    """Return what a trial did wrong, empty when nothing."""
    lines = trial.printed.splitlines()
    found = _RAW.search(trial.printed)
    wrong = {
        trial.died: bool(trial.died),
        f"exit codes {trial.codes}": not trial.died and not set(trial.codes.values()) <= {0, 1, 2},
        f"printed {found[0] if found else ''!r}": found is not None,
        f"took {trial.cpu_seconds:.1f} s": trial.cpu_seconds > SECONDS_EACH,
        f"took {trial.peak_bytes:,} bytes": trial.peak_bytes > MOST_BYTES,
        f"printed {len(lines)} lines": len(lines) > MOST_LINES,
        f"printed a line of {max(map(len, lines), default=0)}": any(len(line) > LONGEST_LINE for line in lines),
        "refused without a reason": trial.codes.get("validate") == 2 and "error:" not in trial.printed,
    }
    return ", ".join(what for what, is_so in wrong.items() if is_so)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(limit_s(of=36_000))
def test_mutated_files_run_or_say_what_is_wrong_with_them(tmp_path: Path) -> None:
    written = {str(path): mutant for path, mutant in write_mutants(tmp_path, load_registry(), COUNT, seed("mutants"))}
    faults, tried = [], []
    for trial in trials(map(Path, written), tmp_path / "home", limit_s=SECONDS_EACH):
        tried.append(trial)
        if fault := fault_of(trial):
            text = written[trial.path].text
            faults.append(f"{fault}\n{trial.printed[-3000:]}\n--- {written[trial.path].kind}\n{text[:3000]}")
    assert not faults, f"{len(faults)} of {COUNT}:\n" + "\n=====\n".join(faults[:5])
    assert sum(trial.is_valid for trial in tried) >= COUNT / 3
    headings = ("files", "tried", "valid", "ran", "data or run error", "slowest, processor", "most memory")
    record("strategy files", headings, [_row(kind, tried, written) for kind in (*KINDS, "all")])


def _row(kind: str, tried: list[Trial], written: Mapping[str, object]) -> tuple[object, ...]:
    own = [trial for trial in tried if kind in ("all", getattr(written[trial.path], "kind", ""))]
    runs = Counter(trial.codes.get("run") for trial in own)
    slowest = max((trial.cpu_seconds for trial in own), default=0.0)
    peak = max((trial.peak_bytes for trial in own), default=0)
    valid = sum(trial.is_valid for trial in own)
    return (kind, len(own), valid, runs[0], runs[1], f"{slowest:.1f} s", f"{peak / 1e6:.0f} MB")


@pytest.mark.slow
def test_a_process_that_a_file_ends_is_a_fault_and_so_is_what_it_prints(tmp_path: Path) -> None:
    process = WatchedProcess(tmp_path / "home")
    process.kill()
    trial = process.trial(EXAMPLES[0], SECONDS_EACH)
    process.end()
    assert fault_of(trial).startswith("the process ended with ")
    sound = Trial("x", {"validate": 0}, "", 1.0, 1.0, 1)
    assert fault_of(sound) == ""
    for printed in (
        "Traceback (most recent call last)",
        "error: Unexpected KeyError",
        "x.py:3: RuntimeWarning: overflow",
    ):
        assert fault_of(replace(sound, printed=printed))
    assert fault_of(replace(sound, cpu_seconds=21.0)) == "took 21.0 s"
    assert fault_of(replace(sound, peak_bytes=2_000_000_000)) == "took 2,000,000,000 bytes"
    assert fault_of(replace(sound, codes={"validate": 2})) == "refused without a reason"


@pytest.mark.slow
def test_damage_inside_a_block_is_located_in_the_block(tmp_path: Path) -> None:
    registry = load_registry()
    user = next(path for path in EXAMPLES if "use: blocks/" in path.read_text(encoding="utf-8"))
    block = next((EXAMPLES[0].parent / "blocks").glob("*.yaml")).read_text(encoding="utf-8")
    file = tmp_path / user.name
    file.write_text(user.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "blocks").mkdir()
    broken = tmp_path / "blocks" / "trend_gate.yaml"
    located = 0
    for mutant in mutants(block, 150, seed("blocks")):
        broken.write_text(mutant, encoding="utf-8", newline="")
        problems = validate_file(file, registry)
        located += any(Path(problem.file).name == broken.name for problem in problems)
        assert all(problem.line > 0 for problem in problems), [str(problem) for problem in problems]
    assert located > 60


def test_every_error_of_a_mutated_file_has_a_line(tmp_path: Path) -> None:
    registry = load_registry()
    for path, mutant in write_mutants(tmp_path, registry, 120, seed("lines")):
        for problem in validate_file(path, registry):
            assert problem.line > 0, (problem, mutant.text)
