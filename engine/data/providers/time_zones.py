"""Times as texts before they are parsed: spellings made alike, and zones by name cut off their ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_cell

if TYPE_CHECKING:
    import polars as pl

ABBREVIATIONS = {
    "EDT": "Etc/GMT+4",
    "PST": "Etc/GMT+8",
    "PDT": "Etc/GMT+7",
    "CEST": "Etc/GMT-2",
    "MEZ": "Etc/GMT-1",
    "MESZ": "Etc/GMT-2",
    "JST": "Asia/Tokyo",
    "HKT": "Asia/Hong_Kong",
}
"""Zones that the database of time zones does not know by these letters; ambiguous ones, such as CST, are left out."""

CHANGING = (
    *("America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Europe/Athens"),
    *("Australia/Sydney",),
)
"""Zones of markets and brokers whose clocks change, to name those that an hour told twice fits."""

_SAMPLE = 300
_MOST_ZONES = 50
_NAME = r"[A-Z][A-Za-z]+(?:\d[A-Z]{2,3}|(?:/[A-Za-z0-9_+-]+)+)?"
_TAIL = re.compile(rf"\d ({_NAME})$")
_OFFSETS = {"AM", "PM", "UTC", "GMT"}
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_SPELLINGS = (
    (r"[\s\x{a0}\x{202f}]+", " "),
    (rf"^{_WEEKDAY},? ", ""),
    (r",?(?: ?星期|周)?[一二三四五六日]$", ""),
    (r"^(\d{4})年(\d{1,2})月(\d{1,2})日?", "${1}-${2}-${3}"),
    (r"^(\d{4})[-/.] (\d{1,2})[-/.] (\d{1,2})", "${1}-${2}-${3}"),
    (r",\s?(\d{1,2}:\d{2})", " ${1}"),
    (r"^(\d{4})-([A-Za-z]{3,9})-(\d{1,2})", "${3}-${2}-${1}"),
    (r"^([A-Za-z]{3,9}) (\d{1,2}) (\d{2}:\d{2}:\d{2}) (\d{4})$", "${1} ${2} ${4} ${3}"),
    (r"^(\d{4}-\d{2}-\d{2})_", "${1} "),
    (r"^(\d{4}-\d{2}-\d{2}) (\d{1,2})-([AP]M)$", "${1} ${2}:00 ${3}"),
    (r"(:\d{2}:\d{2}):(\d{3})$", "${1}.${2}"),
    (r"^((?:19|20)\d{12})\d{3}$", "${1}"),
    (r"^(\d{4})[-/](\d{1,2})$", "${1}-${2}-01"),
    (r"^([A-Za-z]{3,9})[ -](\d{4})$", "01-${1}-${2}"),
    (r"^(\d{5}),(\d+)$", "${1}.${2}"),
    (r"^(\d{8})-(\d{2}:\d{2}:\d{2})$", "${1} ${2} UTC"),  # Interactive Brokers' UTC
    (r"(Z|[+-]\d{2}:?\d{2})\[[\w/+-]+\]$", "${1}"),
    (r" ?[\[(]([A-Za-z]+(?:/[\w+-]+)*)[\])]$", " ${1}"),
    (r" (?:GMT|UTC)([+-])(\d)$", "${1}0${2}:00"),
    (r" (?:GMT|UTC)([+-]\d{2})$", "${1}:00"),
    (r" (?:GMT|UTC)([+-]\d{2}:?\d{2})$", "${1}"),
)
"""Spellings of times and how they are written here, in the order in which they are made alike."""
_TAIWAN = r"^(1\d{2})/"


class Zoned(NamedTuple):
    """Times without the names of zones that ended them, and those names by row; None where there are none."""

    text: pl.Series
    zones: pl.Series | None


def alike(text: pl.Series) -> pl.Series:
    """Return texts of times without weekdays and double blanks, and with the spellings of some programs made usual."""
    import polars as pl

    sample = pl.Series(_sample(text), dtype=pl.String)
    for pattern, replacement in _SPELLINGS:
        changed = sample.str.replace_all(pattern, replacement)
        if not changed.equals(sample):
            sample, text = changed, text.str.replace_all(pattern, replacement)
    return _of_taiwan(text) if sample.str.contains(_TAIWAN).any() else text


def _of_taiwan(text: pl.Series) -> pl.Series:
    """Return dates with years of our era in the place of those since 1911, such as 113/01/15."""
    import polars as pl

    year = (text.str.extract(_TAIWAN).cast(pl.Int64) + 1911).cast(pl.String)
    return text.set(year.is_not_null(), None).fill_null(year + text.str.replace(_TAIWAN, "/"))


def without_zones(text: pl.Series, rows: pl.Series, subject: str) -> Zoned:
    """Return times and the zones that end them by name, such as `20240116 09:30:00 US/Eastern`.

    Raises:
        DataError: some rows have a zone and others none, or one that is unknown.
    """
    names = {match[1] for one in _sample(text) if (match := _TAIL.search(one)) is not None} - _OFFSETS
    if not any(is_zone(name) for name in names):
        return Zoned(text, None)
    zones = text.str.extract(rf"\d ({_NAME})$")
    there = zones.drop_nulls().unique().to_list()
    unknown = next((name for name in there if not is_zone(name)), None)
    if len(there) > _MOST_ZONES or unknown is not None or (zones.is_null() & text.is_not_null()).any():
        bad = zones.is_null() | (zones == unknown if unknown is not None else zones.is_null())
        where = (bad & text.is_not_null()).arg_true()
        place = int(where[0]) if len(where) else 0
        raise DataError(
            Message(
                "{subject}: times of a file must all end with a known time zone or none must, row {rows} has {text}. "
                "Correct the file, or remove the zones and set 'timezone'.",
                subject=subject,
                rows=rows[place],
                text=shown_cell(text[place]),
            ),
            field="timezone",
        )
    return Zoned(text.str.replace(rf" {_NAME}$", ""), zones.replace(ABBREVIATIONS))


def is_zone(name: str) -> bool:
    """Return whether there is a time zone of that name, or an abbreviation that means only one."""
    try:
        ZoneInfo(ABBREVIATIONS.get(name, name))
    except (KeyError, ValueError, OSError):
        return False
    return True


def _sample(text: pl.Series) -> list[str]:
    return [one for one in (*text.head(_SAMPLE).to_list(), *text.tail(_SAMPLE).to_list()) if one]
