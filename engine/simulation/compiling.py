"""Reduces the compiler's work for the simulation's machine code.

Most of its time is spent in numba's Python code. Some of this work is repeated:
the same operators are resolved for the same operand types, the fields of a record are listed each time its type is
named, and Python's garbage collector checks millions of objects, none of which is garbage.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def lighter_compiler() -> Iterator[None]:
    """Compile with less repeated work in numba, and without the garbage collector."""
    from numba.core import ir
    from numba.core.types import Record
    from numba.core.types.functions import BaseFunction

    faster: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
        (BaseFunction, "get_call_type", _remembered_calls(BaseFunction.get_call_type)),
        (Record, "__repr__", _remembered_text(Record.__repr__)),
        (ir.Inst, "_rec_list_vars", _variables_of(ir)),
    )
    before = [getattr(kind, name) for kind, name, _ in faster]
    collected = gc.isenabled()
    gc.disable()
    for kind, name, function in faster:
        setattr(kind, name, function)
    try:
        yield
    finally:
        for (kind, name, _), function in zip(faster, before, strict=True):
            setattr(kind, name, function)
        if collected:
            gc.enable()


def _remembered_calls(get_call_type: Callable[..., Any]) -> Callable[..., Any]:
    answers: dict[Any, tuple[Any, Any]] = {}

    def remembered(function: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws:
            return get_call_type(function, context, args, kws)
        key = id(function), context, args
        if key not in answers:
            # Along with the function, lest another one gets its id.
            answers[key] = function, get_call_type(function, context, args, kws)
        return answers[key][1]

    return remembered


def _remembered_text(text_of: Callable[[Any], str]) -> Callable[[Any], str]:
    texts: dict[int, tuple[Any, str]] = {}

    def remembered(record: Any) -> str:
        if id(record) not in texts:
            texts[id(record)] = record, text_of(record)
        return texts[id(record)][1]

    return remembered


def _variables_of(ir: Any) -> Callable[[Any, Any], list[Any]]:
    """Return numba's search for the variables of an instruction, which looks at the type of a value only once."""

    def variables(instruction: Any, value: Any) -> list[Any]:
        kind = type(value)
        if kind is ir.Var:
            return [value]
        if kind in (str, int, ir.Loc):
            return []
        if kind in (list, tuple, dict):
            found: list[Any] = []
            for each in value.values() if kind is dict else value:
                found += variables(instruction, each)
            return found
        return value.list_vars() if isinstance(value, ir.Inst) else []

    return variables
