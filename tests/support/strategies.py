"""Strategy texts for tests."""

from __future__ import annotations

from quantcrafter.engine.api import Problem, SpecError
from quantcrafter.engine.spec import check_strategy

HEADER = "quantcrafter: 1\ninstruments: [{symbol: AAPL, data: sample}]\n"

FULL = """\
quantcrafter: 1
name: Golden cross
description: Long while the 50-day average is above the 200-day one.
instruments:
  - {symbol: AAPL, data: csv, path: a.csv, timeframe: 1h, tick_size: 0.05, lot_size: 10, on_bad_bars: repair}
  - {symbol: IBM, data: sample}
blocks:
  trend:
    description: Trend is up while price is above its average.
    inputs:
      price: {type: series, default: bars.close}
    parameters:
      period: ema.timeperiod
    outputs:
      up: above
      line: ema
    indicators: {ema: {use: ta.EMA, input: price, timeperiod: 50}}
    logic: {above: {use: compare, left: bars.close, op: ">", right: ema}}
execution:
  entry: {use: market, signals: [cross], combine: any}
data:
  weekly: {use: resample, timeframe: 1w}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 50}
  slow:
    use: ta.SMA
    input: bars.close
    timeperiod: 200
logic:
  slope: {use: trend, price: weekly.close, period: 20}
  again: {use: trend}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
run: {cash: 5000, commission: {percent: 0.1}}
layout:
  fast: [120, 80]
"""


def problems_of(text: str, *, overrides: tuple[str, ...] = ()) -> list[Problem]:
    """Return what is wrong with a text."""
    return check_strategy(text, file="s.yaml", overrides=overrides)[1]


def brief(problems: list[Problem]) -> list[tuple[str, int, int, str]]:
    """Return code, line, column and path of each problem."""
    return [(p.code, p.line, p.column, p.path) for p in problems]


__all__ = ["FULL", "HEADER", "SpecError", "brief", "problems_of"]
