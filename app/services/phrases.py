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
_WORD = re.compile(r"[A-Za-z]{2,}")
_WHOLE_WORD = re.compile(r"(?<![A-Za-z}])[A-Za-z]{2,}(?![A-Za-z{])")
_NAME = r"(?:[^']|'(?=\w))*?"
"""What stands in quotes holds none, but it's no matter within a word."""
_BULLET = re.compile(r"(\s*- )?(.*)")
_SUBJECT = re.compile(r"((?:\S+: )?\S+(?: \(\S+\))?): ([A-Z0-9].*)", re.DOTALL)
_FROM = re.compile(r"(\S+) from (\S.*)")
MOST_KNOWN = 20_000
"""How many texts are remembered: a log has many that differ in numbers only."""
FROM = "{0} from {1}"
"""Where bars come from; it is too short to be looked for anywhere but in the place of a message."""


@dataclass(frozen=True)
class _Pattern:
    """A text with places, its longest fixed part for a quick look, what stands for it, and which places hold names.

    What stands in quotes is a name of the user's file, and no word to translate.
    """

    key: str
    rank: int
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
        keys = [key for key in table if _PLACE.search(key) and key != FROM]
        keys.sort(key=lambda key: -len(_PLACE.sub("", key)))
        self._patterns: dict[str, list[_Pattern]] = {}
        for rank, key in enumerate(keys):
            self._patterns.setdefault(_longest_word(key), []).append(_pattern(key, rank, table[key]))
        self._heads = {key.partition(": ")[0] for key in table if ": " in key}
        self._known: dict[str, str | None] = {}
        self.used: set[str] = set()

    def translate(self, text: str) -> str:
        """Return a text of the engine, each sentence translated that is known; a list of faults line by line."""
        if "\n  - " in text:
            return "\n".join(self._line(line) for line in text.split("\n"))
        parts = list(sentences(text))
        whole = self.sentence(parts[0]) if len(parts) == 1 else self._table.get(text)
        if whole is not None:
            return whole
        return "\n\n".join(self._paragraph(part) for part in re.split(r"\n\s*\n", text))

    def sentence(self, text: str) -> str | None:
        """Return the translation of one sentence or word, None when there is none."""
        if text not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[text] = self._look_up(text)
        return self._known[text]

    def _line(self, text: str) -> str:
        bullet, said = _BULLET.fullmatch(text).groups(default="")  # type: ignore[union-attr] # it matches every line
        return f"{bullet}{self.translate(said)}"

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
        return self._of_subject(text) or self._by_pattern(text) or self._without_stop(text)

    def _of_subject(self, text: str) -> str | None:
        """Return `SPY: ...` where what is said of it is known by itself; a word of ours before a colon is no name."""
        match = _SUBJECT.fullmatch(text)
        if match is None or match[1] in self._heads:
            return None
        done = self.sentence(match[2])
        return None if done is None else f"{match[1]}: {done}"

    def _without_stop(self, text: str) -> str | None:
        done = self.sentence(text[:-1]) if text.endswith(".") else None
        return None if done is None else done + ("。" if _CHINESE.search(done) else ".")

    def _by_pattern(self, text: str) -> str | None:
        words = {"", *_WORD.findall(text)}
        at_hand = [pattern for word in words for pattern in self._patterns.get(word, ())]
        for pattern in sorted(at_hand, key=lambda pattern: pattern.rank):
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
        plain = self._counted(text) or self._listed(text, ", ") or self.sentence(text) or self._listed(text, "; ")
        if plain is None and text[-1:].isalpha():
            whole = self.sentence(f"{text}.")
            plain = whole.rstrip(".。") if whole else None
        match = _FROM.fullmatch(text) if plain is None and FROM in self._table else None
        if match is not None:
            self.used.add(FROM)
            plain = _filled(self._table[FROM], {"p0": match[1], "p1": match[2]})
        return text if plain is None else plain

    def _counted(self, text: str) -> str | None:
        """Return a list of counts, such as `3 of one; 4 of another`: a pattern would take the sign for its own text."""
        parts = text.split("; ")
        return self._listed(text, "; ") if all(part[:1].isdigit() for part in parts) else None

    def _listed(self, text: str, sign: str) -> str | None:
        """Return several parts with a sign between, where each is known."""
        parts = [self.sentence(part) for part in text.split(sign)] if sign in text else []
        known = [part for part in parts if part is not None]
        return sign.join(known) if known and len(known) == len(parts) else None

    def _taken(self, key: str) -> str:
        self.used.add(key)
        return self._table[key]


def sentences(text: str) -> Iterator[str]:
    """Return the sentences of a text, each on one line."""
    for paragraph in re.split(r"\n\s*\n", text):
        yield from (part for part in _SENTENCE.split(" ".join(paragraph.split())) if part)


def _filled(text: str, pieces: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: pieces[f"p{place[1]}"], text)


def _longest_word(key: str) -> str:
    """Return the longest word that a text must have to fit a pattern, "" where it has none."""
    return max(_WHOLE_WORD.findall(key), key=len, default="")


def _pattern(key: str, rank: int, translation: str) -> _Pattern:
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
            shape += f"(?P<p{piece}>{_NAME if f'p{piece}' in names else '.*?'})"
    return _Pattern(key, rank, re.compile(shape, re.DOTALL), max(pieces[::2], key=len), translation, names)
