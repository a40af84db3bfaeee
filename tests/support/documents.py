"""Documents of the example strategies, and one that has everything an edit can meet."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from quantcrafter.app.document.document import Document
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.plugins.registry import Registry

EXAMPLES = Path("resources/examples")

RICH = """\
# Everything at once.
quantcrafter: 1
name: "Rich"   # quoted

instruments:
  - {symbol: IBM, data: sample}   # the one

blocks:
  trend:
    inputs: {price: {type: series, default: bars.close}, other: series}
    parameters: {period: ema.timeperiod, both: [ema.timeperiod, sma.timeperiod]}
    outputs: {up: above, line: ema}
    indicators:
      ema: {use: ta.EMA, input: price, timeperiod: 50}   # slow
      sma: {use: ta.SMA, input: ema, timeperiod: 5}
    logic: {above: {use: compare, left: bars.close, op: ">", right: ema}}

data:
  weekly: {use: resample, timeframe: 1w}

indicators:
  # the quick one
  fast:  {use: ta.SMA,  input: bars.close, timeperiod: 50 }   # fifty
  slow:
    use: ta.SMA      # aligned
    input: weekly.close
    timeperiod: 200
  macd: {use: ta.MACD, input: fast}
  atr: {use: ta.ATR}
  odd: {use: not.installed, source: fast, knob: 3, more: [slow, macd.macd]}

logic:
  t: {use: trend, other: macd.macdsignal, period: 20}
  all: {use: and, conditions: [t.up]}

advisors:
  cross: {use: crossover, fast: fast, slow: slow}
  follow: {use: crossover, fast: odd.line, slow: t.line}

risk:
  stop: {use: atr_stop, atr: atr, multiple: 3}

money:
  size: {use: percent_of_equity, percent: 95}

execution:
  entry: {use: market, signals: [cross, follow], risk: [stop], money: size}

run: {cash: 100000}   # enough

layout:
  bars: [-200, 0]
  fast: [0, 0]
  slow: [0, 120]
"""


@lru_cache(maxsize=1)
def catalog() -> Registry:
    """Return what is installed, looked up once."""
    return load_registry()


def rich() -> Document:
    """Return the document that has everything."""
    return Document(RICH, catalog())


def example(name: str = "rsi_pullback") -> Document:
    """Return the document of an example."""
    return Document.open(EXAMPLES / f"{name}.yaml", catalog())


def example_names() -> list[str]:
    """Return the names of all examples."""
    return sorted(path.stem for path in EXAMPLES.glob("*.yaml"))


def all_undone(document: Document) -> str:
    """Return the text after every step was taken back."""
    while document.undo_label:
        document.undo()
    return document.text


def all_redone(document: Document) -> str:
    """Return the text after every step was executed again."""
    while document.redo_label:
        document.redo()
    return document.text
