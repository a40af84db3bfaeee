"""Shared functions for messages: the closest known name to a misspelt one, and shortened texts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from quantcrafter.engine.api.message import Message

LONGEST_WORD = 60
MOST_NAMES = 2_000


def nearest(word: str, names: Iterable[str], count: int = 1) -> list[str]:
    """Return up to `count` names that are similar to `word`, the closest first, ignoring case.

    Words of more than 60 characters have no matches, and at most 2,000 names are compared, so that no input makes this
    slow.
    """
    if len(word) > LONGEST_WORD:
        return []
    known: dict[str, str] = {}
    for name in names:
        if len(name) <= LONGEST_WORD and len(known) < MOST_NAMES:
            known.setdefault(name.casefold(), name)
    folded = word.casefold()
    if folded in known:
        return [known[folded]]
    return [known[name] for name in difflib.get_close_matches(folded, known, n=count, cutoff=0.6)]


def shortened(text: str, longest: int) -> str:
    """Return a text without its middle if it is longer than `longest` characters.

    In a message, texts among its parameters are shortened to half of that, so that it is short in any language.
    """
    if len(text) <= longest:
        return text
    head = (longest - 3) // 2
    short = f"{text[:head]}...{text[-(longest - 3 - head) :]}"
    if not isinstance(text, Message):
        return short
    parameters = {
        name: shortened(value, longest // 2) if isinstance(value, str) else value
        for name, value in text.parameters.items()
    }
    return Message.rebuilt(text.template, parameters, short)


def first_of(names: Sequence[str], most: int) -> str:
    """Return names separated by commas: the first ones, and the number of others."""
    shown, more = ", ".join(names[:most]), len(names) - most
    return Message("{names} and {count:,} more", names=shown, count=more) if more > 0 else shown


def listed(names: Sequence[str], most: int = 12) -> str:
    """Return names in quotes, separated by commas: the first ones, and the number of others."""
    return first_of([repr(shortened(str(name), LONGEST_WORD)) for name in names], most)


def alternatives(names: Sequence[str]) -> str:
    """Return names in quotes, such as `'a', 'b' or 'c'`."""
    quoted = [repr(name) for name in names]
    if len(quoted) == 1:
        return quoted[0]
    return Message("{names} or {last}", names=", ".join(quoted[:-1]), last=quoted[-1])


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return `Did you mean 'x'?` for the nearest name, or nothing."""
    close = nearest(word, names)
    return Message("Did you mean '{close}'?", close=close[0]) if close else ""


LONGEST_PATH = 120


def shown_path(path: str | PurePath) -> str:
    """Return a path for a message: on one line, and shortened in the middle if it is long."""
    text = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in str(path))
    return shortened(text, LONGEST_PATH)


_SHOWN_CELL = 60


def shown_cell(value: object) -> str:
    """Return the content of a table cell for a message: quoted, on one line, and shortened if it is long."""
    text = str(value)
    return repr(text if len(text) <= _SHOWN_CELL else f"{text[:_SHOWN_CELL]}...")
