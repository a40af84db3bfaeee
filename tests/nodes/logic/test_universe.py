"""Rank, percentile, z-score and mean over the instruments of a moment, against plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import SeesUniverse, Universe
from quantcrafter.nodes.logic.universe import TopN, UniverseMean, UniversePercentile, UniverseRank, UniverseZScore
from quantcrafter.testing import wired

NAN = math.nan
NUMBERS = st.sampled_from([NAN, 0.0, -0.0, 1.0, 2.0, 2.0, 3.5, -7.25, math.inf, -math.inf])
ROWS = st.integers(1, 9).flatmap(lambda m: st.lists(st.lists(NUMBERS, min_size=m, max_size=m), min_size=1, max_size=6))


def answer(component: SeesUniverse, rows: list[list[float]]) -> list[np.ndarray]:
    """Return the tables that a component gives; all instruments count."""
    values = np.array(rows, np.float64)
    universe = Universe(tuple(f"S{n}" for n in range(values.shape[1])), np.ones(values.shape, np.bool_))
    with np.errstate(all="ignore"):
        found = component.across(universe, input=values)
    return list(found) if isinstance(found, tuple) else [found]


def there(row: list[float]) -> list[float]:
    return [value for value in row if math.isfinite(value)]


def rank(row: list[float], place: int, sign: float = -1.0) -> float:
    if not math.isfinite(row[place]):
        return NAN
    order = sorted((sign * value, number) for number, value in enumerate(row) if math.isfinite(value))
    return 1.0 + [number for _, number in order].index(place)


def percentile(row: list[float], place: int) -> float:
    known, own = there(row), row[place]
    if not math.isfinite(own) or len(known) < 2:
        return NAN
    below, equal = sum(value < own for value in known), sum(value == own for value in known) - 1
    return (below + equal / 2) / (len(known) - 1) * 100


def zscore(row: list[float], place: int) -> float:
    known, own = there(row), row[place]
    deviation = pstdev(known) if known else 0.0
    return (own - fmean(known)) / deviation if math.isfinite(own) and deviation else NAN


def difference(row: list[float], place: int) -> float:
    return row[place] - fmean(there(row)) if math.isfinite(row[place]) else NAN


ORACLES: list[tuple[SeesUniverse, int, Callable[[list[float], int], float]]] = [
    (wired(UniverseRank), 0, rank),
    (wired(UniverseRank, order="lowest"), 0, lambda row, place: rank(row, place, 1.0)),
    (wired(UniversePercentile), 0, percentile),
    (wired(UniverseZScore), 0, zscore),
    (wired(UniverseMean), 0, lambda row, _place: fmean(there(row)) if there(row) else NAN),
    (wired(UniverseMean), 1, difference),
    (wired(UniverseMean), 2, lambda row, _place: float(len(there(row)))),
    (wired(TopN, n=2), 0, lambda row, place: float(rank(row, place) <= 2)),
    (wired(TopN, n=1, order="lowest"), 0, lambda row, place: float(rank(row, place, 1.0) <= 1)),
]


@pytest.mark.parametrize(("component", "output", "oracle"), ORACLES, ids=lambda each: getattr(each, "name", ""))
@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_a_node_gives_what_plain_python_gives(
    component: SeesUniverse, output: int, oracle: Callable[[list[float], int], float], rows: list[list[float]]
) -> None:
    found = answer(component, rows)[output]
    for moment, row in enumerate(rows):
        for place in range(len(row)):
            assert found[moment, place] == pytest.approx(oracle(row, place), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("component", [case[0] for case in ORACLES], ids=lambda each: each.name)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), width=st.integers(1, 70))
def test_a_moment_gives_the_same_bits_alone_and_among_others(component: SeesUniverse, seed: int, width: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(9, width)).round(2)
    values[random.random(values.shape) < 0.2] = NAN
    together = answer(component, values.tolist())
    for moment in range(len(values)):
        alone = answer(component, values[moment : moment + 1].tolist())
        for one, many in zip(alone, together, strict=True):
            assert one.tobytes() == np.ascontiguousarray(many[moment : moment + 1]).tobytes()


def test_equal_values_rank_in_the_order_of_the_file() -> None:
    assert answer(wired(UniverseRank), [[1, 5, 5, 0]])[0].tolist() == [[3, 1, 2, 4]]
    assert answer(wired(UniverseRank, order="lowest"), [[1, 5, 5, 0]])[0].tolist() == [[2, 3, 4, 1]]
    assert answer(wired(TopN, n=1), [[5, 5]])[0].tolist() == [[True, False]]
