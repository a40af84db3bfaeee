from __future__ import annotations

import pytest

from quantcrafter.app.document.document import Document
from quantcrafter.app.panes.yaml_view.completion import Completion, completions
from quantcrafter.app.panes.yaml_view.cursor_context import context_at
from quantcrafter.engine.plugins import load_registry

TEXT = """\
quantcrafter: 1
instruments:
  - {symbol: IBM, data: sample}
blocks:
  gate:
    inputs: {price: series}
    outputs: {up: above}
    indicators:
      ema: {use: ta.EMA, input: price, timeperiod: 5}
    logic:
      above: {use: compare, left: bars.close, op: ">", right: ema}
data:
  weekly: {use: resample, timeframe: 1w}
indicators:
  macd: {use: ta.MACD, input: bars.close}
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
  slow: {use: ta.SMA, input: fast, timeperiod: 9}
logic:
  trend: {use: gate, price: bars.close}
advisors:
  cross: {use: crossover, fast: fast, slow: slow, direction: long}
execution:
  entry: {use: market, signals: [cross]}
run: {cash: 1000}
"""


def offered(old: str, new: str) -> list[Completion]:
    """Return what is offered where `|` is in `new`, which takes the place of `old`; the graph is of the text before."""
    document = Document(TEXT, load_registry())
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    offset = text.index("|")
    text = text.replace("|", "", 1)
    row = text.count("\n", 0, offset)
    return completions(context_at(text.split("\n"), row, offset - text.rfind("\n", 0, offset) - 1), document)


def names(old: str, new: str) -> list[str]:
    return [found.text for found in offered(old, new)]


def test_use_offers_the_components_of_the_section_and_blocks() -> None:
    found = names("use: crossover", "use: |")
    assert "crossover" in found
    assert "ta.SMA" not in found
    assert "gate" in names("use: gate", "use: |")
    assert names("use: crossover", "use: cros|")[0] == "crossover"


def test_fields_offer_what_is_not_there_yet_and_the_required_first() -> None:
    assert names(", timeperiod: 5}\n  slow", ", |}\n  slow") == ["timeperiod: ", "bypass: ", "mute: "]
    assert names("{use: crossover, fast: fast, slow: slow", "{use: crossover, |")[:2] == ["fast: ", "slow: "]


def test_fields_offer_the_inputs_of_a_block() -> None:
    assert "price: " in names("use: gate, price: bars.close", "use: gate, |")


def test_a_series_port_offers_series_but_neither_itself_nor_a_cycle() -> None:
    found = names("input: bars.close, timeperiod: 5}\n  slow", "input: |, timeperiod: 5}\n  slow")
    assert found[0] == "bars.close"
    assert {"macd.macd", "weekly.close"} <= set(found)
    assert not {"fast", "slow", "cross", "trend"} & set(found)


def test_a_list_offers_the_nodes_that_fit_it() -> None:
    assert names("[cross]", "[|]") == ["cross"]


def test_inside_a_block_its_own_nodes_are_offered() -> None:
    found = names("right: ema", "right: |")
    assert {"ema", "price"} <= set(found)
    assert "fast" not in found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("direction: long", "direction: |", {"long", "short", "both"}),
        ("data: sample", "data: |", {"sample", "csv"}),
        ("data: sample", "data: sample, |", {"timeframe: ", "tick_size: "}),
        ("cash: 1000", "cash: 1000, |", {"commission: ", "slippage: "}),
        ("run: {cash", "ri|\nrun: {cash", {"risk: "}),
    ],
)
def test_choices_keys_and_settings_are_offered(old: str, new: str, expected: set[str]) -> None:
    assert expected <= set(names(old, new))


def test_nothing_is_offered_in_comments_and_names() -> None:
    assert names("run: {cash", "# us|\nrun: {cash") == []
    assert names("run: {cash", "name: ri|\nrun: {cash") == []


def test_an_offer_explains_itself() -> None:
    found = next(one for one in offered("use: crossover", "use: cros|") if one.text == "crossover")
    assert "cross" in found.help().lower()
    assert found.family == "advisors"
    period = offered(", timeperiod: 5}\n  slow", ", timep|}\n  slow")[0]
    assert period.note == "30"
