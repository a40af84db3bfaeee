"""Decorators for the functions of the simulation, which run in plain Python or as machine code.

Python calls one of them, the bar loop, in any form (`quantcrafter.engine.simulation.kernel_forms`).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from quantcrafter.engine.api.compiled import njit_kept
from quantcrafter.engine.api.ports import BoolColumn, FloatColumn

F = TypeVar("F", bound=Callable[..., Any])
Fields = TypeVar("Fields")

_MARKED: dict[Callable[..., Any], dict[str, Any]] = {}
"""Every function of the simulation, with its compilation options."""

_RARE: set[Callable[..., Any]] = set()
"""Functions for rules that few strategies use."""

_OPTIONS = {
    # Floating-point operations keep their order (no fast-math), so that every caller gets identical results; division
    # by zero gives infinity or NaN, as in numpy.
    "error_model": "numpy",
    # The functions allocate nothing, and their arrays outlive every call: reference counting took half of the time. The
    # option is not part of numba's public interface, so pyproject.toml limits its version.
    "_nrt": False,
    "no_cfunc_wrapper": True,
}


def jit(function: F) -> F:
    """Mark a function that other functions of the simulation call. It must not allocate arrays, lists or strings."""
    # numba hands `forceinline` on to all functions that it compiles on the way, unless they say otherwise.
    _MARKED[function] = {"no_cpython_wrapper": True, "forceinline": False}
    return function


def inlined(function: F) -> F:
    """Mark a function as `jit` does, to be compiled into each of its callers.

    For small operations at every bar, for which a call would cost more than the work.
    """
    _MARKED[function] = {"no_cpython_wrapper": True, "forceinline": True}
    return function


def rare(function: F) -> F:
    """Mark a function as `jit` does, for a rule that few strategies use: there is machine code without it.

    It may be called only if the portfolio's `has_rare` is 1.
    """
    _RARE.add(function)
    return jit(function)


def entry(function: F) -> F:
    """Mark the function that Python calls: its machine code is cached on disk, with everything that it calls."""
    _MARKED[function] = {}
    return function


def lend(fields: Fields) -> Fields:
    """Return a named tuple of arrays for passing to other functions: machine code passes its address.

    See `quantcrafter.engine.simulation.lending`.
    """
    return fields


def fetch(column: FloatColumn | BoolColumn, row: int) -> None:
    """Announce that a row will be read soon, if it exists: machine code prefetches it.

    With several columns it is the row of the first one.
    """


@functools.cache
def machine_code(function: Callable[..., Any], *, with_rare: bool) -> Any:
    """Return the compiled twin of a function marked as `entry`; it is compiled, or loaded, at its first call."""
    return twins(with_rare=with_rare)[function]


@functools.cache
def twins(*, with_rare: bool) -> dict[Callable[..., Any], Any]:
    """Return the compiled twin of every marked function: a copy that refers to the twins of other functions.

    Functions for rare rules have one, or are left out of the code.
    """
    from quantcrafter.engine.simulation import lending
    from quantcrafter.engine.simulation.lowering import inner
    from quantcrafter.engine.simulation.omitting import omitted

    made: dict[Callable[..., Any], Any] = {}
    modules: dict[str, dict[str, Any]] = {}
    for function, special in _MARKED.items():
        seen = modules.setdefault(function.__module__, {})
        copy = FunctionType(function.__code__, seen, function.__name__, function.__defaults__)
        # Both codes may be loaded by one process: functions of equal names would be taken for the same.
        copy.__name__ = function.__name__ if with_rare else f"{function.__name__}_ordinary"
        copy.__module__, copy.__qualname__ = function.__module__, copy.__name__
        made[function] = inner(copy, **_OPTIONS, **special) if special else njit_kept(copy, **_OPTIONS)
    left_out = {} if with_rare else {function: omitted(function) for function in _RARE}
    compiled_as: dict[Callable[..., Any], Any] = {**made, **left_out, lend: lending.lend, fetch: lending.fetch}
    for name, seen in modules.items():
        for key, value in vars(sys.modules[name]).items():
            seen[key] = compiled_as.get(value, value) if isinstance(value, FunctionType) else value
    return made
