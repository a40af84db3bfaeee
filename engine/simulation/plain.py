"""Values of a state for JSON: exact floats, and words for those that are not finite."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

import numpy as np

from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message

_WORD = "$number"
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def plain(value: Any) -> Any:
    """Return a value for JSON: NaN and infinities become `{"$number": "nan"}` and the like.

    Raises:
        RunError: it is not a bool, whole number, float, text, None, or a list or mapping of these.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else {_WORD: str(value)}
    if isinstance(value, int):
        return value
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(each) for each in value]
    if isinstance(value, MappingProxyType):
        value = dict(value)
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {("$" + key if key.startswith("$") else key): plain(each) for key, each in value.items()}
    raise RunError(
        Message("A state holds numbers, texts, and lists and dicts of these, was {type}.", type=type(value).__name__)
    )


def from_plain(value: Any) -> Any:
    """Return the value that was passed to `plain`; tuples and arrays become lists.

    Raises:
        RunError: a word doesn't represent a number.
    """
    if isinstance(value, list):
        return [from_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {_WORD}:
        if value[_WORD] not in _WORDS:
            raise RunError(
                Message(
                    "A value that is not a number is written as {words}, was {value}.",
                    words=", ".join(_WORDS),
                    value=repr(value[_WORD]),
                )
            )
        return _WORDS[value[_WORD]]
    return {(key.removeprefix("$")): from_plain(each) for key, each in value.items()}


def trimmed(values: Any) -> list[Any]:
    """Return an array as a list without the zeros at its end."""
    nonzero = np.flatnonzero(np.asarray(values) != 0)
    return list(values[: nonzero[-1] + 1].tolist()) if len(nonzero) else []


def is_same(one: Any, other: Any) -> bool:
    """Return whether two numbers are the same: NaN is itself, and the two zeros differ."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1.0, one) == math.copysign(1.0, other)
        )
    return bool(one == other)
