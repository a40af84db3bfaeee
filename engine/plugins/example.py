"""A small YAML example of a component, made from its schema, so that it is valid whatever the component is."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from quantcrafter.engine.api import Component, DataProvider, InputPort, PortType

_SINGLE = {
    PortType.BARS: "bars",
    PortType.SERIES: "bars.close",
    PortType.CONDITION: "is_rising",
    PortType.SIGNAL: "cross",
    PortType.MONEY: "size",
}
_MANY = {
    PortType.SERIES: ["fast", "slow"],
    PortType.CONDITION: ["is_rising", "is_liquid"],
    PortType.SIGNAL: ["cross", "dip"],
    PortType.FILTER: ["hours"],
    PortType.RISK: ["stop"],
}
_SHOWN_DEFAULTS = 4
_WIDTH = 76
_TIMEFRAME = re.compile(r"^[0-9]+(s|m|h|d|w|mo)$")


def example_values(cls: type[BaseModel]) -> dict[str, Any]:
    """Return values for every required port and parameter, and the defaults of the first few plain parameters.

    Where these alone are not accepted, such as by a rule that needs one of several distances or ports, a number that is
    0 is raised to 1, or else optional ports and parameters are added until they are.
    """
    values = _least_values(cls)
    if not _accepted(cls, values):
        raised = ({**values, name: 1} for name, field in cls.model_fields.items() if _is_zero(field.default))
        values = next((each for each in raised if _accepted(cls, each)), values)
    trial = dict(values)
    for name, value in _optional_values(cls).items():
        if _accepted(cls, trial):
            break
        trial.setdefault(name, value)
    chosen = trial if _accepted(cls, trial) else values
    return {name: chosen[name] for name in cls.model_fields if name in chosen}


def _optional_values(cls: type[BaseModel]) -> dict[str, Any]:
    """Return a value for every port, and for every parameter that is None or an empty list by default."""
    schema = cls.model_json_schema()
    properties, definitions = schema.get("properties", {}), schema.get("$defs", {})
    ports = cls.inputs() if issubclass(cls, Component) else ()
    found = {port.name: _reference(port, several=False) for port in ports}
    for name, field in cls.model_fields.items():
        if name not in found and (field.default is None or field.default == ()):
            found[name] = _required(name, properties.get(name, {}), definitions)
    return found


def _accepted(cls: type[BaseModel], values: dict[str, Any]) -> bool:
    try:
        cls.model_validate(values)
    except ValidationError:
        return False
    return True


def _least_values(cls: type[BaseModel]) -> dict[str, Any]:
    ports = {port.name: port for port in cls.inputs()} if issubclass(cls, Component) else {}
    lines = [port for port in ports.values() if port.type is PortType.SERIES and not port.many]
    schema = cls.model_json_schema()
    properties, definitions = schema.get("properties", {}), schema.get("$defs", {})
    values: dict[str, Any] = {}
    shown = 0
    for name, field in cls.model_fields.items():
        own = properties.get(name, {})
        if name in ports:
            if field.is_required():
                values[name] = _reference(ports[name], several=len(lines) > 1)
            elif isinstance(field.default, str):
                values[name] = field.default
        elif field.is_required():
            values[name] = _required(name, own, definitions)
        elif _is_plain(field.default) and not own.get("advanced") and shown < _SHOWN_DEFAULTS:
            values[name] = field.default
            shown += 1
    return values


def example_lines(section: str, cls: type[BaseModel], width: int = _WIDTH) -> list[str]:
    """Return the example as lines of YAML: two if the second is no wider than `width`, else one a value."""
    name = str(getattr(cls, "name", ""))
    values = example_values(cls)
    if issubclass(cls, DataProvider):
        heading, key = "instruments:", "  - "
        entries = {"symbol": "AAPL", "data": name, "timeframe": "1d", **values}
    else:
        heading, key = f"{section}:", f"  my_{name.rpartition('.')[2].lower()}: "
        entries = {"use": name, **values}
    flow = ", ".join(f"{entry}: {_scalar(value, in_flow=True)}" for entry, value in entries.items())
    if len(key) + len(flow) + 2 <= width:
        return [heading, f"{key}{{{flow}}}"]
    block = [f"{entry}: {_scalar(value)}" for entry, value in entries.items()]
    if key == "  - ":
        return [heading, *(f"{'  - ' if i == 0 else '    '}{line}" for i, line in enumerate(block))]
    return [heading, key.rstrip(), *(f"    {line}" for line in block)]


def _reference(port: InputPort, *, several: bool) -> Any:
    if port.many:
        return _MANY.get(port.type, [port.name])
    if several and port.type is PortType.SERIES:
        return {"input": "bars.close", "input0": "bars.close", "input1": "other"}.get(port.name, port.name)
    return _SINGLE.get(port.type, port.name)


def _required(name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """Return a value that the schema of a required parameter takes."""
    if "$ref" in schema:
        return _required(name, definitions.get(schema["$ref"].rpartition("/")[2], {}), definitions)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return _required(name, options[0], definitions)
    listed = [*schema.get("examples", ()), *schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]
    if listed:
        return listed[0]
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    if kind == "array":
        return [_required(name, schema.get("items") or {}, definitions)] * max(1, schema.get("minItems", 1))
    return {"boolean": True, "object": {}}.get(str(kind), _text(name))


def _text(name: str) -> str:
    return {
        "start": "09:45",
        "end": "15:30",
        "symbol": "SPY",
        "symbols": "SPY",
        "path": "my.csv",
        "formula": "a * 2",
    }.get(name, name)


def _number(schema: dict[str, Any], *, whole: bool) -> float:
    """Return a modest number within the limits: the lower one or 10, whichever is more."""
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = 1 if "exclusiveMinimum" in schema else 0
    value = max(10, low + step)
    if high is not None and value >= high:
        value = low + step if low + step < high else (low + high) / 2
    return int(value) if whole else value


def _is_plain(value: object) -> bool:
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and bool(value))


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


def _scalar(value: Any, *, in_flow: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_scalar(item, in_flow=True) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_scalar(item, in_flow=True)}" for key, item in value.items()) + "}"
    if isinstance(value, str) and not _safe(value, in_flow=in_flow):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _safe(text: str, *, in_flow: bool) -> bool:
    """Return whether YAML reads the bare text as that same text."""
    if text.lower() in ("true", "false", "null", "yes", "no", "on", "off", "~", ""):
        return False
    if _TIMEFRAME.match(text):
        return True
    bare = all(c.isalnum() or c in "_.-/ " for c in text) and text[0].isalpha() and text == text.strip()
    return bare and not (in_flow and "," in text)
