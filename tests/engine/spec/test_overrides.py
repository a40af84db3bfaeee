from __future__ import annotations

from typing import Any

import pytest

from quantcrafter.engine.api import Timeframe
from quantcrafter.engine.spec import StrategySpec, parse_strategy
from tests.support.strategies import FULL, HEADER, problems_of


def with_set(*overrides: str, text: str = FULL) -> StrategySpec:
    return parse_strategy(text, overrides=overrides)


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("20", 20), ("2.5", 2.5), ("true", True), ("text", "text"), ("'20'", "20"), ("[a, b]", ["a", "b"]),
        ("{a: 1}", {"a": 1}), ("", None), ("a=b", "a=b"),
        (",", ","), ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M"), (" @ES ", "@ES"), ("','", ","),
    ],
)  # fmt: skip
def test_the_value_of_an_override_is_yaml(override: str, value: Any) -> None:
    assert with_set(f"indicators.fast.timeperiod={override}").nodes["fast"].values["timeperiod"] == value


@pytest.mark.parametrize("override", ["[a", "{a: 1", "]", "'a", "a: b: c", "%\x07"])
def test_a_value_that_is_broken_yaml_is_no_text(override: str) -> None:
    assert [problem.code for problem in problems_of(FULL, overrides=(f"name={override}",))] == ["syntax"]


@pytest.mark.parametrize("override", ["run.schedule.weekly=[mon-xxx 08:00-16:00]", "run.schedule.timezone=Nope"])
def test_a_mapping_that_an_override_makes_wrong_is_told_at_the_override(override: str) -> None:
    text = "quantcrafter: 1\ninstruments: [{symbol: A, data: synthetic}]\n"
    text += "run:\n  schedule:\n    weekly: [mon-fri 08:00-16:00]\n"
    assert not [each for each in problems_of(text) if each.path == "run.schedule"]
    (found,) = (each for each in problems_of(text, overrides=(override,)) if each.path == "run.schedule")
    assert (found.file, found.line) == (f"--set {override}", 0)
    (found,) = (each for each in problems_of(text.replace("fri", "xxx")) if each.path == "run.schedule")
    assert found.line == 5


def test_overrides_reach_settings_instruments_and_blocks() -> None:
    spec = with_set(
        "run.cash=7000",
        "run.slippage.bps=2",
        "instruments.0.symbol=MSFT",
        "instruments.IBM.timeframe=1w",
        "indicators.slope2={use: trend}",
        "logic.slope.period=33",
        "blocks.trend.indicators.ema.timeperiod=44",
        "name=Other",
    )
    assert (spec.run.cash, spec.run.slippage.bps, spec.run.commission.percent, spec.name) == (7000, 2, 0.1, "Other")
    assert [i.symbol for i in spec.instruments] == ["MSFT", "IBM"]
    assert spec.instruments[1].timeframe == Timeframe(1, "w")
    assert [spec.nodes[n].values["timeperiod"] for n in ("slope/ema", "again/ema", "slope2/ema")] == [33, 44, 44]


def test_a_symbol_with_dots_is_found() -> None:
    text = HEADER.replace("AAPL", "BRK.B")
    assert with_set("instruments.BRK.B.lot_size=5", text=text).instruments[0].lot_size == 5


def test_a_missing_run_section_is_made() -> None:
    assert with_set("run.commission.percent=1", text=HEADER).run.commission.percent == 1
    assert with_set("run.cash=1", text=HEADER + "run:\n").run.cash == 1


def test_a_later_override_wins() -> None:
    assert with_set("run.cash=1", "run.cash=2").run.cash == 2


def test_an_override_of_an_alias_changes_one_place() -> None:
    text = HEADER + "indicators:\n  a: &a {use: x, n: 1}\n  b: *a\n"
    spec = with_set("indicators.b.n=2", text=text)
    assert [spec.nodes[name].values["n"] for name in "ab"] == [1, 2]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("indicators.fats.timeperiod=1", "There is no 'fats' in 'indicators' to set. Did you mean 'fast'?"),
        ("indcators.fast.timeperiod=1", "There is no 'indcators' in the file to set. Did you mean 'indicators'?"),
        ("instruments.MSFT.symbol=x", "There is no 'MSFT' in 'instruments' to set. Available: AAPL, IBM."),
        ("instruments.5=x", "There is no '5' in 'instruments' to set."),
        ("name.x=1", "There is no 'x' in 'name' to set."),
        ("indicators.fast", "An override is PATH=VALUE, was 'indicators.fast'."),
        ("=1", "An override is PATH=VALUE, was '=1'."),
        ("a..b=1", "An override is PATH=VALUE, was 'a..b=1'."),
        ("run.cash=[1", "This is not valid YAML"),
        ("run.cash=-1", "run: 'cash' must be greater than 0, was -1."),
        ("run.csah=1", "run: There is no setting 'csah' here. Did you mean 'cash'?"),
        ("logic.slope.price=nothing", "There is no node 'nothing'."),
        ("foo=1", "A strategy file has no key 'foo'."),
        ("quantcrafter=9", "needs a newer QuantCrafter"),
    ],
)
def test_an_override_that_does_not_fit_is_named(override: str, message: str) -> None:
    problems = problems_of(FULL, overrides=(override,))
    assert len(problems) == 1, problems
    assert str(problems[0]).startswith(f"--set {override}: error: ")
    assert message in str(problems[0])
