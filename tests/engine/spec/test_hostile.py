"""Files mutated at random: whatever comes out is a specification or located problems, soon and within bounds."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.spec import NodeSpec, StrategySpec, check_strategy
from quantcrafter.engine.spec.limits import MAX_PROBLEMS
from tests.support.counts import sample
from tests.support.strategies import FULL

PIECES = [
    *("{", "}", "[", "]", ": ", ", ", "- ", "\n", "  ", "\t", "#", "'", '"', "&a ", "*a", "!!int ", "|", ">", "? "),
    *("null", "true", "1e999", "-1", "9" * 30, ".nan", "<<: ", "bars", "fast", "trend", "use: trend", "blocks:"),
    *("\x00", "\ufeff", "\u2028", "é", "\U0001f600", "quantcrafter: 2", "\r", "../../etc/passwd.yaml", "/", "---\n"),
]


def mutated(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(1, 6)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 0, 1, 2, 8, 40)))
        piece = rng.choice([rng.choice(PIECES), text[rng.randrange(len(text) + 1) :][:60]])
        text = text[:start] + piece + text[end:]
    return text


def resolve_everything(spec: StrategySpec) -> None:
    """Look up every text in the specification as if it were a reference, as planning does."""

    def visit(node: NodeSpec, value: object) -> None:
        if isinstance(value, list):
            for item in value:
                visit(node, item)
        elif isinstance(value, dict):
            visit(node, list(value.values()))
        else:
            spec.resolve(node, value)

    for node in spec.nodes.values():
        visit(node, node.values)


@settings(max_examples=sample(400, of=2_000), deadline=None)
@given(st.integers(0, 2**32))
def test_a_mutated_file_gives_a_specification_or_located_problems(seed: int) -> None:
    text = mutated(random.Random(seed), FULL)  # noqa: S311 - no secret
    spec, problems = check_strategy(text, file="f.yaml")
    assert spec is not None or problems
    assert len(problems) <= MAX_PROBLEMS + 1
    for problem in problems:
        assert problem.line >= 1 or problem.code == "too_many"
        assert len(str(problem)) < 1500
    if spec is not None:
        resolve_everything(spec)


def test_thousands_of_misspelt_names_do_not_stall() -> None:
    nodes = "".join(f"  n{i}: {{use: a, input: m{i}{'x' * 20}}}\n" for i in range(1900))
    text = "quantcrafter: 1\ninstruments: [{symbol: A, data: b}]\nlogic:\n" + nodes
    spec, problems = check_strategy(text)
    assert spec is not None
    assert not problems
    resolve_everything(spec)


def test_thousands_of_unknown_keys_do_not_stall() -> None:
    text = "quantcrafter: 1\n" + "".join(f"key{i}: 1\n" for i in range(20_000))
    _, problems = check_strategy(text)
    assert len(problems) == MAX_PROBLEMS + 1
