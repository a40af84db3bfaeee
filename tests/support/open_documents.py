"""Open documents for tests of the desktop's panes."""

from __future__ import annotations

from quantcrafter.app.document.document import Document
from quantcrafter.engine.plugins import load_registry

PULLBACK = """\
# A dip in a long up-trend.
quantcrafter: 1
name: RSI pullback
description: Buy dips.
instruments:
  - {symbol: IBM, data: sample, timeframe: 1d}
indicators:
  rsi: {use: ta.RSI, input: bars.close, timeperiod: 2}  # two days
  average: {use: ta.SMA, input: bars.close, timeperiod: 200}
advisors:
  dip: {use: levels, input: rsi, long_entry: 15, direction: long}
filters:
  uptrend: {use: trend, average: average}
  days: {use: weekdays, days: [mon, tue]}
risk:
  stop: {use: percent_stop, percent: 10}
  target: {use: percent_target, percent: 15}
money:
  size: {use: percent_of_equity, percent: 95}
execution:
  entry: {use: market, signals: [dip], filters: [uptrend, days], risk: [stop, target], money: size}
run: {cash: 100000, commission: {percent: 0.05}}
"""

WITH_BLOCK = """\
quantcrafter: 1
name: With a block
instruments: [{symbol: AAPL, data: sample}]
blocks:
  gate:
    description: Up while the price is above its average.
    inputs: {price: {type: series, default: bars.close}}
    parameters: {period: average.timeperiod}
    outputs: {up: above}
    indicators: {average: {use: ta.EMA, input: price, timeperiod: 30}}
    logic: {above: {use: compare, left: price, op: ">", right: average}}
logic:
  trend: {use: gate, period: 20}
  strange: {use: not_here, input: bars.close, length: 7}
"""


def open_document(text: str = PULLBACK) -> Document:
    """Return a document of a text, with everything installed to choose from."""
    return Document(text, load_registry())
