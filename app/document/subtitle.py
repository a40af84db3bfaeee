"""The one line that sums a node up: its key parameters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from quantcrafter.app.document.view import PortView
from quantcrafter.app.services.i18n import translated
from quantcrafter.engine.api import Component

MAX_PARTS = 3
MAX_CHARS = 28


def subtitle(values: dict[str, Any], component: type[Component] | None, inputs: Sequence[PortView]) -> str:
    """Return up to three values on one line, such as `14 · close`: what differs from the default comes first."""
    ports = {port.name for port in inputs}
    if component is None:
        written = [
            value for key, value in values.items() if key not in ("use", "bypass", "mute", "per_instrument", *ports)
        ]
        return _line([_shown(value) for value in written])
    changed: list[str] = []
    rest: list[str] = []
    for name, default, unit in _parameters(component):
        value = values.get(name, default)
        (changed if name in values and value != default else rest).append(_shown(value, unit))
    source = [_source(values[name]) for name in ports if isinstance(values.get(name), str)]
    parts = [part for part in (changed or rest[:2]) if part]
    bars = [text for text in source if text]
    return _line([*parts, *bars[:1]])


def _source(text: str) -> str:
    head, _, column = text.partition(".")
    return column if head == "bars" else ""


@lru_cache(maxsize=4096)
def _parameters(component: type[Component]) -> tuple[tuple[str, Any, str], ...]:
    """Return names, defaults and units (bars go without saying) of the parameters that are not advanced."""
    found = []
    for name in component.parameters():
        field = component.model_fields[name]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if not extra.get("advanced"):
            unit = extra.get("unit")
            default = None if field.is_required() else field.get_default()
            found.append((name, default, unit if isinstance(unit, str) and unit != "bars" else ""))
    return tuple(found)


def _shown(value: Any, unit: str = "") -> str:
    if value is None or isinstance(value, (dict, list, tuple)):
        return ""
    if isinstance(value, bool):
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} {translated(unit)}" if unit and text else text


def _line(parts: Sequence[str]) -> str:
    text = " · ".join([part for part in parts if part][:MAX_PARTS])
    return text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - 1].rstrip()}…"
