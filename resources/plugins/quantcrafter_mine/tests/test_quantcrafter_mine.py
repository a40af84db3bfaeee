"""The plugin is accepted, knows no future, remembers what it says, and a strategy runs on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import quantcrafter_mine as plugin

from quantcrafter import Component, testing

STRATEGY = """\
quantcrafter: 1
name: Mine
instruments:
  - {symbol: TEST, data: synthetic, timeframe: 1d, bars: 400, seed: 1}
indicators:
  change: {use: mine.change, bars: 10}
advisors:
  cross: {use: crossover, fast: change, slow: 0, direction: long}
filters:
  calm: {use: mine.after_shock, group: block, percent: 4, bars: 3}
money:
  size: {use: percent_of_equity, percent: 50}
execution:
  entry: {use: market, signals: [cross], filters: [calm], money: size}
"""


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """Return a strategy file that uses the plugin."""
    path = tmp_path / "mine.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


@pytest.mark.parametrize("component", [plugin.Change(), plugin.Change(bars=1), plugin.AfterShock()])
def test_each_component_knows_no_future_remembers_what_it_says_and_is_written_and_read(component: Component) -> None:
    testing.check_component(component)


def test_the_change_is_that_of_a_calculation_by_hand() -> None:
    change = plugin.Change(bars=2).compute(np.array([100.0, 110.0, 120.0, 99.0]))
    assert np.allclose(change, [np.nan, np.nan, 20.0, -10.0], equal_nan=True)


def test_a_strategy_trades_on_it(strategy: Path) -> None:
    registry = testing.registry_with("mine", plugin)
    assert len(testing.run_file(strategy, registry).trades) > 3
    testing.assert_no_lookahead(strategy, registry)
