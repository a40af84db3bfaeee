"""Phrases: the engine's own texts (help, descriptions, problems) in another language. No Qt.

The engine speaks English and knows of no translation. What it says is translated where it is shown, sentence by
sentence: one is looked up as it stands, without its full stop, or by a pattern such as `'{0}' of '{1}' takes a {2}.`,
whose places hold names and numbers, and words that are looked up in turn. What is not known stays English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"\{(\d+)\}")
_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[^a-z\s])")
_CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class _Pattern:
    """A text with places, its longest fixed part for a quick look, what stands for it, and which places hold names.

    What stands in quotes is a name of the user's file, and no word to translate.
    """

    key: str
    shape: re.Pattern[str]
    fixed: str
    translation: str
    names: frozenset[str]


class Phrases:
    """Translates what the engine says by a language's table of texts.

    `used` gathers the keys that were of use, so that a test can find those that no text needs.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table
        found = (_pattern(key, done) for key, done in table.items() if _PLACE.search(key))
        self._patterns = sorted(found, key=lambda pattern: -len(_PLACE.sub("", pattern.key)))
        self._known: dict[str, str | None] = {}
        self.used: set[str] = set()

    def translate(self, text: str) -> str:
        """Return a text of the engine, each sentence translated that is known."""
        parts = list(sentences(text))
        whole = self.sentence(parts[0]) if len(parts) == 1 else self._table.get(text)
        if whole is not None:
            return whole
        return "\n\n".join(self._paragraph(part) for part in re.split(r"\n\s*\n", text))

    def sentence(self, text: str) -> str | None:
        """Return the translation of one sentence or word, None when there is none."""
        if text not in self._known:
            self._known[text] = self._look_up(text)
        return self._known[text]

    def _paragraph(self, text: str) -> str:
        parts = [(part, self.sentence(part)) for part in sentences(text)]
        if not any(done is not None for _, done in parts):
            return text
        made = [part if done is None else done for part, done in parts]
        glue = "" if all(_CHINESE.search(part) for part in made) else " "
        return glue.join(made)

    def _look_up(self, text: str) -> str | None:
        if text in self._table:
            return self._taken(text)
        if text.removesuffix(".") in self._table:
            return self._without_stop(text)
        return self._by_pattern(text) or self._without_stop(text)

    def _without_stop(self, text: str) -> str | None:
        done = self.sentence(text[:-1]) if text.endswith(".") else None
        return None if done is None else done + ("。" if _CHINESE.search(done) else ".")

    def _by_pattern(self, text: str) -> str | None:
        for pattern in self._patterns:
            match = pattern.shape.fullmatch(text) if pattern.fixed in text else None
            if match is not None:
                self.used.add(pattern.key)
                pieces = {
                    place: held if place in pattern.names else self._piece(held)
                    for place, held in match.groupdict().items()
                }
                return _filled(pattern.translation, pieces)
        return None

    def _piece(self, text: str) -> str:
        """Return what a place holds: a word or sentence that is known, or as it is."""
        plain = self.sentence(text)
        if plain is None and text[-1:].isalpha():
            whole = self.sentence(f"{text}.")
            plain = whole.rstrip(".。") if whole else None
        return text if plain is None else plain

    def _taken(self, key: str) -> str:
        self.used.add(key)
        return self._table[key]


def sentences(text: str) -> Iterator[str]:
    """Return the sentences of a text, each on one line."""
    for paragraph in re.split(r"\n\s*\n", text):
        yield from (part for part in _SENTENCE.split(" ".join(paragraph.split())) if part)


def _filled(text: str, pieces: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: pieces[f"p{place[1]}"], text)


def _pattern(key: str, translation: str) -> _Pattern:
    pieces = _PLACE.split(key)
    names = frozenset(f"p{number}" for number in re.findall(r"'\{(\d+)\}'", key))
    shape, seen = "", set()
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            shape += re.escape(piece)
        elif piece in seen:
            shape += f"(?P=p{piece})"
        else:
            seen.add(piece)
            shape += f"(?P<p{piece}>.*?)"
    return _Pattern(key, re.compile(shape, re.DOTALL), max(pieces[::2], key=len), translation, names)
