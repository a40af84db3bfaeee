"""`signal_file`: entries and exits from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quantcrafter.engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    Bars,
    BarsInput,
    Message,
    PathParam,
    Signals,
    param,
    port,
)
from quantcrafter.engine.api.wording import shown_cell
from quantcrafter.nodes.advisors.base import DirectedAdvisor
from quantcrafter.nodes.local_time import ZoneName
from quantcrafter.nodes.timed_files import DateMeaning, TimedColumns, TimedFile, known_values

_FLAGS = {
    **dict.fromkeys(("buy", "long", "1", "1.0", "+1"), ENTER_LONG | EXIT_SHORT),
    **dict.fromkeys(("sell", "short", "-1", "-1.0"), ENTER_SHORT | EXIT_LONG),
    **dict.fromkeys(("exit", "flat", "0", "0.0"), EXIT_LONG | EXIT_SHORT),
}


class SignalFile(DirectedAdvisor):
    """Give the entries and exits that a CSV file lists, such as those of a model or a newsletter.

    A row has its time in `time_column`, as 2024-01-31 14:00 with or without an offset such as +00:00, and its signal
    in `signal_column`: buy, long or 1; sell, short or -1; exit, flat or 0. A buy also ends a short position, a sell a
    long one; with `direction` long, a sell is only an exit. It is given at the close of the first bar that closes at
    or after its time, and fills on the next bar; of several rows for one bar the latest counts. Rows from before the
    first bar are left out. With `published_column`, a row is known from the later of both times on, and from its own
    time where the cell is empty; a row that is published after a newer one doesn't count. With `symbol_column`, only
    rows of the instrument's symbol count. A date without a time needs `dates`. Times without an
    offset are in `timezone`, or in that of the session. Known at the bar's close, no warm-up. Depends on the bar
    before.

    The file is trusted: a time at which the signal wasn't known yet makes the backtest look ahead.
    """

    name = "signal_file"
    category = "Data"

    bars: BarsInput = port("The bars.", default="bars")
    path: PathParam = param("The .csv file; a relative path starts at the strategy file's folder.", min_length=1)
    time_column: str = param("Column with the time of the signal.", default="time", min_length=1)
    signal_column: str = param("Column with the signal.", default="signal", min_length=1)
    symbol_column: str | None = param("Column with the symbol; every row counts if left out.", default=None)
    published_column: str | None = param("Column with the time of publication, if there is one.", default=None)
    dates: DateMeaning | None = param(
        "When the row of a date without a time is known: close (of that day's session) or next_day.", default=None
    )
    timezone: ZoneName | None = param(
        "Time zone of times that have none; that of the instrument's session if left out.", default=None
    )

    def lookback(self) -> int:
        return 1

    def compute(self, bars: Bars) -> Signals:
        """Read the file and put its rows at their bars.

        Raises:
            DataError: the file is missing or wrong; the message names path and line.
        """
        file = TimedFile(Path(self.path), Message("Signal file"))
        columns = TimedColumns(self.time_column, self.signal_column, self.published_column, self.symbol_column)
        zone = self.timezone or bars.session.timezone
        rows = sorted(
            (known, own, line, _flags_of(file, line, text))
            for line, own, known, text in known_values(file, columns, bars, zone, self.dates)
        )
        flags, newest = np.zeros(len(bars), np.uint8), np.iinfo(np.int64).min
        for known, own, _, found in rows:
            if own < newest:
                continue
            newest = own
            bar = int(np.searchsorted(bars.close_ns, known))
            if bar < len(bars) and known >= bars.open_ns[0]:
                flags[bar] = found & self.mask
        return Signals(flags)


def _flags_of(file: TimedFile, line: int, text: str) -> int:
    """Return the flags of a cell with a signal.

    Raises:
        DataError: it has none.
    """
    found = _FLAGS.get(text.lower())
    if found is None:
        raise file.error(
            line,
            Message(
                "must have a signal: buy, long, 1, sell, short, -1, exit, flat or 0, has {shown}",
                shown=shown_cell(text) if text else "nothing",
            ),
        )
    return int(found)
