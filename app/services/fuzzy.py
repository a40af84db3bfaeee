"""Find what a person means by a few letters: one search for actions, quick-add and the list of components. No Qt.

A query is words in any order, and each must be found. In a name a word is found whole, at its beginning, at the
beginning of one of its words, inside, or as letters in this order of which the first begins a word (`dv`: Distribute
vertically). In other texts, such as a category or help, it is found at the beginning of a word, or inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
_WHOLE, _BEGINNING, _WORD_BEGINNING, _INSIDE, _LETTERS = 200.0, 120.0, 90.0, 70.0, 45.0
_MOST_OFF = 20
"""A name of which more is left over counts less, up to this."""
_TELLING = 3
"""Fewer letters are inside almost every text."""
_START, _IN_A_ROW, _MOST_SKIPPED = 8, 5, 6
"""Points of a letter that begins a word, or follows the one before; the most that letters between them take off."""


def match_score(query: str, names: Iterable[str], texts: Iterable[tuple[str, float]] = ()) -> float | None:
    """Return how well something fits a query, None if it does not; more is better, and 0 is for an empty query.

    Args:
        query: as typed, in any case.
        names: what it is called.
        texts: what else is said of it, each with the points for a word that begins there; below 90 a name wins.
    """
    names, texts = tuple(name.casefold() for name in names), tuple((text.casefold(), points) for text, points in texts)
    total = 0.0
    for word in query.casefold().split():
        in_names = (_in_name(word, name) for name in names)
        in_texts = (_in_text(word, text, points) for text, points in texts)
        best = max((*in_names, *in_texts), default=0.0)
        if best <= 0.0:
            return None
        total += best
    return total


def _in_name(word: str, name: str) -> float:
    if word == name:
        return _WHOLE
    if name.startswith(word):
        return _BEGINNING - min(len(name) - len(word), _MOST_OFF)
    if any(part.startswith(word) for part in _WORD.findall(name)):
        return _WORD_BEGINNING
    return _INSIDE if word in name else _letters_in(word, name)


def _in_text(word: str, text: str, points: float) -> float:
    if any(part.startswith(word) for part in _WORD.findall(text)):
        return points
    return points / 2 if len(word) >= _TELLING and word in text else 0.0


def _letters_in(word: str, name: str) -> float:
    """Return the points of letters that stand in a name in this order, the first at the beginning of a word."""
    starts = {found.start() for found in _WORD.finditer(name)}
    scores = [
        score
        for first in starts
        if name[first] == word[0]
        for by_words in (False, True)
        if (score := _letters_from(word, name, first, starts, by_words=by_words)) is not None
    ]
    most = (_START + _IN_A_ROW) * len(word)
    return max((_LETTERS * max(score, 1) / most for score in scores), default=0.0) if len(word) > 1 else 0.0


def _letters_from(word: str, name: str, first: int, starts: set[int], *, by_words: bool) -> int | None:
    """Return the points of letters from a place on, each taken where a word begins if one does, or at once."""
    score, place = -min(first, _MOST_SKIPPED), first - 1
    for letter in word:
        found = name.find(letter, place + 1)
        if by_words and found > place + 1:
            found = next((each for each in sorted(starts) if each >= found and name[each] == letter), found)
        if found < 0:
            return None
        skipped = found - place - 1
        score += _START * (found in starts) + _IN_A_ROW * (skipped == 0) - min(skipped, _MOST_SKIPPED)
        place = found
    return score
