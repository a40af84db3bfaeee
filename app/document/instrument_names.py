"""What an entry of `instruments:` is called: its symbol, or where a universe's symbols come from. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHOWN = 2
_SOURCES = ("file", "files", "query")


def entry_name(entry: Any) -> str:
    """Return the symbol of an instrument, or of a universe its symbols, file or pattern; '' for neither."""
    if not isinstance(entry, Mapping):
        return ""
    universe = entry.get("universe")
    if universe is None:
        return str(entry.get("symbol", ""))
    symbols = universe.get("symbols") if isinstance(universe, Mapping) else universe
    if isinstance(symbols, list) and symbols:
        more = f" +{len(symbols) - _SHOWN}" if len(symbols) > _SHOWN else ""
        return ", ".join(map(str, symbols[:_SHOWN])) + more
    if isinstance(universe, Mapping):
        return next((str(universe[name]) for name in _SOURCES if universe.get(name)), "")
    return ""
