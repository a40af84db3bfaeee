"""Signals that a component returns with or without their strength reach the run as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import ComponentError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.run import run
from tests.support.plugin_packages import module

STRONG = '''
import numpy as np

class Strong(Advisor):
    """Enters at every tenth bar, the more strongly the higher the close."""
    name = "strong"
    bars: BarsInput = port("The bars.", default="bars")
    wrong: bool = param("Return a strength of another length.", default=False)

    def compute(self, bars):
        flags = (np.arange(len(bars)) % 10 == 0).astype(np.uint8)
        return Signals(flags, bars.close[1:] if self.wrong else bars.close)

@hookimpl
def register_advisors():
    return [Strong]
'''
TEXT = """\
quantcrafter: 1
name: Signals
instruments:
  - {{symbol: ABC, data: synthetic, timeframe: 1d, bars: 60, seed: 3}}
advisors:
  go: {{{advisor}}}
money:
  size: {{use: fixed_quantity, quantity: 10}}
execution:
  entry: {{use: market, signals: [go], money: size}}
"""


def write(folder: Path, advisor: str) -> Path:
    file = folder / "strategy.yaml"
    file.write_text(TEXT.format(advisor=advisor), encoding="utf-8")
    return file


def test_a_strength_is_kept_beside_the_flags(tmp_path: Path) -> None:
    registry = load_registry(extra_plugins=[("mine", module("mine", STRONG))])
    result = run(write(tmp_path, "use: strong"), registry=registry)
    assert result.column("go").tolist() == [int(bar % 10 == 0) for bar in range(60)]
    np.testing.assert_array_equal(result.strength("go"), result.instruments[0].bars.close)
    with pytest.raises(ComponentError, match=r"must return 'signal' as float64 of shape \(60,\)"):
        run(write(tmp_path, "use: strong, wrong: true"), registry=registry)


def test_signals_of_a_file_trade(tmp_path: Path) -> None:
    (tmp_path / "signals.csv").write_text("time,signal\n2010-02-01,buy\n2010-03-01,exit\n", encoding="utf-8")
    result = run(write(tmp_path, "use: signal_file, path: signals.csv, dates: close"), registry=load_registry())
    assert np.count_nonzero(result.column("go")) == 2
    assert result.strength("go") is None
    assert len(result.trades) == 1
