"""Plain scalars to values by the core schema of YAML 1.2: `yes`, `on` and dates stay text."""

from __future__ import annotations

import re

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.limits import MAX_INTEGER_DIGITS

Value = str | int | float | bool | None

_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_MAY_START_A_NUMBER = frozenset("0123456789+-.")


def resolve_plain(text: str) -> Value:
    """Return the value of a plain (unquoted) scalar.

    Raises:
        ValueError: a whole number has too many digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _MAY_START_A_NUMBER:
        return text
    based = _BASED.fullmatch(text)
    if based or _DECIMAL.fullmatch(text):
        digits = len(text.lstrip("+-"))
        if digits > MAX_INTEGER_DIGITS:
            raise ValueError(
                Message(
                    "A whole number can have at most {max_integer_digits} digits, has {digits}.",
                    max_integer_digits=MAX_INTEGER_DIGITS,
                    digits=digits,
                )
            )
        return int(text, 0) if based else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
