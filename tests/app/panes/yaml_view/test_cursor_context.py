from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.panes.yaml_view.cursor_context import CursorContext, context_at, node_at
from quantcrafter.app.panes.yaml_view.places import place_of_node

TEXT = """\
quantcrafter: 1
instruments:
  - {symbol: IBM, data: sample}
  - symbol: MSFT
    data: csv
blocks:
  gate:
    inputs:
      price: {type: series}
    indicators:
      ema: {use: ta.EMA, input: price}
indicators:
  rsi: {use: ta.RSI, input: bars.close, timeperiod: 2}
  slow:
    use: ta.SMA
    # a note
    input: bars.close
  ema: {use: ta.EMA, input: rsi}
execution:
  entry: {use: market, signals: [dip, x], filters: [uptrend],
    risk: [stop, target], money: size}
  open: {use: mar
risk: {stop: {use: percent_stop, percent: 10}}
layout:
  rsi: [0, 0]
"""
LINES = TEXT.split("\n")


def at(needle: str, nth: int = 0) -> CursorContext:
    """Return the spot behind the nth occurrence of a text."""
    offset = -1
    for _ in range(nth + 1):
        offset = TEXT.index(needle, offset + 1)
    offset += len(needle)
    row = TEXT.count("\n", 0, offset)
    return context_at(LINES, row, offset - (TEXT.rfind("\n", 0, offset) + 1))


@pytest.mark.parametrize(
    ("needle", "path", "key", "word"),
    [
        ("{symbol: IB", ("instruments", "", "symbol"), "symbol", "IB"),
        ("data: cs", ("instruments", "", "data"), "data", "cs"),
        ("input: pri", ("blocks", "gate", "indicators", "ema", "input"), "input", "pri"),
        ("use: ta.RS", ("indicators", "rsi", "use"), "use", "ta.RS"),
        ("timep", ("indicators", "rsi"), "", "timep"),
        ("use: ta.SM", ("indicators", "slow", "use"), "use", "ta.SM"),
        ("a note\n    inp", ("indicators", "slow"), "", "inp"),
        ("[dip, x", ("execution", "entry", "signals"), "", "x"),
        ("[stop, tar", ("execution", "entry", "risk"), "", "tar"),
        ("money: si", ("execution", "entry", "money"), "money", "si"),
        ("use: mar", ("execution", "entry", "use"), "use", "mar"),
        ("percent: 1", ("risk", "stop", "percent"), "percent", "1"),
        ("rsi: [", ("layout", "rsi"), "", ""),
    ],
)
def test_the_path_to_the_cursor_is_known(needle: str, path: tuple[str, ...], key: str, word: str) -> None:
    context = at(needle)
    assert (context.path, context.key, context.word) == (path, key, word)


def test_a_node_whose_bracket_is_still_open_is_known() -> None:
    context = at("open: {use: mar")
    assert (context.section, context.node, context.key, context.word) == ("execution", "open", "use", "mar")
    assert dict(context.siblings) == {"use": "mar"}


def test_fields_before_and_behind_the_cursor_are_known() -> None:
    assert dict(at("use: ta.RS").siblings) == {"use": "ta.RSI", "input": "bars.close", "timeperiod": "2"}
    assert dict(at("a note\n    inp").siblings) == {"use": "ta.SMA", "input": "bars.close"}
    assert set(at("money: si").siblings) == {"use", "signals", "filters", "risk", "money"}


def test_the_level_is_the_block_round_the_cursor() -> None:
    assert at("input: pri").scope == ("blocks", "gate")
    assert at("timep").scope == ()


def test_comments_and_quotes_are_quiet() -> None:
    assert at("# a no").quiet
    assert context_at(['a: "x'], 0, 5).quiet
    assert not at("timep").quiet


@pytest.mark.parametrize(
    ("needle", "node"),
    [
        ("  rs", ("rsi", ())),
        ("timeperiod: 2", ("rsi", ())),
        ("timeperiod: 2}", ("rsi", ())),
        ("use: ta.SM", ("slow", ())),
        ("      em", ("ema", ("blocks", "gate"))),
        ("[stop, target], m", ("entry", ())),
        ("rsi: [0, ", ("rsi", ())),
        ("symbol: I", ("", ())),
        ("indicators:\n", ("rsi", ())),
        ("quantcr", ("", ())),
    ],
)
def test_the_node_at_the_cursor_is_known(needle: str, node: tuple[str, tuple[str, ...]]) -> None:
    offset = TEXT.index(needle) + len(needle)
    row = TEXT.count("\n", 0, offset)
    if needle == "indicators:\n":
        row = LINES.index("  rsi: {use: ta.RSI, input: bars.close, timeperiod: 2}")
    assert node_at(LINES, row, 3 if needle.endswith("\n") else offset - (TEXT.rfind("\n", 0, offset) + 1)) == node


@pytest.mark.parametrize(
    ("node", "scope", "place"),
    [
        ("rsi", (), (13, 3)),
        ("slow", (), (14, 3)),
        ("ema", (), (18, 3)),
        ("ema", ("blocks", "gate"), (11, 7)),
        ("price", ("blocks", "gate"), (9, 7)),
        ("stop", (), (23, 8)),
        ("use", (), (0, 0)),
        ("bars", (), (0, 0)),
        ("gone", (), (0, 0)),
    ],
)
def test_a_nodes_line_is_found(node: str, scope: tuple[str, ...], place: tuple[int, int]) -> None:
    assert place_of_node(LINES, node, scope) == place


@given(st.lists(st.text(alphabet="ab: {}[],'\"#|-", max_size=15), min_size=1, max_size=8), st.data())
def test_any_text_has_a_spot_everywhere(lines: list[str], data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(lines) - 1))
    column = data.draw(st.integers(0, len(lines[row])))
    context = context_at(lines, row, column)
    assert context.start <= column
    node_at(lines, row, column)
    place_of_node(lines, "a", ())
