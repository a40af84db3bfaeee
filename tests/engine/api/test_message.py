"""A message stays one, with template and parameters, through joining, cutting, JSON and another process."""

from __future__ import annotations

import json
import pickle

import pytest

from quantcrafter.engine.api.message import Message, from_json, joined, to_json, without_stop, word

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
