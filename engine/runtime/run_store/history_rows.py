"""How a run stands in the history's table, and what is made of a row that is damaged."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.run_store.record import RunRecord
from quantcrafter.engine.storage import Schema

if TYPE_CHECKING:
    from sqlite_utils import Database

TEXT = ("id", "started", "strategy", "engine", "mode", "file", "spec_text", "spec_hash", "data_hash")
NUMBERS = ("bars", "warmup", "synthetic", "pinned")
JSON = ("symbols", "overrides", "metrics", "settings", "timing")
COLUMNS = (*TEXT, *NUMBERS, *JSON)
_DECLARED = (
    *(f"{name} TEXT NOT NULL" for name in (*TEXT[1:], *JSON)),
    *(f"{name} INTEGER NOT NULL DEFAULT 0" for name in NUMBERS),
)
_LONGEST_SHOWN = 40


def _let_runs_be_pinned(database: Database) -> None:
    database["runs"].add_column("pinned", int, not_null_default=0)  # type: ignore[union-attr] # it is a table


SCHEMA = Schema(
    version=2,
    tables={
        "runs": f"CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, {', '.join(_DECLARED)})",
    },
    steps={1: _let_runs_be_pinned},
)
"""1: a row a run; 2: runs can be pinned."""


def to_row(record: RunRecord) -> list[Any]:
    """Return a record as the values of its row, in the order of COLUMNS."""
    return [
        *(str(getattr(record, name)) if name != "started" else record.started.isoformat() for name in TEXT),
        *(int(getattr(record, name)) for name in NUMBERS),
        *(json.dumps(getattr(record, name)) for name in JSON),
    ]


def from_row(row: tuple[Any, ...]) -> RunRecord:
    """Return the record of a row; where values are damaged, the others are kept and `damage` names what is wrong."""
    written = dict(zip(COLUMNS, row, strict=True))
    values: dict[str, Any] = {}
    damage = []
    for name, value in written.items():
        read, expected, instead = _READERS[name]
        try:
            values[name] = read(value)
        except (ValueError, TypeError, OverflowError, RecursionError):
            values[name] = instead
            damage.append(f"'{name}' must be {expected}, was {_shown(value)}")
    return RunRecord(**values, damage="; ".join(damage))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _started(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    moment.astimezone()
    return moment.astimezone(UTC)


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    return bool(_count(value))


def _texts(value: Any) -> tuple[str, ...]:
    found = json.loads(_text(value))
    if not isinstance(found, list):
        raise TypeError
    return tuple(_text(each) for each in found)


def _mapping(value: Any) -> Mapping[str, Any]:
    found = json.loads(_text(value))
    if not isinstance(found, dict):
        raise TypeError
    return found


def _numbers(value: Any) -> Mapping[str, Any]:
    found = _mapping(value)
    if not all(each is None or isinstance(each, (int, float)) for each in found.values()):
        raise TypeError
    if not all(each is None or math.isfinite(each) for each in found.values()):
        return {name: each for name, each in found.items() if each is None or math.isfinite(each)}
    return found


_Reader = tuple[Callable[[Any], Any], str, Any]
_TEXT_READER: _Reader = (_text, "text", "")
_COUNT_READER: _Reader = (_count, Message("a whole number"), 0)
_READERS: dict[str, _Reader] = {
    **dict.fromkeys(TEXT, _TEXT_READER),
    **dict.fromkeys(NUMBERS, _COUNT_READER),
    "started": (_started, "a time", datetime(1970, 1, 1, tzinfo=UTC)),
    "synthetic": (_flag, "0 or 1", False),
    "pinned": (_flag, "0 or 1", False),
    "symbols": (_texts, Message("a list of texts"), ()),
    "overrides": (_texts, Message("a list of texts"), ()),
    "metrics": (_numbers, Message("a mapping of numbers"), {}),
    "settings": (_mapping, "a mapping", {}),
    "timing": (_numbers, Message("a mapping of numbers"), {}),
}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
