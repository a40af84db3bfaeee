"""Feeds with a clock of their own: how fast it runs, where it begins, and bars that close by it."""

from __future__ import annotations

import math
import re
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Self

from pydantic import Field, field_validator, model_validator

from quantcrafter.engine.api import Bar, BarClosed, Feed, FeedConnection, FeedEvent, FeedState
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.place import place_and_options

SLOWEST, FASTEST = 0.1, 1e6
MAX = "max"
MOST_MOMENTS = 64
"""How many moments are brought in one call at most."""

_SPEED = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)x?")
_PLACE = re.compile(r"(?P<speed>[^@]*)(?:@(?P<begin>.*?)(?:\.\.(?P<end>.*))?)?")


class ClockedFeed(Feed):
    """A feed with a clock that runs `speed` times as fast as ours, from `begin` to `end`."""

    place = "speed"
    own_clock = True
    changeable: ClassVar[tuple[str, ...]] = ("speed",)

    speed: str = Field("1x", description="How many times as fast as the clock, such as 60x, or max.")
    begin: str = Field("", description="The first day or time, such as 2024-01-01; empty for that of the backtest.")
    end: str = Field("", description="The last day or time; empty for that of the backtest.")

    @field_validator("speed")
    @classmethod
    def _check_speed(cls, text: str) -> str:
        if text == MAX:
            return text
        found = _SPEED.fullmatch(text)
        if found is None or not SLOWEST <= float(found[1]) <= FASTEST:
            raise ValueError(
                Message(
                    "a speed is a number from {slowest} to {fastest:,.0f} such as 60x, or 'max', was '{text}'",
                    slowest=SLOWEST,
                    fastest=FASTEST,
                    text=text,
                )
            )
        return text

    @field_validator("begin", "end")
    @classmethod
    def _check_moment(cls, text: str) -> str:
        try:
            if text:
                datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(
                Message("a day or time is written as 2024-01-31 or 2024-01-31T09:30, was '{text}'", text=text)
            ) from error
        return text

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.begin and self.end and moment_of(self.end) < moment_of(self.begin):
            raise ValueError(
                Message(
                    "the span must not end before it begins, was '{begin}..{end}'. Write the earlier time first",
                    begin=self.begin,
                    end=self.end,
                )
            )
        return self

    @classmethod
    def from_place(cls, text: str) -> Self:
        """Return the feed of a text such as `60x@2024-01-01..2024-06-30`, and options after it."""
        place, options = place_and_options(text)
        found = _PLACE.fullmatch(place)
        if found is None:  # pragma: no cover - the pattern takes any text
            raise ValueError(text)
        given = {name: value for name, value in found.groupdict().items() if value}
        return cls.model_validate(given | options)

    @property
    def factor(self) -> float:
        """How many times as fast as our clock; infinite for `max`."""
        if self.speed == MAX:
            return math.inf
        return float(self.speed.removesuffix("x"))


def moment_of(text: str) -> int:
    """Return the moment of a day or time; without a zone it is in UTC."""
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return round(moment.timestamp()) * 1_000_000_000


class ClockedConnection(FeedConnection):
    """Bars behind a clock: each is brought when the clock reaches its close.

    Args:
        names: what there are bars of.
        begin_ns: where the clock stands before it begins.
        factor: how fast the clock runs.
        clock: our clock, in seconds; for tests.
        sleep: waits for some seconds; for tests.
    """

    def __init__(
        self,
        names: Iterable[str],
        begin_ns: int,
        factor: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._names, self._factor, self._clock, self._sleep = tuple(names), factor, clock, sleep
        self._origin_ns = self._now_ns = begin_ns
        self._started: float | None = None
        self._ended = False

    @abstractmethod
    def _seek(self, at_ns: int) -> None:
        """Let the next bar of each name be the first that closes after a moment."""

    @abstractmethod
    def _next_close(self, name: str) -> int | None:
        """Return when the next bar of a name closes; None after the last one."""

    @abstractmethod
    def _take(self, name: str) -> tuple[Bar, bool]:
        """Return the next bar of a name, and whether it is the last one."""

    def begin(self, at_ns: int | None) -> None:
        if at_ns is not None:
            self._origin_ns = self._now_ns = at_ns
            self._seek(at_ns)
        self._started = None

    def poll(self, timeout_s: float) -> Sequence[FeedEvent]:
        if self._started is None:
            self._started = self._clock()
        events = self._due()
        wait = 0.0 if events or self._ended else min(timeout_s, self._wait_s())
        if wait > 0:
            self._sleep(wait)
            events = self._due()
        return events

    def now_ns(self) -> int:
        return self._now_ns

    def close(self) -> None:
        self._names = ()
        self._ended = True

    def _due(self) -> list[FeedEvent]:
        """Return what has closed by now, at most some moments of it, and the end once everything was brought."""
        if self._ended:
            return []
        reached = self._reached_ns()
        events: list[FeedEvent] = []
        for _ in range(MOST_MOMENTS):
            moment = self._next_ns()
            if moment is None or moment > reached:
                break
            events += self._at(moment)
            self._now_ns = max(self._now_ns, moment)
        moment = self._next_ns()
        if moment is None:
            self._ended = True
            events.append(FeedState("ended", self._now_ns))
        elif moment > reached and not math.isinf(self._factor):
            self._now_ns = max(self._now_ns, int(reached))
        return events

    def _at(self, moment: int) -> list[FeedEvent]:
        found: list[FeedEvent] = []
        for name in self._names:
            if self._next_close(name) == moment:
                bar, is_last = self._take(name)
                found.append(BarClosed(name, bar, moment, is_last=is_last))
        return found

    def _next_ns(self) -> int | None:
        """Return when the next bar closes; None after the last one."""
        closes = [close for name in self._names if (close := self._next_close(name)) is not None]
        return min(closes, default=None)

    def _reached_ns(self) -> float:
        """Return where the clock stands."""
        if math.isinf(self._factor):
            return math.inf
        started = self._clock() if self._started is None else self._started
        return self._origin_ns + int((self._clock() - started) * self._factor * 1e9)

    def _wait_s(self) -> float:
        moment = self._next_ns()
        if moment is None or math.isinf(self._factor):
            return 0.0
        return max(0.0, (moment - self._reached_ns()) / (self._factor * 1e9))
