"""JSON Schema of the strategy file, made from what is installed, so that editors complete and check it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from quantcrafter.engine.api.catalog import Catalog
from quantcrafter.engine.api.component import NODE_KEYS, Role
from quantcrafter.engine.api.ports import REFERENCE_PATTERN
from quantcrafter.engine.api.settings import (
    CURRENCY_PATTERN,
    Continuous,
    Funding,
    InstrumentMargin,
    RunSettings,
    Spread,
    Swap,
)
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.spec.blocks import BLOCK_SECTIONS, INPUT_TYPES
from quantcrafter.engine.spec.instruments import OWN_FIELDS
from quantcrafter.engine.spec.model import FORMAT_VERSION
from quantcrafter.engine.spec.references import NODE_ID, REFERENCE

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = {"pattern": f"^(?!bars$)({NODE_ID.pattern})$"}


def json_schema(catalog: Catalog) -> Schema:
    """Return the JSON Schema (2020-12) of a whole strategy file.

    Each known `use` and each known data provider brings its fields; an unknown one is permitted with any fields, since
    it may be a block of the file or come from a plugin that is not installed here.
    """
    defs: Schema = {
        "reference": {"type": "string", "pattern": f"^({REFERENCE.pattern})$", "examples": ["bars.close"]},
        "block": _block(),
    }
    defs["instrument"] = _instrument(catalog, defs)
    for role in Role:
        defs[f"node.{role}"] = _node(catalog, role, defs)
    properties: Schema = {
        "quantcrafter": {"const": FORMAT_VERSION, "description": "Version of the format."},
        "name": {"type": ["string", "null"], "description": "What the strategy is called."},
        "description": {"type": ["string", "null"], "description": "What it does, in a sentence or two."},
        "instruments": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/instrument"}},
        "blocks": _named({"$ref": "#/$defs/block"}, "Sub-graphs that are used like components."),
        **{role.value: _section(role) for role in Role},
        "run": _nullable(_model_schema(RunSettings, "run", defs)),
        "layout": _layout(),
        "frames": _frames(),
    }
    return {
        "$schema": _DIALECT,
        "title": "QuantCrafter strategy",
        "type": "object",
        "required": ["quantcrafter", "instruments"],
        "additionalProperties": False,
        "properties": properties,
        "$defs": defs,
    }


def _section(role: Role) -> Schema:
    return _named({"$ref": f"#/$defs/node.{role}"}, f"Nodes by id: {role}.")


def _named(item: Schema, description: str) -> Schema:
    return {
        "type": ["object", "null"],
        "description": description,
        "propertyNames": _ID,
        "additionalProperties": item,
    }


def _position() -> Schema:
    return {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}


def _layout() -> Schema:
    description = "Positions on the canvas by id; without effect on a run."
    return {"type": ["object", "null"], "description": description, "additionalProperties": _position()}


def _frames() -> Schema:
    size = {**_position(), "items": {"type": "number", "exclusiveMinimum": 0}}
    text = {"type": ["string", "null"]}
    frame = {
        "type": "object",
        "required": ["at", "size"],
        "additionalProperties": False,
        "properties": {"text": text, "at": _position(), "size": size, "color": text},
    }
    description = "Boxes with comments behind the nodes of the canvas; without effect on a run."
    return {"type": ["object", "null"], "description": description, "additionalProperties": frame}


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": ["object", "null"]}


def _node(catalog: Catalog, role: Role, defs: Schema) -> Schema:
    """Return the schema of one section's nodes: what each known `use` asks for, anything else as it comes."""
    names = []
    cases = []
    for name in catalog.component_names(role):
        component = catalog.component(role, name)
        if component is None:
            continue
        names.append(name)
        key = f"{role}.{name}"
        schema = _model_schema(component, key, defs)
        schema["properties"] = {**dict.fromkeys(NODE_KEYS, True), **schema.get("properties", {})}
        defs[key] = schema
        cases.append(_when("use", name, {"$ref": f"#/$defs/{_pointer(key)}"}))
    known: Schema = {"anyOf": [{"enum": names}, {"type": "string", "minLength": 1}]} if names else {"type": "string"}
    flag = {"type": ["boolean", "null"]}
    flags = {
        "bypass": {**flag, "description": "Whoever reads this node reads what the node itself reads."},
        "mute": {**flag, "description": "This node gives nothing."},
        "per_instrument": {
            "type": "object",
            "additionalProperties": {"type": ["object", "string"]},
            "description": "Parameters of single instruments: by symbol, or as the name of a value of the instruments.",
        },
    }
    shape: Schema = {"type": "object", "required": ["use"], "properties": {"use": known, **flags}}
    return {**shape, **({"allOf": cases} if cases else {})}


