"""What the chart can show of a run, what it shows at first, and what its user chose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.app.charts.model.choice import MOST_FILES, ChartChoice
from quantcrafter.app.charts.model.outputs import ChartOutput, PlotPlace, lies_on_price, outputs_of
from quantcrafter.app.services.settings import Settings
from quantcrafter.engine.api import PortType
from tests.support.ledgers import walk_bars
from tests.support.saved_runs import saved_example

OUTPUTS = (
    ChartOutput("fast", "value", "fast", PortType.SERIES, PlotPlace.OVERLAY, 0, True),
    ChartOutput("macd", "line", "macd.line", PortType.SERIES, PlotPlace.PLOT, 1, False),
    ChartOutput("macd", "signal", "macd.signal", PortType.SERIES, PlotPlace.PLOT, 2, False),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "desktop.json")


def choice_of(settings: Settings, key: str = "a.yaml") -> ChartChoice:
    choice = ChartChoice(settings, key)
    choice.offer(OUTPUTS)
    return choice


def test_averages_lie_over_the_prices_and_oscillators_in_plots(tmp_path: Path) -> None:
    found = {each.name: each for each in outputs_of(saved_example("rsi_pullback", tmp_path / "run"), 0)}
    places = {name: each.place for name, each in found.items()}
    assert places == {
        "rsi": PlotPlace.PLOT,
        "average": PlotPlace.OVERLAY,
        "dip": PlotPlace.STRIP,
        "uptrend": PlotPlace.STRIP,
    }
    assert {name for name, each in found.items() if each.first} == {"rsi", "average", "dip"}


def test_an_oscillator_is_no_price_even_where_the_price_is_about_as_high() -> None:
    bars = walk_bars(2000)
    close = bars.close / bars.close.mean() * 50
    fifties = walk_bars(2000, seed=1)
    rsi = 50 + 12 * np.sin(np.arange(2000) / 5)
    scaled = type(fifties)(
        **{**{name: getattr(fifties, name) for name in fifties.__dataclass_fields__}, "close": close}
    )
    assert not lies_on_price(rsi, scaled)
    assert lies_on_price(close * 1.1, scaled)
    assert not lies_on_price(np.full(2000, np.nan), scaled)


def test_what_is_switched_is_remembered_for_that_strategy_alone(settings: Settings) -> None:
    choice = choice_of(settings)
    choice.toggle("macd")
    choice.toggle("fast")
    again = choice_of(Settings(settings.path))
    assert [each.key for each in again.shown()] == ["macd.line", "macd.signal"]
    assert [each.key for each in choice_of(settings, "b.yaml").shown()] == ["fast.value"]


def test_one_output_of_a_node_is_switched_alone(settings: Settings) -> None:
    choice = choice_of(settings)
    choice.toggle("macd", "signal")
    assert choice.is_shown("macd", "signal")
    assert not choice.is_shown("macd", "line")
    assert choice.is_shown("macd")


def test_a_node_without_an_output_is_neither_shown_nor_switched(settings: Settings) -> None:
    choice = choice_of(settings)
    choice.toggle("stop")
    assert not choice.can_show("stop")
    assert not choice.is_shown("stop")
    assert settings.chart_shown == {}


def test_listeners_hear_of_a_switch_until_they_stop(settings: Settings) -> None:
    choice, heard = choice_of(settings), []
    stop = choice.subscribe(lambda: heard.append(choice.is_shown("fast")))
    choice.toggle("fast")
    stop()
    choice.toggle("fast")
    assert heard == [False]


def test_going_back_shows_what_was_shown_at_first(settings: Settings) -> None:
    choice = choice_of(settings)
    choice.toggle("fast")
    choice.reset()
    assert choice.is_shown("fast")
    assert settings.chart_shown == {}


def test_only_the_latest_strategies_are_remembered(settings: Settings) -> None:
    for number in range(MOST_FILES + 5):
        choice_of(settings, f"{number}.yaml").toggle("fast")
    assert len(settings.chart_shown) == MOST_FILES
    assert "0.yaml" not in settings.chart_shown
    assert f"{MOST_FILES + 4}.yaml" in settings.chart_shown
