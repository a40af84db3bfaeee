"""The state of event-style components: plain values in `ctx.state`, and nothing in the component itself.

A component is one object for all instruments and runs. Values stored in it by `on_bar` would leak from one into the
next and would be missing from saved sessions. `ctx.state` is a separate dict for each node and instrument, empty at the
start of each run, saved with a session, and restored when a replay goes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import BaseModel

from quantcrafter.engine.api.message import Message

MOST_VALUES = 10_000
"""Maximum number of values in the state of one node and instrument."""
LONGEST_TEXT = 100_000
"""How many characters a text in it may have."""
_LARGEST_INT = 2**63
_PLAIN = frozenset({bool, float, type(None)})
_SEAL = "__sealed__"


class StateError(ValueError):
    """`ctx.state` holds something that can't be saved."""


class WrittenError(AttributeError):
    """A component was modified while it was in use."""

    def __init__(self, what: str) -> None:
        super().__init__(
            Message("{what} can't be set: a component serves all instruments and runs. Keep it in ctx.state", what=what)
        )


# ---------------------------------------------------------------------- the state


def check_state(state: Any) -> None:
    """Check whether a state holds plain values only: bool, int, float, str, None, and lists and dicts of these.

    Raises:
        StateError: it does not; the message says where.
    """
    if not state and type(state) is dict:
        return
    if type(state) is not dict:
        raise StateError(
            Message(
                "ctx.state must be a dict, was {type}. Set its values: ctx.state['name'] = 1", type=type(state).__name__
            )
        )
    _Check().look(state, "ctx.state")


class _Check:
    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._count = 0

    def look(self, value: Any, place: str) -> None:
        kind = type(value)
        if kind is dict or kind is list:
            self._enter(value, place)
            for key, each in value.items() if kind is dict else enumerate(value):
                if kind is dict and type(key) is not str:
                    raise StateError(
                        Message(
                            "{place} must have texts as keys, has {key}. Use str({key})", place=place, key=repr(key)
                        )
                    )
                if type(each) not in _PLAIN:
                    self.look(each, f"{place}[{key!r}]")
        elif kind is str:
            if len(value) > LONGEST_TEXT:
                raise StateError(
                    Message(
                        "{place} must have at most {longest_text:,} characters, has {value:,}",
                        place=place,
                        longest_text=LONGEST_TEXT,
                        value=len(value),
                    )
                )
        elif kind is int:
            if not -_LARGEST_INT <= value < _LARGEST_INT:
                raise StateError(
                    Message(
                        "{place} must be a whole number of at most 64 bits, was {value:.3e}", place=place, value=value
                    )
                )
        elif kind not in _PLAIN:
            raise StateError(
                Message(
                    "{place} must be a bool, int, float, str, None, or a list or dict of these, was {names}. {remedy}",
                    place=place,
                    names=_named(value),
                    remedy=_remedy(value),
                )
            )

    def _enter(self, value: Any, place: str) -> None:
        if id(value) in self._seen:
            raise StateError(
                Message(
                    "{place} is the same {type} as another one in ctx.state. Store a copy",
                    place=place,
                    type=type(value).__name__,
                )
            )
        self._seen.add(id(value))
        self._count += len(value)
        if self._count > MOST_VALUES:
            raise StateError(
                Message(
                    "ctx.state can hold at most {most_values:,} values, and {place} exceeds that. Remove old ones",
                    most_values=MOST_VALUES,
                    place=place,
                )
            )


def _named(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _remedy(value: Any) -> str:
    if isinstance(value, np.generic):
        return Message("Convert it first: value.item()")
    if isinstance(value, np.ndarray):
        return Message("Convert it first: values.tolist()")
    return (
        Message("Convert it first: list(values)")
        if isinstance(value, (tuple, set, frozenset, deque))
        else Message("Store its parts")
    )


def copied_state(value: Any) -> Any:
    """Return a copy of a checked state that shares nothing with it."""
    if type(value) is dict:
        return {key: copied_state(each) if type(each) in (dict, list) else each for key, each in value.items()}
    return [copied_state(each) if type(each) in (dict, list) else each for each in value]


# ---------------------------------------------------------------------- the component


def seal(component: BaseModel) -> None:
    """Prevent attributes of a component from being set from now on; attributes set during its creation stay."""
    vars(component)[_SEAL] = True


def is_sealed(component: BaseModel) -> bool:
    """Return whether a component is in use."""
    return _SEAL in vars(component)


class Contents:
    """The contents of a component before it is used, for a comparison afterwards.

    Values of a `cached_property` are excluded: they depend only on the parameters.
    """

    def __init__(self, component: BaseModel) -> None:
        self._component = component
        self._before = self._now()

    def check(self) -> None:
        """Compare.

        Raises:
            WrittenError: something was changed, in place or by circumventing the seal.
        """
        now = self._now()
        for name in (*self._before, *now):
            if now.get(name) != self._before.get(name):
                raise WrittenError(f"'{name}'")

    def _now(self) -> dict[str, Any]:
        component, cls = self._component, type(self._component)
        held = {**vars(component), **(component.__pydantic_private__ or {})}
        return {
            name: _still(value)
            for name, value in held.items()
            if name != _SEAL and not isinstance(getattr(cls, name, None), cached_property)
        }


def _still(value: Any, depth: int = 8) -> Any:
    """Return a value for detecting changes: the items of a collection, otherwise the identity of the value."""
    if depth and isinstance(value, Mapping):
        return type(value), [(_still(key, 0), _still(each, depth - 1)) for key, each in value.items()]
    if depth and isinstance(value, (list, tuple, deque)):
        return type(value), [_still(each, depth - 1) for each in value]
    if isinstance(value, (set, frozenset)):
        return type(value), set(map(repr, value))
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes() if value.dtype.kind != "O" else value.tolist()
    return (type(value), repr(value)) if isinstance(value, (bool, int, float, str, type(None))) else id(value)
