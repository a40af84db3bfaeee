"""The pieces of one line of YAML, for colours and for finding one's way in a text that may be broken. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What a piece is."""

    KEY = auto()
    WORD = auto()
    NUMBER = auto()
    CONSTANT = auto()
    STRING = auto()
    COMMENT = auto()
    MARK = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line: characters `start` to `end` (exclusive). `text` is a scalar's text without quotes."""

    start: int
    end: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class LineState:
    """What a line leaves open for the next: a quote, a block text (`|`), brackets; `indent` is the opening line's."""

    mode: str = ""
    depth: int = 0
    indent: int = 0

    def number(self) -> int:
        """Return the state as a small number, 0 for nothing open."""
        return ("", "'", '"', "|").index(self.mode) | min(self.depth, 63) << 2 | min(self.indent, 1023) << 8

    @classmethod
    def of(cls, number: int) -> LineState:
        """Return the state that a number stands for; a negative one is the first line's."""
        if number <= 0:
            return CLOSED
        return cls(("", "'", '"', "|")[number & 3], number >> 2 & 63, number >> 8)


CLOSED = LineState()
_SPACE = re.compile(r"[ \t]*")
_PLAIN = re.compile(r"[^\s#](?:[^:#]|:(?!\s|$)|(?<![ \t])#)*")
_PLAIN_IN_FLOW = re.compile(r"[^\s#,\[\]{}](?:[^:#,\[\]{}]|:(?![\s,\[\]{}]|$)|(?<![ \t])#)*")
_QUOTED = {"'": re.compile(r"((?:[^']|'')*)('?)"), '"': re.compile(r'((?:[^"\\]|\\.|\\$)*)("?)')}
_COLON = re.compile(r"[ \t]*:(?=\s|$|[,\[\]{}])")
_DASH = re.compile(r"-(?=\s|$)")
_BLOCK_TEXT = re.compile(r"[|>][-+0-9]*[ \t]*(?=#|$)")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+|0o[0-7]+|[-+]?\.inf")
_CONSTANTS = frozenset(("true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL", "~"))


def indent_of(line: str) -> int:
    """Return how many blanks a line begins with."""
    return len(line) - len(line.lstrip(" \t"))


def scan(line: str, state: LineState = CLOSED) -> tuple[list[Token], LineState]:
    """Return the pieces of a line, and what it leaves open.

    Something left open ends where a line is indented no deeper than the one that opened it, as YAML has it: a bracket
    that is being typed changes the lines below it no further than that.
    """
    indent = indent_of(line)
    if ends(line, state):
        state = CLOSED
    if state.mode == "|":
        return ([Token(indent, len(line), Kind.STRING, line[indent:])] if indent < len(line) else []), state
    return _Scanner(line, indent, state).run()


def ends(line: str, state: LineState) -> bool:
    """Return whether a line ends what the lines before it left open, by its indentation."""
    indent = indent_of(line)
    if state == CLOSED or indent == len(line):
        return False
    return indent <= state.indent and (state.mode != "" or line[indent] not in "]}")


class _Scanner:
    """Goes along one line."""

    def __init__(self, line: str, indent: int, state: LineState) -> None:
        self.line, self.at = line, indent
        self.depth, self.mode = state.depth, state.mode
        self.indent = state.indent if state != CLOSED else indent
        self.found: list[Token] = []

    def run(self) -> tuple[list[Token], LineState]:
        if self.mode in ("'", '"') and self.line.strip():
            quote, self.mode = self.mode, ""
            self._quoted(quote, self.at, self.at)
        while not self.mode:
            blanks = _SPACE.match(self.line, self.at)
            self.at = blanks.end() if blanks else self.at
            if self.at == len(self.line):
                break
            self._piece()
        return self.found, LineState(self.mode, self.depth, self.indent) if self.mode or self.depth else CLOSED

    def _piece(self) -> None:
        char = self.line[self.at]
        if char == "#":
            self._add(len(self.line), Kind.COMMENT)
        elif char in "[{":
            self.depth += 1
            self._add(self.at + 1, Kind.MARK)
        elif char in "]}" or (char == "," and self.depth):
            self.depth = max(0, self.depth - (char != ","))
            self._add(self.at + 1, Kind.MARK)
        elif char in "'\"":
            self._quoted(char, self.at, self.at + 1)
        elif not self.depth and _DASH.match(self.line, self.at):
            self._add(self.at + 1, Kind.MARK)
        elif not self.depth and (header := _BLOCK_TEXT.match(self.line, self.at)):
            self._add(header.end(), Kind.MARK)
            self.mode = "|" if self.at >= len(self.line) else ""
        else:
            self._plain()

    def _plain(self) -> None:
        pattern = _PLAIN_IN_FLOW if self.depth else _PLAIN
        match = pattern.match(self.line, self.at)
        text = match[0].rstrip() if match else self.line[self.at]
        end = self.at + len(text)
        colon = _COLON.match(self.line, end)
        if colon:
            self._key(end, colon.end(), text)
        elif text == ":":
            self._add(end, Kind.MARK)
        elif _NUMBER.fullmatch(text):
            self._add(end, Kind.NUMBER, text)
        else:
            self._add(end, Kind.CONSTANT if text in _CONSTANTS else Kind.WORD, text)

    def _quoted(self, quote: str, start: int, inner: int) -> None:
        match = _QUOTED[quote].match(self.line, inner)
        text, closed = (match[1], bool(match[2])) if match else ("", False)
        end = inner + len(text) + closed
        self.at = start
        colon = _COLON.match(self.line, end) if closed else None
        if colon:
            self._key(end, colon.end(), text)
            return
        self._add(end, Kind.STRING, text)
        self.mode = "" if closed else quote

    def _key(self, end: int, after: int, text: str) -> None:
        self._add(end, Kind.KEY, text)
        self.at = after - 1
        self._add(after, Kind.MARK)

    def _add(self, end: int, kind: Kind, text: str | None = None) -> None:
        self.found.append(Token(self.at, end, kind, self.line[self.at : end] if text is None else text))
        self.at = end
