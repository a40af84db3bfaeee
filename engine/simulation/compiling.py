"""Less work for the compiler while it makes the simulation's machine code.

Two thirds of its time go into finding types, and most of that into asking the same again: which operator is meant for
these types of operands. And Python looks for garbage among its objects, of which there are millions and no garbage.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def lighter_compiler() -> Iterator[None]:
    """Let numba remember how it resolved operators and built-in functions, and Python collect no garbage."""
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
