"""The fields of a form, read from a pydantic model, with kind, range, choices, unit and help. No Qt."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from quantcrafter.app.services.i18n import translated
from quantcrafter.engine.api import PortType, Timeframe
from quantcrafter.engine.api.ports import PathMark, port_mark
from quantcrafter.engine.api.timeframe import parse_duration

_NO_LIMIT = 1e30
_SHORT_UNIT = 4


class FieldKind(StrEnum):
    """Which editor a field wants."""

    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXT = "text"
    LONG_TEXT = "long_text"
    PATH = "path"
    DURATION = "duration"
    TIMEFRAME = "timeframe"
    DATE = "date"
    LIST = "list"
    MAPPING = "mapping"
    REFERENCE = "reference"
    REFERENCES = "references"


_SUGGESTIONS = {
    FieldKind.TIMEFRAME: ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo"),
    FieldKind.DURATION: ("0m", "15m", "30m", "1h", "2h", "4h", "1d"),
}


@dataclass(frozen=True)
class Field:
    """One field of a form.

    `name` is the field in its `owner` model; `path` is where the value stands below the form's subject, the name
    itself for a plain field. `suggestions` are offered, but others may be typed. `low` and `high` are the ends of the
    range, None where open; `low_in` and `high_in` tell whether the end itself is allowed. `default` is a plain value,
    and means nothing where `required`. `optional` tells that it may be left out for good. `group` is the title of the
    nested part it belongs to. `unavailable` are further choices that cannot be made yet, each with what brings it;
    `barred` are those that cannot be made as things are, each with why.
    """

    name: str
    path: tuple[str, ...]
    owner: type[BaseModel]
    kind: FieldKind
    help: str = ""
    unit: str = ""
    required: bool = False
    optional: bool = False
    advanced: bool = False
    default: Any = None
    low: float | None = None
    high: float | None = None
    low_in: bool = True
    high_in: bool = True
    choices: tuple[Any, ...] = ()
    port: PortType | None = None
    numbers: bool = False
    group: str = ""
    suggestions: tuple[str, ...] = ()
    unavailable: tuple[tuple[str, str], ...] = ()
    barred: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The name in the file as people write it: `slope_bars` is `Slope bars`."""
        return words(self.path[-1])

    @property
    def has_short_unit(self) -> bool:
        """Whether the unit fits beside the number in its box; a longer one stands with the label."""
        return len(self.unit) <= _SHORT_UNIT

    @property
    def is_port(self) -> bool:
        """Whether it is an input port."""
        return self.port is not None


def words(name: str) -> str:
    """Return a name of the file as a label: `slope_bars` is `Slope bars`; translated where it is known."""
    return translated(plain_words(name))


def plain_words(name: str) -> str:
    """Return a name of the file as an English label."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


@cache
def fields_of(model: type[BaseModel], prefix: tuple[str, ...] = (), group: str = "") -> tuple[Field, ...]:
    """Return the fields of a model in the order of declaration; those of nested models come with a longer path."""
    return tuple(_fields(model, prefix, group))


def _fields(model: type[BaseModel], prefix: tuple[str, ...], group: str) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from fields_of(inner, (*prefix, name), words(name))
        else:
            yield _field(model, name, info, (*prefix, name), group)


def _field(model: type[BaseModel], name: str, info: FieldInfo, path: tuple[str, ...], group: str) -> Field:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    bare, metadata = _unwrapped(info)
    mark = port_mark(info)
    low, low_in = _limit(metadata, annotated_types.Ge, "ge"), True
    if low is None:
        low, low_in = _limit(metadata, annotated_types.Gt, "gt"), False
    high, high_in = _limit(metadata, annotated_types.Le, "le"), True
    if high is None:
        high, high_in = _limit(metadata, annotated_types.Lt, "lt"), False
    kind = FieldKind.LONG_TEXT if extra.get("long") else _kind(name, bare, metadata)
    if mark is not None:
        kind = FieldKind.REFERENCES if mark.many else FieldKind.REFERENCE
    return Field(
        name=name,
        path=path,
        owner=model,
        kind=kind,
        help=info.description or "",
        unit=str(extra.get("unit", "")),
        required=info.is_required(),
        optional=not info.is_required() and info.default is None,
        advanced=bool(extra.get("advanced", False)),
        default=None if info.is_required() else plain(info.get_default(call_default_factory=True)),
        low=low,
        high=high,
        low_in=low_in,
        high_in=high_in,
        choices=_choices(bare),
        port=mark.type if mark else None,
        numbers=mark is not None and _takes_numbers(info.annotation),
        group=group,
        suggestions=_SUGGESTIONS.get(kind, ()),
    )


def plain(value: Any) -> Any:
    """Return a field's value as a strategy file writes it."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (Timeframe, date)):
        return str(value)
    return value


def _unwrapped(info: FieldInfo) -> tuple[Any, list[Any]]:
    """Return the annotation without None and Annotated, and everything that annotates it."""
    annotation, metadata = info.annotation, list(info.metadata)
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata += more
            continue
        parts = [part for part in get_args(annotation) if part is not type(None)]
        if get_origin(annotation) in (Union, types.UnionType) and len(parts) == 1:
            annotation = parts[0]
            continue
        return annotation, metadata


def _kind(name: str, bare: Any, metadata: list[Any]) -> FieldKind:  # noqa: PLR0911 - a table of cases
    origin = get_origin(bare)
    if origin is Literal:
        return FieldKind.CHOICE
    if origin in (tuple, list):
        return FieldKind.CHOICES if _choices(bare) else FieldKind.LIST
    if origin is dict:
        return FieldKind.MAPPING
    if any(isinstance(mark, PathMark) for mark in metadata) or (bare is str and name == "path"):
        return FieldKind.PATH
    if any(isinstance(mark, BeforeValidator) and mark.func is parse_duration for mark in metadata):
        return FieldKind.DURATION
    members = get_args(bare) if origin in (Union, types.UnionType) else (bare,)
    if all(isinstance(member, type) and issubclass(member, date) for member in members if member is not type(None)):
        return FieldKind.DATE
    simple = {
        bool: FieldKind.FLAG,
        int: FieldKind.INTEGER,
        float: FieldKind.NUMBER,
        Timeframe: FieldKind.TIMEFRAME,
    }
    return simple.get(bare, FieldKind.TEXT)


def _choices(bare: Any) -> tuple[Any, ...]:
    if get_origin(bare) is Literal:
        return get_args(bare)
    if get_origin(bare) in (tuple, list):
        item = get_args(bare)[:1]
        return get_args(item[0]) if item and get_origin(item[0]) is Literal else ()
    return ()


def _limit(metadata: list[Any], mark: type, attribute: str) -> float | None:
    found = next((getattr(entry, attribute) for entry in metadata if isinstance(entry, mark)), None)
    return found if found is not None and abs(found) < _NO_LIMIT else None


def _takes_numbers(annotation: Any) -> bool:
    if annotation is float:
        return True
    return any(_takes_numbers(part) for part in get_args(annotation) if not isinstance(part, (str, int)))
