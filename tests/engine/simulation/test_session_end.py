"""Positions are flat over night, by the session's hours alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, Bars
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import BlockReason, InterventionKind, Ledger, Reason
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.api.rules import GuardKind, GuardRule
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, compiled
from quantcrafter.engine.simulation.matcher import BarMatcher
from quantcrafter.engine.simulation.session import SimulationSession
from tests.support.feeding import fed, joined
from tests.support.jobs import Setup, make_job

HOUR_NS = 3_600_000_000_000
OPENING_NS = 1_704_205_800_000_000_000  # 2 January 2024, 09:30 in New York
BARS = 7  # six of an hour, and the half hour from 15:30 on


def two_days() -> Bars:
    """Return hourly bars of two sessions, at a price of 100."""
    starts = np.array([OPENING_NS + day * 24 * HOUR_NS + k * HOUR_NS for day in range(2) for k in range(BARS)])
    ends = np.array(
        [start + (HOUR_NS // 2 if k % BARS == BARS - 1 else HOUR_NS) for k, start in enumerate(starts.tolist())]
    )
    price = np.full(len(starts), 100.0)
    volume = np.full(len(starts), 1000.0)
    return Bars("TEST", Timeframe(1, "h"), starts, ends, price, price, price, price, volume, NEW_YORK_STOCKS)


def test_a_position_is_closed_at_the_open_of_the_session_s_last_bar_and_none_is_opened_after() -> None:
    guard = GuardRule(GuardKind.SESSION_END, 0.0)
    flags = {0: ENTER_LONG, 5: ENTER_LONG, 6: ENTER_LONG, 7: ENTER_LONG}
    ledger = simulate(make_job((two_days(), Setup(flags=flags)), guards=(guard,)))
    assert [(int(f["bar"]), int(f["side"]), Reason(f["reason"])) for f in ledger.fills] == [
        (1, 1, Reason.ENTRY),
        (6, -1, Reason.SESSION_END),
        (8, 1, Reason.ENTRY),
        (13, -1, Reason.SESSION_END),
    ]
    assert [(int(b["bar"]), BlockReason(b["reason"])) for b in ledger.blocked] == [(6, BlockReason.SESSION_END)]
    kinds = [(int(i["bar"]), InterventionKind(i["kind"])) for i in ledger.interventions]
    assert kinds == [
        (5, InterventionKind.FLATTENED),
        (6, InterventionKind.ENTRY_BLOCKED),
        (12, InterventionKind.FLATTENED),
    ]


def test_minutes_before_the_end_close_it_so_much_earlier() -> None:
    guard = GuardRule(GuardKind.SESSION_END, 90.0)
    ledger = simulate(make_job((two_days(), Setup(flags={0: ENTER_LONG})), guards=(guard,)))
    # 13:30 is the first close from which no more than a bar and 90 minutes are left.
    assert ledger.fills["bar"].tolist() == [1, 4]


def opened_again(job: EngineJob) -> Ledger:
    """Return the ledger of a session that is saved and opened again before each step."""
    return joined(list(fed(job, SimulationSession.open(job, identity=Identity("strategy")), set(range(2 * BARS)))))


DRIVERS: dict[str, Callable[[EngineJob], Ledger]] = {
    "compiled": lambda job: simulate(job, kernel=compiled()),
    "interpreted": lambda job: simulate(job, kernel=INTERPRETED),
    "asked": lambda job: joined(list(fed(job, SimulationSession.open(job, matcher=BarMatcher())))),
    "bar by bar": lambda job: joined(list(fed(job, SimulationSession.open(job)))),
    "opened again": opened_again,
}
every_driver = pytest.mark.parametrize("driver", list(DRIVERS))


def without(bars: Bars, *missing: int) -> Bars:
    """Return the bars less those of these numbers."""
    kept = np.setdiff1d(np.arange(len(bars)), missing)
    columns = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    return replace(bars, **{name: getattr(bars, name)[kept] for name in columns})


def kinds_of(ledger: Ledger) -> list[tuple[int, InterventionKind]]:
    """Return bar and kind of each intervention."""
    return [(int(row["bar"]), InterventionKind(row["kind"])) for row in ledger.interventions]


@every_driver
@pytest.mark.parametrize(("flag", "side"), [(ENTER_LONG, 1), (ENTER_SHORT, -1)])
def test_an_exit_that_waits_over_night_for_the_last_bar_of_a_session_is_reported(
    flag: int, side: int, driver: str
) -> None:
    # Without the half hour from 15:30 the order made at the close of bar 5 fills at bar 6, the next day's first.
    bars = without(two_days(), BARS - 1)
    job = make_job((bars, Setup(flags={0: flag})), guards=(GuardRule(GuardKind.SESSION_END, 0.0),))
    ledger = DRIVERS[driver](job)
    assert [(int(f["bar"]), int(f["side"])) for f in ledger.fills] == [(1, side), (6, -side)]
    assert kinds_of(ledger) == [(5, InterventionKind.FLATTENED), (6, InterventionKind.FLATTENED_LATE)]
    assert ledger.interventions["before"].tolist() == [side, side]


@every_driver
def test_a_missing_last_bar_is_no_matter_where_nothing_is_held(driver: str) -> None:
    bars = without(two_days(), BARS - 1)
    flat = make_job((bars, Setup(flags={7: ENTER_LONG})), guards=(GuardRule(GuardKind.SESSION_END, 0.0),))
    early = make_job((bars, Setup(flags={0: ENTER_LONG})), guards=(GuardRule(GuardKind.SESSION_END, 90.0),))
    assert kinds_of(DRIVERS[driver](flat)) == [(11, InterventionKind.FLATTENED)]
    assert kinds_of(DRIVERS[driver](early)) == [(3, InterventionKind.FLATTENED)]


@every_driver
def test_an_exit_that_waits_over_night_because_the_bar_to_leave_in_is_missing_is_reported(driver: str) -> None:
    for missing in ((BARS - 2,), (BARS - 3, BARS - 2)):
        bars = without(two_days(), *missing)
        job = make_job((bars, Setup(flags={0: ENTER_LONG})), guards=(GuardRule(GuardKind.SESSION_END, 0.0),))
        kinds = [kind for _, kind in kinds_of(DRIVERS[driver](job))]
        assert kinds == [InterventionKind.FLATTENED, InterventionKind.FLATTENED_LATE]


@every_driver
def test_the_last_two_bars_missing_are_reported_once(driver: str) -> None:
    bars = without(two_days(), BARS - 2, BARS - 1)
    job = make_job((bars, Setup(flags={0: ENTER_LONG})), guards=(GuardRule(GuardKind.SESSION_END, 0.0),))
    assert kinds_of(DRIVERS[driver](job)) == [(5, InterventionKind.FLATTENED_LATE)]
