from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from quantcrafter.engine.api import Component, Indicator, SeriesInput, param, port
from quantcrafter.engine.spec.schema import json_schema
from tests.support.spec_catalog import TinyCatalog, plain_file

SCHEMA = json_schema(TinyCatalog())
VALIDATOR = Draft202012Validator(SCHEMA)
INSTRUMENT = {"symbol": "A", "data": "sample"}
CROSS = {"use": "crossover", "fast": 1, "slow": 2}
BLOCK = {
    "description": "d",
    "inputs": {"price": {"type": "series", "default": "bars.close"}, "other": "condition"},
    "parameters": {"period": "ema.timeperiod", "both": ["ema.timeperiod", "x.y"]},
    "outputs": {"line": "ema"},
    "indicators": {"ema": {"use": "ta.SMA", "input": "price"}},
}


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"indicators": {"x": {"use": "from_a_plugin", "anything": [1]}}},
        {"instruments": [{"symbol": "A", "data": "elsewhere", "key": 1}]},
        {"indicators": {"x": {"use": "range", "bars": "weekly", "others": ["a.b", 3]}}},
        {"blocks": {"trend": BLOCK}, "logic": {"t": {"use": "trend", "period": 3}}},
        {"run": None, "layout": None, "name": "n"},
        {"frames": {"f": {"text": "Entry", "at": [0, 0], "size": [9, 9], "color": "red"}}, "layout": {"bars": [1, 2]}},
        {"advisors": {"c": {**CROSS, "bypass": True, "mute": False}}},
        {"blocks": {"trend": {**BLOCK, "layout": {"ema": [0, 0]}, "frames": {}}}},
    ],
)
def test_a_valid_file_passes(changes: dict[str, Any]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(plain_file(**changes))] == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"quantcrafter": 2}, ["quantcrafter"]),
        ({"indcators": {}}, []),
        ({"instruments": []}, ["instruments"]),
        ({"instruments": [{"symbol": "A"}]}, ["instruments", 0]),
        ({"instruments": [{**INSTRUMENT, "adjust": "often"}]}, ["instruments", 0, "adjust"]),
        ({"instruments": [{**INSTRUMENT, "ajust": "none"}]}, ["instruments", 0]),
        ({"instruments": [{**INSTRUMENT, "timeframe": "daily"}]}, ["instruments", 0, "timeframe"]),
        ({"instruments": [{**INSTRUMENT, "tick_size": 0}]}, ["instruments", 0, "tick_size"]),
        ({"indicators": {"x": {"input": "bars.close"}}}, ["indicators", "x"]),
        ({"indicators": {"x": {"use": "ta.SMA"}}}, ["indicators", "x"]),
        ({"indicators": {"x": {"use": "ta.SMA", "input": "bars.close", "timeperod": 5}}}, ["indicators", "x"]),
        ({"indicators": {"x": {"use": "ta.SMA", "input": "a", "timeperiod": 1}}}, ["indicators", "x", "timeperiod"]),
        ({"indicators": {"x": {"use": "range", "bars": "a b"}}}, ["indicators", "x", "bars"]),
        ({"indicators": {"bars": {"use": "range"}}}, ["indicators"]),
        ({"indicators": {"a b": {"use": "range"}}}, ["indicators"]),
        ({"advisors": {"c": {**CROSS, "nested": {"levl": 2}}}}, ["advisors", "c", "nested"]),
        ({"run": {"cash": -1}}, ["run", "cash"]),
        ({"run": {"commission": {"pct": 1}}}, ["run", "commission"]),
        ({"layout": {"fast": [1]}}, ["layout", "fast"]),
        ({"blocks": {"trend": {**BLOCK, "inputs": {"p": "number"}}}}, ["blocks", "trend", "inputs", "p"]),
        ({"blocks": {"trend": {**BLOCK, "execution": {}}}}, ["blocks", "trend"]),
    ],
)  # fmt: skip
def test_an_invalid_file_is_refused_at_the_right_place(changes: dict[str, Any], where: list[str | int]) -> None:
    errors = list(VALIDATOR.iter_errors(plain_file(**changes)))
    assert where in [list(error.absolute_path) for error in errors]


def test_a_field_that_is_called_title_survives() -> None:
    nested = SCHEMA["$defs"]["advisors.crossover.Nested"]
    assert list(nested["properties"]) == ["title", "level"]


def test_two_hundred_components_stay_small() -> None:
    def make(number: int) -> type[Component]:
        class Made(Indicator):
            """Compute something, described in a sentence or two of help that an editor may show."""

            name = f"ta.N{number}"
            input: SeriesInput = port("The input.")
            first: int = param("Number of periods.", default=30, ge=2, le=100_000)
            second: float = param("Deviations.", default=2.0, ge=-3, le=3)
            third: int = param("Kind of average.", default=0, ge=0, le=8)

        return Made

    catalog = TinyCatalog(*(make(number) for number in range(200)))
    schema = json_schema(catalog)
    assert len(json.dumps(schema)) < 300_000
    node = {"use": "ta.N7", "input": "bars.close", "first": 1}
    errors = Draft202012Validator(schema).iter_errors(plain_file(indicators={"x": node}))
    assert [list(error.absolute_path) for error in errors] == [["indicators", "x", "first"]]
