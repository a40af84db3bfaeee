"""Stored bars behind a clock: at any speed, from anywhere, to their end."""

from __future__ import annotations

import math

import pytest

from quantcrafter.engine.api import BarClosed, Bars, FeedState, RunError, Subscription, Timeframe
from quantcrafter.engine.feeds.stored import StoredConnection, StoredFeed
from quantcrafter.engine.feeds.synthetic import SyntheticFeed
from tests.support.jobs import make_bars

S = 1_000_000_000


class Clock:
    """A clock that goes on by itself only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def bars(count: int) -> Bars:
    return make_bars([[100, 101, 99, 100]] * count)


def closes(events: object) -> list[int]:
    assert isinstance(events, list)
    return [each.bar.close_ns for each in events if isinstance(each, BarClosed)]


@pytest.mark.parametrize(
    ("text", "factor"), [("", 1.0), ("0.1x", 0.1), ("60x", 60.0), ("2.5", 2.5), ("max", math.inf), ("@2024-01-01", 1.0)]
)
def test_speeds(text: str, factor: float) -> None:
    assert StoredFeed.from_place(text).factor == factor


def test_a_span_is_read_from_the_place() -> None:
    feed = StoredFeed.from_place("max@2024-01-01..2024-06-30T12:00")
    assert (feed.speed, feed.begin, feed.end) == ("max", "2024-01-01", "2024-06-30T12:00")
    assert StoredFeed.from_place("5x@..2024-06-30").begin == ""


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    for feed in (StoredFeed, SyntheticFeed):
        with pytest.raises(ValueError, match=r"end before it begins, was '2024-06-30\.\.2024-01-01'\. Write"):
            feed.from_place("max@2024-06-30..2024-01-01")
        assert feed.from_place("max@2024-06-30..2024-06-30").end == "2024-06-30"
    assert StoredFeed.from_place("1x@2024-06-30T12:00+02:00..2024-06-30T10:30").begin


@pytest.mark.parametrize(
    "text", ["0.05x", "fast", "-1x", "1e3", "nan", "2000000x", "1x@yesterday", "1x@2024-01-01..13"]
)
def test_wrong_speeds_and_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"a speed is a number|a day or time is written"):
        StoredFeed.from_place(text)


def test_bars_close_by_the_clock_and_the_feed_ends_after_the_last() -> None:
    given, clock = bars(3), Clock()
    length = int(given.close_ns[0] - given.open_ns[0])
    feed = StoredConnection({"A": given}, 60.0, clock=clock, sleep=clock.sleep)
    feed.begin(None)
    assert feed.now_ns() == given.open_ns[0]
    assert feed.poll(0.0) == []
    assert feed.poll(1.0) == []
    assert clock.now == 1.0
    assert feed.now_ns() == given.open_ns[0] + 60 * S
    assert closes(feed.poll(1e9)) == [given.close_ns[0]]
    assert clock.now == pytest.approx(length / S / 60)
    clock.sleep(1e9)
    *last, ended = feed.poll(0.0)
    assert [(each.bar.close_ns, each.is_last) for each in last if isinstance(each, BarClosed)] == [
        (given.close_ns[1], False),
        (given.close_ns[2], True),
    ]
    assert ended == FeedState("ended", int(given.close_ns[2]))
    assert feed.poll(1.0) == []


def test_at_full_speed_it_waits_for_nothing_and_the_clock_stands_at_the_last_bar_that_was_brought() -> None:
    given, clock = bars(100), Clock()
    feed = StoredConnection({"A": given}, math.inf, clock=clock, sleep=clock.sleep)
    first = closes(feed.poll(1.0))
    assert first == given.close_ns[:64].tolist()
    assert feed.now_ns() == first[-1]
    assert closes(feed.poll(1.0)) == given.close_ns[64:].tolist()
    assert clock.now == 0.0


def test_it_goes_on_after_a_moment_with_what_was_before_known() -> None:
    given = bars(10)
    feed = StoredConnection({"A": given}, math.inf)
    at = int(given.close_ns[3])
    feed.begin(at)
    assert feed.now_ns() == at
    assert feed.history("A", at, 2).close_ns.tolist() == given.close_ns[2:4].tolist()
    assert [each.close_ns for each in feed.missed("A", at, int(given.close_ns[5]))] == given.close_ns[4:6].tolist()
    assert closes(feed.poll(0.0)) == given.close_ns[4:].tolist()
    feed.close()
    assert feed.poll(0.0) == []


def test_data_without_stored_bars_can_not_be_replayed() -> None:
    with pytest.raises(RunError, match="data of 'A' can't be replayed"):
        StoredFeed().open([Subscription("A", "A", Timeframe.parse("1d"))])


def test_the_clock_between_two_bars_is_exact_from_where_it_began() -> None:
    clock, given = Clock(), bars(3)
    begin_ns = int(given.close_ns[0]) + 1
    feed = StoredConnection({"A": given}, 1.0, clock=clock, sleep=clock.sleep)
    feed.begin(begin_ns)
    feed.poll(0.0)
    clock.now = 0.5
    feed.poll(0.0)
    assert feed.now_ns() == begin_ns + S // 2
