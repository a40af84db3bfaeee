"""The mutants of strategy files are what the tests that use them take them for."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import validate_file
from tests.support.counts import seed
from tests.support.mutate import EXAMPLES, KINDS, read, strategy_mutants, write_mutants
from tests.support.mutate_values import nodes
from tests.support.random_strategy import components, strategies
from tests.support.written import written


def test_the_same_seed_gives_the_same_mutants() -> None:
    registry = load_registry()
    first, again = (list(strategy_mutants(registry, 40, 5)) for _ in range(2))
    assert first == again
    assert first != list(strategy_mutants(registry, 40, 6))


def test_a_third_of_the_mutants_and_more_is_valid(tmp_path: Path) -> None:
    registry = load_registry()
    found = write_mutants(tmp_path, registry, 150, seed("shares"))
    valid = [m for path, m in found if not any(p.severity == "error" for p in validate_file(path, registry))]
    assert len(valid) >= len(found) / 3
    assert {mutant.kind for _, mutant in found} == set(KINDS)


def test_strategies_at_random_have_every_component() -> None:
    registry = load_registry()
    drawn = strategies(registry, random.Random(seed("components")))  # noqa: S311 - cases, no secrets
    wanted = components(registry)
    uses = {(section, body["use"]) for each in islice(drawn, len(wanted)) for section, _, body in nodes(each)}
    assert {(str(role), name) for role, name in wanted} <= uses


def test_a_strategy_written_in_another_style_says_the_same() -> None:
    rng = random.Random(seed("styles"))  # noqa: S311 - cases, no secrets
    for path in EXAMPLES * 5:
        values = read(path.read_text(encoding="utf-8"))
        assert read(written(values, rng)) == values