def _when(field: str, value: str, then: Schema) -> Schema:
    return {"if": {"properties": {field: {"const": value}}, "required": [field]}, "then": then}


def _instrument(catalog: Catalog, defs: Schema) -> Schema:
    own: Schema = {
        "symbol": {"type": "string", "minLength": 1},
        "data": {"type": "string", "minLength": 1, "description": "The data provider."},
        "timeframe": {**TypeAdapter(Timeframe).json_schema(), "default": "1d"},
        "market": _market(catalog),
        "tick_size": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "The least step of the price; from the market or the data if left out.",
        },
        "lot_size": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "The least step of the quantity; from the market or the data if left out.",
        },
        "min_quantity": {"type": "number", "minimum": 0, "default": 0},
        "currency": {"type": "string", "pattern": CURRENCY_PATTERN},
        "borrow_percent": {"type": "number", "minimum": 0},
        "kind": {
            "enum": ["spot", "contract"],
            "default": "spot",
            "description": "Whether it is paid for in full, or held on margin: forex, futures, CFD, perpetual.",
        },
        "multiplier": {
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 1,
            "description": "What one unit of a contract earns when its price rises by one.",
        },
        "pip_size": {"type": "number", "exclusiveMinimum": 0, "description": "A pip of its price, such as 0.0001."},
        "buy_duty_percent": {"type": "number", "minimum": 0, "description": "A tax on the value of what is bought."},
        "sell_duty_percent": {"type": "number", "minimum": 0, "description": "A tax on the value of what is sold."},
        "spread": _nullable(_model_schema(Spread, "spread", defs)),
        "funding_percent": {
            "type": "number",
            "minimum": -100,
            "maximum": 100,
            "description": "What long positions pay to short ones every eight hours, of their value.",
        },
        "funding": _nullable(_model_schema(Funding, "funding", defs)),
        "swap": _nullable(_model_schema(Swap, "swap", defs)),
        "expiry": {"type": "string", "format": "date", "description": "The last day on which a contract trades."},
        "quote_unit": {"enum": ["pence", "pounds"], "description": "The unit of prices of London."},
        "tick_table": {"type": "string", "description": "The table that tells ticks by the price, such as hkex."},
        "values": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number"]},
            "description": "What is said of the instrument by names of your own, such as its sector.",
        },
        "universe": _universe(),
        "continuous": _nullable(_model_schema(Continuous, "continuous", defs)),
        "settlement": {
            "enum": ["t+0", "t+1"],
            "description": "Whether what was entered can be closed in the same session, or from the next one on.",
        },
        "price_limit_percent": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 100,
            "description": "How far prices of a session may move from the last close before it; 0 for no limit.",
        },
        "trading_days": {"type": "number", "exclusiveMinimum": 0, "description": "Days of a year on which it trades."},
        "margin": _nullable(_model_schema(InstrumentMargin, "margin", defs)),
        "on_bad_bars": {"enum": ["refuse", "repair"], "default": "refuse"},
    }
    names = []
    cases = []
    for name in catalog.provider_names():
        provider = catalog.provider(name)
        if provider is None:
            continue
        names.append(name)
        schema = _model_schema(provider, f"provider.{name}", defs)
        schema["properties"] = {**schema.get("properties", {}), **dict.fromkeys(OWN_FIELDS, True)}
        schema["required"] = [field for field in schema.get("required", []) if field not in OWN_FIELDS]
        cases.append(_when("data", name, schema))
    if names:
        own["data"] = {"anyOf": [{"enum": names}, own["data"]], "description": "The data provider."}
    return {
        "type": "object",
        "required": ["data"],
        "oneOf": [{"required": ["symbol"]}, {"required": ["universe"]}],
        "properties": own,
        **({"allOf": cases} if cases else {}),
    }


