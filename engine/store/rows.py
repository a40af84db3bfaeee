"""StrategyRow: a strategy in a store, as its database has it, checked.

Documents of the first generation (`user_id, symbol, strategy_key, enabled, engine, engine_class, params`) are rows. A
row may also hold a strategy file, or name one (`strategy`), and say with what it runs: `feed`, `broker`, `mode`, and
`live` for real money.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean, shortened

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_ENDINGS = (".yaml", ".yml")
_UNREAD = frozenset({"_id", "changed_at", "created_at", "updated_at", "name", "description", "notes"})
"""What databases add by themselves, and what people note beside a strategy."""
_TEXTS = ("symbol", "strategy_key", "user_id", "engine", "engine_class", "strategy", "feed", "broker", "mode")
_LONGEST_TEXT = 5_000_000
_LONGEST_SHOWN = 60
_LONGEST_KEY = 200
"""Names of files have up to 255 bytes, and a worker's files need some of them."""


class StoreError(RunError):
    """A store can't be read or written; what runs goes on."""

    code = "store"


class RowError(RunError):
    """A row is not a strategy."""

    code = "row"


def worker_key(symbol: str, strategy_key: str, user_id: str | None = None) -> str:
    """Return the key of a worker, `{user_id}_{symbol}_{strategy_key}`, as the name of a folder."""
    stem = re.split(r"[/\\]", strategy_key)[-1].rpartition(".")[0] if strategy_key.endswith(_ENDINGS) else strategy_key
    return _OTHER.sub("_", "_".join(each for each in (user_id, symbol, stem) if each))


class StrategyRow(BaseModel):
    """A strategy in a store.

    `strategy` is the text of a strategy file, or the name of one in the folder for strategies; '' for what the strategy
    key means. `files` is the hash of the files that were pushed with it. Empty texts are what the configuration says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = Field("", max_length=200)
    strategy_key: str = Field(min_length=1, max_length=200)
    user_id: str | None = Field(None, max_length=200)
    enabled: bool = True
    engine: str = "native"
    engine_class: str = ""
    params: Mapping[str, Any] = Field(default_factory=dict)
    strategy: str = Field("", max_length=_LONGEST_TEXT)
    feed: str = ""
    broker: str = ""
    mode: str = ""
    live: bool = False
    files: str = Field("", pattern="^([0-9a-f]{32})?$")

    @field_validator(*_TEXTS)
    @classmethod
    def _without_nul(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError(Message("has a NUL character. Remove it"))
        return value

    @field_validator("params", mode="before")
    @classmethod
    def _parsed(cls, value: object) -> object:
        """Take JSON in a text, as tables have it."""
        if isinstance(value, str):
            try:
                return json.loads(value) if value.strip() else {}
            except (ValueError, RecursionError) as error:
                raise ValueError(Message("is not JSON: {error}", error=str(error))) from error
        return {} if value is None else value

    @field_validator("params")
    @classmethod
    def _plain(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, RecursionError) as error:
            raise ValueError(Message("has a value that JSON has not: {error}", error=str(error))) from error
        return dict(value)

    @model_validator(mode="before")
    @classmethod
    def _without_nothing(cls, values: object) -> object:
        """Take nothing, in a field that has a default, for that default."""
        if not isinstance(values, Mapping):
            return values
        found = {name: value for name, value in values.items() if value is not None and name not in _UNREAD}
        if found.get("user_id") == "":
            del found["user_id"]
        return found

    @property
    def key(self) -> str:
        """The key of its worker."""
        return worker_key(self.symbol, self.strategy_key, self.user_id)

    @property
    def holds_text(self) -> bool:
        """Whether `strategy` is the text of a file, and not the name of one."""
        return "\n" in self.strategy.strip() or self.strategy.lstrip().startswith(("quantcrafter:", "{"))

    @property
    def digest(self) -> str:
        """A hash of all that changes what runs; whether it is enabled does not."""
        whole = self.model_dump(exclude={"enabled"})
        return hashlib.blake2b(json.dumps(whole, sort_keys=True).encode(), digest_size=16).hexdigest()


def row_of(values: Mapping[str, Any]) -> StrategyRow:
    """Return the row that a database has.

    Fields that are unknown are refused: a misspelt `enabled` would run a strategy that its owner thinks is off.

    Raises:
        RowError: it is not a strategy; it says everything that is wrong.
    """
    try:
        row = StrategyRow.model_validate(dict(values))
    except ValidationError as error:
        raise RowError(Message("{problems}", problems=" ".join(map(_sentence, error.errors())))) from error
    if not row.key.strip(".") or len(row.key) > _LONGEST_KEY:
        raise RowError(
            Message(
                "The key '{key}' can't be the name of a worker's folder: it needs letters or digits, and at most "
                "{most} characters. Give the row another strategy key.",
                key=shortened(row.key, _LONGEST_SHOWN),
                most=_LONGEST_KEY,
            )
        )
    return row


def _sentence(error: Any) -> str:
    field = ".".join(map(str, error["loc"])) or "row"
    if error["type"] == "extra_forbidden":
        remedy = did_you_mean(field, StrategyRow.model_fields) or Message(
            "Known are {names}.", names=", ".join(StrategyRow.model_fields)
        )
        return str(Message("The field '{field}' is unknown. {remedy}", field=field, remedy=remedy))
    if error["type"] == "missing":
        return str(Message("The field '{field}' is missing.", field=field))
    text = error["msg"].removeprefix("Value error, ")
    shown = repr(error["input"])
    return str(
        Message(
            "The field '{field}' was {value}: {text}.",
            field=field,
            value=shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}...",
            text=text[:1].lower() + text[1:].rstrip("."),
        )
    )
