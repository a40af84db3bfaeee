"""When a strategy that keeps running runs: the `schedule:` of a file's `run:`, and sessions of one's own in a week."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, model_validator

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import param
from quantcrafter.engine.api.wording import nearest

ALWAYS = "24/7"
MARKET = "market"
FOREX = "forex"
HOURS = (ALWAYS, MARKET, FOREX)
"""What `hours` can be beside the code of an exchange."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAILY = "daily"
_WEEK_DAYS = len(_DAYS)
_DAY_MINUTES = 1440
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_MOST_MINUTES = 1440.0


@dataclass(frozen=True, slots=True)
class WeeklySession:
    """A session on some weekdays (Monday is 0), with one or more spans between which it has breaks.

    `spans` are minutes after the midnight at which its weekday begins; those of the next day are above 1440.
    """

    weekdays: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> WeeklySession:
        """Return the session of a text such as `mon-fri 09:30-11:30 13:00-15:00` or `sun-thu 21:00-02:30`.

        A time before the one in front of it is on the next day.

        Raises:
            ValueError: it is not such a text, or lasts for more than a day.
        """
        days, *spans = text.split() or [""]
        if not spans:
            raise ValueError(
                Message(
                    "'{text}' must be days and times, such as mon-fri 09:30-16:00 or sun-thu 21:00-02:30", text=text
                )
            )
        return cls(_weekdays(days), _spans(spans, text))


def _weekdays(text: str) -> tuple[int, ...]:
    found: dict[int, None] = {}
    for part in text.lower().split(","):
        if part == _DAILY:
            return tuple(range(_WEEK_DAYS))
        first, dash, last = part.partition("-")
        ends = [first, last] if dash else [first]
        wrong = next((each for each in ends if each not in _DAYS), None)
        if wrong is not None:
            close = nearest(wrong[:3], _DAYS)
            raise ValueError(
                Message("there is no day '{day}'. Did you mean '{close}'?", day=wrong, close=close[0])
                if close
                else Message(
                    "there is no day '{day}'; there are {days} and {daily}",
                    day=wrong,
                    days=", ".join(_DAYS),
                    daily=_DAILY,
                )
            )
        start, count = _DAYS.index(first), (_DAYS.index(ends[-1]) - _DAYS.index(first)) % _WEEK_DAYS + 1
        found |= {(start + n) % _WEEK_DAYS: None for n in range(count)}
    return tuple(sorted(found))


def _spans(texts: list[str], whole: str) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    last = -1
    for text in texts:
        match = _SPAN.fullmatch(text)
        if match is None:
            raise ValueError(
                Message(
                    "'{text}' is no time from 00:00 to 24:00 with a begin and an end, such as 09:30-16:00", text=text
                )
            )
        from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
        begin, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
        if begin == end:
            raise ValueError(
                Message(
                    "'{text}' ends when it begins. Write its end, or for a whole day {begin}-24:00 00:00-{begin}",
                    text=text,
                    begin=text.partition("-")[0],
                )
                if begin
                else Message("'{text}' ends when it begins. Write its end, or 00:00-24:00 for a whole day", text=text)
            )
        if to_hour * 60 + to_minute > _DAY_MINUTES:
            raise ValueError(
                Message("'{text}' ends after 24:00. Write a time of the next day, such as 01:30", text=text)
            )
        while begin < last:
            begin += _DAY_MINUTES
        while end <= begin:
            end += _DAY_MINUTES
        last = end
        found.append((begin, end))
    if found[-1][1] - found[0][0] > _DAY_MINUTES:
        raise ValueError(
            Message(
                "'{text}' lasts for more than a day. Its times must be in order, each after the one before", text=whole
            )
        )
    return tuple(found)


class Schedule(BaseModel):
    """When the strategy runs in paper and live mode. A backtest ignores it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    hours: str = param(
        "24/7; market: the sessions of its instruments' markets; forex: Sunday to Friday, 17:00 New York time; or the "
        "code of an exchange such as XSHG.",
        default=ALWAYS,
        advanced=True,
    )
    weekly: tuple[str, ...] = param(
        "Sessions of one's own in place of hours, such as mon-fri 09:30-11:30 13:00-15:00 or sun-thu 21:00-02:30.",
        default=(),
        advanced=True,
    )
    timezone: str = param("The time zone of weekly sessions, such as Asia/Shanghai.", default="UTC", advanced=True)
    lead_minutes: float = param(
        "How long before a session it is started, for the warm-up.",
        default=15.0,
        unit="minutes",
        advanced=True,
        ge=0,
        le=_MOST_MINUTES,
    )
    after_minutes: float = param(
        "How long after a session it still runs, for the last bars.",
        default=5.0,
        unit="minutes",
        advanced=True,
        ge=0,
        le=_MOST_MINUTES,
    )
    flat_minutes: float = param(
        "How long before the end of a session positions are closed and entries end; 0: not at all.",
        default=0.0,
        unit="minutes",
        advanced=True,
        ge=0,
        le=_MOST_MINUTES,
    )
    breaks: Literal["run", "stop"] = param(
        "Whether it runs on in the breaks of a session, or is stopped and started.", default="run", advanced=True
    )

    @model_validator(mode="after")
    def _is_one(self) -> Schedule:
        if self.weekly and self.hours != ALWAYS:
            raise ValueError(Message("'schedule' has either 'hours' or 'weekly', not both"))
        if not self.hours.strip():
            raise ValueError(Message("'hours' must not be empty"))
        if self.timezone != "UTC" and not self.weekly:
            raise ValueError(Message("'timezone' is that of 'weekly', which is not given"))
        if self.flat_minutes and self.is_endless:
            raise ValueError(Message("'flat_minutes' needs hours that end, but these are 24/7"))
        _check_zone(self.timezone)
        self.sessions  # noqa: B018 - raises where one is wrong
        return self

    @property
    def sessions(self) -> tuple[WeeklySession, ...]:
        """The sessions of one's own."""
        return tuple(WeeklySession.parse(each) for each in self.weekly)

    @property
    def is_endless(self) -> bool:
        """Whether it always runs."""
        return self.hours == ALWAYS and not self.weekly


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(Message("there is no time zone '{name}'. Write it as Europe/Berlin", name=name)) from error
