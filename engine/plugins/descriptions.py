"""What there is to know about a component or data provider, as plain data for tables and JSON."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import BaseModel, TypeAdapter

from quantcrafter.engine.api import Component, Role
from quantcrafter.engine.plugins.example import example_lines, example_values
from quantcrafter.engine.plugins.registry import Registry

SOURCES = "sources"
"""The section of data providers, which are no nodes but stand in a strategy file all the same."""

_NO_LIMIT = 1e30
_COLUMN_ROLES = (Role.INDICATOR, Role.LOGIC, Role.ADVISOR, Role.FILTER)
_LIMITS = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "above"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "below"),
)


def sections() -> tuple[str, ...]:
    """Return the sections in the order of a strategy file: every role, then the data providers."""
    return (*(str(role) for role in Role), SOURCES)


def find(registry: Registry, name: str, section: str | None = None) -> list[tuple[str, type[BaseModel]]]:
    """Return the section and class of everything of that name."""
    found: list[tuple[str, type[BaseModel]]] = []
    for role in Role:
        component = registry.component(role, name) if section in (None, str(role)) else None
        if component is not None:
            found.append((str(role), component))
    provider = registry.provider(name) if section in (None, SOURCES) else None
    if provider is not None:
        found.append((SOURCES, provider))
    return found


def names(registry: Registry, section: str) -> tuple[str, ...]:
    """Return the names in a section."""
    return registry.provider_names() if section == SOURCES else registry.component_names(Role(section))


def headline(cls: type[BaseModel]) -> str:
    """Return the first sentence of the help."""
    paragraph = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0]
    sentence, stop, _ = " ".join(paragraph.split()).partition(". ")
    return sentence + stop.strip()


def describe(registry: Registry, section: str, cls: type[BaseModel]) -> dict[str, Any]:
    """Return everything about a component or provider: ports, parameters, outputs, warm-up, help, example."""
    name = str(getattr(cls, "name", cls.__name__))
    facts: dict[str, Any] = {
        "name": name,
        "role": section,
        "category": getattr(cls, "category", ""),
        "plugin": registry.owner("data_providers" if section == SOURCES else section, name),
        "help": inspect.cleandoc(cls.__doc__ or ""),
        "formula_source": getattr(cls, "formula_source", ""),
        "inputs": [],
        "parameters": parameters(cls),
        "outputs": [],
        "warmup": None,
        "lookback": None,
        "example": "\n".join(example_lines(section, cls)),
    }
    if issubclass(cls, Component):
        facts["inputs"] = inputs(cls)
        facts["outputs"] = [
            {"name": output.name, "type": str(output.type), "description": output.description} for output in cls.outputs
        ]
        facts["warmup"], facts["lookback"] = memory(cls)
    return facts


def parameters(cls: type[BaseModel]) -> list[dict[str, Any]]:
    """Return every parameter with its type, default, range, choices and unit."""
    ports = {port.name for port in cls.inputs()} if issubclass(cls, Component) else set()
    schema = cls.model_json_schema()
    definitions = schema.get("$defs", {})
    found = []
    for name, field in cls.model_fields.items():
        if name in ports:
            continue
        own = schema["properties"].get(field.alias or name, {})
        found.append(
            {
                "name": name,
                "type": type_words(own, definitions),
                "required": field.is_required(),
                "default": None
                if field.is_required()
                else _plain_default(field.get_default(call_default_factory=True)),
                "range": range_words(own),
                "unit": own.get("unit", ""),
                "advanced": bool(own.get("advanced", False)),
                "description": field.description or "",
            }
        )
    return found


def type_words(schema: dict[str, Any], definitions: dict[str, Any]) -> str:  # noqa: PLR0911 - a table of cases
    """Return a JSON Schema's type as text: `integer`, `long | short`, `list of text`."""
    if "$ref" in schema:
        return type_words(definitions.get(schema["$ref"].rpartition("/")[2], {}), definitions)
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            options = [type_words(option, definitions) for option in schema[union] if option.get("type") != "null"]
            return " | ".join(dict.fromkeys(options))
    kind = schema.get("type", "any")
    if kind == "array":
        items = schema.get("items") or {}
        return f"list of {type_words(items, definitions)}" if items else "list"
    if kind == "string":
        return str(schema.get("format", "text"))
    return {"object": "mapping", "boolean": "true | false"}.get(kind, str(kind))


def range_words(schema: dict[str, Any]) -> str:
    """Return the limits as text, such as `2 to 100000` or `above 0`."""
    options = [schema, *schema.get("anyOf", ())]
    limits = {
        key: option[key] for key, _ in _LIMITS for option in options if key in option and abs(option[key]) < _NO_LIMIT
    }
    if set(limits) == {"minimum", "maximum"}:
        return f"{_number(limits['minimum'])} to {_number(limits['maximum'])}"
    return ", ".join(f"{words} {_number(limits[key])}" for key, words in _LIMITS if key in limits)


def _number(value: float) -> str:
    return f"{value:g}" if value % 1 else f"{int(value)}"


def inputs(cls: type[Component]) -> list[dict[str, Any]]:
    """Return every input port with its type, default and description."""
    return [
        {
            "name": port.name,
            "type": str(port.type),
            "many": port.many,
            "required": port.required,
            "default": None if port.required else _plain_default(cls.model_fields[port.name].default),
            "description": port.description,
        }
        for port in cls.inputs()
    ]


def memory(cls: type[Component]) -> tuple[int | None, int | None]:
    """Return warm-up and lookback with the parameters of the example, or None where they cannot be told."""
    if cls.role not in _COLUMN_ROLES:
        return None, None
    try:
        component = cls.model_validate(example_values(cls))
        return component.warmup(), component.lookback()
    except Exception:  # noqa: BLE001 - a plugin's class; the rest of its description is still worth showing
        return None, None


def _plain_default(value: Any) -> Any:
    return TypeAdapter(Any).dump_python(value, mode="json") if value is not None else None
