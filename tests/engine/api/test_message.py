"""A message stays one, with template and parameters, through joining, cutting, JSON and another process."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message, from_json, joined, to_json, without_stop, word
from quantcrafter.engine.api.wording import shortened

INNER = Message("{count} bars of {symbol}.", count=3, symbol="AAPL")
OUTER = Message("Wrong: {what}", what=INNER)


@pytest.mark.parametrize("text", ["plain", INNER, OUTER, word("rejected"), joined(["a", INNER])])
def test_a_text_is_the_same_after_json_and_after_another_process(text: str) -> None:
    for again in (from_json(json.loads(json.dumps(to_json(text)))), pickle.loads(pickle.dumps(text))):  # noqa: S301
        assert again == text
        assert type(again) is type(text)
        if isinstance(text, Message) and isinstance(again, Message):
            assert (again.template, dict(again.parameters)) == (text.template, dict(text.parameters))
            for name, value in text.parameters.items():
                assert type(again.parameters[name]) is type(value)


@pytest.mark.parametrize("kept", [{"text": "x"}, {"text": "x", "template": "x", "parameters": []}, 3])
def test_what_is_no_kept_text_is_refused(kept: object) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        from_json(kept)  # type: ignore[arg-type]  # as a damaged file has it


def test_texts_are_joined_without_the_empty_ones() -> None:
    both = joined(["First.", "", INNER])
    assert both == "First. 3 bars of AAPL."
    assert isinstance(both, Message)
    assert list(both.parameters.values()) == ["First.", INNER]
    assert joined(["", INNER]) is INNER
    assert joined([]) == ""


def test_the_full_stop_goes_even_where_a_parameter_has_it() -> None:
    short = without_stop(OUTER)
    assert short == "Wrong: 3 bars of AAPL"
    assert isinstance(short, Message)
    assert short.parameters["what"] == "3 bars of AAPL"
    assert without_stop("plain.") == "plain"
    assert without_stop(Message("No stop")) == "No stop"


# ---------------------------------------------------------------------- how one is made

NESTED = Message(
    "{who} failed at {share:.1f} % of {count:,}: {reason}.",
    who="a {brace}",
    share=12.34,
    count=np.int64(12_345),
    reason=Message("it is {what}", what=word("empty")),
)


def test_the_english_text_is_the_template_with_its_places_filled() -> None:
    assert NESTED == "a {brace} failed at 12.3 % of 12,345: it is empty."
    assert NESTED.template == "{who} failed at {share:.1f} % of {count:,}: {reason}."
    assert type(NESTED.parameters["count"]) is int
    assert copy.deepcopy(NESTED).parameters == NESTED.parameters


def test_without_parameters_braces_stand_for_themselves() -> None:
    assert Message("Write '{symbol: AAPL}'.") == "Write '{symbol: AAPL}'."


def test_an_empty_place_leaves_no_space_at_the_end() -> None:
    assert Message("There is no '{name}'. {hint}", name="x", hint="") == "There is no 'x'."


def test_a_place_without_a_parameter_is_refused() -> None:
    with pytest.raises(KeyError):
        Message("{name} is {what}", name="x")


def test_an_error_keeps_its_message() -> None:
    text = str(DataError(NESTED))
    assert isinstance(text, Message)
    assert text.template == NESTED.template


def test_what_is_neither_text_nor_number_is_kept_as_its_text() -> None:
    assert Message("{path}", path=Path("a") / "b").parameters == {"path": str(Path("a") / "b")}


@given(st.text(min_size=1, max_size=400), st.integers(min_value=10, max_value=200))
def test_a_message_that_is_too_long_is_shortened_with_its_parameters(name: str, longest: int) -> None:
    message = Message("'{name}' is wrong.", name=name)
    short = shortened(message, longest)
    assert len(short) <= longest
    assert isinstance(short, Message)
    assert len(short.parameters["name"]) <= longest // 2 or short == message
