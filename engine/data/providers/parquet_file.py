"""`parquet`: bars from a Parquet file."""

from __future__ import annotations

from pathlib import Path

from engine.api import DataError
from engine.data.providers.columns import find_actions, find_columns
from engine.data.providers.files import FileProvider, Table


class ParquetProvider(FileProvider):
    """Bars from a Parquet file, such as pandas or polars write.

    Columns are told by their names, in any case: time or date, open, high, low, close, volume, symbol. Times may be
    timestamps with or without zone, dates, numbers since 1970, or text. Rows are counted from 1.
    """

    name = "parquet"

    def _names_symbols(self, path: Path, subject: str) -> bool:
        import polars as pl

        try:
            names = list(pl.read_parquet_schema(path))
        except (pl.exceptions.PolarsError, OSError, ValueError):
            return True  # reading it says what is wrong
        return "symbol" in find_columns(names, self.columns, subject)

    def _read(self, path: Path, subject: str) -> Table:
        import polars as pl

        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(
                f"{subject}: the file is no Parquet file that can be read: {reason}. Write it again.", field="path"
            ) from error
        rows = pl.Series("row", range(1, frame.height + 1), dtype=pl.Int64)
        roles = find_columns(frame.columns, self.columns, subject)
        if self.action_roles():
            roles |= find_actions(frame.columns, self.columns, self.action_roles(), subject)
        return Table(frame, rows, roles)
