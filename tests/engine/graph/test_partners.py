"""Two averages of one line are computed in one pass: with the same values, and only where that is certain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.compiled import compile_kept
from quantcrafter.engine.api.frozen import read_only
from quantcrafter.engine.api.running_means import running_means
from quantcrafter.engine.graph.evaluate import Evaluation
from quantcrafter.engine.graph.partners import partners_of
from quantcrafter.engine.graph.plan import Plan, make_plan
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.nodes.indicators.talib_family import TalibIndicator
from tests.support.ledgers import walk_bars

BARS = 6_000

STRATEGY = """
quantcrafter: 1
name: averages
instruments: [{symbol: A, data: synthetic, timeframe: 1d, bars: 100}]
indicators:
  slow: {use: ta.SMA, input: bars.close, timeperiod: 30}
  other: {use: ta.EMA, input: bars.close, timeperiod: 10}
  highs: {use: ta.SMA, input: bars.high, timeperiod: 10}
  fast: {use: ta.SMA, input: bars.close, timeperiod: 10}
  third: {use: ta.SMA, input: bars.close, timeperiod: 5}
  smooth: {use: ta.SMA, input: fast, timeperiod: 5}
advisors:
  enter: {use: crossover, fast: fast, slow: slow, direction: long}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [enter], money: size}}
"""


def plan() -> Plan:
    return make_plan(load_text(STRATEGY, load_registry()))


@pytest.fixture(autouse=True)
def _compiled() -> None:
    compile_kept(running_means, read_only(np.ones(3)), 2, 3, np.empty(3), np.empty(3))


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each pair that was asked for was computed together."""
    told: list[bool] = []
    compute = TalibIndicator.compute_pair

    def watched(self: TalibIndicator, other: TalibIndicator, inputs: Any) -> Any:
        found = compute(self, other, inputs)
        told.append(found is not None)
        return found

    monkeypatch.setattr(TalibIndicator, "compute_pair", watched)
    return told


def columns(found: Plan, count: int = BARS, missing: int = -1) -> dict[str, bytes]:
    bars = walk_bars(count, seed=5)
    if missing >= 0:
        close = bars.close.copy()
        close[missing] = np.nan
        object.__setattr__(bars, "close", close)
    evaluation = Evaluation(found, bars, {}).run()
    return {
        name: np.asarray(evaluation.values[step][0]).tobytes()
        for name, step in found.step_of.items()
        if name != "enter"
    }


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantcrafter.engine.graph.evaluate.partners_of", lambda _: {})


def test_averages_of_the_same_line_are_partners() -> None:
    found = plan()
    partners = {found.steps[a].nodes[0]: found.steps[b].nodes[0] for a, b in partners_of(found.steps).items()}
    assert partners == {"slow": "fast"}


def test_values_are_those_of_each_average_by_itself(pairs: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan()
    together = columns(found)
    assert pairs == [True]
    alone(monkeypatch)
    assert columns(found) == together


@pytest.mark.parametrize(("count", "missing"), [(BARS, 0), (BARS, 3_000), (BARS, BARS - 1), (20, -1), (4_000, -1)])
def test_a_line_with_a_gap_and_a_short_one_are_left_to_talib(
    count: int, missing: int, pairs: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = plan()
    together = columns(found, count, missing)
    assert pairs == [False]
    alone(monkeypatch)
    assert columns(found, count, missing) == together


def test_what_is_known_from_before_is_not_computed_again(pairs: list[bool]) -> None:
    found, bars = plan(), walk_bars(BARS, seed=5)
    first = Evaluation(found, bars, {}).run()
    fast = found.step_of["fast"]
    again = Evaluation(found, bars, {}).run(
        recall=lambda step: (first.values[step], first.ready[step]) if step == fast else None
    )
    assert pairs == [True]
    assert again.values[fast] is first.values[fast]
