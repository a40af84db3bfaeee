"""Values for a component's or provider's fields, drawn from its own schema: within its ranges, or at their edges."""

from __future__ import annotations

import random
from typing import Any

from pydantic import BaseModel, ValidationError

from quantcrafter.engine.api import Component

TIMEFRAMES = ("1d", "1d", "1w", "1mo", "4h", "1h", "15m", "1m")
DATES = ("1400-01-01", "1900-01-01", "1999-12-31", "2005-06-30", "2010-01-04", "2012-02-29", "2199-12-31", "9999-12-31")
CLOCKS = ("00:00", "09:45", "12:00", "15:30", "23:59", "24:00", "9:5")
EDGES = (0, 1, -1, 2, 3, 0.5, 1e-9, 1e9, 1e18, 1e300, -1e300, 5e-324, 99_999, 100_000, 100_001, 2**31, 2**53)
_TEXTS = {
    "path": ("prices.csv", "prices.csv", "events.csv", "missing.csv"),
    "start": CLOCKS,
    "end": CLOCKS,
    "timezone": ("America/New_York", "Asia/Tokyo", "UTC", "Mars/Base"),
    "symbol": ("AAPL", "IBM", "MSFT"),
    "session": ("24x7", "us_stocks"),
    "timeframe": TIMEFRAMES,
    "start_date": DATES,
    "before": ("0m", "30m", "2d"),
    "after": ("0m", "1h", "400w"),
    "days": ("mon", "tue", "fri"),
    "within": ("", "sector"),
    "group": ("", "", "red"),
}


def parameters(cls: type[BaseModel], rng: random.Random, *, often: float = 0.4) -> dict[str, Any]:
    """Return values for the required parameters of a class and, each with chance `often`, for the others; no ports."""
    schema = cls.model_json_schema()
    ports = {port.name for port in cls.inputs()} if issubclass(cls, Component) else set()
    found = {}
    for name, field in cls.model_fields.items():
        if name not in ports and (field.is_required() or rng.random() < often):
            found[name] = value(name, schema["properties"].get(name, {}), schema.get("$defs", {}), rng)
    return found


def value(  # noqa: PLR0911 - a table of cases
    name: str, schema: dict[str, Any], definitions: dict[str, Any], rng: random.Random, *, edge: float = 0.15
) -> Any:
    """Return a value that a field's schema allows for the most part; `edge` is the chance of one at a limit."""
    if "$ref" in schema:
        return value(name, definitions[schema["$ref"].rpartition("/")[2]], definitions, rng, edge=edge)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return value(name, rng.choice(options), definitions, rng, edge=edge)
    if "enum" in schema or "const" in schema:
        return rng.choice(schema.get("enum") or [schema["const"]])
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        return number(schema, rng, edge=edge)
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "array":
        count = rng.randint(schema.get("minItems", 0), max(schema.get("minItems", 0), 3))
        return [value(name, schema.get("items") or {}, definitions, rng, edge=edge) for _ in range(count)]
    if kind == "object":
        inner = schema.get("properties", {})
        return {key: value(key, inner[key], definitions, rng, edge=edge) for key in inner if rng.random() < 0.4}
    if kind == "null":
        return None
    return rng.choice(_TEXTS.get(name) or schema.get("examples") or (name, "x", "1d", "2020-01-31"))


def number(schema: dict[str, Any], rng: random.Random, *, edge: float) -> float:
    """Return a number of the schema's range: mostly a usual one, else its ends and what lies just next to them."""
    whole = schema.get("type") == "integer"
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 100))
    if rng.random() < edge:
        step = 1 if whole else 1e-9
        picked = rng.choice((low, high, low + step, high - step, low - step, high + step))
    else:
        top = min(high, low + 60)
        picked = rng.randint(int(low) + 1, max(int(low) + 1, int(top))) if whole else rng.uniform(low, top)
        picked = picked if whole else round(picked, rng.choice((0, 1, 2, 6))) or top
    return int(picked) if whole and abs(picked) < 1e18 else picked


def accepted(cls: type[BaseModel], values: dict[str, Any]) -> bool:
    """Return whether the class takes the values."""
    try:
        cls.model_validate(values)
    except ValidationError:
        return False
    return True
