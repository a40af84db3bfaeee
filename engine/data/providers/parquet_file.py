"""`parquet`: bars from a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.limits import MAX_CELL_BYTES
from quantcrafter.engine.data.providers.column_names import TELLING, plain
from quantcrafter.engine.data.providers.column_roles import find_actions, find_columns, guess_columns, volume_choices
from quantcrafter.engine.data.providers.files import FileProvider, find_file
from quantcrafter.engine.data.providers.glance import GLANCE_LINES, Glance, glance_at, with_chosen
from quantcrafter.engine.data.providers.parquet_size import check_size
from quantcrafter.engine.data.providers.table import FileTable
from quantcrafter.engine.data.providers.text_file import open_data

if TYPE_CHECKING:
    import polars as pl


class ParquetProvider(FileProvider):
    """Bars from a Parquet file, such as pandas or polars write.

    Columns are recognized by name, in any case: time or date, open, high, low, close, volume, symbol. Times may be
    timestamps with or without zone, dates, numbers since 1970, or text. Rows are counted from 1.
    """

    name = "parquet"

    def _names_symbols(self, path: Path, subject: str) -> bool:
        import polars as pl

        try:
            with open_data(path, subject) as file:
                check_size(file, subject)
                names = list(pl.read_parquet_schema(file))
        except (pl.exceptions.PolarsError, OSError, ValueError):
            return True  # reading it says what is wrong
        return "symbol" in find_columns(names, self.columns, subject)

    def glance(self, base_dir: str = "") -> Glance:
        import polars as pl

        subject = shown_path(self.path)
        try:
            with open_data(find_file(self.path, base_dir), subject) as file:
                check_size(file, subject)
                frame = pl.read_parquet(file, n_rows=GLANCE_LINES - 1)
        except (pl.exceptions.PolarsError, OSError, ValueError):
            return Glance()  # loading the bars says what is wrong
        roles = with_chosen(guess_columns(frame.columns), frame.columns, self.columns)
        return glance_at([frame.columns, *frame.rows()], roles, frame.columns)

    def _read(self, path: Path, subject: str, symbol: str = "", spread: str = "") -> FileTable:  # noqa: ARG002 - the contract
        import polars as pl

        try:
            with open_data(path, subject) as file:
                check_size(file, subject)
                names = list(pl.read_parquet_schema(file))
                roles = find_columns(names, self.columns, subject)
                if self.action_roles():
                    roles |= find_actions(names, self.columns, self.action_roles(), subject)
                volumes = () if "volume" in self.columns else tuple(volume_choices(names))
                telling = {plain(spread), *TELLING} - {""}
                others = (place for place, name in enumerate(names) if plain(name) in telling)
                used = sorted({*roles.values(), *(place for choice in volumes for place in choice), *others})
                file.seek(0)
                frame = pl.read_parquet(file, columns=used)
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(
                Message(
                    "{subject}: the file is not a readable Parquet file: {reason}. Write it again.",
                    subject=subject,
                    reason=reason[:200],
                ),
                field="path",
            ) from error
        _check_cells(frame, subject)
        rows = pl.Series("row", range(1, frame.height + 1), dtype=pl.Int64)
        return FileTable(
            frame,
            rows,
            {role: used.index(place) for role, place in roles.items()},
            names=tuple(names[place] for place in used),
            volumes=tuple(tuple(used.index(place) for place in choice) for choice in volumes),
        )


def _check_cells(frame: pl.DataFrame, subject: str) -> None:
    """Refuse texts so long that working on them would take the memory that the file itself does not."""
    import polars as pl

    for column in frame:
        longest = column.str.len_bytes().max() if column.dtype == pl.String else None
        if isinstance(longest, int) and longest > MAX_CELL_BYTES:
            raise DataError(
                Message(
                    "{subject}: a cell of column {name} has {longest:,} bytes, more than the allowed "
                    "{max_cell_bytes:,}. Name the right column with 'columns'.",
                    subject=subject,
                    name=repr(column.name),
                    longest=longest,
                    max_cell_bytes=MAX_CELL_BYTES,
                ),
                field="columns",
            )
