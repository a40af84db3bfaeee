"""Port types, and the annotations that make a component's field an input port."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, StringConstraints
from pydantic.fields import FieldInfo

FloatColumn = npt.NDArray[np.float64]
BoolColumn = npt.NDArray[np.bool_]
FlagColumn = npt.NDArray[np.uint8]
TimeColumn = npt.NDArray[np.int64]

ENTER_LONG = 1
EXIT_LONG = 2
ENTER_SHORT = 4
EXIT_SHORT = 8


class PortType(StrEnum):
    """What flows through a wire. Only equal types connect."""

    BARS = "bars"
    SERIES = "series"
    CONDITION = "condition"
    SIGNAL = "signal"
    FILTER = "filter"
    RISK = "risk"
    MONEY = "money"


class Signals(NamedTuple):
    """A signal column: bit flags (uint8, shape (n,)) and an optional strength (float64, shape (n,))."""

    flags: FlagColumn
    strength: FloatColumn | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One output port of a component."""

    name: str
    type: PortType = PortType.SERIES
    description: str = ""


@dataclass(frozen=True, slots=True)
class PortMark:
    """Marks a field as an input port: its type, and whether it takes a list of wires."""

    type: PortType
    many: bool = False


@dataclass(frozen=True, slots=True)
class PathMark:
    """Marks a parameter as a file's path; a relative one is relative to the strategy file's folder."""


def path_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of a model's fields that are paths of files."""
    marked = ((name, field.metadata) for name, field in model.model_fields.items())
    return tuple(name for name, metadata in marked if any(isinstance(meta, PathMark) for meta in metadata))


@dataclass(frozen=True, slots=True)
class InputPort:
    """One input port of a component class, as read from its fields."""

    name: str
    type: PortType
    many: bool
    required: bool
    description: str


REFERENCE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*(\.[A-Za-z_][A-Za-z0-9_]*)?$"
Reference = Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN)]

PathParam = Annotated[str, PathMark()]
"""A file's path; the engine makes it absolute before the component is built."""

BarsInput = Annotated[Reference, PortMark(PortType.BARS)]
SeriesInput = Annotated[float | Reference, PortMark(PortType.SERIES)]
ConditionInput = Annotated[Reference, PortMark(PortType.CONDITION)]
SignalInput = Annotated[Reference, PortMark(PortType.SIGNAL)]
MoneyInput = Annotated[Reference, PortMark(PortType.MONEY)]
ConditionInputs = Annotated[tuple[Reference, ...], PortMark(PortType.CONDITION, many=True)]
SeriesInputs = Annotated[tuple[float | Reference, ...], PortMark(PortType.SERIES, many=True)]
SignalInputs = Annotated[tuple[Reference, ...], PortMark(PortType.SIGNAL, many=True)]
FilterInputs = Annotated[tuple[Reference, ...], PortMark(PortType.FILTER, many=True)]
RiskInputs = Annotated[tuple[Reference, ...], PortMark(PortType.RISK, many=True)]


def port(description: str, *, default: Any = ..., advanced: bool = False, min_length: int | None = None) -> Any:
    """Declare an input port; its type comes from the field's annotation (`SeriesInput`, `ConditionInputs`, ...).

    A port without `default` must be wired. `None` as default (with `| None` in the annotation) makes it optional.
    `min_length` is the least number of wires of a port that takes a list.
    """
    return Field(default, description=description, json_schema_extra={"advanced": advanced}, min_length=min_length)


def param(  # noqa: PLR0913 - mirrors pydantic.Field
    description: str,
    *,
    default: Any = ...,
    unit: str = "",
    advanced: bool = False,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    min_length: int | None = None,
) -> Any:
    """Declare a parameter: its help, default, unit and range, which make YAML schema and inspector form."""
    extra: dict[str, Any] = {"advanced": advanced, **({"unit": unit} if unit else {})}
    return Field(
        default, description=description, json_schema_extra=extra, ge=ge, gt=gt, le=le, lt=lt, min_length=min_length
    )


def port_mark(field: FieldInfo) -> PortMark | None:
    """Return the mark of a pydantic field that is an input port, else None."""
    for meta in field.metadata:
        if isinstance(meta, PortMark):
            return meta
    return _mark_in(field.annotation)


def _mark_in(annotation: Any) -> PortMark | None:
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, PortMark):
            return part
    for part in get_args(annotation):
        mark = None if isinstance(part, (str, int)) else _mark_in(part)
        if mark is not None:
            return mark
    return None
