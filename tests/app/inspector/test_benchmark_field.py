"""What a run is compared with is picked among the instruments and feeds of the strategy, or written."""

from __future__ import annotations

from quantcrafter.app.document.document import Document
from quantcrafter.app.inspector.fields import Field, FieldKind
from quantcrafter.app.inspector.subjects import run_form
from quantcrafter.engine.plugins import load_registry

TEXT = """\
quantcrafter: 1
name: Compared
instruments:
  - {symbol: AAPL, data: sample}
  - {symbol: IBM, data: sample}
data:
  week: {use: resample, timeframe: 1w}
  spy: {use: feed, symbol: MSFT, data: sample}
run: {benchmark: spy, risk_free: 3}
"""


def run_field(name: str) -> Field:
    form = run_form(Document(TEXT, load_registry()))
    return next(field for field in form.fields if field.path == ("run", name))


def test_instruments_and_feeds_are_offered_as_benchmarks() -> None:
    field = run_field("benchmark")
    assert field.suggestions == ("AAPL", "IBM", "spy")
    assert field.kind is FieldKind.TEXT  # PROVIDER:SYMBOL and files may be written


def test_the_risk_free_rate_is_a_number_in_percent() -> None:
    field = run_field("risk_free")
    assert field.kind is FieldKind.NUMBER
    assert field.unit == "%"
