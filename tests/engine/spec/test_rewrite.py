from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api.errors import SpecError
from quantcrafter.engine.spec.document import StrategyFile
from quantcrafter.engine.spec.edits import same

TEXT = """\
# top
quantcrafter: 1
indicators:
  # the quick one
  fast:  {use: ta.SMA,  input: bars.close, timeperiod: 50 }   # fifty
  slow:
    use: ta.SMA      # aligned
    timeperiod: 200
execution:
  entry: {use: market, signals: [a, b, c], more: {x: 1, y: 2, z: 3}}   # go
layout: {}   # places
items:
- one # 1
- two # 2
- three # 3
"""


def become(change: str, text: str = TEXT, **renamed: str) -> str:
    """Change the values by a statement about `v`, and return the text."""
    document = StrategyFile.loads(text)
    values = document.value
    exec(change, {"v": values})  # noqa: S102 - the statement stands in this file
    document.become(values, {tuple(old.split("__")): new for old, new in renamed.items()})
    assert same(document.value, values)
    return document.text


def test_nothing_to_change_changes_nothing() -> None:
    assert become("pass") == TEXT


def test_changes_far_apart_are_made_at_once_and_touch_their_values_only() -> None:
    change = "v['indicators']['fast']['timeperiod'] = 7; v['indicators']['slow']['timeperiod'] = 9"
    assert become(change) == TEXT.replace(": 50 }", ": 7 }").replace(": 200", ": 9")


def test_many_keys_are_added_in_their_order_and_sections_at_their_places() -> None:
    change = (
        "v['indicators'] |= {'a': {'use': 'x'}, 'b': {'use': 'u'}}\n"
        "v |= {'run': {'cash': 5}, 'risk': {'s': {'use': 'z'}}, 'advisors': {'c': {'use': 'w'}}}"
    )
    after = "    timeperiod: 200\n  a: {use: x}\n  b: {use: u}\nadvisors:\n  c: {use: w}\nrisk:\n  s: {use: z}\n"
    run = "# go\nrun: {cash: 5}\n"
    assert become(change) == TEXT.replace("    timeperiod: 200\n", after).replace("# go\n", run)


def test_an_empty_section_opens_into_lines() -> None:
    text = TEXT.replace("layout: {}   # places", "layout:   # places\n  fast: [0, 1]\n  slow: [2, 3]")
    assert become("v['layout'] = {'fast': [0, 1], 'slow': [2, 3]}").replace("layout:    #", "layout:   #") == text
    unwritten = TEXT.replace("layout: {}", "layout:")
    assert become("v['layout'] = {'fast': [0, 1], 'slow': [2, 3]}", unwritten) == text


def test_several_keys_of_a_bracket_go_with_their_commas() -> None:
    change = "e = v['execution']['entry']; e['signals'] = ['b']; e['more'] = {'y': 2}"
    assert become(change) == TEXT.replace("[a, b, c]", "[b]").replace("{x: 1, y: 2, z: 3}", "{y: 2}")


def test_items_that_stay_keep_their_comments() -> None:
    assert become("v['items'] = ['two']") == TEXT.replace("- one # 1\n", "").replace("- three # 3\n", "")


def test_renamed_keys_keep_place_and_comments_even_when_names_are_swapped() -> None:
    swap = "i = v['indicators']; v['indicators'] = {'slow': i['fast'], 'fast': i['slow']}"
    text = TEXT.replace("fast:  {", "slow_:  {").replace("  slow:\n", "  fast:\n").replace("slow_:", "slow:")
    assert become(swap, indicators__fast="slow", indicators__slow="fast") == text


def test_a_key_can_take_the_name_of_one_that_goes() -> None:
    change = "i = v['indicators']; v['indicators'] = {'slow': i['fast']}"
    gone = TEXT.replace("  slow:\n    use: ta.SMA      # aligned\n    timeperiod: 200\n", "")
    assert become(change, indicators__fast="slow") == gone.replace("fast:  {", "slow:  {")


def test_an_alias_is_written_out_when_what_it_stands_for_changes() -> None:
    text = "quantcrafter: 1\nindicators:\n  a: &same {use: x, period: 1}   # first\n  b: *same\n"
    assert become("v['indicators']['b']['period'] = 2", text) == text.replace("*same", "{use: x, period: 2}")
    changed = text.replace("period: 1", "period: 3").replace("*same", "{use: x, period: 1}")
    assert become("v['indicators']['a']['period'] = 3", text) == changed


def test_a_block_is_written_with_a_line_a_node() -> None:
    block = "{'inputs': {'p': 'series'}, 'outputs': {'o': 'e'}, 'indicators': {'e': {'use': 'x', 'q': [1]}}}"
    lines = "  t:\n    inputs:\n      p: series\n    outputs:\n      o: e\n    indicators:\n      e: {use: x, q: [1]}\n"
    assert f"blocks:\n{lines}indicators:\n" in become(f"v['blocks'] = {{'t': {block}}}")


def test_what_cannot_be_written_is_refused_and_the_text_stays() -> None:
    document = StrategyFile.loads(TEXT)
    for values in ({}, {**document.value, "run": object()}, {**document.value, "name": "\x00\ud800"}):
        with pytest.raises(SpecError):
            document.become(values)
        assert document.text == TEXT


LEAVES = st.one_of(st.integers(-9, 9), st.sampled_from(["bars.close", "a: b", "yes", "", "#x", "1"]), st.none())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcxyz"), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["indicators", "execution", "layout", "items", "run", "new"]), TREES, min_size=1)
)
def test_any_values_can_be_reached_from_any_text(changes: dict[str, Any]) -> None:
    document = StrategyFile.loads(TEXT)
    values = {**document.value, **deepcopy(changes)}
    document.become(values)
    assert same(document.value, values)
    original = StrategyFile.loads(TEXT).value
    document.become(original)
    assert same(document.value, original)
