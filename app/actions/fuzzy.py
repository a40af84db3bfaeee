"""Find what a person means by a few letters."""

from __future__ import annotations

_WORD_START = 8
_IN_A_ROW = 5
_GAP = 1
_GAP_LIMIT = 6


def match_score(query: str, text: str) -> int | None:
    """Return how well a text fits typed letters, None if it does not; more is better.

    All letters must occur in order. Beginnings of words and letters in a row count more, skipped letters less.
    """
    wanted = [letter for letter in query.casefold() if not letter.isspace()]
    folded = text.casefold()
    scores = [
        score
        for start in (place for place, letter in enumerate(folded) if wanted and letter == wanted[0])
        for by_words in (False, True)
        if (score := _score_from(wanted, folded, start, by_words=by_words)) is not None
    ]
    return max(scores, default=None) if wanted else 0


def _score_from(wanted: list[str], text: str, start: int, *, by_words: bool) -> int | None:
    """Return the score of letters from a place on, each taken at the start of a word where there is one, or at once."""
    score, place = -min(_GAP * start, _GAP_LIMIT), start - 1
    for letter in wanted:
        found = text.find(letter, place + 1)
        if by_words and found > place + 1:
            found = next((i for i in range(found, len(text)) if text[i] == letter and _starts_word(text, i)), found)
        if found < 0:
            return None
        skipped = found - place - 1
        score += _WORD_START * _starts_word(text, found) + _IN_A_ROW * (skipped == 0) - min(_GAP * skipped, _GAP_LIMIT)
        place = found
    return score


def _starts_word(text: str, place: int) -> bool:
    return place == 0 or not text[place - 1].isalnum()
