"""Compilation of functions that only other compiled functions call: no machine code of their own.

numba prepares every function that it compiles for calls from Python: it is linked with everything that it calls,
optimised and translated separately, and again within each of its direct and indirect callers. That took most of the
compiler's time. Here, functions are only lowered; the function that Python calls links all of them once, and is
optimised and translated.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from llvmlite.binding import Linkage
from numba import njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

NOT_NEEDED = {
    "WithLifting",
    "InlineClosureLikes",
    "MakeFunctionToJitFunction",
    "InlineInlinables",
    "FindLiterallyCalls",
    "LiteralUnroll",
    "LiteralPropagationSubPipelinePass",
    "DeadBranchPrune",
    "InlineOverloads",
    "NopythonRewrites",
    "AnnotateTypes",
}
"""Passes for features that the simulation doesn't use: closures, `with`, generators, array expressions, literal
types.
"""


class InnerLibrary(JITCodeLibrary):
    """The code of one function, which is not linked or translated until it is part of another."""

    def finalize(self) -> None:
        """Take no more code."""
        self._finalized = True

    def _optimize_functions(self, module: Any) -> None:
        """Do nothing but set the data layout: the function that links this one does the rest."""
        module.data_layout = self._codegen._data_layout  # noqa: SLF001 - as numba's own

    def parts(self) -> list[Any]:
        """Return this library and all that it needs: a called function was registered with all of its own parts."""
        return list(dict.fromkeys([self, *self._linking_libraries]))

    def _get_module_for_linking(self) -> Any:
        self._ensure_finalized()  # type: ignore[no-untyped-call]
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.external:
                function.linkage = Linkage.linkonce_odr
        return self._final_module


@register_pass(mutates_CFG=True, analysis_only=False)  # type: ignore[no-untyped-call]
class InnerLowering(NativeLowering):
    """Lowers a function and registers it for its callers, without translating it."""

    _name = "inner_lowering"

    def run_pass(self, state: Any) -> bool:
        state.flags.no_compile = True
        state.library = InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)  # type: ignore[no-untyped-call]
        super().run_pass(state)  # type: ignore[no-untyped-call]
        lowered = state["cr"]
        # numba finds a function by what Python would call: here that is nothing but a name for it.
        name = object()
        state.targetctx.insert_user_function(name, lowered.fndesc, state.library.parts())
        state["cr"] = _LowerResult(lowered.fndesc, lowered.call_helper, cfunc=name, env=lowered.env)
        return True


class InnerCompiler(CompilerBase):
    """numba's own passes, except for the lowering."""

    def define_pipelines(self) -> list[Any]:
        passes: Any = DefaultPassBuilder.define_nopython_pipeline(self.state)  # type: ignore[no-untyped-call]
        passes.passes = [
            (InnerLowering, text) if made is NativeLowering else (made, text)
            for made, text in passes.passes
            if made.__name__ not in NOT_NEEDED
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
