"""Warnings of formulas that add or compare series of different units."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import validate_file

FILE = """quantcrafter: 1
instruments:
  - {{symbol: AAPL, data: sample}}
indicators:
  rsi: {{use: ta.RSI, input: bars.close}}
  sma: {{use: ta.SMA, input: bars.close}}
  volumes: {{use: ta.SMA, input: bars.volume}}
  range: {{use: ta.ATR, bars: bars}}
logic:
  x: {{use: formula, formula: "{formula}", {wired}}}
  up: {{use: compare, left: x, op: ">", right: 0}}
advisors: {{go: {{use: rule, enter_long: [up]}}}}
money: {{size: {{use: fixed_quantity, quantity: 1}}}}
execution: {{entry: {{use: market, signals: [go], money: size}}}}
"""


def warnings(folder: Path, formula: str, wired: str) -> list[str]:
    file = folder / "s.yaml"
    file.write_text(FILE.format(formula=formula, wired=wired), encoding="utf-8")
    found = validate_file(file, load_registry())
    return [f"{each.line} {each.code} {each.severity} {each.message}" for each in found if each.code == "mixed_units"]


@pytest.mark.parametrize(
    ("formula", "wired", "said"),
    [
        ("a + b", "a: bars.close, b: rsi", "a price and a plain number"),
        ("a > b", "a: bars.close, b: bars.volume", "a price and a volume"),
        ("max(a, b)", "a: sma, b: volumes", "a price and a volume"),
        ("a * b - c", "a: bars.close, b: sma, c: range", "price^2 and a price"),
        ("where(a > 70, b, c)", "a: rsi, b: bars.open, c: bars.volume", "a price and a volume"),
        ("a[1] * b < c", "a: bars.close, b: bars.volume, c: volumes", "price x volume and a volume"),
        ("sqrt(a * b) == c / 2", "a: bars.high, b: bars.low, c: bars.volume", "a price and a volume"),
    ],
)
def test_different_units_that_are_added_or_compared_are_told(
    tmp_path: Path, formula: str, wired: str, said: str
) -> None:
    assert warnings(tmp_path, formula, wired) == [f"10 mixed_units warning Node 'x' adds or compares {said}."]


@pytest.mark.parametrize(
    ("formula", "wired"),
    [
        ("(a - b) / b * 100 > 2", "a: bars.close, b: sma"),
        ("a - 2 * b", "a: bars.close, b: range"),
        ("a > 70 and b / c < 0.5", "a: rsi, b: bars.volume, c: volumes"),
        ("sqrt(a * b) < c", "a: bars.high, b: bars.low, c: bars.close"),
        ("log(a) - log(b)", "a: bars.close, b: sma"),
        ("(a > b) * a", "a: bars.close, b: sma"),
        ("a + b", "a: 5, b: bars.close"),
    ],
)
def test_what_goes_together_is_not(tmp_path: Path, formula: str, wired: str) -> None:
    assert warnings(tmp_path, formula, wired) == []


def test_the_unit_of_a_formula_is_that_of_its_result(tmp_path: Path) -> None:
    found = warnings(
        tmp_path,
        "a + b",
        'a: y, b: bars.close}\n  y: {use: formula, formula: "a / b", a: bars.close, b: bars.volume',
    )
    assert found == ["10 mixed_units warning Node 'x' adds or compares price x volume^-1 and a price."]
