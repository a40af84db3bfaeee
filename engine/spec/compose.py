"""Compose the positioned tree from the events of ruamel.yaml's parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.spec.limits import MAX_DEPTH, MAX_FILE_BYTES, MAX_SCALAR_CHARS, MAX_YAML_NODES
from quantcrafter.engine.spec.model import FORMAT_VERSION
from quantcrafter.engine.spec.scalars import resolve_plain
from quantcrafter.engine.spec.source import Place, ProblemLog, Source, shown
from quantcrafter.engine.spec.tree import Alias, Entry, Mapping, Node, Scalar, Sequence, children, content

_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT_SIGN = re.compile(
    r"""(?:(?<=[\s,\[\]{}])|\A)!\S*"""  # a tag, which is left alone
    r"""|(?P<colon>(?<!['"\]}]):(?=[^\s,\[\]{}]))"""  # after a quote or a bracket it separates
    r"""|(?P<mark>(?<=[^\s,\[\]{}'"])\?)"""
)
"""A colon, or a question mark, that YAML 1.2 takes for text in brackets too, as in 09:45."""
_NO_YAML = ",%@`"
"""What no YAML value begins with."""
_PRIVATE = range(0xE000, 0xE100)
_STR, _MAP, _SEQ = (f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))
_REMEDIES = (
    ("mapping values are not allowed", Message("Put text that contains ': ' in quotes.")),
    (
        "found character that cannot start any token",
        Message("Indent with spaces, not tabs; quote text that begins with @ or `."),
    ),
    ("did not find expected key", Message("Check the indentation and the brackets above.")),
    ("expected ',' or", Message("A bracket above is not closed, or a comma is missing.")),
    ("unexpected end of stream", Message("A quote is not closed.")),
    ("unknown escape character", Message("Use single quotes for text with backslashes.")),
    ("found unexpected ':'", Message("Put a space after the colon, or put the text in quotes.")),
    ("undefined alias", Message("Quote text that begins with *.")),
    ("could not find expected ':'", Message("A key needs a colon and a space after it.")),
    ("expected <document start>", Message("Check the indentation and the brackets above.")),
)


class _StopError(Exception):
    """Composing cannot go on; the problem is in the log."""


@dataclass(slots=True, eq=False)
class _Open:
    """A list or mapping whose end has not come yet; `key` is a mapping's key that waits for its value."""

    node: Mapping | Sequence
    anchor: str | None
    key: Node | None = None
    count: int = 0


def compose(text: str, file: str, log: ProblemLog, *, located: bool = True) -> Node | None:
    """Return the tree of a YAML text, or None if there is none; problems are added to `log`.

    A byte order mark is skipped: offsets count from the character after it.
    """
    source = Source(file, text.removeprefix("\ufeff"), located)
    try:
        _refuse_by_size_and_characters(source, log)
        return _Composer(source, log).run()
    except _StopError:
        return None
    except MarkedYAMLError as error:
        what = str(error.problem or error.context or Message("it is not valid YAML"))
        unclosed = "expected ',' or" in what or "unexpected end of stream" in what
        mark = (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
        _syntax_problem(source, log, what, getattr(mark, "index", 0))
    except (YAMLError, ValueError, ArithmeticError, LookupError) as error:
        _syntax_problem(source, log, (str(error).splitlines() or ["it is not valid YAML"])[0], 0)
    return None


def compose_setting(value: str, where: str, log: ProblemLog) -> Node | None:
    """Return the tree of a value given with `NAME=VALUE`, or None if it has problems, which are added to `log`.

    No value is null. What begins with `,`, `%`, `@` or a backtick can't be YAML and is taken as text, as `%d/%m/%Y`.
    """
    text = value.strip()
    source = Source(where, text, located=False)
    if not text:
        return Scalar(source, 0, 0)
    own = ProblemLog()
    node = compose(value, where, own, located=False)
    if text[0] in _NO_YAML and own.problems and _FORBIDDEN.search(text) is None and len(text) <= MAX_SCALAR_CHARS:
        return Scalar(source, 0, len(text), text)
    return compose(value, where, log, located=False) if own.problems else node


def _syntax_problem(source: Source, log: ProblemLog, what: str, offset: int) -> None:
    remedy = next((remedy for phrase, remedy in _REMEDIES if phrase in what), "")
    log.add(
        "syntax",
        Message("This is not valid YAML: {what}.", what=word(what)),
        remedy,
        at=source.place(min(offset, len(source.text))),
    )


def _refuse_by_size_and_characters(source: Source, log: ProblemLog) -> None:
    size = len(source.text.encode("utf-8", "surrogatepass"))
    if size > MAX_FILE_BYTES:
        message = Message(
            "A file can have at most {max_file_bytes:,} bytes, this one has {size:,}.",
            max_file_bytes=MAX_FILE_BYTES,
            size=size,
        )
        log.add("limit", message, Message("Split it into blocks of their own files."), at=source.place(0))
        raise _StopError
    bad = _FORBIDDEN.search(source.text)
    if bad:
        message = Message("The character U+{ord:04X} is not allowed in a file.", ord=ord(bad[0]))
        log.add(
            "syntax",
            message,
            Message("Remove it, or write it as an escape in double quotes."),
            at=source.place(bad.start()),
        )
        raise _StopError


@dataclass(eq=False)
class _Composer:
    source: Source
    log: ProblemLog
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)
    root: Node | None = None
    total: int = 0
    documents: int = 0

    def run(self) -> Node | None:
        for event in self._events():
            if isinstance(event, NodeEvent):
                self._node(event)
            elif isinstance(event, CollectionEndEvent):
                self._close(event)
            elif isinstance(event, DocumentStartEvent):
                self._document(event)
        if self.root is None:
            message = Message("The file is empty.")
            self.log.add(
                "empty",
                message,
                Message("Begin with 'quantcrafter: {format_version}'.", format_version=FORMAT_VERSION),
                at=self.source.place(0),
            )
        return self.root

    def _events(self) -> Iterator[Event]:
        """Yield the parser's events.

        The parser knows YAML 1.1, whose bare text in brackets has no such signs as `_TEXT_SIGN` finds. Characters that
        the file does not use, nor writes as an escape, stand for them while it reads.
        """
        text = self.source.text
        lowered = text.lower()
        free = [chr(code) for code in _PRIVATE if chr(code) not in text and f"{code:x}" not in lowered][:2]
        if len(free) < 2 or _TEXT_SIGN.search(text) is None:  # noqa: PLR2004 - one a sign
            yield from YAML(typ="safe", pure=False).parse(text)
            return
        stand_in = dict(zip(("colon", "mark"), free, strict=True))
        back = str.maketrans(dict(zip(free, ":?", strict=True)))
        readable = _TEXT_SIGN.sub(lambda found: stand_in.get(found.lastgroup or "", found[0]), text)
        for event in YAML(typ="safe", pure=False).parse(readable):
            if isinstance(event, ScalarEvent):
                event.value = event.value.translate(back)
            yield event

    def _place(self, event: Event) -> Place:
        return self.source.place(event.start_mark.index)

    def _stop(self, message: str, remedy: str, event: Event, code: str = "limit") -> None:
        self.log.add(code, message, remedy, at=self._place(event))
        raise _StopError

    def _document(self, event: Event) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(
                Message("A file holds one document, this is a second."),
                Message("Remove the '---'."),
                event,
                "documents",
            )

    def _node(self, event: NodeEvent) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            self._put(self._alias(event, start, end))
            return
        self._count(1, len(self.stack) + (not isinstance(event, ScalarEvent)), event)
        if isinstance(event, ScalarEvent):
            scalar = self._scalar(event, start, end)
            if event.anchor is not None:
                self.anchors[event.anchor] = scalar
            self._put(scalar)
            return
        made: Mapping | Sequence
        if isinstance(event, MappingStartEvent):
            made = Mapping(self.source, start, end, bool(event.flow_style))
            self._check_tag(event, _MAP)
        elif isinstance(event, SequenceStartEvent):
            made = Sequence(self.source, start, end, bool(event.flow_style))
            self._check_tag(event, _SEQ)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(made, event.anchor))

    def _count(self, nodes: int, depth: int, event: Event) -> None:
        self.total += nodes
        if self.total > MAX_YAML_NODES:
            self._stop(
                Message(
                    "A file can have at most {max_yaml_nodes:,} values, aliases expanded.",
                    max_yaml_nodes=MAX_YAML_NODES,
                ),
                Message("Split it into blocks."),
                event,
            )
        if depth > MAX_DEPTH:
            self._stop(
                Message("Lists and mappings can be nested at most {max_depth} levels deep.", max_depth=MAX_DEPTH),
                Message("Flatten them."),
                event,
            )

    def _alias(self, event: NodeEvent, start: int, end: int) -> Node:
        target = self.anchors.get(event.anchor)
        if target is None:
            known = event.anchor in self.anchors
            what = (
                Message("is inside its own value") if known else Message("is undefined: there is no such anchor above")
            )
            self._stop(
                Message("The alias '*{anchor}' {what}.", anchor=event.anchor, what=what),
                Message("Quote text that begins with *."),
                event,
                "alias",
            )
            raise AssertionError
        nodes, height = measure(target)
        self._count(nodes, len(self.stack) + height, event)
        return Alias(self.source, start, end, content(target))

    def _scalar(self, event: ScalarEvent, start: int, end: int) -> Scalar:
        text: str = event.value
        if len(text) > MAX_SCALAR_CHARS:
            message = Message(
                "A text can have at most {max_scalar_chars:,} characters, this one has {count:,}.",
                max_scalar_chars=MAX_SCALAR_CHARS,
                count=len(text),
            )
            self._stop(message, Message("Shorten it."), event)
        self._check_tag(event, _STR)
        style = event.style or ""
        if style in ("|", ">"):
            end = start + len(self.source.text[start:end].rstrip())
        value: Any = text
        if not style and event.tag is None:
            try:
                value = resolve_plain(text)
            except ValueError as error:
                self.log.add(
                    "limit",
                    str(error),
                    Message("Quote it if it is text."),
                    at=self._place(event),
                )
                value = text
        return Scalar(self.source, start, end, value, style)

    def _check_tag(self, event: Any, allowed: str) -> None:
        if event.tag is not None and event.tag not in (allowed, "!"):
            message = Message("Tags are not allowed, found {tag}.", tag=shown(event.tag))
            self.log.add("tag", message, Message("Write the value without a tag."), at=self._place(event))

    def _close(self, event: Event) -> None:
        opened = self.stack.pop()
        node = opened.node
        if node.flow:
            node.end = event.end_mark.index
        elif isinstance(node, Mapping) and opened.count:
            node.end = max((max(e.key.end, e.value.end) for e in node.entries.values()), default=node.end)
        elif isinstance(node, Sequence) and node.items:
            node.end = max(node.start + 1, node.items[-1].end)
        if opened.anchor is not None:
            self.anchors[opened.anchor] = node
        self._put(node)

    def _put(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.count += 1
        if isinstance(parent.node, Sequence):
            parent.node.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            self._enter(parent.node, parent.key, node)
            parent.key = None

    def _enter(self, mapping: Mapping, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar) or not isinstance(key.value, str):
            found = shown(key.value) if isinstance(key, Scalar) else Message("an alias, list or mapping")
            self.log.add(
                "key",
                Message("A key must be text, was {found}.", found=found),
                Message("Put it in quotes."),
                at=key.place,
            )
        elif key.value == "<<" and not key.style:
            self.log.add(
                "merge", Message("Merge keys ('<<') are not allowed."), Message("Write the keys out."), at=key.place
            )
        elif key.value in mapping.entries:
            first = mapping.entries[key.value].key.place.line
            message = Message(
                "The key {value} occurs twice, first on line {first}.", value=shown(key.value), first=first
            )
            self.log.add(
                "duplicate_key", message, Message("Remove or rename one of them."), at=key.place, field=key.value
            )
        else:
            mapping.entries[key.value] = Entry(key, value)


def measure(node: Node) -> tuple[int, int]:
    """Return how many values a node has and how deep lists and mappings nest in it, aliases expanded."""
    node = content(node)
    nodes, height = 1 + (len(node.entries) if isinstance(node, Mapping) else 0), int(not isinstance(node, Scalar))
    for child in children(node):
        inner, below = measure(child)
        nodes, height = nodes + inner, max(height, below + 1)
    return nodes, height
