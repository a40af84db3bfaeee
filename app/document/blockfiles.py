"""Blocks that are files of their own, read again only when they changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quantcrafter.engine.api import SpecError
from quantcrafter.engine.spec import StrategyFile
from quantcrafter.engine.spec.blocks import block_file

Stamp = tuple[int, int]


class BlockFiles:
    """Reads block files beside the strategy or in the user's block folder."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[Stamp, dict[str, Any] | None]] = {}

    def find(self, use: str, folder: Path) -> dict[str, Any] | None:
        """Return the values of a block file, None where there is none that can be read."""
        path = block_file(use, folder)
        if path is None:
            return None
        try:
            state = path.stat()
        except OSError:
            return None
        return self._load(path, (state.st_mtime_ns, state.st_size))

    def _load(self, path: Path, stamp: Stamp) -> dict[str, Any] | None:
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            try:
                values: dict[str, Any] | None = StrategyFile.load_current(path).value
            except SpecError:
                values = None
            known = self._read[path] = (stamp, values)
        return known[1]
