"""Kills in a row: drawn, put into an order in which each of them comes, and gone through."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hypothesis import assume
from hypothesis import strategies as st

from quantcrafter.engine.api import RunError
from quantcrafter.engine.orchestrator.control import ask
from quantcrafter.engine.orchestrator.registry import registered_workers
from tests.support.kill_points import (
    BEGIN,
    DEATHS,
    HANDING_OVER,
    RARE,
    STARTING,
    Kill,
)
from tests.support.warm_process import PATIENCE_S, WarmProcess

ALONE = frozenset((*STARTING, *DEATHS, *HANDING_OVER))
"""Points at which a supervisor kills itself, since it need not have a host."""


@st.composite
def kills(draw: st.DrawFn, points: Sequence[str], most: int) -> list[list[Kill]]:
    """Draw a kill at each of some points, in rows of at most `most`; each row is for a run of its own."""
    order = draw(st.permutations(points))
    assume(list(order) != list(points))  # the simplest case, with which hypothesis begins
    deck = [
        Kill(point, 1 if point in RARE else draw(st.integers(1, 4)), point in ALONE or draw(st.booleans()))
        for point in order
    ]
    return [arranged(deck[first : first + most]) for first in range(0, len(deck), most)]


def arranged(row: Sequence[Kill]) -> list[Kill]:
    """Put kills into an order in which each point is reached.

    First what comes once at the beginning, in its order. A supervisor starts only after one was killed, and notes the
    death of a host only after that.
    """
    once = [each for point in (*BEGIN, *HANDING_OVER) for each in row if each.point == point]
    starts = [each for each in row if each.point in STARTING]
    deaths = [[Kill("before the input"), each] for each in row if each.point in DEATHS]
    placed = {each.point for each in (*once, *starts)} | set(DEATHS)
    found = [*once]
    for each in row:
        if each.point in placed:
            found += deaths.pop(0) if each.point in DEATHS else []
        elif starts:
            found += [replace(each, supervisor=True), starts.pop(0)]
        else:
            found.append(each)
    return [*starts, *found]


def gone_through(warm: WarmProcess, row: Sequence[Kill], files: Sequence[str], *options: str) -> None:
    """Run workers to the end of their bars through some kills; all files but the first are handed over."""
    warm.plan(row)
    once = sum(each.point in BEGIN for each in row)
    process, handing = warm.run("start", files[0], *options), 0
    end_s, handed = time.monotonic() + PATIENCE_S, len(files) == 1
    while True:
        ends, reached = warm.ends(), warm.reached()
        assert time.monotonic() < end_s, _where(warm, row)
        waits = reached < len(row) and row[reached].point in HANDING_OVER
        if handing and handing in ends:
            handed, handing = handed or ends[handing] == 0, 0
        if process in ends and handing:
            process, handing = handing, 0  # it is an orchestrator itself if it found none
        elif process in ends:
            warm.wait_for_all()
            known = any(each.wanted for each in registered_workers().values())
            process = warm.run("start", *(() if known else files[:1]), *options)
        elif not handing and reached >= once and (owed := _owed(files, handed=handed and not waits)) and _answers():
            handing = warm.run("start", *owed, *options)
        elif handed and _are_over(files):
            assert reached == len(row), _where(warm, row)
            ask("end")
            warm.wait_for_all()
            assert warm.ends()[process] == 0, _where(warm, row)
            return
        time.sleep(0.005)


def _answers() -> bool:
    try:
        return ask("status") is not None
    except RunError:  # it was killed meanwhile
        return False


def _owed(files: Sequence[str], *, handed: bool) -> list[str]:
    """Return which files are to be handed over: all but the first, and one that was lost with its orchestrator."""
    known = registered_workers()
    return [each for each in files if Path(each).stem not in known or (each != files[0] and not handed)]


def _are_over(files: Sequence[str]) -> bool:
    known = registered_workers()
    return len(known) == len(files) and not any(each.wanted for each in known.values())


def _where(warm: WarmProcess, row: Sequence[Kill]) -> str:
    said = warm.said.read_text(encoding="utf-8", errors="replace") if warm.said.exists() else ""
    reached = warm.reached()
    following = row[reached] if reached < len(row) else "the end"
    return f"after {reached} of {len(row)} kills, waiting for {following}: {ask('status')} {said[-2_000:]}"


@contextmanager
def quick_folder() -> Iterator[Path]:
    """Give a folder in memory if there is one: what is written survives the end of a process as on a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    with tempfile.TemporaryDirectory(prefix="qc-kills-", dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


def files_of(folder: Path, texts: dict[str, str]) -> list[str]:
    """Write strategies to files that are called by their keys, and return the paths."""
    for key, text in texts.items():
        (folder / f"{key}.yaml").write_text(text, encoding="utf-8")
    return [str(folder / f"{key}.yaml") for key in texts]
