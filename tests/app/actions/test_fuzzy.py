from __future__ import annotations

import pytest

from quantcrafter.app.actions.fuzzy import match_score

TITLES = ["Save", "Save as...", "Save all", "Select all", "Settings...", "Align left edges", "Distribute vertically"]


def best(query: str) -> str:
    scores = {title: match_score(query, title) for title in TITLES}
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
    ],
)
def test_a_few_letters_find_what_was_meant(query: str, title: str) -> None:
    assert best(query) == title


def test_letters_out_of_order_or_missing_do_not_match() -> None:
    assert match_score("evas", "Save") is None
    assert match_score("savex", "Save") is None


def test_nothing_typed_matches_everything_alike() -> None:
    assert match_score("", "Save") == match_score(" ", "Anything") == 0
