from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.services.fuzzy import match_score

TITLES = ["Save", "Save as...", "Save all", "Select all", "Settings...", "Align left edges", "Distribute vertically"]


def best(query: str) -> str:
    scores = {title: match_score(query, [title]) for title in TITLES}
    return max((title for title in TITLES if scores[title] is not None), key=lambda title: scores[title] or 0)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("save", "Save"),
        ("saa", "Save as..."),
        ("sela", "Select all"),
        ("sett", "Settings..."),
        ("ale", "Align left edges"),
        ("dv", "Distribute vertically"),
        ("ALIGN LEFT", "Align left edges"),
        ("left align", "Align left edges"),
        ("all sel", "Select all"),
        ("tical", "Distribute vertically"),
    ],
)
def test_a_few_letters_find_what_was_meant(query: str, title: str) -> None:
    assert best(query) == title


def test_letters_out_of_order_or_missing_or_within_words_only_do_not_match() -> None:
    assert match_score("evas", ["Save"]) is None
    assert match_score("savex", ["Save"]) is None
    assert match_score("ae", ["Save"]) is None, "no word begins with it"
    assert match_score("save x", ["Save"]) is None, "each word must be found"


def test_nothing_typed_matches_everything_alike() -> None:
    assert match_score("", ["Save"]) == match_score(" ", ["Anything"]) == 0


def test_a_name_wins_over_other_texts_and_the_more_of_it_is_meant_the_better() -> None:
    help_text = [("The average of the last bars", 50.0)]
    found = [
        match_score("average", names, texts)
        for names, texts in (
            (["average"], ()),
            (["average_stop"], ()),
            (["my_average"], ()),
            (["xaverage"], ()),
            (["SMA"], help_text),
            (["a_very_early_range"], ()),
        )
    ]
    assert None not in found
    assert found == sorted(found, key=lambda score: -(score or 0.0))
    assert match_score("ver", ["SMA"], help_text) == 25.0
    assert match_score("ve", ["SMA"], help_text) is None, "two letters are in every text"


def test_each_word_may_be_found_elsewhere() -> None:
    assert match_score("file sav", ["Save"], [("File", 50.0)]) == match_score("sav", ["Save"]) + 50.0  # type: ignore[operator]


@given(st.text(max_size=12), st.text(max_size=30))
def test_a_name_is_found_by_each_of_its_beginnings(name: str, more: str) -> None:
    whole = match_score(name, [f"{name} {more}"])
    assert whole is not None
    assert whole >= 0.0
