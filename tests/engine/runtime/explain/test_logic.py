"""The smallest set in the way is one: held to a search through all subsets, on random expressions."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.runtime.explain.logic import (
    Expression,
    Gate,
    Inverse,
    Leaf,
    Via,
    both,
    either,
    is_true,
    leaves,
    mattering,
    smallest_sets,
)
from tests.support.counts import sample

Condition = Expression[Any, Any]


@st.composite
def expressions(draw: st.DrawFn) -> Condition:
    """Draw an expression over up to eight leaves whose parts are shared and stand in it both ways round."""
    parts: list[Condition] = [
        Leaf(number, draw(st.booleans()), draw(st.integers(0, 9)) == 0) for number in range(draw(st.integers(1, 8)))
    ]
    for number in range(draw(st.integers(0, 9))):
        kind = draw(st.sampled_from(["all", "any", "some", "not", "via"]))
        chosen = draw(st.lists(st.sampled_from(parts), min_size=1, max_size=4))
        need = {"all": len(chosen), "any": 1}.get(kind, draw(st.integers(0, len(chosen) + 1)))
        if kind == "not":
            parts.append(Inverse(chosen[0]))
        elif kind == "via":
            parts.append(Via(number, chosen[0]))
        else:
            parts.append(Gate(need, tuple(chosen)))
    return parts[-1]


def by_trying(root: Condition) -> set[frozenset[Leaf[Any]]]:
    """Return every smallest set, by trying all sets of every size."""
    free = [leaf for leaf in leaves(root) if not leaf.fixed]
    for size in range(len(free) + 1):
        found = {frozenset(chosen) for chosen in combinations(free, size) if is_true(root, chosen)}
        if found:
            return found
    return set()


@settings(max_examples=sample(400, of=2_000), deadline=None)
@given(root=expressions())
def test_the_sets_found_are_exactly_the_smallest_ones_there_are(root: Condition) -> None:
    found = smallest_sets(root)
    wanted = by_trying(root)

    assert found.exact
    assert len(set(found.sets)) == len(found.sets)
    assert set(found.sets) <= wanted
    assert len(found.sets) == min(len(wanted), len(found.sets)) if len(wanted) > 20 else set(found.sets) == wanted


@settings(max_examples=sample(200, of=2_000), deadline=None)
@given(root=expressions())
def test_a_search_that_is_given_up_still_gives_a_set_that_fires_and_holds_nothing_needless(root: Condition) -> None:
    found = smallest_sets(root, work=0)

    for chosen in found.sets:
        assert is_true(root, chosen)
        assert not any(is_true(root, chosen - {leaf}) for leaf in chosen)


@settings(max_examples=sample(200, of=2_000), deadline=None)
@given(root=expressions())
def test_what_mattered_alone_keeps_an_expression_as_it_is(root: Condition) -> None:
    value = is_true(root)
    rest = [leaf for leaf in leaves(root) if leaf not in mattering(root).leaves]

    for size in range(len(rest) + 1):
        for chosen in combinations(rest, size):
            assert is_true(root, chosen) == value


def test_the_nearest_of_several_smallest_sets_comes_first() -> None:
    near, far, held = Leaf("near", held=False), Leaf("far", held=False), Leaf("held", held=True)
    root: Condition = both(held, either(far, near))

    sets = smallest_sets(root, gap=lambda leaf: {"near": 0.1, "far": 0.5, "held": 0.0}[leaf.about]).sets

    assert sets == (frozenset({near}), frozenset({far}))


def test_wires_are_followed_only_to_what_mattered() -> None:
    yes, no = Leaf("yes", held=True), Leaf("no", held=False)
    root: Condition = Via("out", either(Via("a", yes), Via("b", no)))

    found = mattering(root)

    assert list(found.leaves) == [yes]
    assert set(found.wires) == {"out", "a"}


def test_many_conditions_at_once_take_no_search() -> None:
    root: Condition = both(*(Leaf(number, held=False) for number in range(60)))

    (chosen,) = smallest_sets(root, work=4000).sets

    assert len(chosen) == 60
