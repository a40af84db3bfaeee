"""What is said of stops and targets: a tick that is coarse beside their distance, a level beyond the entry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.runtime.running.run import run
from tests.support.kept_runs import registry

Row = tuple[float, float, float, float]
STRATEGY = """\
quantcrafter: 1
name: Levels
instruments:
  - {symbol: X, data: csv, path: d.csv, timeframe: 1d, session: 24x7, tick_size: TICK, lot_size: 1}
indicators:
  range: {use: ta.ATR, bars: bars, timeperiod: 2}
  line: {use: ta.SMA, input: bars.low, timeperiod: 2}
logic:
  enters: {use: compare, left: bars.volume, op: "==", right: 1}
advisors:
  go: {use: rule, SIDE: [enters]}
risk:
  guard: RULE
money:
  size: {use: fixed_quantity, quantity: 10}
execution:
  entry: {use: market, signals: [go], money: size, risk: [guard]}
run: {cash: 100000}
"""
CALM: Sequence[Row] = [(100 + n % 2, 102 + n % 2, 99, 101) for n in range(6)]


def write(folder: Path, rule: str, rows: Sequence[Row] = CALM, *, tick: float = 0.01, short: bool = False) -> Path:
    """Write a strategy that enters on the fourth day."""
    lines = ["time,open,high,low,close,volume"]
    for number, prices in enumerate(rows):
        lines.append(f"2024-01-0{number + 1},{','.join(map(str, prices))},{1 if number == 3 else 0}")
    (folder / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    side = "enter_short" if short else "enter_long"
    text = STRATEGY.replace("RULE", rule).replace("TICK", str(tick)).replace("SIDE", side)
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    return folder / "s.yaml"


def told(file: Path, words: str) -> list[str]:
    return [str(each) for each in run(file, registry=registry()).findings if words in each]


ATR = "{use: atr_stop, atr: range, multiple: 2}"


@pytest.mark.parametrize(("tick", "coarse"), [(0.01, False), (1, True)])
def test_a_tick_that_is_coarse_beside_the_atr_is_a_warning(
    tick: float, *, coarse: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file = write(tmp_path, ATR, tick=tick)
    found = told(file, "coarse")
    assert bool(found) == coarse
    assert main(["validate", str(file)]) == 0
    shown = capsys.readouterr().err
    assert all(f"warning: {each}" in shown for each in found)
    assert ("coarse" in shown) == coarse


def test_a_stop_rounded_to_the_other_side_of_its_entry_is_a_warning(tmp_path: Path) -> None:
    # 1 % below 0.008 on a tick of 0.01 is 0.01.
    rows = [(0.008, 0.009, 0.007, 0.008)] * 6
    found = told(write(tmp_path, "{use: percent_stop, percent: 1}", rows), "wrong side")
    first = "The first: X on 2024-01-05, long at 0.008, level 0.01, tick 0.01."
    assert len(found) == 1
    assert found[0].startswith(
        "'guard' placed 1 orders on the wrong side of the entry. They close the position at once."
    )
    assert first in found[0]


def test_the_level_of_a_line_that_the_entry_gapped_over_is_a_tick_away_from_it(tmp_path: Path) -> None:
    rows = [*CALM[:4], (90, 91, 89, 90), (90, 91, 89, 90)]
    result = run(write(tmp_path, "{use: line_stop, line: line}", rows), registry=registry())
    assert [row["price"] for row in result.ledger.fills] == pytest.approx([90, 89.99])
    assert not [each for each in result.findings if "wrong side" in each]


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("rule", ["{use: percent_stop, percent: 1}", "{use: percent_target, percent: 1}", ATR])
def test_levels_on_their_own_side_are_not_spoken_of(rule: str, *, short: bool, tmp_path: Path) -> None:
    file = write(tmp_path, rule, short=short)
    result = run(file, registry=registry())
    assert len(result.ledger.fills) > 0
    assert len(result.ledger.orders) > 1
    assert not [each for each in result.findings if "wrong side" in each]
