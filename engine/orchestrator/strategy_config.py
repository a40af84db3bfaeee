"""StrategyConfig: a strategy to run, as a row of a store or a call says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from quantcrafter.engine.runtime.running.engines import OWN_ENGINE

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class StrategyConfig:
    """A strategy by symbol and key.

    `engine` is `native`, an engine of `worker_factories`, or the one that `engine_class` is written for; `engine_class`
    is a class, '' for what the strategy key means.
    """

    symbol: str
    strategy_key: str
    user_id: str | None = None
    enabled: bool = True
    engine: str = OWN_ENGINE
    engine_class: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Mapping[str, Any], user_id: str | None = None) -> Self:
        """Return the strategy of a row; `user_id` is whose it is where the row doesn't say it.

        Raises:
            KeyError: it has no symbol, or no strategy key.
        """
        return cls(
            str(row["symbol"]),
            str(row["strategy_key"]),
            row.get("user_id") or user_id,
            bool(row.get("enabled", True)),
            str(row.get("engine") or OWN_ENGINE),
            str(row.get("engine_class") or ""),
            dict(row.get("params") or {}),
        )

    @property
    def key(self) -> str:
        """The key of its worker, `{user_id}_{symbol}_{strategy_key}`, as the name of a folder."""
        key = self.strategy_key
        stem = Path(key).stem if key.endswith((".yaml", ".yml")) else key
        return _OTHER.sub("_", "_".join(each for each in (self.user_id, self.symbol, stem) if each))
