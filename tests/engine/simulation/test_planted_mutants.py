"""Small faults in the simulation are found by the tests of its meaning."""

from __future__ import annotations

import random

import pytest

from quantcrafter.engine.simulation import primitives
from tests.support.counts import limit_s, sample, seed
from tests.support.mutant_trials import BY_HAND, NONE_PLANTED, planted, try_mutants
from tests.support.planted_mutants import MUTANTS, Mutant
from tests.support.reliability import record

FEW = 3


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_planted_fault_has_a_place(mutant: Mutant) -> None:
    assert mutant.place().endswith(".py")
    assert mutant.fragment != mutant.replacement


def test_a_fault_is_in_the_functions_while_it_is_planted_and_in_none_afterwards() -> None:
    mutant = next(each for each in MUTANTS if each.fragment == "if high >= trigger")
    with planted(mutant):
        assert primitives.match_stop(1, 10.0, 9.0, 10.0, 9.0) != 10.0
    assert primitives.match_stop(1, 10.0, 9.0, 10.0, 9.0) == 10.0


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(limit_s(of=36_000))
def test_every_planted_fault_is_found() -> None:
    rng = random.Random(seed("planted faults"))  # noqa: S311 - cases of a test, no secrets
    numbers = rng.sample(range(len(MUTANTS)), sample(FEW, of=len(MUTANTS)))
    found = try_mutants([*numbers, *([NONE_PLANTED] if len(numbers) > FEW else [])])
    assert found.pop(NONE_PLANTED, "") == "", "without a fault every test passes"
    survived = [MUTANTS[number] for number in numbers if not found[number]]
    by_hand = sum(test.partition("::")[0] in BY_HAND for test in found.values())
    record(
        "planted faults",
        ("planted", "found by hand", "found by properties", "survived"),
        [[len(numbers), by_hand, len(numbers) - by_hand - len(survived), len(survived)]],
    )
    assert not survived
