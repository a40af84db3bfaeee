"""Files of rates that change: fundings as exchanges list them, and overnight swaps by date.

The first line names the columns. Times are ISO dates and times, in UTC without a zone, or numbers since 1970 in s, ms,
us or ns; they are rounded to seconds, as exchanges write some milliseconds after the hour.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import DataError, FloatColumn, TimeColumn
from quantcrafter.engine.api.bars import DatedAmounts
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.opening import open_named
from quantcrafter.engine.api.wording import first_of, shown_cell, shown_path
from quantcrafter.engine.data.providers.column_names import plain
from quantcrafter.engine.trading_calendar.zones import DAY_NS

MAX_BYTES = 16 * 2**20
_TIMES = ("calctime", "fundingtime", "fundingratetimestamp", "timestamp", "time", "datetime", "date", "day")
_RATES = ("lastfundingrate", "fundingrate", "realizedrate", "rate")
_PERCENT_RATES = tuple(f"{name}{end}" for name in (*_RATES, "funding") for end in ("percent", "pct"))
_LONGS = ("long", "swaplong", "longswap", "buy", "swapbuy")
_SHORTS = ("short", "swapshort", "shortswap", "sell", "swapsell")
_SECOND_NS = 1_000_000_000
_LARGEST_PERCENT = 5.0
_NAMED = 8
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?\s*(Z|UTC|[+-]\d\d:?\d\d)?")
_EPOCH_DIGITS = ((11, _SECOND_NS), (14, 1_000_000), (17, 1_000), (20, 1))


class _Rows(NamedTuple):
    """The rows of a file: the columns of its header, the cells, and how messages call it."""

    names: list[str]
    cells: list[list[str]]
    subject: str


def read_funding(path: str, base_dir: str, symbol: str, unit: str) -> DatedAmounts:
    """Return the times of fundings, and what long positions pay of their value then, in percent.

    Rates are parts of the value, as exchanges give them, unless cells have a percent sign, the column is named so, such
    as `rate_percent`, or `unit` is `percent`.

    Raises:
        DataError: the file can't be read, lacks a column, or a cell of it can't be used.
    """
    rows = _read(path, base_dir, symbol)
    time, rate = _column(rows, _TIMES, "time"), _column(rows, (*_RATES, *_PERCENT_RATES), "rate")
    own = _cells_of(rows, symbol)
    scale = 1.0 if unit == "percent" or plain(rows.names[rate]) in _PERCENT_RATES else 100.0
    percents = np.array([_number(rows, number, cells[rate], scale) for number, cells in own])
    wild = np.flatnonzero(np.abs(percents) > _LARGEST_PERCENT)
    if len(wild):
        raise _error(
            rows,
            Message(
                "row {row} has a funding of {percent:g} % of the value.",
                row=own[int(wild[0])][0],
                percent=percents[wild[0]],
            ),
            Message("Set 'unit: percent' of 'funding' if the rates are in percent, or correct the file."),
        )
    times, order = _in_order(rows, [(number, cells[time]) for number, cells in own])
    return DatedAmounts(times, percents[order], percents[order])


def read_swaps(path: str, base_dir: str, symbol: str) -> DatedAmounts:
    """Return from which days on (UTC midnights) a night earns how much, long and short, as the file has it.

    Raises:
        DataError: the file can't be read, lacks a column, or a cell of it can't be used.
    """
    rows = _read(path, base_dir, symbol)
    time = _column(rows, _TIMES, "date")
    long, short = _column(rows, _LONGS, "long"), _column(rows, _SHORTS, "short")
    own = _cells_of(rows, symbol)
    times, order = _in_order(rows, [(number, cells[time]) for number, cells in own])
    amounts = (np.array([_number(rows, number, cells[at]) for number, cells in own]) for at in (long, short))
    long_amounts, short_amounts = (column[order] for column in amounts)
    return DatedAmounts(times // DAY_NS * DAY_NS, long_amounts, short_amounts)


def _read(path: str, base_dir: str, symbol: str) -> _Rows:
    subject = Message("{symbol} from {source}", symbol=symbol, source=shown_path(path))
    with open_named(path, base_dir) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DataError(
            Message("{subject}: the file has more than {limit} MiB.", subject=subject, limit=MAX_BYTES // 2**20)
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    head = text.partition("\n")[0]
    sign = max(",;\t", key=head.count)
    try:
        table = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=sign) if any(map(str.strip, row))]
    except csv.Error as error:
        raise DataError(
            Message("{subject}: the file is no table: {reason}.", subject=subject, reason=str(error))
        ) from None
    if len(table) <= 1:
        raise DataError(
            Message("{subject}: the file has no rows. Give a header and a row for each rate.", subject=subject)
        )
    return _Rows(table[0], table[1:], subject)


def _column(rows: _Rows, names: Sequence[str], role: str) -> int:
    plains = [plain(name) for name in rows.names]
    found = next((plains.index(name) for name in names if name in plains), None)
    if found is None:
        raise _error(
            rows,
            Message(
                "no column for {role} among {names}.",
                role=role,
                names=first_of([shown_cell(name) for name in rows.names], _NAMED),
            ),
            Message("Name it '{role}' in the first line.", role=role),
        )
    return found


def _cells_of(rows: _Rows, symbol: str) -> list[tuple[int, list[str]]]:
    """Return the numbered rows of a symbol; all of them where the file names one symbol or none."""
    width = len(rows.names)
    for number, cells in enumerate(rows.cells, 2):
        if len(cells) < width:
            raise _error(
                rows,
                Message("row {row} has {count} cells, the header {width}.", row=number, count=len(cells), width=width),
                Message("Correct the file."),
            )
    numbered = list(enumerate(rows.cells, 2))
    plains = [plain(name) for name in rows.names]
    if "symbol" not in plains:
        return numbered
    at = plains.index("symbol")
    named = {cells[at].strip() for _, cells in numbered}
    if len(named) == 1:
        return numbered
    own = [(number, cells) for number, cells in numbered if cells[at].strip() == symbol]
    if not own:
        raise _error(
            rows,
            Message("the file has {names}, but no '{symbol}'.", names=first_of(sorted(named), _NAMED), symbol=symbol),
            Message("Correct 'symbol', or give the file of this symbol."),
        )
    return own


def _number(rows: _Rows, number: int, cell: str, scale: float = 1.0) -> float:
    """Return a number; a percentage, where the cell has the sign of one."""
    text = cell.strip()
    try:
        value = float(text.removesuffix("%")) * (1.0 if text.endswith("%") else scale)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise _error(
            rows,
            Message("row {row} has {cell} where a number is needed.", row=number, cell=shown_cell(cell)),
            Message("Correct the file."),
        )
    return value


def _in_order(rows: _Rows, cells: list[tuple[int, str]]) -> tuple[TimeColumn, TimeColumn]:
    """Return the times in order, and the places of the rows in that order."""
    times = np.array([_time(rows, number, cell) for number, cell in cells], np.int64)
    order = np.argsort(times, kind="stable")
    twice = np.flatnonzero(np.diff(times[order]) == 0)
    if len(twice):
        one, other = (cells[int(order[at])][0] for at in (twice[0], twice[0] + 1))
        raise _error(
            rows,
            Message("rows {one} and {other} have the same time.", one=one, other=other),
            Message("Leave one of them out."),
        )
    return times[order], order


def _time(rows: _Rows, number: int, cell: str) -> int:
    text = cell.strip()
    found = _ISO.fullmatch(text)
    if found is not None:
        day, clock, zone = found.groups()
        try:
            moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}")
            zone = "" if zone in (None, "Z", "UTC") else zone
            moment = moment.replace(tzinfo=UTC) if not zone else datetime.fromisoformat(f"{moment.isoformat()}{zone}")
        except ValueError:
            pass
        else:
            return round(moment.timestamp()) * _SECOND_NS
    digits = text.partition(".")[0]
    if digits.isdecimal():
        unit = next((unit for most, unit in _EPOCH_DIGITS if len(digits) < most), 0)
        if unit:
            return round(int(digits) * unit / _SECOND_NS) * _SECOND_NS
    raise _error(
        rows,
        Message("row {row} has {cell} where a time is needed.", row=number, cell=shown_cell(cell)),
        Message("Write times such as 2024-01-31 08:00:00."),
    )


def _error(rows: _Rows, text: str, remedy: str) -> DataError:
    return DataError(Message("{subject}: {text} {remedy}", subject=rows.subject, text=text, remedy=remedy))


def rates_on(swaps: DatedAmounts, days: TimeColumn) -> tuple[FloatColumn, FloatColumn]:
    """Return the swap of nights that begin on days since 1970: that of the latest row up to each day."""
    row = np.searchsorted(swaps.times_ns, days * DAY_NS, side="right") - 1
    return swaps.long[row], swaps.short[row]
