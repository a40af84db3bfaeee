"""A CSV file to which another program appends rows: read as `csv` does, without the line that is half written."""

from __future__ import annotations

from pathlib import Path

from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.encodings import HEAD_BYTES


class GrowingCsvProvider(CsvProvider):
    """Bars from the whole lines of a CSV file."""

    def has_rows(self, path: Path, subject: str) -> bool:
        """Return whether there are at least two whole lines: one alone may be the header."""
        lines = self._head(path, subject).split("\n")
        return sum(bool(line.strip()) for line in lines) > 1

    def _head(self, path: Path, subject: str) -> str:
        head = super()._head(path, subject)
        return head if len(head.encode()) >= HEAD_BYTES else head[: head.rfind("\n") + 1]

    def _content(self, path: Path, subject: str) -> bytes:
        data = super()._content(path, subject)
        return data[: data.rfind(b"\n") + 1]
