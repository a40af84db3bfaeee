"""How a table writes its times: recognised from the values, refused when it could be read in two ways."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_cell

if TYPE_CHECKING:
    import polars as pl

EPOCH_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}
ZONE_SUFFIX = r" ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$"

_TAIL = (
    r"(?:(?P<gap>[T ])(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2}(?P<fraction>\.\d+)?)?(?P<half> ?[AaPp][Mm])?)?"
    rf"(?P<zone>{ZONE_SUFFIX[:-1]})?$"
)
_YEAR_FIRST = re.compile(r"^\d{4}(?P<sep>[-/.])\d{1,2}(?P=sep)\d{1,2}" + _TAIL)
_YEAR_LAST = re.compile(r"^\d{1,2}(?P<sep>[-/. ])\d{1,2}(?P=sep)(?P<year>\d{4}|\d{2})" + _TAIL)
_DAY_MONTH_NAME = re.compile(r"^\d{1,2}(?P<sep>[- /])(?P<month>[A-Za-z]{3,9})(?P=sep)(?P<year>\d{4}|\d{2})" + _TAIL)
_MONTH_NAME_DAY = re.compile(r"^(?P<month>[A-Za-z]{3,9}) \d{1,2}(?P<comma>,?) (?P<year>\d{4})" + _TAIL)
_COMPACT_DATE = re.compile(r"^(?:19|20|21)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])" + _TAIL)
_COMPACT_TIME = re.compile(
    r"^(?:19|20|21)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?P<gap>[T ]?)"
    r"(?:[01]\d|2[0-3])[0-5]\d(?P<second>[0-5]\d)?$"
)
_NUMBER = re.compile(r"^-?\d+(\.\d+)?(?:[eE]\+?\d+)?$")
_FORMS = (_COMPACT_DATE, _COMPACT_TIME, _NUMBER, _YEAR_FIRST, _DAY_MONTH_NAME, _MONTH_NAME_DAY, _YEAR_LAST)
_SAMPLE = 300
EPOCH_LIMITS = ((1e11, "s"), (1e14, "ms"), (1e17, "us"), (float("inf"), "ns"))
FIRST_EPOCH = 1e8  # seconds: March 1973; smaller numbers are no times that prices are known of
_LONG_MONTH = 3
SERIAL = "serial"
SERIAL_DAYS = (18_000, 80_000)
"""Days since 1899-12-30, as spreadsheets count them: from 1949 to 2119."""


class TimeFormat(NamedTuple):
    """A strftime pattern, or the unit of an epoch; whether the text carries its zone."""

    pattern: str
    has_zone: bool = False

    @property
    def is_epoch(self) -> bool:
        """Whether times are numbers counted from 1970."""
        return self.pattern in EPOCH_UNITS

    @property
    def is_serial(self) -> bool:
        """Whether times are a spreadsheet's numbers of days."""
        return self.pattern == SERIAL


def is_time(text: str) -> bool:
    """Return whether a text is written as times are, a number among them."""
    return _kind(text.strip()) is not None


def recognise(values: pl.Series, subject: str, *, day_first: bool = False) -> TimeFormat:
    """Return how the texts of `values` (no nulls) are written; `day_first` where day and month cannot be told apart.

    Raises:
        DataError: they are in no known form, or day and month cannot be told apart.
    """
    texts = [text for text in [*values.head(_SAMPLE).to_list(), *values.tail(_SAMPLE).to_list()] if text]
    if not texts:
        raise DataError(
            Message("{subject}: the column of times is empty. Name another one with 'columns'.", subject=subject),
            field="columns",
        )
    kinds = Counter(kind for kind in map(_kind, texts) if kind is not None)
    if not kinds:
        raise DataError(
            Message(
                "{subject}: the time {texts} is in an unknown format. Describe it with 'time_format', such as "
                "'%d.%m.%Y %H:%M', or name the right column with 'columns'.",
                subject=subject,
                texts=shown_cell(texts[0]),
            ),
            field="time_format",
        )
    # The commonest form is the file's; rows in another one are named when they cannot be read.
    pattern = kinds.most_common(1)[0][0]
    sample = [text for text in texts if _kind(text) is pattern]
    match = pattern.match(sample[0])
    if pattern is _NUMBER or match is None:
        return _epoch(sample, subject)
    if pattern is _COMPACT_TIME:
        return TimeFormat(f"%Y%m%d{match['gap']}%H%M{'%S' if match['second'] else ''}")
    return _finish(_date(pattern, match, values, subject, day_first=day_first), match, sample)


