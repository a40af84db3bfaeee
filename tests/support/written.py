"""The same strategy written in other ways: in brackets or in lines, quoted or bare, with comments, any line ends."""

from __future__ import annotations

import json
import math
import random
from typing import Any

from quantcrafter.engine.spec.scalars import resolve_plain

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./")


def written(values: dict[str, Any], rng: random.Random) -> str:
    """Return a YAML text that says the same as `values`, in a style of chance."""
    style = _Style(rng)
    lines = [line for key, value in values.items() for line in style.entry(key, value, "")]
    text = rng.choice(("\n", "\n", "\n", "\r\n")).join([*lines, ""])
    return ("\ufeff" if rng.random() < 0.05 else "") + text


class _Style:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.flow = rng.choice((0.05, 0.5, 0.95))
        self.quotes = rng.choice((0.0, 0.1, 0.9))
        self.comments = rng.choice((0.0, 0.0, 0.3))
        self.indent = rng.choice(("  ", "  ", "    ", " "))
        self.gap = rng.choice((" ", " ", "   "))

    def entry(self, key: str, value: Any, lead: str) -> list[str]:
        comment = f"  # {self.rng.choice(('why', '{[:', 'é 名', ''))}" if self.rng.random() < self.comments else ""
        if isinstance(value, dict | list) and value and self.rng.random() > self.flow:
            return [f"{lead}{self.scalar(key)}:{comment}", *self.block(value, lead + self.indent)]
        return [f"{lead}{self.scalar(key)}:{self.gap}{self.inline(value)}{comment}"]

    def block(self, value: dict[str, Any] | list[Any], lead: str) -> list[str]:
        if isinstance(value, dict):
            return [line for key, item in value.items() for line in self.entry(key, item, lead)]
        return [f"{lead}-{self.gap}{self.inline(item)}" for item in value]

    def inline(self, value: Any) -> str:
        if isinstance(value, dict):
            inner = ", ".join(f"{self.scalar(key)}: {self.inline(item)}" for key, item in value.items())
            return f"{{{inner}}}"
        if isinstance(value, list | tuple):
            return f"[{', '.join(self.inline(item) for item in value)}]"
        return self.scalar(value)

    def scalar(self, value: Any) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            return {"inf": ".inf", "-inf": "-.inf"}.get(str(value), ".nan")
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        if not isinstance(value, str):
            return self.number(value)
        if self.rng.random() < self.quotes or not self._bare(value):
            single = "'" + value.replace("'", "''") + "'"
            return single if value.isprintable() and self.rng.random() < 0.5 else json.dumps(value)
        return value

    def number(self, value: float) -> str:
        if isinstance(value, int):
            return str(value)
        return self.rng.choice((repr(value), f"{value:e}")) if float(f"{value:e}") == value else repr(value)

    def _bare(self, text: str) -> bool:
        if not text or not set(text) <= _SAFE | set(":-"):
            return False
        try:
            return resolve_plain(text) == text and text[0] not in ":-" and not text.endswith(":")
        except ValueError:
            return False
