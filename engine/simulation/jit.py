"""`jit`: numba's compiler with the settings that every function of the simulation uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from engine.api.compiled import njit_kept

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile `function` on its first call and keep the machine code on disk.

    Floating-point operations keep their order (no fast-math), so that every caller gets the same bits; division by
    zero gives infinity or NaN, as in numpy. The GIL is released.
    """
    return njit_kept(function, error_model="numpy")


def inlined(function: F) -> F:
    """Compile `function` as `jit` does, and into each of its callers.

    For the little that is done at every bar, where a call would cost more than the work.
    """
    return njit_kept(function, error_model="numpy", forceinline=True)
