"""Compilation of `lend`: named tuples of arrays passed on by their address.

numba passes a named tuple by value: every call of a function with the market would pass about 150 words, of which it
uses only a few. A lent tuple is a pointer; its fields are loaded where they are used.
"""

from __future__ import annotations

import zlib
from typing import Any

from llvmlite import ir
from numba.core import cgutils as untyped_cgutils
from numba.core import types
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, register_model

cgutils: Any = untyped_cgutils


class LentTuple(types.Type):
    """The address of a named tuple, whose fields are arrays or further named tuples."""

    def __init__(self, of: Any) -> None:
        self.of = of
        # The name is part of the name of every function with such an argument: that of the tuple would be very long.
        super().__init__(name=f"lent_{of.instance_class.__name__}_{zlib.crc32(of.name.encode()):08x}")

    def field(self, name: str) -> tuple[int, Any]:
        """Return position and type of a field."""
        position = self.of.fields.index(name)
        return position, self.of.types[position]


@register_model(LentTuple)
class LentModel(models.PrimitiveModel):
    """An address."""

    def __init__(self, manager: Any, lent: LentTuple) -> None:
        pointed_at = manager.lookup(lent.of).get_value_type()
        super().__init__(manager, lent, pointed_at.as_pointer())  # type: ignore[no-untyped-call]


@infer_getattr
class LentFields(AttributeTemplate):
    """The type of a field: an array, or again a lent tuple."""

    key = LentTuple

    def generic_resolve(self, lent: LentTuple, name: str) -> Any:  # type: ignore[override]  # numba declares a constant
        """Return the type of a field, None where there is no such."""
        if name not in lent.of.fields:
            return None
        _, kind = lent.field(name)
        return LentTuple(kind) if isinstance(kind, types.NamedTuple) else kind


@lower_getattr_generic(LentTuple)  # type: ignore[no-untyped-call, untyped-decorator]
def load_field(context: Any, builder: Any, lent: LentTuple, address: Any, name: str) -> Any:
    """Load a field; the parts of an array that are not used are not loaded."""
    position, kind = lent.field(name)
    place = cgutils.gep_inbounds(builder, address, 0, position)
    if isinstance(kind, types.NamedTuple):
        return place
    value_type = context.get_value_type(kind)
    if not isinstance(value_type, ir.LiteralStructType):
        return builder.load(place)
    value = ir.Constant(value_type, ir.Undefined)
    for part, _ in enumerate(value_type.elements):
        value = builder.insert_value(value, builder.load(cgutils.gep_inbounds(builder, place, 0, part)), part)
    return value


@intrinsic
def lend(_typing: Any, lent: Any) -> Any:
    """Return the address of a copy of a named tuple on the stack of the function that calls this."""
    kind = LentTuple(lent)

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        place = cgutils.alloca_once(builder, values[0].type)
        builder.store(values[0], place)
        return place

    return kind(lent), generate


@intrinsic
def fetch(_typing: Any, column: Any, row: Any) -> Any:
    """Prefetch a row of a column; no effect if there is no such row."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        array = context.make_array(column)(context, builder, values[0])
        kinds = [ir.PointerType(), *[ir.IntType(32)] * 3]
        kind = ir.FunctionType(ir.VoidType(), kinds)
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [ir.PointerType()], kind)
        # To be read, soon and often, as data.
        hints = [ir.Constant(ir.IntType(32), number) for number in (0, 3, 1)]
        builder.call(prefetch, [builder.gep(array.data, [values[1]]), *hints])
        return context.get_dummy_value()

    return types.void(column, row), generate
