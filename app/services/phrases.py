"""Phrases: what the engine says (messages, and the texts of components) in another language. No Qt.

The engine speaks English and knows of no translation. A message carries the template and the parameters that it was
made of: the template is looked up, and the parameters are filled into what is found, messages among them translated in
turn. The texts of components (help, descriptions, units) are looked up sentence by sentence, as they are. What is not
known stays English.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any

from quantcrafter.engine.api.message import Message, filled

_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[^a-z\s])")
_PARAGRAPH = re.compile(r"\n\s*\n")
_FORMATTER = Formatter()
_STOP, _CHINESE_STOP = ".", "。"

log = logging.getLogger(__name__)


class Phrases:
    """Translates what the engine says by a language's table of texts; English has an empty one."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table
        self._missing: set[str] = set()

    def translate(self, text: str) -> str:
        """Return a message by its template and parameters, any other text sentence by sentence, where it is known."""
        if isinstance(text, Message):
            return self._message(text)
        return self._table.get(text) or "\n\n".join(map(self._paragraph, _PARAGRAPH.split(text)))

    def sentence(self, text: str) -> str | None:
        """Return the translation of one sentence or word, with or without its full stop; None where there is none."""
        if text in self._table:
            return self._table[text]
        if text.endswith(_STOP):
            bare = self._table.get(text[:-1])
            return bare and bare + self._stop_of(bare)
        whole = self._table.get(f"{text}{_STOP}")
        return whole and whole.rstrip(_STOP + _CHINESE_STOP)

    def _message(self, message: Message) -> str:
        parameters = {name: self._parameter(value) for name, value in message.parameters.items()}
        template = self.sentence(message.template)
        if template is None:
            if not parameters:
                return self.translate(message.template)
            template = message.template
            if self._table and has_words(template):
                self._report(template)
        # Chinese sentences follow one another without a space.
        return filled(template, parameters).replace(f"{_CHINESE_STOP} ", _CHINESE_STOP)

    def _parameter(self, value: Any) -> Any:
        return self._message(value) if isinstance(value, Message) else value

    def _report(self, template: str) -> None:
        """Log once that a message has no translation."""
        if template not in self._missing:
            self._missing.add(template)
            log.info("No translation of the message %r.", template)

    def _paragraph(self, text: str) -> str:
        parts = [(part, self.sentence(part)) for part in sentences(text)]
        if not any(done is not None for _, done in parts):
            return text
        made = [part if done is None else done for part, done in parts]
        return " ".join(made).replace(f"{_CHINESE_STOP} ", _CHINESE_STOP)

    @staticmethod
    def _stop_of(text: str) -> str:
        return _STOP if text.isascii() or not _is_chinese(text) else _CHINESE_STOP


def has_words(template: str) -> bool:
    """Return whether a template has text of its own to translate, and not only places and signs."""
    return any(sign.isalpha() for text, *_ in _FORMATTER.parse(template) for sign in text)


def sentences(text: str) -> Iterator[str]:
    """Return the sentences of a text, each on one line."""
    for paragraph in _PARAGRAPH.split(text):
        yield from (part for part in _SENTENCE.split(" ".join(paragraph.split())) if part)


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= sign <= "\u9fff" for sign in text)
