"""Strategies drawn over everything that is installed, from their files: valid, and the same books however they run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from quantcrafter.engine.api import EngineJob, Role
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.run import StageTimer, prepare_run
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, compiled
from quantcrafter.engine.simulation.matcher import BarMatcher
from tests.support.counts import sample, seed
from tests.support.feeding import fed_and_saved
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits
from tests.support.random_strategies import undrawn_fields, wanted_components, write_random_strategy
from tests.support.random_strategy import components
from tests.support.reliability import record

EXAMPLES = Path(__file__).parents[3] / "resources" / "examples"
COUNT = sample(60, of=500)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def job_of(path: Path, registry: Registry) -> EngineJob:
    """Return the job of a strategy file."""
    graph = load_graph(path, registry)
    return prepare_run(graph, graph.spec.run, clock=StageTimer()).job


@pytest.mark.slow
@pytest.mark.long
def test_a_random_strategy_keeps_the_same_books_compiled_interpreted_stepwise_and_bar_by_bar(
    registry: Registry, tmp_path: Path
) -> None:
    seen: Counter[str] = Counter()
    first = seed("random strategies") % 1_000_000
    for number in range(first, first + COUNT):
        folder = tmp_path / str(number)
        folder.mkdir()
        job = job_of(write_random_strategy(folder, registry, number), registry)
        holdings = simulate(job, kernel=compiled())
        try:
            assert_same_bits(holdings, simulate(job, kernel=INTERPRETED))
            assert_same_bits(holdings, simulate_stepwise(job))
            assert_same_bits(holdings, simulate_stepwise(job, BarMatcher()))
            # What steps gave at each bar is for the traces of a run; an open session keeps none of it.
            assert_same_bits(replace(holdings, steps=None), fed_and_saved(job, number))
            assert_money_is_conserved(job, holdings)
        except AssertionError as error:
            raise AssertionError(f"the strategy of seed {number}, in {folder}: {error}") from error
        seen.update(strategies=1, traded=int(len(holdings.fills) > 0), fills=len(holdings.fills))
    assert seen["traded"] > COUNT / 3
    figures = [[seen["strategies"], seen["traded"], seen["fills"]]]
    record("books that agree", ("strategy files", "of these traded", "fills"), figures)


def test_strategies_of_seeds_in_a_row_have_every_component(registry: Registry) -> None:
    first = seed("all components") % 1_000_000
    found: set[tuple[Role, str]] = set()
    for number in range(first, first + 2 * len(components(registry)) // 5):
        wanted, execution, money = wanted_components(registry, number)
        found |= {*wanted, (Role.EXECUTION, execution), (Role.MONEY, money)}
    assert found == set(components(registry))


def test_every_field_of_an_instrument_is_drawn() -> None:
    assert not undrawn_fields()


def test_universes_are_drawn_in_each_way_and_compared(registry: Registry, tmp_path: Path) -> None:
    texts = [write_random_strategy(tmp_path, registry, number).read_text(encoding="utf-8") for number in range(60)]
    several = [text for text in texts if "universe:" in text]
    assert len(several) > 5
    assert any("members.csv" in text for text in several)
    assert any("exclude" in text for text in several)


def test_the_strategy_of_a_seed_is_always_the_same(registry: Registry, tmp_path: Path) -> None:
    texts = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        write_random_strategy(folder, registry, 7)
        texts.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert texts[0] == texts[1]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_fed_bar_by_bar_and_saved_on_the_way_keeps_the_same_books(path: Path, registry: Registry) -> None:
    job = job_of(path, registry)
    assert_same_bits(fed_and_saved(job, seed(path.stem), stops=5), replace(simulate(job), steps=None))
