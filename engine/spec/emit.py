"""Write a plain value as one line of YAML."""

from __future__ import annotations

import io
import math
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.scalars import resolve_plain

_WIDE = 1 << 24
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_./]*")
_READ_OTHERWISE_ELSEWHERE = re.compile(
    r"(?i:y|n|yes|no|on|off)|[-+]?[0-9][0-9_]*(:[0-9].*|_[0-9_]*)|[-?:].*|.*[\x85\u2028\u2029].*", re.DOTALL
)
_BREAKS_IN_BRACKETS = re.compile(r"[:?]")
"""What ends a plain text in brackets for some readers, where others go on reading."""


class _Representer(SafeRepresenter):
    """Quotes what older YAML readers would not take for text, such as `on` and 09:45."""

    def represent_str(self, data: str) -> ScalarNode:
        inner = "'" if _BREAKS_IN_BRACKETS.search(data) else None
        style = '"' if _READ_OTHERWISE_ELSEWHERE.fullmatch(data) else inner
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:str", data, style=style)
        return node


_Representer.add_representer(str, _Representer.represent_str)


def fragment(value: Any) -> str:
    """Return `value` in flow style on one line, quoted where it must be.

    Raises:
        TypeError: it holds something that a strategy file cannot.
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {fragment(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(fragment(item) for item in value) + "]"
    if type(value) is str:
        return _text(value)
    if type(value) is float:
        return repr(value) if math.isfinite(value) else {"inf": ".inf", "-inf": "-.inf"}.get(str(value), ".nan")
    if value is None or type(value) in (bool, int):
        return {None: "null", True: "true", False: "false"}[value] if type(value) is not int else str(value)
    raise TypeError(
        Message("a strategy file holds text, numbers, true, false, lists and mappings, not {value}", value=repr(value))
    )


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(Message("a key must be text, was {key}", key=repr(key)))
    return _text(key)


def _text(text: str) -> str:
    simple = _SIMPLE.fullmatch(text) and resolve_plain(text) == text
    if simple and not _READ_OTHERWISE_ELSEWHERE.fullmatch(text):
        return text
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = True
    yaml.width = _WIDE
    stream = io.StringIO()
    yaml.dump([text], stream)
    return stream.getvalue().rstrip("\n")[1:-1]


def unflavoured(value: Any) -> Any:
    """Return `value` with tuples as lists, copied."""
    if isinstance(value, dict):
        return {key: unflavoured(item) for key, item in value.items()}
    return [unflavoured(item) for item in value] if isinstance(value, (list, tuple)) else value
