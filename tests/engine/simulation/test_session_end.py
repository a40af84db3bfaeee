"""Positions are flat over night, by the session's hours alone."""

from __future__ import annotations

import numpy as np

from engine.api.bars import NEW_YORK_STOCKS, Bars
from engine.api.ledger import BlockReason, InterventionKind, Reason
from engine.api.ports import ENTER_LONG
from engine.api.rules import GuardKind, GuardRule
from engine.api.timeframe import Timeframe
from engine.simulation.driver import simulate
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
