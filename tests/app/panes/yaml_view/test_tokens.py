from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.panes.yaml_view.tokens import CLOSED, Kind, LineState, scan


def pieces(line: str, state: LineState = CLOSED) -> list[tuple[str, str]]:
    return [(token.text, token.kind.name) for token in scan(line, state)[0] if token.kind is not Kind.MARK]


def test_a_node_on_one_line_is_told_apart() -> None:
    assert pieces("  fast: {use: ta.SMA, \"on\": true, n: -1.5e3, t: 'it''s'} # why") == [
        ("fast", "KEY"),
        ("use", "KEY"),
        ("ta.SMA", "WORD"),
        ("on", "KEY"),
        ("true", "CONSTANT"),
        ("n", "KEY"),
        ("-1.5e3", "NUMBER"),
        ("t", "KEY"),
        ("it''s", "STRING"),
        ("# why", "COMMENT"),
    ]


@pytest.mark.parametrize("text", ["09:45", "a#b", "http://x", "2020-01-31", "weekly.close"])
def test_words_that_look_like_something_else_stay_words(text: str) -> None:
    assert pieces(f"key: {text}") == [("key", "KEY"), (text, "WORD")]


def test_a_block_text_goes_on_while_it_is_indented() -> None:
    _, state = scan("description: |")
    tokens, state = scan("  not: a key", state)
    assert [token.kind for token in tokens] == [Kind.STRING]
    assert scan("", state)[1] == state
    assert pieces("name: x", state) == [("name", "KEY"), ("x", "WORD")]


def test_an_open_bracket_or_quote_reaches_no_further_than_its_node() -> None:
    for line in ("  fast: {use: ta.SMA", "  fast: 'open", '  fast: "open'):
        _, state = scan(line)
        assert state != CLOSED
        assert pieces("  slow: 5", state) == [("slow", "KEY"), ("5", "NUMBER")]
        assert scan("  slow: 5", state)[1] == CLOSED


def test_a_quote_over_several_lines_ends_at_its_mark() -> None:
    _, state = scan('  text: "one')
    tokens, state = scan('    two" # done', state)
    assert [(token.kind, token.text) for token in tokens] == [(Kind.STRING, "two"), (Kind.COMMENT, "# done")]
    assert state == CLOSED


@given(st.sampled_from(["", "'", '"', "|"]), st.integers(0, 63), st.integers(0, 1023))
def test_a_state_survives_as_a_number(mode: str, depth: int, indent: int) -> None:
    state = LineState(mode, depth, indent)
    assert LineState.of(state.number()) in (state, CLOSED)


@given(st.lists(st.text(alphabet="ab: {}[],'\"#|-\\\t", max_size=20), max_size=5))
def test_any_text_is_cut_into_pieces_that_follow_each_other(lines: list[str]) -> None:
    state = CLOSED
    for line in lines:
        tokens, state = scan(line, state)
        at = 0
        for token in tokens:
            assert at <= token.start < token.end <= len(line)
            at = token.end


def test_bare_times_in_brackets_are_words_and_their_keys_keys() -> None:
    assert pieces("  h: {use: time_window, start: 09:45, end: 15:30}") == [
        ("h", "KEY"),
        ("use", "KEY"),
        ("time_window", "WORD"),
        ("start", "KEY"),
        ("09:45", "WORD"),
        ("end", "KEY"),
        ("15:30", "WORD"),
    ]
