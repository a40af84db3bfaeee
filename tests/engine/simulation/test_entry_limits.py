"""Limits on the number of entries: never exceeded, whatever the entries are, and counted again from the fills alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import BlockReason, InterventionKind, Ledger, StatusReason
from quantcrafter.engine.api.ports import ENTER_LONG, EXIT_LONG
from quantcrafter.engine.api.rules import ExecutionRule, GuardKind, GuardRule, OnOpposite
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from tests.support.counts import sample
from tests.support.jobs import DAY_NS, Setup, make_bars, make_job
from tests.support.random_jobs import jobs

limits = st.builds(
    GuardRule,
    st.sampled_from([GuardKind.ENTRIES_TODAY, GuardKind.OPEN_ENTRIES]),
    st.integers(1, 3),
    side=st.sampled_from([-1, 0, 0, 1]),
    shared=st.booleans(),
    symbols=st.sampled_from([(), (), ("S0",), ("S0", "S1")]),
)


def most_counted(job: EngineJob, ledger: Ledger, limit: GuardRule) -> int:
    """Return the largest number of entries that the limit is about, at any moment of the run."""
    symbols = [each.symbol for each in job.instruments]
    members = {i for i, symbol in enumerate(symbols) if not limit.symbols or symbol in limit.symbols}
    today: Counter[tuple[int, int]] = Counter()
    units: dict[int, list[tuple[int, int]]] = {i: [] for i in range(len(symbols))}
    most = 0
    for fill in ledger.fills:
        i, order, side, lots = (int(fill[name]) for name in ("instrument", "order_id", "side", "lots"))
        held = units[i]
        if held and held[0][1] * side < 0:
            close(held, lots, unit_closed_by(job, ledger, order))
            continue
        number = next((n for n, (of, _) in enumerate(held) if of == order), None)
        if number is not None:
            held[number] = (order, held[number][1] + side * lots)
            continue
        held.append((order, side * lots))
        if i in members and limit.side * side >= 0:
            day = int(job.instruments[i].bars.open_ns[fill["bar"]]) // DAY_NS
            today[0 if limit.shared else i, day] += 1
        of_side = {n: len(each) for n, each in units.items() if each and each[0][1] * limit.side >= 0 and n in members}
        opened = sum(of_side.values()) if limit.shared else max(of_side.values(), default=0)
        most = max(most, opened if limit.kind is GuardKind.OPEN_ENTRIES else max(today.values(), default=0))
    return most


def unit_closed_by(job: EngineJob, ledger: Ledger, number: int) -> int:
    """Return the entry order whose unit an order closes, or -1: then the oldest is closed first."""
    row = ledger.orders[ledger.orders["id"] == number][0]
    rule = int(row["rule"])
    own = 0 <= rule < len(job.protection) and job.protection[rule].scope == "unit"
    return int(row["parent"]) if own else -1


def close(held: list[tuple[int, int]], lots: int, of: int) -> None:
    """Take lots off the unit of that order, then off the oldest ones."""
    order = sorted(range(len(held)), key=lambda n: (held[n][0] != of, n))
    for n in order:
        number, size = held[n]
        taken = min(lots, abs(size))
        held[n] = (number, size - taken if size > 0 else size + taken)
        lots -= taken
    held[:] = [each for each in held if each[1] != 0]


@settings(max_examples=sample(150, of=5_000), deadline=None)
@given(jobs(max_bars=40), limits)
def test_no_limit_is_ever_exceeded(job: EngineJob, limit: GuardRule) -> None:
    there = tuple(each.symbol for each in job.instruments if each.symbol in limit.symbols)
    limit = replace(limit, symbols=there)
    ledger = simulate(replace(job, guards=(limit,)), kernel=INTERPRETED)
    assert most_counted(job, ledger, limit) <= limit.value


def test_the_count_of_this_test_finds_runs_without_a_limit_that_exceed_it() -> None:
    flags = {bar: int(ENTER_LONG) if bar % 2 else int(EXIT_LONG) for bar in range(10)}
    job = make_job((make_bars([[100, 101, 99, 100]] * 10), Setup(flags=flags)))
    limit = GuardRule(GuardKind.ENTRIES_TODAY, 1)
    assert most_counted(in_hours(job), simulate(in_hours(job), kernel=INTERPRETED), limit) == 4


def in_hours(job: EngineJob) -> EngineJob:
    """Return the job with its bars as hours of one day."""
    (one,) = job.instruments
    bars = replace(one.bars, open_ns=one.bars.open_ns // 24, close_ns=one.bars.open_ns // 24 + DAY_NS // 24)
    return replace(job, instruments=(replace(one, bars=bars),))


def test_the_third_entry_of_a_day_is_blocked_with_its_count() -> None:
    flags: dict[int, int] = {bar: int(EXIT_LONG) if bar % 2 else int(ENTER_LONG) for bar in range(8)}
    guard = GuardRule(GuardKind.ENTRIES_TODAY, 2)
    job = in_hours(make_job((make_bars([[100, 101, 99, 100]] * 9), Setup(flags=flags)), guards=(guard,)))
    ledger = simulate(job, kernel=INTERPRETED)
    assert [int(each["bar"]) for each in ledger.fills] == [1, 2, 3, 4]
    assert [(int(b["bar"]), BlockReason(b["reason"])) for b in ledger.blocked] == [
        (4, BlockReason.ENTRIES_TODAY),
        (6, BlockReason.ENTRIES_TODAY),
    ]
    noted = ledger.interventions[ledger.interventions["kind"] == InterventionKind.ENTRY_BLOCKED]
    assert [(float(row["before"]), float(row["after"])) for row in noted] == [(2.0, 2.0)] * 2


def test_a_reversal_counts_only_the_new_position() -> None:
    flags: Any = {0: int(ENTER_LONG), 1: 4, 2: int(ENTER_LONG)}
    guard = GuardRule(GuardKind.OPEN_ENTRIES, 1)
    bars = make_bars([[100, 101, 99, 100]] * 4)
    job = make_job((bars, Setup(flags=flags)), guards=(guard,), execution=ExecutionRule(OnOpposite.REVERSE))
    ledger = simulate(job, kernel=INTERPRETED)
    assert len(ledger.fills) == 5
    assert not len(ledger.blocked)


def test_one_of_two_entries_at_the_same_open_is_rejected() -> None:
    pairs = [(make_bars([[100, 101, 99, 100]] * 3, name), Setup(flags={0: int(ENTER_LONG)})) for name in "AB"]
    job = make_job(*pairs, guards=(GuardRule(GuardKind.ENTRIES_TODAY, 1, shared=True),))
    ledger = simulate(job, kernel=INTERPRETED)
    assert [int(each["instrument"]) for each in ledger.fills] == [0]
    assert StatusReason(ledger.orders[1]["status_reason"]) is StatusReason.CAP


def test_a_group_of_unknown_instruments_is_refused() -> None:
    job = make_job(
        (make_bars([[100, 101, 99, 100]]), Setup()), guards=(GuardRule(GuardKind.OPEN_ENTRIES, 1, symbols=("A", "B")),)
    )
    with pytest.raises(RunError, match="A guard names the instrument 'A'; there are TEST"):
        simulate(job, kernel=INTERPRETED)
