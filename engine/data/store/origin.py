"""Where a series was downloaded from, so that it can be updated from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a series was downloaded from.

    `provider` is the name of the download provider, `options` are its options, `symbol` is the symbol's name there.
    `adjustment` is what prices are adjusted for (`none`, `splits` or `all`), `since_ns` (UTC) from when bars were asked
    for. `currency` is that of the prices, empty if the provider doesn't state it.
    """

    provider: str
    symbol: str
    adjustment: str
    since_ns: int
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    currency: str = ""

    def to_json(self) -> str:
        """Return it as the index holds it."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps({**values, "options": dict(self.options)})

    @classmethod
    def from_json(cls, text: str) -> Origin:
        """Return what `to_json` wrote.

        Raises:
            TypeError, ValueError: the text is something else.
        """
        return cls(**json.loads(text))

    def same_source(self, other: Origin) -> bool:
        """Return whether both name the same prices: since when and what is known beside doesn't matter."""
        mine, its = ((each.provider, each.symbol, each.adjustment, dict(each.options)) for each in (self, other))
        return mine == its
