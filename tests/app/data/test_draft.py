"""The draft of a data source: forms from schemas, and the edits that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.data.draft import (
    feed_draft,
    feed_edits,
    instrument_draft,
    instrument_edits,
    provider_help,
    provider_names,
    relative,
)
from quantcrafter.app.data.texts import price_text, size_text, span_text, volume_text
from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.inspector.fields import FieldKind
from quantcrafter.engine.api import NEW_YORK_STOCKS, DataProvider, DataRequest, RawBars, hookimpl, param
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview
from tests.support.market_data import moments

TEXT = """\
quantcrafter: 1
name: Sources
instruments:
  - {symbol: SPY, data: csv, path: spy.csv, timezone: UTC, timeframe: 1h}  # mine
data:
  other: {use: feed, symbol: QQQ, data: sample}
run: {cash: 1000}
"""


def document() -> Document:
    return Document(TEXT, load_registry())


def test_the_form_has_what_must_be_given_first_and_every_option_of_the_provider() -> None:
    names = [field.name for field in instrument_draft(document(), 0).form(None).fields]

    assert names[:3] == ["path", "symbol", "timeframe"]
    assert {"columns", "time_format", "stamp", "session", "separator", "tick_size", "on_bad_bars"} <= set(names)
    assert "data" not in names


class RandomBars(DataProvider):
    """Bars of a plugin."""

    name = "random.bars"

    speed: float = param("How fast.", default=1.0, gt=0)
    mode: Literal["up", "down"] = param("Which way.", default="up")
    token: str = param("Where to ask.")

    def load(self, request: DataRequest) -> RawBars:
        raise NotImplementedError(request)


def test_a_plugins_provider_has_its_form_too() -> None:
    catalog = load_registry(extra_plugins=[("mine", PluginOfProviders(RandomBars))])
    draft = instrument_draft(Document(TEXT, catalog), 0)
    assert "random.bars" in provider_names(catalog)

    draft.choose("random.bars")

    fields = {field.name: field for field in draft.form(None).fields}
    assert (fields["speed"].kind, fields["mode"].choices) == (FieldKind.NUMBER, ("up", "down"))
    assert next(iter(fields)) == "token"
    assert provider_help(catalog, "random.bars") == "Bars of a plugin."


class PluginOfProviders:
    """A plugin that brings providers."""

    def __init__(self, *providers: type[DataProvider]) -> None:
        self._providers = providers

    @hookimpl
    def register_data_providers(self) -> tuple[type[DataProvider], ...]:
        return self._providers


def test_another_provider_takes_its_options_away_and_brings_them_back() -> None:
    draft = instrument_draft(document(), 0)

    draft.choose("parquet")
    assert draft.options == {"path": "spy.csv", "timezone": "UTC"}
    draft.choose("synthetic")
    assert draft.options == {}
    assert draft.changes() == {"path": UNSET, "timezone": UNSET, "data": "synthetic"}
    draft.set(("bars",), 50)
    draft.choose("csv")
    assert draft.changes() == {}
    draft.choose("synthetic")
    assert draft.options == {"bars": 50}


def test_columns_of_a_file_are_not_taken_for_those_of_the_store() -> None:
    draft = instrument_draft(document(), 0)
    draft.set(("columns",), {"time": 1, "signal": "Model"})
    draft.choose("store")
    assert "columns" not in draft.values
    draft.choose("csv")
    assert draft.values["columns"] == {"time": 1, "signal": "Model"}
    draft.choose("parquet")
    assert draft.values["columns"] == {"time": 1, "signal": "Model"}


def test_the_changes_are_one_step_that_leaves_the_rest_of_the_file_alone() -> None:
    made = document()
    draft = instrument_draft(made, 0)
    draft.choose("store")
    draft.set(("symbol",), "IWM")

    made.do(*instrument_edits(0, draft.changes()), label="Choose the data")

    assert "  - {symbol: IWM, data: store, timeframe: 1h}  # mine\n" in made.text
    made.undo()
    assert made.text == TEXT


def test_a_feed_has_its_own_fields_and_edits() -> None:
    made = document()
    draft = feed_draft(made, "other", ())
    assert draft.provider == "sample"
    draft.choose("synthetic")
    draft.set(("seed",), 3)

    made.do(*feed_edits("other", draft.changes()), label="Choose the data")

    assert "other: {use: feed, symbol: QQQ, data: synthetic, seed: 3}" in made.text


def test_the_request_asks_for_what_is_written() -> None:
    request = instrument_draft(document(), 0).request("/here")

    assert (request.provider, request.symbol, request.timeframe, request.base_dir) == ("csv", "SPY", "1h", "/here")
    assert request.options == {"path": "spy.csv", "timezone": "UTC"}


def test_what_the_source_has_is_offered_and_what_it_has_not_is_marked() -> None:
    draft = instrument_draft(document(), 0)
    seen = Preview(error="no such bars", timeframe="1h", timeframes=("1d", "1w"), symbols=("SPY", "QQQ"))

    form = draft.form(seen)

    by_name = {field.name: field for field in form.fields}
    assert by_name["symbol"].suggestions == ("SPY", "QQQ")
    assert by_name["timeframe"].suggestions == ("1d", "1w")
    finding = form.finding(by_name["timeframe"])
    assert finding is not None
    assert finding.message == "Available from the source: 1d, 1w."


@given(st.floats(1e-6, 1e7))
def test_a_price_keeps_seven_digits_and_at_least_two_decimals(value: float) -> None:
    text = price_text(value)

    assert abs(float(text.replace(",", "")) - value) <= max(value * 1e-6, 0.5e-6)
    assert len(text.partition(".")[2]) >= 2


def test_numbers_and_spans_are_written_as_people_write_them() -> None:
    for text in (price_text, volume_text):
        assert (text(float("inf")), text(float("-inf")), text(float("nan"))) == ("\N{INFINITY}", "-\N{INFINITY}", "NaN")
    assert (price_text(101.5), price_text(float("nan")), volume_text(1000.0), volume_text(0.25)) == (
        "101.50",
        "NaN",
        "1,000",
        "0.25",
    )
    assert (size_text(8_000), size_text(56_000_000)) == ("8 kB", "56.0 MB")
    first, last = moments("2024-01-02T14:30", "2024-02-01T14:30").tolist()
    assert span_text(first, last, "1d", NEW_YORK_STOCKS) == "2024-01-02 \N{EN DASH} 2024-02-01"


def test_paths_below_the_strategys_folder_are_relative() -> None:
    assert relative("/a/b/x.csv", Path("/a")) == "b/x.csv"
    assert relative("/c/x.csv", Path("/a")) == "/c/x.csv"
    assert relative("x.csv", None) == "x.csv"
