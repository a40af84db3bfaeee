"""`quantcrafter.testing`: each check passes for what is right and fails for what is wrong, with the place."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from quantcrafter import (
    BarsInput,
    BoolColumn,
    Component,
    Filter,
    FloatColumn,
    Indicator,
    Logic,
    Output,
    SeriesInput,
    StepForm,
    StepOutputs,
    StrategyContext,
    param,
    port,
    testing,
)
from quantcrafter.engine.api import Bars, hookimpl
from quantcrafter.nodes.advisors.rules import Rule
from quantcrafter.nodes.money.sizing import FixedQuantity
from tests.support.builtin_nodes import HAND_WRITTEN, variants
from tests.support.command_line import clean_environment


class Mean(Indicator):
    """Average the last bars."""

    name = "mine.mean"
    input: SeriesInput = port("The line.", default="bars.close")
    bars: int = param("How many.", default=4, ge=1)

    def warmup(self) -> int:
        return self.bars - 1

    def lookback(self) -> int:
        return self.bars - 1

    def compute(self, input: FloatColumn) -> FloatColumn:  # noqa: A002 - the port's name
        value = np.full(len(input), np.nan)
        for bar in range(self.bars - 1, len(input)):
            value[bar] = input[bar - self.bars + 1 : bar + 1].mean()
        return value


class Ahead(Mean):
    """Average the next bar too."""

    def compute(self, input: FloatColumn) -> FloatColumn:  # noqa: A002 - the port's name
        value = super().compute(input)
        return np.asarray((value + np.append(input[1:], 0.0)[: len(value)]) / 2)


class Longer(Mean):
    """Average more bars than it says."""

    def lookback(self) -> int:
        return self.bars - 2


class Early(Mean):
    """Have a value too early."""

    def warmup(self) -> int:
        return self.bars


class Short(Mean):
    """Give too few values."""

    def compute(self, input: FloatColumn) -> FloatColumn:  # noqa: A002 - the port's name
        return super().compute(input)[1:]


class Silent(Mean):
    """Say nothing about its memory."""

    def lookback(self) -> None:  # type: ignore[override]
        return None


class Above(Logic):
    """Hold while the close is above the line."""

    name = "mine.above"
    line: SeriesInput = port("The line.")
    bars: BarsInput = port("The bars.", default="bars")

    def lookback(self) -> int:
        return 0

    def compute(self, line: FloatColumn, bars: Bars) -> BoolColumn:
        return np.asarray(bars.close > line)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.bars("bars", "close") > form.input("line")


class AtLeast(Above):
    """Hold by steps where the close is at the line too."""

    def steps(self, form: StepForm) -> StepOutputs:
        return form.bars("bars", "close") >= form.input("line")


class Calm(Filter):
    """Hold where the last two closes are near each other."""

    name = "mine.calm"
    percent: float = param("How near.", default=1.0, gt=0)

    def lookback(self) -> int:
        return 1

    def on_bar(self, ctx: StrategyContext) -> bool:
        now, before = ctx.market.close.now, ctx.state.get("close", ctx.market.close.now)
        ctx.state["close"] = float(now)
        return bool(abs(now / before - 1) < self.percent / 100)


class Rounded(Mean):
    """Forget a parameter's digits when written."""

    share: float = param("A share.", default=0.5)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        return super().model_dump(**options) | {"share": round(self.share)}


class Refused(Mean):
    """Write a parameter that is refused when read."""

    def model_dump(self, **options: Any) -> dict[str, Any]:
        return super().model_dump(**options) | {"bars": 0}


BARS = testing.random_bars(200, 1)


@pytest.mark.parametrize("component", [Mean(), Mean(bars=1), Above(line="line"), Calm(), FixedQuantity(quantity=3)])
def test_right_components_pass_all_checks(component: Component) -> None:
    testing.check_component(component)


