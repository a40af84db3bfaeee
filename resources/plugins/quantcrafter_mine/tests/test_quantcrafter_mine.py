"""The plugin is accepted, knows no future, remembers what it says, and a strategy runs on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import quantcrafter_mine as plugin

from quantcrafter.engine.api import Role
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.run import run

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


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return what is installed, with the plugin as it lies here where it isn't installed yet."""
    installed = load_registry()
    is_there = installed.component(Role.INDICATOR, "mine.change") is not None
    return installed if is_there else load_registry(extra_plugins=[("mine", plugin)])


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """Return a strategy file that uses the plugin."""
    path = tmp_path / "mine.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def test_it_is_accepted(registry: Registry) -> None:
    (info,) = [each for each in registry.plugins if each.name == "mine"]
    assert info.error == ""
    assert registry.component(Role.INDICATOR, "mine.change") is plugin.Change


def test_the_change_is_that_of_a_calculation_by_hand() -> None:
    change = plugin.Change(bars=2).compute(np.array([100.0, 110.0, 120.0, 99.0]))
    assert np.allclose(change, [np.nan, np.nan, 20.0, -10.0], equal_nan=True)


def test_it_remembers_as_many_bars_as_it_says() -> None:
    line = np.random.default_rng(1).uniform(50, 150, 100)
    component = plugin.Change(bars=7)
    window = component.compute(line[-component.lookback() - 1 :])
    assert window[-1] == component.compute(line)[-1]


def test_a_strategy_trades_on_it(registry: Registry, strategy: Path) -> None:
    assert len(run(strategy, registry=registry).trades) > 3


def test_no_component_knows_the_future(registry: Registry, strategy: Path) -> None:
    assert find_lookahead(strategy, registry=registry) == []
