"""Mutated data files through run, import and the preview: each is read, or refused by a plain message.

None hangs, explodes or shows a traceback. The figures are in docs/reliability.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.counts import is_long, limit_s, sample, seed
from tests.support.file_trials import Trial, trials
from tests.support.mutate_data import KINDS, DataMutant, data_mutants, write_data_mutants, write_unchanged
from tests.support.reliability import record

COUNT = sample(24, of=400)
SECONDS_EACH = 20.0
MOST_BYTES = 1_000_000_000
LONGEST_LINE = 1_500
_RAW = re.compile(r"Traceback|Unexpected|failed:|\w+Warning:|\[Errno|\b(?!ValueError\b)[A-Z]\w+(Error|Exception)\b")


def fault_of(trial: Trial) -> str:
    """Return what a trial did wrong, empty when nothing."""
    found = _RAW.search(trial.printed)
    longest = max(map(len, trial.printed.splitlines()), default=0)
    wrong = {
        trial.died: bool(trial.died),
        f"exit codes {trial.codes}": not trial.died and not set(trial.codes.values()) <= {0, 1, 2},
        f"printed {found[0] if found else ''!r}": found is not None,
        f"took {trial.cpu_seconds:.1f} s": trial.cpu_seconds > SECONDS_EACH,
        f"took {trial.peak_bytes:,} bytes": trial.peak_bytes > MOST_BYTES,
        f"printed a line of {longest}": longest > LONGEST_LINE,
        "refused without a reason": trial.codes.get("import") == 1 and "error:" not in trial.printed,
    }
    return ", ".join(what for what, is_so in wrong.items() if is_so)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(limit_s(of=36_000))
def test_mutated_data_files_are_read_or_refused_by_a_plain_message(tmp_path: Path) -> None:
    plain = {str(path): mutant for path, mutant in write_unchanged(tmp_path / "unchanged")}
    written = {
        str(path): mutant for path, mutant in write_data_mutants(tmp_path / "mutants", COUNT, seed("data files"))
    }
    written |= plain
    faults, tried = [], []
    processes = 2 if is_long() else 1  # to start a second one takes longer than all files of the sample
    for trial in trials(map(Path, written), tmp_path / "home", processes=processes, limit_s=SECONDS_EACH, data=True):
        tried.append(trial)
        if fault := fault_of(trial):
            mutant = written[trial.path]
            faults.append(f"{fault}\n{trial.printed[-3000:]}\n--- {mutant.kind} {mutant.name}\n{mutant.data[:1500]!r}")
    assert not faults, f"{len(faults)} of {COUNT}:\n" + "\n=====\n".join(faults[:5])
    assert all(set(trial.codes.values()) == {0} for trial in tried if trial.path in plain)
    tried = [trial for trial in tried if trial.path not in plain]
    if is_long():  # a sample may have no file that is still good
        assert sum(trial.codes.get("run") == 0 for trial in tried) >= COUNT / 20
    headings = ("files", "tried", "ran", "imported", "refused by both", "slowest, processor", "most memory")
    record("data files", headings, [_row(kind, tried, written) for kind in (*KINDS, "all")], with_seed=True)


def _row(kind: str, tried: list[Trial], written: Mapping[str, DataMutant]) -> tuple[object, ...]:
    own = [trial for trial in tried if kind in ("all", written[trial.path].kind)]
    ran, imported = (Counter(trial.codes.get(name) for trial in own)[0] for name in ("run", "import"))
    neither = sum(trial.codes.get("run") != 0 and trial.codes.get("import") != 0 for trial in own)
    slowest = max((trial.cpu_seconds for trial in own), default=0.0)
    peak = max((trial.peak_bytes for trial in own), default=0)
    return (kind, len(own), ran, imported, neither, f"{slowest:.1f} s", f"{peak / 1e6:.0f} MB")


def test_the_same_seed_gives_the_same_files() -> None:
    assert list(data_mutants(50, 7)) == list(data_mutants(50, 7))
    assert {mutant.kind for mutant in data_mutants(50, 7)} == set(KINDS)