@pytest.mark.parametrize("cls", HAND_WRITTEN, ids=lambda cls: cls.name)
def test_the_components_of_the_program_pass_all_checks(cls: type[Component]) -> None:
    for component in variants(cls):
        testing.check_component(component, seeds=(1,), length=120)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (Ahead(), r"output 'value' at bar \d+ must not depend on later bars. It is .* with \d+ bars and .* with 300"),
        (Longer(), r"output 'value' must depend on no more than the 2 bars before the newest"),
        (Early(), r"output 'value' must be NaN at the first 4 bars, as 'warmup' says, but is .* at bar 3"),
        (Short(), r"output 'value' must have 300 values, one a bar, has 299"),
        (Rounded(share=0.25), r"must be the same when it is read from a file, but is Rounded\(.*share=0\.0\)"),
        (Refused(), r"is refused when it is read from a file. 'bars': Input should be greater than or equal to 1"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Component) else "",
)
def test_a_wrong_component_is_named_with_what_is_wrong(component: Component, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        testing.check_component(component)


def test_forms_that_differ_are_told_with_the_bar() -> None:
    inputs = {"bars": BARS, "line": np.where(np.arange(200) == 7, BARS.close, BARS.close + 1)}
    testing.assert_both_forms(Above(line="line"), BARS, inputs)
    with pytest.raises(AssertionError, match=r"At bar 7 it is False as a column and True by steps"):
        testing.assert_both_forms(AtLeast(line="line"), BARS, inputs)


def test_what_can_not_be_checked_is_no_pass() -> None:
    with pytest.raises(AssertionError, match=r"must have a step form. Give it a method 'steps'"):
        testing.assert_both_forms(Mean(), BARS)
    with pytest.raises(AssertionError, match=r"must say how far it looks back. Give it a method 'lookback'"):
        testing.assert_memory(Silent(), BARS)
    with pytest.raises(AssertionError, match=r"needs more than 200 bars, was given 200. Give more"):
        testing.assert_memory(Mean(bars=200), BARS)


def test_a_component_is_wired_at_every_port() -> None:
    rule = testing.wired(Rule, enter_long=("a",))
    assert rule.enter_long == ("a",)
    assert len(rule.exit_long) == 3
    assert set(testing.random_inputs(rule, BARS, 1)) == {each.name for each in Rule.inputs()}


@given(case=testing.cases(Above(line="line"), min_size=3, max_size=50, any_numbers=True))
def test_drawn_cases_have_bars_and_a_column_for_every_port(case: testing.Case) -> None:
    bars, inputs = case
    assert 3 <= len(bars) <= 50
    assert inputs["bars"] is bars
    assert inputs["line"].shape == (len(bars),)
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    testing.assert_both_forms(Above(line="line"), bars, inputs)


def test_without_hypothesis_its_strategies_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    for make in (testing.bars, lambda: testing.cases(Mean())):
        with pytest.raises(ModuleNotFoundError, match=r"need hypothesis.*Install it: pip install hypothesis"):
            make()
    testing.check_component(Mean())


STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: TEST, data: synthetic, timeframe: 1d, bars: 200, seed: 1}]
indicators: {line: {use: USED}}
advisors: {cross: {use: crossover, fast: bars.close, slow: line, direction: long}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [cross], money: size}}
"""


def plugin(*classes: type[Component]) -> ModuleType:
    module = ModuleType("mine")
    vars(module)["register_indicators"] = hookimpl(lambda: list(classes))
    return module


class Future(Ahead):
    """Average the next bar too."""

    name = "mine.future"


def test_a_plugin_as_it_lies_there_runs_in_a_strategy(tmp_path: Path) -> None:
    registry = testing.registry_with("mine", plugin(Mean, Future))
    path = tmp_path / "s.yaml"
    path.write_text(STRATEGY.replace("USED", "mine.mean"), encoding="utf-8")
    assert len(testing.run_file(path, registry).trades) > 3
    testing.assert_no_lookahead(path, registry)
    path.write_text(STRATEGY.replace("USED", "mine.future"), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"know the future: Node 'line' \(mine\.future\) looks ahead"):
        testing.assert_no_lookahead(path, registry)


class Unnamed(Mean):
    """Have no name."""

    name = "no name"


def test_a_plugin_that_is_left_out_is_told_with_the_reason() -> None:
    with pytest.raises(AssertionError, match=r"The plugin 'mine' was left out: .*no name"):
        testing.registry_with("mine", plugin(Unnamed))


def test_strengths_and_several_outputs_are_compared_too() -> None:
    class Two(Mean):
        """Give two lines."""

        outputs = (Output("mean"), Output("ahead"))

        def compute(self, input: FloatColumn) -> Any:  # noqa: A002 - the port's name
            return super().compute(input), np.append(input[1:], 0.0)[: len(input)]

    with pytest.raises(AssertionError, match="output 'ahead' at bar"):
        testing.assert_causal(Two(), BARS)


@pytest.mark.slow
def test_the_documented_tests_pass_beside_the_documented_plugin(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
    code = next(part for part in re.findall(r"(?:^    .*\n|^\n)+", page, re.MULTILINE) if "class Spread" in part)
    tests = next(part for part in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "import testing" in part)
    (tmp_path / "my_plugin.py").write_text(textwrap.dedent(code), encoding="utf-8")
    (tmp_path / "test_my_plugin.py").write_text(tests, encoding="utf-8")
    strategy = STRATEGY.replace("USED", "mine.spread, input: bars.close").replace("fast: bars.close", "fast: 0")
    (tmp_path / "my_strategy.yaml").write_text(strategy, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert "4 passed" in done.stdout, done.stdout