def _kind(text: str) -> re.Pattern[str] | None:
    return next((pattern for pattern in _FORMS if pattern.match(text)), None)


def _date(pattern: re.Pattern[str], match: re.Match[str], values: pl.Series, subject: str, *, day_first: bool) -> str:
    if pattern is _COMPACT_DATE:
        return "%Y%m%d"
    if pattern is _YEAR_FIRST:
        return f"%Y{match['sep']}%m{match['sep']}%d"
    if pattern is _DAY_MONTH_NAME:
        return f"%d{match['sep']}{_month(match)}{match['sep']}{_year(match)}"
    if pattern is _MONTH_NAME_DAY:
        return f"{_month(match)} %d{match['comma']} %Y"
    return _year_last(match, values, subject, usually=day_first)


def _epoch(sample: list[str], subject: str) -> TimeFormat:
    largest = statistics.median_low([abs(float(text)) for text in sample])
    if all(SERIAL_DAYS[0] <= float(text) < SERIAL_DAYS[1] for text in sample):
        return TimeFormat(SERIAL)
    if largest < FIRST_EPOCH:
        raise DataError(
            Message(
                "{subject}: the time {sample} is a number, but too small for seconds since 1970. Name the right "
                "column with 'columns', or specify the unit with 'time_format': s, ms, us or ns.",
                subject=subject,
                sample=shown_cell(sample[0]),
            ),
            field="time_format",
        )
    return TimeFormat(next(unit for limit, unit in EPOCH_LIMITS if largest < limit), has_zone=True)


def _month(match: re.Match[str]) -> str:
    return "%B" if len(match["month"]) > _LONG_MONTH else "%b"


def _year(match: re.Match[str]) -> str:
    return "%y" if len(match["year"]) == len("24") else "%Y"


def _year_last(match: re.Match[str], values: pl.Series, subject: str, *, usually: bool) -> str:
    """Decide between day-month and month-day by numbers above 12 anywhere in the column."""
    import polars as pl

    sep, year = match["sep"], _year(match)
    leading = values.str.extract(r"^(\d{1,2})").cast(pl.Int64).max()
    second = values.str.extract(r"^\d{1,2}\D(\d{1,2})").cast(pl.Int64).max()
    day_first = isinstance(leading, int) and leading > 12  # noqa: PLR2004 - months
    month_first = isinstance(second, int) and second > 12  # noqa: PLR2004 - months
    orders = {"day first": f"%d{sep}%m{sep}{year}", "month first": f"%m{sep}%d{sep}{year}"}
    if year == "%y" and not usually:
        found = _with_short_year(values, sep, subject)
        if found is not None:
            return found
    if day_first != month_first:
        return orders["day first" if day_first else "month first"]
    if usually and not day_first:
        return orders["day first"]
    why = Message("some rows have the day first and others the month") if day_first else Message("no day is above 12")
    raise DataError(
        Message(
            "{subject}: the date {match} can be read as day-month or month-day, and {why}. Specify it with "
            "'time_format': '{day_first}' or '{month_first}', with the time of day if there is one, such as ' "
            "%H:%M'.",
            subject=subject,
            match=shown_cell(match[0]),
            why=why,
            day_first=orders["day first"],
            month_first=orders["month first"],
        ),
        field="time_format",
    )


_MONTHS, _DAYS = 12, 31
_HOLIDAY = 14
"""How many days after a date the next one of consecutive trading days may be."""
_APART = 5.0
"""How many times as long one reading of dates must be as another one to be out of the question."""


