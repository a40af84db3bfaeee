"""Feeds that close too early, beside finer bars of the same instrument."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from tests.support.kept_runs import registry

STRATEGY = """\
quantcrafter: 1
name: Two timeframes
instruments:
  - {symbol: X, data: csv, path: fine.csv, timeframe: 15m, session: 24x7}
data:
  hour: {use: feed, symbol: X, data: csv, path: hours.csv, timeframe: 1h, session: 24x7, stamp: STAMP}
logic:
  up: {use: compare, left: hour.close, op: ">", right: 0}
advisors:
  go: {use: rule, enter_long: [up]}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [go], money: size}
"""


def write(folder: Path, stamp: str, *, noise: float = 0.0) -> Path:
    """Write quarters of an hour, and hours made of them, whose times mark their opens."""
    rng = np.random.default_rng(3)
    closes = np.round(100 + np.cumsum(rng.normal(0, 0.3, 480)), 2)
    opens = np.concatenate(([100.0], closes[:-1]))
    begin = np.datetime64("2024-03-04T00:00", "m")
    fine, hours = ["time,open,high,low,close,volume"], ["time,open,high,low,close,volume"]
    for n in range(480):
        a, b = opens[n], closes[n]
        fine.append(f"{begin + 15 * n},{a},{max(a, b)},{min(a, b)},{b},1")
    for n in range(120):
        part = np.concatenate((opens[4 * n : 4 * n + 4], closes[4 * n : 4 * n + 4]))
        close = round(closes[4 * n + 3] + noise * (n % 3), 4)
        high, low = max(part.max(), close), min(part.min(), close)
        hours.append(f"{begin + 60 * n},{part[0]},{high},{low},{close},1")
    (folder / "fine.csv").write_text("\n".join(fine) + "\n", encoding="utf-8")
    (folder / "hours.csv").write_text("\n".join(hours) + "\n", encoding="utf-8")
    (folder / "s.yaml").write_text(STRATEGY.replace("STAMP", stamp), encoding="utf-8")
    return folder / "s.yaml"


def test_times_of_opens_that_are_read_as_closes_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file = write(tmp_path, "close")
    found = find_lookahead(file, registry=registry())
    assert [(each.node, each.output) for each in found] == [("hour", "close")]
    assert main(["lookahead", str(file)]) == 1
    assert "1 node looks ahead: hour." in capsys.readouterr().out


def test_a_feed_that_closes_in_time_is_not_found(tmp_path: Path) -> None:
    assert find_lookahead(write(tmp_path, "open"), registry=registry()) == []


@pytest.mark.parametrize("stamp", ["open", "close"])
def test_a_feed_of_another_source_is_not_found_by_chance(stamp: str, tmp_path: Path) -> None:
    """Two of three closes differ by a hundredth from those of the finer bars."""
    assert find_lookahead(write(tmp_path, stamp, noise=0.0003), registry=registry()) == []
