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
_NAME = r"[A-Za-z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*"
_TAIL = re.compile(rf"\d ({_NAME})$")
_OFFSETS = {"AM", "PM", "UTC", "GMT"}
_SPELLINGS = (
    (re.compile(r"\s{2,}|[\u00a0\u202f\t]"), r"\s+", " "),
    (re.compile("[年月日]"), "^(\\d{4})年(\\d{1,2})月(\\d{1,2})日?", "${1}-${2}-${3}"),
    (re.compile(r"^\d{8}-\d{2}:"), r"^(\d{8})-(\d{2}:\d{2}:\d{2})$", "${1} ${2} UTC"),  # Interactive Brokers' UTC
    (re.compile(r" (?:GMT|UTC)[+-]\d{2}:?\d{2}$"), r" (?:GMT|UTC)([+-]\d{2}:?\d{2})$", "${1}"),
)


class Zoned(NamedTuple):
    """Times without the names of zones that ended them, and those names by row; None where there are none."""

    text: pl.Series
    zones: pl.Series | None


def alike(text: pl.Series) -> pl.Series:
    """Return texts of times without double blanks and with the spellings of some programs made usual."""
    sample = _sample(text)
    for sign, pattern, replacement in _SPELLINGS:
        if any(sign.search(one) for one in sample):
            text = text.str.replace_all(pattern, replacement)
    return text


def without_zones(text: pl.Series, rows: pl.Series, subject: str) -> Zoned:
    """Return times and the zones that end them by name, such as `20240116 09:30:00 US/Eastern`.

    Raises:
        DataError: some rows have a zone and others none, or one that is unknown.
    """
    names = {match[1] for one in _sample(text) if (match := _TAIL.search(one)) is not None} - _OFFSETS
    if not any(_zone(name) for name in names):
        return Zoned(text, None)
    zones = text.str.extract(rf"\d ({_NAME})$")
    there = zones.drop_nulls().unique().to_list()
    unknown = next((name for name in there if not _zone(name)), None)
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


def _zone(name: str) -> bool:
    try:
        ZoneInfo(ABBREVIATIONS.get(name, name))
    except (KeyError, ValueError, OSError):
        return False
    return True


def _sample(text: pl.Series) -> list[str]:
    return [one for one in (*text.head(_SAMPLE).to_list(), *text.tail(_SAMPLE).to_list()) if one]
