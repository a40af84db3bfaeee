"""The same job on the native engine, on backtrader and on vnpy: identical results.

The other two match every order with code that somebody else wrote, so they are oracles for each fill.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.adapters.backtrader.adapter import BacktraderEngine
from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.adapters.vnpy.adapter import VnpyEngine
from quantcrafter.engine.adapters.vnpy.client import end_shared_process
from quantcrafter.engine.api import EngineJob, Ledger, RunCancelledError, RunError
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.api.rules import ProtectiveKind, ProtectiveRule
from tests.support.counts import limit_s, sample
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.random_jobs import jobs, random_bars

COMPARED = {"runs": 0, "fills": 0, "inside": 0, "several": 0}
EXAMPLES = sample(500, of=2_000)
OTHERS = (BacktraderEngine(), VnpyEngine())
TABLES = ("orders", "fills", "trades", "blocked", "ts_ns", "equity", "cash")


@pytest.fixture(scope="module", autouse=True)
def _report(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print how many random runs were compared; end the vnpy process that they shared."""
    yield
    end_shared_process()
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(  # noqa: T201
            f"\nnative, backtrader and vnpy agree on {COMPARED['runs']:,} random runs ({COMPARED['several']:,} of"
            f" several instruments), {COMPARED['fills']:,} fills, {COMPARED['inside']:,} of them by stop or limit"
        )


def assert_same_books(one: Ledger, other: Ledger) -> None:
    """Compare two ledgers field by field; fields may have unused bytes between them."""
    for name in TABLES:
        mine, theirs = getattr(one, name), getattr(other, name)
        for field in mine.dtype.names or (None,):
            a, b = (mine, theirs) if field is None else (mine[field], theirs[field])
            assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), f"{name}.{field}:\n{mine}\nagainst\n{theirs}"
    assert one.open_positions == other.open_positions


def compare(job: EngineJob) -> Ledger:
    """Run a job on all three engines, check that they agree, and return the ledger."""
    ledger = NativeEngine().run(job)
    for engine in OTHERS:
        assert_same_books(ledger, engine.run(job))
    return ledger


@pytest.mark.timeout(limit_s(of=3600))  # many examples by hand take long
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    st.one_of(
        jobs(max_bars=80, account=True, below_zero=False),
        jobs(max_bars=80, account=True, below_zero=False, units=True),
    )
)
def test_random_strategies_on_random_bars_have_the_same_books_on_all_three(job: EngineJob) -> None:
    ledger = compare(job)
    COMPARED["runs"] += 1
    COMPARED["several"] += len(job.instruments) > 1
    COMPARED["fills"] += len(ledger.fills)
    COMPARED["inside"] += int((ledger.fills["kind"] > 0).sum())


@settings(max_examples=sample(60, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(-3, 3), st.integers(-2, 2), st.integers(0, 3), st.integers(0, 3)),
        min_size=20,
        max_size=40,
    ),
    st.sampled_from(["entry_bar", "next_bar"]),
    st.booleans(),
)
def test_bars_that_touch_stop_and_target_at_once_go_the_same_way(
    steps: list[tuple[int, int, int, int]],
    arm: str,
    long: bool,  # noqa: FBT001
) -> None:
    """Prices on a grid of one, stops and targets of one: nearly every bar has a tie, a touch or a gap."""
    rows, close = [], 100
    for gap, move, up, down in steps:
        start = close + gap
        end = start + move
        rows.append([start, max(start, end) + up, min(start, end) - down, end])
        close = max(end, 20)
    bars = make_bars(rows)
    rules = (
        ProtectiveRule(ProtectiveKind.STOP_LOSS, offset=1.0),
        ProtectiveRule(ProtectiveKind.TAKE_PROFIT, offset=1.0),
    )
    flags = [ENTER_LONG if long else ENTER_SHORT] * len(rows)
    job = make_job((bars, Setup(flags=flags, tick_size=1.0)), protection=rules, settings={"fills": {"arm": arm}})
    ledger = compare(job)
    COMPARED["runs"] += 1
    COMPARED["fills"] += len(ledger.fills)
    COMPARED["inside"] += int((ledger.fills["kind"] > 0).sum())


@settings(max_examples=sample(30, of=1_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(jobs(max_bars=40, account=True, below_zero=True))
def test_contracts_around_zero_have_the_same_books_on_backtrader(job: EngineJob) -> None:
    assert_same_books(NativeEngine().run(job), BacktraderEngine().run(job))


def test_vnpy_refuses_prices_at_which_it_fills_nothing() -> None:
    bars = make_bars([[1, 2, 1, 1], [1, 2, 0, 1]], "OIL")
    with pytest.raises(RunError, match=r"OIL has a low of 0\. Use another engine\."):
        VnpyEngine().run(make_job((bars, Setup())))


def test_backtrader_says_when_it_cannot_tell_two_closes_apart() -> None:
    one = make_bars([[1, 2, 1, 1]] * 3, "A", [0, 1, 2])
    moved = one.close_ns + np.array([0, 1_000, 0])
    other = make_bars([[1, 2, 1, 1]] * 3, "B", [0, 1, 2])
    object.__setattr__(other, "close_ns", moved)
    with pytest.raises(RunError, match="close within 10 microseconds"):
        BacktraderEngine().run(make_job((one, Setup()), (other, Setup())))


@pytest.mark.parametrize("engine", OTHERS, ids=lambda engine: engine.name)
def test_a_run_tells_how_far_it_is_and_ends_when_it_is_cancelled(engine: BacktraderEngine | VnpyEngine) -> None:
    bars = random_bars(3, "TEST", np.arange(3_000))
    seen: list[tuple[int, int]] = []
    job = make_job((bars, Setup()), progress=lambda done, total: seen.append((done, total)))
    engine.run(job)
    assert seen[0] == (1_000, 3_000)
    assert seen == sorted(seen)
    with pytest.raises(RunCancelledError):
        engine.run(make_job((bars, Setup()), cancelled=lambda: True))
    assert len(engine.run(make_job((bars, Setup()))).equity) == 3_000, "the next run starts anew"
