"""What should run at which time, against dates that were looked up by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api import Session
from quantcrafter.engine.api.schedule import Schedule
from quantcrafter.engine.orchestrator.schedule import SchedulePhase, ScheduleState, TradingSchedule, trading_schedule

MINUTE_NS = 60_000_000_000
SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


def ns(text: str, zone: ZoneInfo | None = None) -> int:
    """Return a wall time such as 2026-09-30 11:45 as UTC nanoseconds."""
    moment = datetime.fromisoformat(text).replace(tzinfo=zone or UTC)
    return int(moment.timestamp()) * 10**9


def utc(moment_ns: int | None) -> str:
    return "" if moment_ns is None else f"{datetime.fromtimestamp(moment_ns / 1e9, UTC):%Y-%m-%d %H:%M}"


def at(settings: Schedule, text: str, zone: ZoneInfo, *sessions: Session) -> ScheduleState:
    return trading_schedule(settings, sessions).at(ns(text, zone))


XSHG = Schedule(hours="XSHG", lead_minutes=15, after_minutes=5)
XNYS = Schedule(hours="XNYS", lead_minutes=15, after_minutes=5)
BARE = {"lead_minutes": 0, "after_minutes": 0}


@pytest.mark.parametrize(
    ("moment", "phase", "until"),
    [
        ("2026-09-30 09:00", SchedulePhase.CLOSED, "2026-09-30 09:15"),
        ("2026-09-30 09:15", SchedulePhase.LEAD, "2026-09-30 09:30"),
        ("2026-09-30 09:31", SchedulePhase.OPEN, "2026-09-30 11:30"),  # a start one minute late is a start
        ("2026-09-30 11:29", SchedulePhase.OPEN, "2026-09-30 11:30"),
        ("2026-09-30 11:30", SchedulePhase.BREAK, "2026-09-30 13:00"),
        ("2026-09-30 12:59", SchedulePhase.BREAK, "2026-09-30 13:00"),
        ("2026-09-30 13:00", SchedulePhase.OPEN, "2026-09-30 15:00"),
        ("2026-09-30 15:00", SchedulePhase.AFTER, "2026-09-30 15:05"),
        # Golden Week of 2026 is from 1 to 7 October, and trading goes on on Thursday, 8 October.
        ("2026-09-30 15:05", SchedulePhase.CLOSED, "2026-10-08 09:15"),
        ("2026-10-01 10:00", SchedulePhase.CLOSED, "2026-10-08 09:15"),
        ("2026-10-05 10:00", SchedulePhase.CLOSED, "2026-10-08 09:15"),
        ("2026-10-08 09:30", SchedulePhase.OPEN, "2026-10-08 11:30"),
        # Saturday, 10 October, is a working day in its place, but the exchange is closed on all weekends.
        ("2026-10-10 10:00", SchedulePhase.CLOSED, "2026-10-12 09:15"),
        # Golden Week of 2025 lasted until 8 October, with the Mid-Autumn Festival.
        ("2025-10-08 10:00", SchedulePhase.CLOSED, "2025-10-09 09:15"),
    ],
)
def test_shanghai_has_lunch_breaks_and_golden_weeks(moment: str, phase: SchedulePhase, until: str) -> None:
    state = at(XSHG, moment, SHANGHAI)
    assert (state.phase, state.until_ns) == (phase, ns(until, SHANGHAI))
    assert state.runs is (phase is not SchedulePhase.CLOSED)
    assert state.is_trading_time is (phase is SchedulePhase.OPEN)


def test_a_schedule_can_stop_its_worker_in_breaks() -> None:
    settings = Schedule(hours="XSHG", breaks="stop", lead_minutes=10, after_minutes=5)
    found = [(text, at(settings, f"2026-09-30 {text}", SHANGHAI)) for text in ("11:30", "11:35", "12:50", "13:00")]
    phases = [(text, state.phase, state.runs) for text, state in found]
    assert phases == [
        ("11:30", SchedulePhase.AFTER, True),
        ("11:35", SchedulePhase.BREAK, False),
        ("12:50", SchedulePhase.LEAD, True),
        ("13:00", SchedulePhase.OPEN, True),
    ]


@pytest.mark.parametrize(
    ("moment", "phase", "until"),
    [
        ("2026-11-25 15:59", SchedulePhase.OPEN, "2026-11-25 16:00"),
        ("2026-11-26 12:00", SchedulePhase.CLOSED, "2026-11-27 09:15"),  # Thanksgiving
        ("2026-11-27 12:59", SchedulePhase.OPEN, "2026-11-27 13:00"),  # the half day after it
        ("2026-11-27 13:04", SchedulePhase.AFTER, "2026-11-27 13:05"),
        ("2026-11-27 14:00", SchedulePhase.CLOSED, "2026-11-30 09:15"),
        (
            "2026-12-24 13:30",
            SchedulePhase.CLOSED,
            "2026-12-28 09:15",
        ),  # Christmas Eve is a half day, Christmas a Friday
        ("2025-07-03 13:01", SchedulePhase.AFTER, "2025-07-03 13:05"),  # a half day before Independence Day
        ("2025-01-09 10:00", SchedulePhase.CLOSED, "2025-01-10 09:15"),  # the day of mourning for President Carter
        # Clocks are set forward on 8 March 2026: Friday opens at 14:30 UTC, Monday at 13:30.
        ("2026-03-06 09:30", SchedulePhase.OPEN, "2026-03-06 16:00"),
        ("2026-03-09 09:30", SchedulePhase.OPEN, "2026-03-09 16:00"),
    ],
)
def test_new_york_has_half_days(moment: str, phase: SchedulePhase, until: str) -> None:
    state = at(XNYS, moment, NEW_YORK)
    assert (state.phase, state.until_ns) == (phase, ns(until, NEW_YORK))


def test_the_opening_of_new_york_follows_its_daylight_saving_time() -> None:
    bare = trading_schedule(Schedule(hours="XNYS", **BARE))
    assert utc(bare.at(ns("2026-03-06 00:00")).opens_ns) == "2026-03-06 14:30"
    assert utc(bare.at(ns("2026-03-09 00:00")).opens_ns) == "2026-03-09 13:30"
    assert utc(bare.at(ns("2026-10-30 00:00")).opens_ns) == "2026-10-30 13:30"
    assert utc(bare.at(ns("2026-11-02 00:00")).opens_ns) == "2026-11-02 14:30"


@pytest.mark.parametrize(
    ("moment", "phase", "until"),
    [
        # In summer the week is from Sunday 21:00 to Friday 21:00 UTC, in winter from 22:00 to 22:00.
        ("2026-07-03 20:59", SchedulePhase.OPEN, "2026-07-03 21:00"),
        ("2026-07-03 21:00", SchedulePhase.CLOSED, "2026-07-05 21:00"),
        ("2026-07-05 21:00", SchedulePhase.OPEN, "2026-07-10 21:00"),
        ("2026-07-08 21:00", SchedulePhase.OPEN, "2026-07-10 21:00"),  # no end at 17:00 New York in the week
        ("2026-10-30 21:00", SchedulePhase.CLOSED, "2026-11-01 22:00"),  # clocks are set back on 1 November
        ("2026-11-06 21:30", SchedulePhase.OPEN, "2026-11-06 22:00"),
        ("2026-03-06 21:59", SchedulePhase.OPEN, "2026-03-06 22:00"),
        ("2026-03-07 12:00", SchedulePhase.CLOSED, "2026-03-08 21:00"),  # clocks are set forward on 8 March
    ],
)
def test_currencies_trade_from_sunday_to_friday_evening_of_new_york(
    moment: str, phase: SchedulePhase, until: str
) -> None:
    state = trading_schedule(Schedule(hours="forex", **BARE)).at(ns(moment))
    assert (state.phase, utc(state.until_ns)) == (phase, until)


@pytest.mark.parametrize("settings", [Schedule(), Schedule(hours="market"), Schedule(weekly=("daily 00:00-24:00",))])
def test_round_the_clock_never_ends(settings: Schedule) -> None:
    schedule = trading_schedule(settings, [Session()])
    for moment in ("2026-01-01 00:00", "2026-02-28 23:59", "2026-11-01 06:30"):
        state = schedule.at(ns(moment))
        assert state == ScheduleState(SchedulePhase.OPEN, runs=True)


@pytest.mark.parametrize(
    ("moment", "phase", "until"),
    [
        # Night session 21:00 to 02:30 and day session with breaks, as Chinese futures have them.
        ("2026-11-01 20:59", SchedulePhase.CLOSED, "2026-11-01 21:00"),  # Sunday
        ("2026-11-01 23:59", SchedulePhase.OPEN, "2026-11-02 02:30"),
        ("2026-11-02 00:00", SchedulePhase.OPEN, "2026-11-02 02:30"),
        ("2026-11-02 02:30", SchedulePhase.BREAK, "2026-11-02 09:00"),
        ("2026-11-02 10:15", SchedulePhase.BREAK, "2026-11-02 10:30"),
        ("2026-11-02 14:59", SchedulePhase.OPEN, "2026-11-02 15:00"),
        ("2026-11-02 15:00", SchedulePhase.CLOSED, "2026-11-02 21:00"),
        ("2026-11-06 14:59", SchedulePhase.OPEN, "2026-11-06 15:00"),  # Friday: no night session follows
        ("2026-11-06 15:00", SchedulePhase.CLOSED, "2026-11-08 21:00"),
    ],
)
def test_an_overnight_session_of_ones_own(moment: str, phase: SchedulePhase, until: str) -> None:
    weekly = ("sun-thu 21:00-02:30 09:00-10:15 10:30-11:30 13:30-15:00",)
    state = at(Schedule(weekly=weekly, timezone="Asia/Shanghai", **BARE), moment, SHANGHAI)
    assert (state.phase, state.until_ns) == (phase, ns(until, SHANGHAI))


def test_a_session_of_ones_own_follows_the_clocks_of_its_zone() -> None:
    schedule = trading_schedule(Schedule(weekly=("sat,sun 22:00-04:00",), timezone="Europe/Berlin", **BARE))
    # Clocks are set forward on 29 March 2026 at 02:00, and back on 25 October at 03:00.
    spring, autumn = schedule.at(ns("2026-03-29 00:00")), schedule.at(ns("2026-10-25 00:00"))
    assert (utc(spring.since_ns), utc(spring.until_ns)) == ("2026-03-28 21:00", "2026-03-29 02:00")
    assert (utc(autumn.since_ns), utc(autumn.until_ns)) == ("2026-10-24 20:00", "2026-10-25 03:00")


def test_a_session_within_the_hour_that_clocks_skip_is_left_out() -> None:
    schedule = trading_schedule(Schedule(weekly=("daily 02:10-02:50",), timezone="Europe/Berlin", **BARE))
    open_on = [
        day
        for day in range(27, 32)
        if any(
            schedule.at(ns(f"2026-03-{day} 00:00") + n * MINUTE_NS).phase is SchedulePhase.OPEN
            for n in range(0, 300, 5)
        )
    ]
    assert len(open_on) >= 4
    assert schedule.at(ns("2026-03-30 00:20")).phase is SchedulePhase.OPEN  # 02:20 in summer


def test_sessions_that_touch_are_one() -> None:
    settings = Schedule(weekly=("mon 09:00-12:00", "mon 12:00-17:00", "mon 16:00-18:00"), **BARE)
    state = trading_schedule(settings).at(ns("2026-11-30 12:00"))
    assert (utc(state.since_ns), utc(state.until_ns)) == ("2026-11-30 09:00", "2026-11-30 18:00")


def test_instruments_of_two_exchanges_run_while_either_is_open() -> None:
    sessions = [
        Session("America/New_York", 570, 960, (0, 1, 2, 3, 4), "XNYS"),
        Session("Europe/Berlin", 540, 1050, (0, 1, 2, 3, 4), "XETR"),
    ]
    schedule = trading_schedule(Schedule(hours="market", **BARE), sessions)
    state = schedule.at(ns("2026-11-30 15:00"))  # 08:00 to 16:30 and 14:30 to 21:00 UTC
    assert (utc(state.since_ns), utc(state.until_ns)) == ("2026-11-30 08:00", "2026-11-30 21:00")
    thanksgiving = schedule.at(ns("2026-11-26 15:00"))
    assert (utc(thanksgiving.since_ns), utc(thanksgiving.until_ns)) == ("2026-11-26 08:00", "2026-11-26 16:30")


def test_positions_are_closed_before_the_end_of_a_session_and_not_before_lunch() -> None:
    settings = Schedule(hours="XSHG", flat_minutes=10, lead_minutes=15, after_minutes=5)
    flat = [
        text
        for text in ("11:25", "12:00", "14:49", "14:50", "15:00", "15:04")
        if at(settings, f"2026-09-30 {text}", SHANGHAI).flat
    ]
    assert flat == ["14:50", "15:00", "15:04"]
    assert at(settings, "2026-09-30 14:50", SHANGHAI).phase is SchedulePhase.FLAT
    assert not at(settings, "2026-10-08 09:20", SHANGHAI).flat


def test_half_days_are_flat_earlier() -> None:
    settings = Schedule(hours="XNYS", flat_minutes=10)
    assert not at(settings, "2026-11-27 12:49", NEW_YORK).flat
    assert at(settings, "2026-11-27 12:50", NEW_YORK).flat
    assert not at(settings, "2026-11-30 12:50", NEW_YORK).flat


def test_currencies_are_flat_before_the_weekend_only() -> None:
    settings = Schedule(hours="forex", flat_minutes=30)
    assert not at(settings, "2026-11-04 16:45", NEW_YORK).flat
    assert at(settings, "2026-11-06 16:45", NEW_YORK).flat


def test_past_the_end_of_a_calendar_days_are_regular_and_a_notice_says_so() -> None:
    state = at(XSHG, "2031-10-01 10:00", SHANGHAI)  # surely a holiday, but nobody has said so yet
    assert state.phase is SchedulePhase.OPEN
    assert str(state.notice).startswith("The holidays of XSHG are known up to 20")
    assert not at(XSHG, "2025-10-01 10:00", SHANGHAI).notice


def test_a_lead_longer_than_the_night_starts_when_the_session_before_has_ended() -> None:
    settings = Schedule(hours="XNYS", lead_minutes=1440, after_minutes=5)
    state = at(settings, "2026-11-24 16:00", NEW_YORK)
    assert (state.phase, state.until_ns) == (SchedulePhase.LEAD, ns("2026-11-25 09:30", NEW_YORK))


# ---------------------------------------------------------------------- any minute


def expected_in_shanghai(moment: datetime) -> SchedulePhase:
    """Return the phase of a plain week of Shanghai, by its rules in words."""
    minute = moment.hour * 60 + moment.minute
    if moment.weekday() > 4:
        return SchedulePhase.CLOSED
    edges = [
        (555, SchedulePhase.CLOSED),
        (570, SchedulePhase.LEAD),
        (690, SchedulePhase.OPEN),
        (780, SchedulePhase.BREAK),
        (900, SchedulePhase.OPEN),
        (905, SchedulePhase.AFTER),
    ]
    return next((phase for end, phase in edges if minute < end), SchedulePhase.CLOSED)


def test_started_at_any_minute_of_a_week_the_state_is_right() -> None:
    schedule = trading_schedule(XSHG)
    begin = datetime(2026, 11, 16, tzinfo=SHANGHAI)  # a week without holidays
    for n in range(7 * 1440):
        moment = begin + timedelta(minutes=n)
        found = schedule.at(int(moment.timestamp()) * 10**9)
        assert found.phase is expected_in_shanghai(moment), moment


def some_schedule(number: int) -> TradingSchedule:
    settings = (
        XSHG,
        Schedule(hours="XNYS", flat_minutes=30, lead_minutes=60),
        Schedule(hours="forex", flat_minutes=5),
        Schedule(hours="CMES", lead_minutes=90),
        Schedule(hours="XSHG", breaks="stop", lead_minutes=30, after_minutes=45),
        Schedule(
            weekly=("sun-thu 21:00-02:30 09:00-11:30", "sat 10:00-10:01"), timezone="Europe/Berlin", flat_minutes=7
        ),
    )
    return trading_schedule(settings[number % len(settings)])


@given(number=st.integers(0, 5), second=st.integers(ns("2024-01-01 00:00") // 10**9, ns("2027-06-30 00:00") // 10**9))
def test_a_state_holds_from_its_begin_to_its_end_and_not_beyond(number: int, second: int) -> None:
    schedule = some_schedule(number)
    state = schedule.at(second * 10**9)
    assert state.since_ns is not None
    assert state.until_ns is not None
    assert state.since_ns <= second * 10**9 < state.until_ns
    assert schedule.at(state.since_ns).phase is state.phase
    assert schedule.at(state.until_ns - 1).phase is state.phase
    assert schedule.at(state.until_ns).phase is not state.phase
    assert schedule.at(state.since_ns - 1).phase is not state.phase
    assert state.runs or not state.is_trading_time
