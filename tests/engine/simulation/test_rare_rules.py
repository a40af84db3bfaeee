"""The machine code for most strategies: without the rules that few use, and not larger than needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import pytest

from quantcrafter.engine.api.entries import EntryRule, GridRule, Offset, ScaleInRule
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite
from quantcrafter.engine.simulation import jit
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.kernel import run_steps
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, compiled
from quantcrafter.engine.simulation.records import WHOLE
from quantcrafter.engine.simulation.state import SimulationState
from tests.support.command_line import ROOT
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_same_bits

MOST_FUNCTIONS, MOST_LINES = 260, 2_500
"""How many functions, and lines of code in them, the machine code for most strategies is made of."""

ROWS = [(100.0, 101.0, 99.0, 100.0), (100.0, 102.0, 97.0, 98.0), (98.0, 99.0, 95.0, 96.0), (96.0, 104.0, 96.0, 103.0)]
STEP = Offset(percent=1.0)
RARE: dict[str, dict[str, Any]] = {
    "grid": {"execution": ExecutionRule(grid=GridRule(levels=2, spacing=STEP))},
    "at the close": {"execution": ExecutionRule(entry=EntryRule(OrderKind.AT_CLOSE))},
    "resting": {"execution": ExecutionRule(scale_in=ScaleInRule(max_entries=2, spacing=STEP, resting=True))},
    "reversal at a price": {
        "execution": ExecutionRule(OnOpposite.REVERSE_AT_PRICE, entry=EntryRule(OrderKind.LIMIT, STEP)),
    },
    "withdrawal": {"settings": {"withdrawal": {"percent": 50}}},
}


def used_by(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Yield the marked functions that a function may call."""
    scope = vars(sys.modules[function.__module__])
    for name in function.__code__.co_names:
        used = scope.get(name)
        if isinstance(used, FunctionType) and used in jit._MARKED:
            yield used


def without_rare_ones() -> set[Callable[..., Any]]:
    """Return the functions that the machine code for most strategies consists of."""
    found: set[Callable[..., Any]] = set()
    waiting: list[Callable[..., Any]] = [run_steps]
    while waiting:
        function = waiting.pop()
        if function not in found and function not in jit._RARE:
            found.add(function)
            waiting += used_by(function)
    return found


def test_the_machine_code_for_most_strategies_does_not_grow_unnoticed() -> None:
    # What is compiled determines how long it takes. Raise the limits for what most strategies need; for other rules
    # mark their functions as `rare`.
    functions = without_rare_ones()
    lines = sum(len({line for *_, line in function.__code__.co_lines()}) for function in functions)
    assert len(functions) <= MOST_FUNCTIONS
    assert lines <= MOST_LINES


@pytest.mark.parametrize("terms", RARE.values(), ids=RARE)
def test_a_job_with_a_rare_rule_runs_on_the_machine_code_that_has_it(terms: dict[str, Any]) -> None:
    job = make_job((make_bars(ROWS), Setup({0: ENTER_LONG})), **terms)
    assert SimulationState.of(job, kernel=INTERPRETED).has_rare
    assert_same_bits(simulate(job, kernel=compiled()), simulate(job, kernel=INTERPRETED))


def test_a_rule_that_the_machine_code_lacks_is_never_left_out_silently() -> None:
    state = SimulationState.of(make_job((make_bars(ROWS), Setup({0: ENTER_LONG})), **RARE["at the close"]))
    state.portfolio["has_rare"] = 0  # as if the job's terms were wrong
    with pytest.raises(RuntimeError, match="rare"):
        compiled()(*state.arrays(), 0, len(ROWS), WHOLE)


@pytest.mark.parametrize("first", ["ordinary", "complete"])
def test_a_process_may_run_both_machine_codes_in_any_order(first: str) -> None:
    """In a process of its own: which code is loaded first must not matter."""
    script = f"""
from tests.engine.simulation.test_rare_rules import *
plain = make_job((make_bars(ROWS), Setup({{0: ENTER_LONG}})))
rare = make_job((make_bars(ROWS), Setup({{0: ENTER_LONG}})), **RARE["at the close"])
for job in {"(plain, rare, plain)" if first == "ordinary" else "(rare, plain, rare)"}:
    assert_same_bits(simulate(job, kernel=compiled()), simulate(job, kernel=INTERPRETED))
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
