"""Compilation of functions that only other compiled functions call: no machine code of their own.

numba makes every function it compiles ready to be called from Python: it is optimised and translated by itself, and
once more within each of its callers. That took half of the compiler's time. Here only the callers are translated.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from numba import njit
from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering


@register_pass(mutates_CFG=True, analysis_only=False)  # type: ignore[no-untyped-call]
class InnerLowering(NativeLowering):
    """Lowers a function and makes it known to its callers, without translating it."""

    _name = "inner_lowering"

    def run_pass(self, state: Any) -> bool:
        state.flags.no_compile = True
        super().run_pass(state)  # type: ignore[no-untyped-call]
        lowered = state["cr"]
        # numba finds a function by what Python would call: here that is nothing but a name for it.
        name = object()
        state.targetctx.insert_user_function(name, lowered.fndesc, [state.library])
        state["cr"] = _LowerResult(lowered.fndesc, lowered.call_helper, cfunc=name, env=lowered.env)
        return True


class InnerCompiler(CompilerBase):
    """numba's own passes, but for the lowering."""

    def define_pipelines(self) -> list[Any]:
        passes: Any = DefaultPassBuilder.define_nopython_pipeline(self.state)  # type: ignore[no-untyped-call]
        passes.passes = [
            (InnerLowering, text) if made is NativeLowering else (made, text) for made, text in passes.passes
        ]
        passes.finalize()
        return [passes]


def inner(function: FunctionType, **options: Any) -> Callable[..., Any]:
    """Return a function for numba to call from compiled functions; Python can't call it."""
    dispatcher: Any = njit(function, nogil=True, pipeline_class=InnerCompiler, **options)

    def add_overload(compiled: Any) -> None:
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled

    dispatcher.add_overload = add_overload
    made: Callable[..., Any] = dispatcher
    return made
