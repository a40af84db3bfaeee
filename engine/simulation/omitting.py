"""Functions that a machine code does not have: in their place, it is noted that one of them was called.

Without them the compiler has less to do. See `quantcrafter.engine.simulation.jit.rare`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_RETURNED = {"None": types.none, "bool": types.boolean, "int": types.int64}

FIELD = "omitted"
"""The field of the portfolio in which a call is noted; the driver refuses to go on."""


def omitted(function: Callable[..., Any]) -> Any:
    """Return what machine code without `function` calls instead: it sets FIELD of its first argument, and returns 0.

    That argument is the portfolio, or the table with it alone. The result has the type of the function's annotation.
    An exception would be safe as well, but then every function that may call it would have to check for one.
    """
    kind = _RETURNED[function.__annotations__["return"]]

    @intrinsic
    def note(_typing: Any, *args: Any) -> Any:
        table = args[0][0] if isinstance(args[0], types.StarArgTuple) else args[0]
        record = table.dtype if isinstance(table, types.Array) else table

        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            first = builder.extract_value(values[0], 0)
            start = context.make_array(table)(context, builder, first).data if isinstance(table, types.Array) else first
            number = ir.IntType(64)
            byte = builder.gep(builder.bitcast(start, ir.IntType(8).as_pointer()), [number(record.offset(FIELD))])
            builder.store(number(1), builder.bitcast(byte, number.as_pointer()))
            return context.get_dummy_value() if kind is types.none else context.get_constant(kind, 0)

        return kind(types.StarArgTuple(args)), generate  # type: ignore[no-untyped-call]

    return note