def _universe() -> Schema:
    symbols: Schema = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
    kinds: Schema = {
        "symbols": symbols,
        "file": {"type": "string", "description": "A CSV file with a column symbol, or a text with one in each line."},
        "files": {"type": "string", "description": "Data files, such as bars/*.csv; each name is a symbol."},
        "query": {
            "type": "string",
            "description": "A pattern for the symbols that the data provider knows, such as *.",
        },
    }
    mapping = {
        "type": "object",
        "additionalProperties": False,
        "properties": {**kinds, "exclude": {"type": "array", "items": {"type": "string"}}},
        "oneOf": [{"required": [name]} for name in kinds],
    }
    description = "Several instruments with the same settings: their symbols, or where they come from."
    return {"anyOf": [symbols, mapping], "description": description}


def _market(catalog: Catalog) -> Schema:
    known = {"enum": [market.name for market in catalog.markets]}
    description = "What it brings: hours and holidays, tick, lot, currency, trading days; see docs/markets.md."
    return {"anyOf": [known, {"type": "string", "minLength": 1}], "description": description}


def _block() -> Schema:
    default = {"type": ["string", "number", "null"]}
    kind = {"enum": list(INPUT_TYPES)}
    wired = {
        "type": "object",
        "required": ["type"],
        "additionalProperties": False,
        "properties": {"type": kind, "default": default, "description": {"type": "string"}},
    }
    field = {"type": "string", "pattern": rf"^{NODE_ID.pattern}\.{NODE_ID.pattern}$"}
    sections = {name: _section(Role(name)) for name in BLOCK_SECTIONS}
    return {
        "type": "object",
        "required": ["outputs"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": ["string", "null"]},
            "inputs": _named({"anyOf": [kind, wired]}, "What the block is wired to: name and type."),
            "parameters": _named({"anyOf": [field, {"type": "array", "items": field}]}, "Fields of inner nodes."),
            "outputs": _named({"$ref": "#/$defs/reference"}, "What the block gives: name and inner reference."),
            **sections,
            "layout": _layout(),
            "frames": _frames(),
        },
    }


def _model_schema(model: type[BaseModel], key: str, defs: Schema) -> Schema:
    """Return a model's schema without ballast; its own definitions move to `defs`, named after `key`."""
    schema = model.model_json_schema()
    for name, definition in schema.pop("$defs", {}).items():
        defs[f"{key}.{name}"] = _compact(definition, key)
    made: Schema = _compact(schema, key)
    return made


def _compact(node: Any, key: str) -> Any:
    """Drop titles, share the pattern of references, and point to the definitions where they are now."""
    if isinstance(node, list):
        return [_compact(item, key) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("pattern") == REFERENCE_PATTERN:
        return {"$ref": "#/$defs/reference", **{k: v for k, v in node.items() if k in ("description", "default")}}
    made: Schema = {}
    for name, value in node.items():
        if name == "properties":
            made[name] = {field: _compact(item, key) for field, item in value.items()}
        elif name == "$ref":
            made[name] = f"#/$defs/{_pointer(key)}.{value.removeprefix('#/$defs/')}"
        elif name in ("default", "const", "enum", "examples"):
            made[name] = value
        elif name not in ("title", "advanced"):
            made[name] = _compact(value, key)
    return made


def _pointer(key: str) -> str:
    """Return a key as a JSON pointer inside a URI fragment has it."""
    return quote(key.replace("~", "~0").replace("/", "~1"))
