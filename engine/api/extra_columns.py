"""Further columns of a data file, such as a model's score: series next to the prices, named by the strategy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from quantcrafter.engine.api.bars import BAR_COLUMNS

FILE_ROLES = ("time", "date", *BAR_COLUMNS, "symbol", "split", "dividend", "adjusted_close")
"""Columns of a file that mean something to the program; every other key of `columns` names a further column."""

MOST_EXTRA_COLUMNS = 50
EXTRA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def extra_names(columns: object) -> tuple[str, ...]:
    """Return the names of the further columns that the key `columns` of an instrument or a feed asks for."""
    if not isinstance(columns, Mapping):
        return ()
    return tuple(str(name) for name in columns if name not in FILE_ROLES and EXTRA_NAME.fullmatch(str(name)))


def extra_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the further columns that the options of a data provider ask for."""
    return extra_names(options.get("columns"))
