"""From typed text to a field's value and back, and what is wrong with a value, as text for the form. No Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.inspector.fields import Field, FieldKind
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.engine.api.schema_words import own_words
from quantcrafter.engine.spec import explain

_WHOLE = re.compile(r"[-+]?[0-9]+")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]*,[0-9]{1,2}|[-+]?[0-9]*,[0-9]{4,}")
_PART = re.compile(r"(?:\{[^{}]*\}|[^,{}])+")
_BRACED = re.compile(r"\s*([^:=]+?)\s*[:=]\s*\{([^{}]*)\}\s*")
_MAPPING_ITEM = re.compile(r"\s*([^:=]+?)\s*[:=]\s*(.+?)\s*")


def show(value: Any) -> str:
    """Return a value as a line editor shows it."""
    if value is None or value is UNSET:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004 - exact
    if isinstance(value, (list, tuple)):
        return ", ".join(show(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_inner(item)}" for key, item in value.items())
    return str(value)


def parse(field: Field, text: str) -> Any:
    """Return the value that a typed text means; UNSET for an empty one.

    Raises:
        ValueError: it cannot be of this kind; the message says why.
    """
    text = text.strip()
    if not text:
        return UNSET
    if field.kind is FieldKind.INTEGER:
        return _whole(text)
    if field.kind is FieldKind.NUMBER:
        return number(text)
    if field.kind is FieldKind.LIST:
        return [_item(part.strip()) for part in text.split(",") if part.strip()]
    if field.kind is FieldKind.MAPPING:
        return _mapping(text)
    return text


def _inner(value: Any) -> str:
    """Return a value inside a mapping as a line editor shows it: a mapping in braces."""
    return f"{{{show(value)}}}" if isinstance(value, Mapping) else show(value)


def _mapping(text: str) -> dict[str, Any]:
    """Return the mapping of a text such as `a: 1, b: {c: 2}`.

    Raises:
        ValueError: it is none.
    """
    found = {}
    for part in _PART.findall(text):
        if part.strip():
            braced = _BRACED.fullmatch(part)
            key, value = (braced[1], _mapping(braced[2])) if braced else _pair(part)
            found[key] = value
    return found


def number(text: str) -> int | float:
    """Return a typed number; whole ones stay whole, and a comma may stand for the decimal point.

    Raises:
        ValueError: it is no finite number, or 1,000 could be meant as a thousand or as one.
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if "," in text:
        raise ValueError(tr("Write the number without a thousands separator."))
    try:
        value = int(text) if _WHOLE.fullmatch(text) else float(text)
    except ValueError:
        raise ValueError(tr("This must be a number.")) from None
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN differs from itself
        raise ValueError(tr("This must be a number."))
    return value


def _whole(text: str) -> int:
    value = number(text)
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(tr("This must be a whole number."))
    return int(value)


def _item(text: str) -> Any:
    try:
        return number(text)
    except ValueError:
        return text


def _pair(text: str) -> tuple[str, Any]:
    match = _MAPPING_ITEM.fullmatch(text)
    if match is None:
        raise ValueError(tr("Write pairs such as time: Date, close: Last."))
    return match[1], _item(match[2])


def refusal(field: Field, value: Any, siblings: Mapping[str, Any]) -> str:
    """Return why the field's own model does not take the value beside the other written ones ('' if it does).

    Only findings about the field itself count. A rule over several fields refuses none of them alone: otherwise two
    fields that must change together could never be changed.
    """
    if value is UNSET:
        return tr("A value is required.") if field.required else ""
    try:
        field.owner.model_validate({**siblings, field.name: value})
    except ValidationError as error:
        for details in error.errors(include_url=False, include_context=True):
            if details["loc"][:1] == (field.name,):
                return _reason(field, details)
    return ""


def provider_title(name: str) -> str:
    """Return the heading of the fields that belong to a data provider."""
    return tr("Data provider: {name}", name=name)


def limits(field: Field) -> str:
    """Return the range as text, '' where there is none."""
    low, high = field.low, field.high
    if low is not None and high is not None and field.low_in and field.high_in:
        return tr("{low} to {high}", low=show(low), high=show(high))
    parts = []
    if low is not None:
        parts.append(tr("at least {low}", low=show(low)) if field.low_in else tr("above {low}", low=show(low)))
    if high is not None:
        parts.append(tr("at most {high}", high=show(high)) if field.high_in else tr("below {high}", high=show(high)))
    return ", ".join(parts)


def _reason(field: Field, details: ErrorDetails) -> str:
    kind = details["type"]
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than") and limits(field):
        return tr("Allowed: {limits}.", limits=limits(field))
    if kind == "literal_error" and field.choices:
        return tr("Choose one of {choices}.", choices=", ".join(show(choice) for choice in field.choices))
    if kind in ("missing", "string_too_short", "too_short"):
        return tr("A value is required.")
    if kind == "value_error":
        text = translated(own_words(dict(details)))
        return text[:1].upper() + text[1:] + "."
    return translated(explain(details, field.name))
