"""Runs the tests of the simulation's meaning against the program with one fault planted in it, all interpreted.

Run as `python -m tests.support.mutant_trials NUMBER...` it plants these faults of the list one after the other, in the
memory of that process alone, and writes a line of JSON for each: its number, and the test that found it or ''.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from tests.support.planted_mutants import MUTANTS, Mutant, sources

ROOT = Path(__file__).parents[2]
_HERE = "tests/engine/simulation"
BY_HAND = (
    f"{_HERE}/test_bar_semantics.py",
    f"{_HERE}/test_core_cases_bar.py",
    f"{_HERE}/test_core_cases_orders.py",
    f"{_HERE}/test_core_cases_positions.py",
    f"{_HERE}/test_core_cases_since_entry.py",
    f"{_HERE}/test_core_cases_account.py",
    f"{_HERE}/test_core_cases_contracts.py",
    f"{_HERE}/test_core_cases_sessions.py",
    f"{_HERE}/test_primitives.py",
    f"{_HERE}/test_account_primitives.py",
    f"{_HERE}/test_executions.py",
    f"{_HERE}/test_withdrawal.py",
)
"""Tests against arithmetic by hand."""

OF_EVERY_RUN = (
    f"{_HERE}/test_against_plain_broker.py",
    f"{_HERE}/test_properties.py",
    f"{_HERE}/test_account_properties.py",
)
"""What holds of every run, such as that money is conserved; random cases, of one seed."""

OF_STEPS = ("tests/nodes/test_step_forms.py",)
"""Tests of faults in the steps behind the position: they give what columns give."""

NONE_PLANTED = -1
SURVIVED, KILLED = 0, 1
"""Exit codes of pytest: all tests passed, some failed. Any other says that the fault was none that can run."""


def try_mutants(numbers: Sequence[int]) -> dict[int, str]:
    """Return which test found each of these faults, '' for one that survived all; -1 stands for no fault at all.

    Raises:
        RuntimeError: the tests could not run.
    """
    settings = {
        "QUANTCRAFTER_TEST_SEED": "1",
        "QUANTCRAFTER_TEST_LONG": "0",
        "NUMBA_DISABLE_JIT": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.mutant_trials", *map(str, numbers)],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"The trial of mutants ended with {ran.returncode}:\n{ran.stdout}\n{ran.stderr[-3000:]}")
    return dict(map(json.loads, ran.stdout.splitlines()))


@contextlib.contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Have the functions of a module do what its source says with the fault in it."""
    name = mutant.place()
    module = importlib.import_module(f"quantcrafter.engine.simulation.{name.removesuffix('.py')}")
    text = sources()[name].replace(mutant.fragment, mutant.replacement)
    faulty: dict[str, Any] = {"__name__": module.__name__}
    exec(compile(text, module.__file__ or name, "exec", dont_inherit=True), faulty)  # noqa: S102 - the project's own source
    before: dict[str, Any] = {}
    for key, value in list(vars(module).items()):
        new = faulty.get(key)
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            before[key] = value.__code__
            value.__code__ = new.__code__  # type: ignore[union-attr]  # the same function
        elif isinstance(value, int | float) and new != value:
            before[key] = value
            setattr(module, key, new)
    try:
        yield
    finally:
        for key, old in before.items():
            if isinstance(vars(module)[key], FunctionType):
                vars(module)[key].__code__ = old
            else:
                setattr(module, key, old)


class _FirstFailure:
    """Notes which test failed first."""

    def __init__(self) -> None:
        self.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at the outcome of a test."""
        if report.failed and not self.test:
            self.test = report.nodeid


def found_by(mutant: Mutant | None) -> str:
    """Return the first test that finds a fault, '' when none does."""
    with planted(mutant) if mutant is not None else contextlib.nullcontext():
        in_steps = mutant is not None and mutant.place() in ("steps.py", "instructions.py")
        for files in (BY_HAND, *((OF_STEPS,) if in_steps else ()), OF_EVERY_RUN):
            first, said = _FirstFailure(), io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                options = ["-x", "-q", "-n", "0", "-W", "ignore::pytest.PytestAssertRewriteWarning", "--capture=sys"]
                ended = pytest.main([*options, *files], plugins=[first])
            if ended == KILLED:
                return first.test
            if ended != SURVIVED:
                raise RuntimeError(f"pytest ended with {ended}:\n{said.getvalue()[-3000:]}")
    return ""


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        number = int(argument)
        test = found_by(None if number == NONE_PLANTED else MUTANTS[number])
        sys.stdout.write(json.dumps([number, test]) + "\n")
        sys.stdout.flush()
