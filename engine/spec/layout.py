"""Read `layout:` and `frames:`: where things stand on the canvas. No engine looks at them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.sections import join, mapping_at, refuse_unknown_keys, text_at
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.spec.tree import Entry, Mapping, Node, Scalar, Sequence, content, kind

FRAME_KEYS = ("text", "at", "size", "color")


def read_layout(root: Mapping, base: str, log: ProblemLog) -> dict[str, tuple[float, float]]:
    """Return the positions of a strategy's or block's nodes, noting what is wrong with them."""
    found: dict[str, tuple[float, float]] = {}
    for name, entry, path in _entries(root, "layout", base, log):
        pair = _pair(entry.value)
        if pair is None:
            message = Message("The position of '{name}' must be two numbers.", name=name)
            log.add("layout", message, Message("Write [120, 80]."), at=entry.value.place, path=path, node=name)
        else:
            found[name] = pair
    return found


def check_frames(root: Mapping, base: str, log: ProblemLog) -> None:
    """Note what is wrong with the frames of a strategy or block."""
    for name, entry, path in _entries(root, "frames", base, log):
        body = content(entry.value)
        if not isinstance(body, Mapping):
            message = Message("The frame '{name}' must be a mapping, was {kind}.", name=name, kind=kind(body))
            example = Message("Write {name}: {{text: Entry, at: [0, 0], size: [300, 200]}}.", name=name)
            log.add("frames", message, example, at=entry.key.place, path=path)
            continue
        refuse_unknown_keys(body, FRAME_KEYS, path, log, Message("frame"))
        for key in ("text", "color"):
            text_at(body, key, join(path, key), log)
        for key, wish in (("at", Message("two numbers")), ("size", Message("two numbers above 0"))):
            node = body.get(key)
            pair = None if node is None else _pair(node)
            if pair is None or (key == "size" and min(pair) <= 0):
                message = Message("'{key}' of the frame '{name}' must be {wish}.", key=key, name=name, wish=wish)
                at = (node or body).place
                log.add(
                    "frames",
                    message,
                    Message("Write {key}: [300, 200].", key=key),
                    at=at,
                    path=join(path, key),
                    field=key,
                )


def _entries(root: Mapping, part: str, base: str, log: ProblemLog) -> Iterator[tuple[str, Entry, str]]:
    section = mapping_at(root, part, join(base, part), log)
    for name, entry in section.entries.items() if section else ():
        yield name, entry, join(base, part, name)


def _pair(node: Node) -> tuple[float, float] | None:
    node = content(node)
    values = [_coordinate(item) for item in node.items] if isinstance(node, Sequence) else []
    good = [value for value in values if value is not None]
    return (good[0], good[1]) if len(values) == len(good) == len(("x", "y")) else None


def _coordinate(node: Node) -> float | None:
    node = content(node)
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
