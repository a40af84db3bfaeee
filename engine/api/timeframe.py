"""Timeframes and durations as users write them: `1m`, `15m`, `4h`, `1d`, `1w`, `1mo`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from quantcrafter.engine.api.message import Message

_UNIT_NS = {
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_TIMEFRAME = re.compile(r"^([1-9][0-9]{0,4})(s|m|h|d|w|mo)$")
_DURATION = re.compile(r"^([0-9]{1,9})(s|m|h|d|w)$")


@dataclass(frozen=True, slots=True)
class Timeframe:
    """The length of a bar: a count and a unit out of s, m, h, d, w, mo (calendar month)."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: object) -> Timeframe:
        """Return the timeframe that `text` names.

        Raises:
            ValueError: `text` is not a timeframe.
        """
        if isinstance(text, Timeframe):
            return text
        match = _TIMEFRAME.match(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(
                Message(
                    "a timeframe is a count and a unit such as 1m, 15m, 4h, 1d, 1w or 1mo, was {text}", text=repr(text)
                )
            )
        return cls(int(match[1]), match[2])

    @property
    def is_intraday(self) -> bool:
        """Whether several bars fit into one day's session."""
        return self.unit in ("s", "m", "h")

    @property
    def nominal_ns(self) -> int:
        """Length in nanoseconds; a month counts as 30 days."""
        return self.count * (30 * _UNIT_NS["d"] if self.unit == "mo" else _UNIT_NS[self.unit])

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": _TIMEFRAME.pattern, "examples": ["1m", "1h", "1d", "1w"]}


def parse_duration(text: object) -> str:
    """Return `text` if it is a duration such as `30m` or `2h`.

    Raises:
        ValueError: `text` is not a duration.
    """
    if not isinstance(text, str) or _DURATION.match(text) is None:
        raise ValueError(Message("a duration is a count and a unit such as 30m, 2h or 1d, was {text}", text=repr(text)))
    return text


def duration_ns(text: str) -> int:
    """Return the nanoseconds of a duration such as `30m`."""
    match = _DURATION.match(parse_duration(text))
    return int(match[1]) * _UNIT_NS[match[2]] if match else 0


Duration = Annotated[str, BeforeValidator(parse_duration)]
