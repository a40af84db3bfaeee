from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from tests.support.bar_examples import check, examples_of, job_of, load_examples

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "bar-semantics.md"


@pytest.mark.parametrize("example", examples_of(PAGE))
def test_the_page_on_bar_semantics_says_what_the_engine_does(example: dict[str, Any]) -> None:
    job = job_of(example)
    check(example, job, simulate(job))
    check(example, job, simulate_stepwise(job))


GOLDEN = (
    "qc_bar_1.yaml",
    "edges.yaml",
    "moving_stops.yaml",
    "halts_and_caps.yaml",
    "costs_and_money.yaml",
    "decisions.yaml",
    "position.yaml",
    "both_sides.yaml",
    "at_close.yaml",
    "rolls.yaml",
)


@pytest.mark.parametrize("example", [e for name in GOLDEN for e in examples_of(ROOT / "tests" / "golden" / name)])
def test_golden_bars_are_traded_as_worked_out_by_hand(example: dict[str, Any]) -> None:
    job = job_of(example)
    check(example, job, simulate(job))
    check(example, job, simulate_stepwise(job))


def test_every_section_with_rules_has_a_worked_example() -> None:
    text = PAGE.read_text(encoding="utf-8")
    sections = {part.splitlines()[0]: part for part in text.split("\n## ")[1:]}
    bare = [title for title, part in sections.items() if "```yaml\nexample:" not in part]
    assert bare == ["The course of a bar", "What is not modelled"]


def test_the_examples_are_compared_for_real() -> None:
    example = load_examples(PAGE.read_text(encoding="utf-8"))[0]
    job = job_of(example)
    wrong = {**example, "fills": [[*example["fills"][0][:3], 102.01, "market", "entry"], example["fills"][1]]}
    with pytest.raises(AssertionError, match="instead of"):
        check(wrong, job, simulate(job))
