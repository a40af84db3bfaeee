"""`series_file`: a series from a file, such as fundamentals or scores."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    BarsInput,
    Duration,
    FloatColumn,
    Indicator,
    Message,
    PathParam,
    duration_ns,
    param,
    port,
)
from quantcrafter.engine.api.wording import shown_cell
from quantcrafter.nodes.local_time import ZoneName
from quantcrafter.nodes.timed_files import DateMeaning, TimedColumns, TimedFile, known_values


class SeriesFile(Indicator):
    """Give the latest known value of a CSV file at each bar, such as earnings, a score or a sentiment.

    A row has its time in `time_column`, as 2024-01-31 14:00 with or without an offset such as +00:00, and a number in
    `value_column`; an empty cell means that there is no value from then on. A row is known from its time on, or, with
    `published_column`, from that of its publication if one is given and is later: fundamentals belong to the end of a
    quarter and are published weeks after it. At a bar's close the row with the latest time among those known counts,
    so that a correction of an older quarter doesn't replace a newer one. With `symbol_column`, only rows of the
    instrument's symbol count. A date without a time needs `dates`. Times without an offset are in `timezone`, or in
    that of the session. With `maximum_age`, a value is forgotten that long after it became known. Known at the bar's
    close. NaN before the first row. Depends on the file alone.

    The file is trusted: a time at which the value wasn't known yet makes the backtest look ahead.
    """

    name = "series_file"
    category = "Data"

    bars: BarsInput = port("The bars.", default="bars")
    path: PathParam = param("The .csv file; a relative path starts at the strategy file's folder.", min_length=1)
    value_column: str = param("Column with the value.", default="value", min_length=1)
    time_column: str = param("Column with the time that the value belongs to.", default="time", min_length=1)
    symbol_column: str | None = param("Column with the symbol; every row counts if left out.", default=None)
    published_column: str | None = param("Column with the time of publication, if there is one.", default=None)
    dates: DateMeaning | None = param(
        "When the row of a date without a time is known: close (of that day's session) or next_day.", default=None
    )
    maximum_age: Duration | None = param("How long a value counts; until the next one if left out.", default=None)
    timezone: ZoneName | None = param(
        "Time zone of times that have none; that of the instrument's session if left out.", default=None
    )

    def lookback(self) -> int:
        return 0

    def compute(self, bars: Bars) -> FloatColumn:
        """Read the file and align its rows with the bars.

        Raises:
            DataError: the file is missing or wrong; the message names path and line.
        """
        file = TimedFile(Path(self.path), Message("Series file"))
        columns = TimedColumns(self.time_column, self.value_column, self.published_column, self.symbol_column)
        zone = self.timezone or bars.session.timezone
        rows = sorted(
            (known, own, line, _number(file, line, text))
            for line, own, known, text in known_values(file, columns, bars, zone, self.dates)
        )
        known_ns = np.array([row[0] for row in rows], np.int64)
        # The place of the row that counts from each one on: the one with the latest own time, the last of equal ones.
        counts, newest = np.zeros(len(rows), np.int64), 0
        for place, (_, own, _, _) in enumerate(rows):
            newest = place if own >= rows[newest][1] else newest
            counts[place] = newest
        values = np.array([row[3] for row in rows], np.float64)
        latest = np.searchsorted(known_ns, bars.close_ns, side="right") - 1
        out = np.full(len(bars), np.nan)
        some = latest >= 0
        chosen = counts[latest[some]] if some.any() else counts[:0]
        out[some] = values[chosen]
        if self.maximum_age is not None:
            age = bars.close_ns[some] - known_ns[chosen]
            out[np.flatnonzero(some)[age > duration_ns(self.maximum_age)]] = np.nan
        return out


def _number(file: TimedFile, line: int, text: str) -> float:
    if not text:
        return math.nan
    try:
        number = float(text)
    except ValueError:
        number = math.inf
    if math.isinf(number):
        raise file.error(
            line, Message("must have a number such as 12.5, or nothing, has {shown}", shown=shown_cell(text))
        )
    return number
