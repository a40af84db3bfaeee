"""Reduces the compiler's work for the simulation's machine code.

Two thirds of its time are spent on type inference, mostly on repeated resolution of the same operators and operand
types. In addition, Python's garbage collector checks millions of objects, none of which is garbage.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def lighter_compiler() -> Iterator[None]:
    """Cache numba's resolution of operators and built-in functions, and disable the garbage collector."""
    from numba.core.types.functions import BaseFunction

    functions: Any = BaseFunction
    asked = functions.get_call_type
    answers: dict[Any, tuple[Any, Any]] = {}

    def remembered(function: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws:
            return asked(function, context, args, kws)
        key = id(function), context, args
        if key not in answers:
            # Along with the function, lest another one gets its id.
            answers[key] = function, asked(function, context, args, kws)
        return answers[key][1]

    collected = gc.isenabled()
    gc.disable()
    functions.get_call_type = remembered
    try:
        yield
    finally:
        functions.get_call_type = asked
        if collected:
            gc.enable()
