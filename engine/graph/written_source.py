"""Data as people name it in one word: a file, or a provider and a symbol."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from quantcrafter.engine.api import Catalog

_FILES = {".csv": "csv", ".txt": "csv", ".parquet": "parquet"}


class WrittenSource(NamedTuple):
    """A symbol, its provider, and for a file the path as it was written."""

    symbol: str
    provider: str
    path: str = ""


def written_source(written: str, catalog: Catalog) -> WrittenSource | None:
    """Return what `sample:SPY`, `spy.csv` or `spy.parquet` names; None where it is neither provider nor such a file."""
    provider, colon, symbol = written.partition(":")
    if colon and symbol and catalog.provider(provider) is not None:
        return WrittenSource(symbol, provider)
    file = Path(written)
    kind = _FILES.get(file.suffix.lower())
    return None if kind is None else WrittenSource(file.stem, kind, written)