def _with_short_year(values: pl.Series, sep: str, subject: str) -> str | None:
    """Return the pattern of dates such as 24/01/31; None where only day or month can come first.

    Where all three may, as in 10/01/31, it is the year if only then the dates are in order, days or a holiday apart.

    Raises:
        DataError: the first number may be the year, the day or the month.
    """
    import polars as pl

    parts = values.str.extract_groups(r"^(\d{1,2})\D(\d{1,2})\D(\d{2})(?:\D|$)").struct.unnest().cast(pl.Int64)
    first, second, third = (parts.to_series(number).drop_nulls() for number in range(3))
    if not len(first) or max(_most(second), _MONTHS) > _MONTHS or _most(third) > _DAYS or third.min() == 0:
        return None
    year_first, day_first = f"%y{sep}%m{sep}%d", f"%d{sep}%m{sep}%y"
    if _most(first) > _DAYS or first.min() == 0:
        return year_first
    if _most(first) <= _MONTHS:
        others = (_length(third, second, first), _length(third, first, second))
        if _most(third) > _MONTHS and others == (None, None) and _are_consecutive(first, second, third):
            return year_first
        raise DataError(
            Message(
                "{subject}: the date {match} can be read with the year, the day or the month first. Specify it with "
                "'time_format': '{year_first}', '{day_first}' or '{month_first}', with the time of day if there is "
                "one, such as ' %H:%M'.",
                subject=subject,
                match=shown_cell(str(values[0])),
                year_first=year_first,
                day_first=day_first,
                month_first=f"%m{sep}%d{sep}%y",
            ),
            field="time_format",
        )
    lengths = [_length(year, second, day) for year, day in ((first, third), (third, first))]
    if lengths[0] is not None and (lengths[1] is None or lengths[1] > _APART * lengths[0]):
        return year_first
    if lengths[1] is not None and (lengths[0] is None or lengths[0] > _APART * lengths[1]):
        return day_first
    raise DataError(
        Message(
            "{subject}: the date {match} can be read with the year first or the day first. Specify it with "
            "'time_format': '{year_first}' or '{day_first}', with the time of day if there is one, such as ' %H:%M'.",
            subject=subject,
            match=shown_cell(str(values[0])),
            year_first=year_first,
            day_first=day_first,
        ),
        field="time_format",
    )


def _most(numbers: pl.Series) -> int:
    found = numbers.max()
    return found if isinstance(found, int) else 0


def _are_consecutive(years: pl.Series, months: pl.Series, days: pl.Series) -> bool:
    """Return whether dates rise or fall, none of them further from the one before than a long holiday."""
    steps = _numbered(years, months, days).diff().drop_nulls()
    return _length(years, months, days) is not None and _most(steps.abs()) <= _HOLIDAY


def _numbered(years: pl.Series, months: pl.Series, days: pl.Series) -> pl.Series:
    return (years * _MONTHS + months) * _DAYS + days


def _length(years: pl.Series, months: pl.Series, days: pl.Series) -> float | None:
    """Return over about how many days dates go; None if they neither rise nor fall."""
    numbers = _numbered(years, months, days)
    steps = numbers.diff().drop_nulls()
    if not ((steps >= 0).all() or (steps <= 0).all()):
        return None
    return float(abs(int(numbers[-1]) - int(numbers[0]))) + 1.0


def _finish(date: str, match: re.Match[str], sample: list[str]) -> TimeFormat:
    """Add the time of day and the zone to a date's pattern."""
    pattern = date
    if match["hour"]:
        half = match["half"] or ""
        pattern += f"{match['gap']}{'%I' if half else '%H'}:%M"
        if match["second"]:
            pattern += "%S".join((":", "%.f" if any("." in text[-16:] for text in sample) else ""))
        if half:
            pattern += " %p" if half.startswith(" ") else "%p"
    zone = match["zone"]
    if zone:
        pattern += " %#z" if zone.startswith(" ") else "%#z"
    return TimeFormat(pattern, has_zone=bool(zone))
