"""A replay keeps the books of a backtest, goes back and forth, stops where it is told to, and forks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quantcrafter
from quantcrafter.engine.api import RunError, SpecError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.replay import Moment, Replay, Stop
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.run import run
from tests.support.ledger_checks import assert_same_bits

EXAMPLES = Path(__file__).parents[4] / "resources" / "examples"
RSI = EXAMPLES / "rsi_pullback.yaml"
REGISTRY = load_registry()


@pytest.fixture(scope="module")
def whole() -> RunResult:
    return run(RSI, registry=REGISTRY)


@pytest.fixture(scope="module")
def replay() -> Replay:
    return Replay(RSI, registry=REGISTRY)


@pytest.fixture(autouse=True)
def _from_the_start(replay: Replay) -> None:
    replay.breakpoints.clear()
    replay.jump(0)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_replay_to_the_end_has_the_books_of_the_backtest(path: Path) -> None:
    replay = Replay(path, registry=REGISTRY)
    assert replay.run_on() is Stop.END
    result, backtest = replay.result(), run(path, registry=REGISTRY)
    assert_same_bits(result.ledger, backtest.ledger)
    assert result.metrics == backtest.metrics
    assert result.mode == "replay"


def test_moments_add_up_to_the_books(replay: Replay, whole: RunResult) -> None:
    moments: list[Moment] = []
    assert replay.play(moments.append) is Stop.END
    assert [moment.index for moment in moments] == list(range(1, len(replay) + 1))
    assert [row for moment in moments for row in moment.fills.tolist()] == whole.ledger.fills.tolist()
    assert [row for moment in moments for row in moment.parts.tolist()] == whole.ledger.parts.tolist()
    assert [moment.equity for moment in moments] == whole.ledger.equity.tolist()
    for moment in moments:
        assert all(fill["bar"] == moment.index - 1 for fill in moment.fills)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3_270), min_size=1, max_size=6))
def test_jumps_in_any_order_lead_to_the_same_state(places: list[int]) -> None:
    jumping = JUMPING
    for place in places:
        jumping.jump(place)
        assert jumping.index == place
    direct = Replay(RSI, registry=REGISTRY, snapshot_steps=100_000)
    direct.jump(places[-1])
    assert_same_bits(jumping.ledger(), direct.ledger())
    assert repr(jumping.working_orders().tolist()) == repr(direct.working_orders().tolist())
    assert (jumping.equity, jumping.cash) == (direct.equity, direct.cash)


JUMPING = Replay(RSI, registry=REGISTRY, snapshot_steps=97)


def test_a_jump_back_runs_no_more_steps_than_lie_between_snapshots() -> None:
    replay = Replay(RSI, registry=REGISTRY, snapshot_steps=50)
    replay.jump(len(replay))
    done: list[int] = []
    inner = replay._session.step

    def counted() -> None:
        done.append(1)
        inner()

    replay._session.step = counted  # type: ignore[method-assign]  # the session's own step, counted
    replay.jump(1_749)
    assert len(done) == 49


def test_it_jumps_to_a_date(replay: Replay) -> None:
    replay.jump_to(int(np.datetime64("2005-06-30T23:59", "ns").astype(np.int64)))
    assert str(np.datetime64(replay.close_ns(replay.index - 1), "ns"))[:10] == "2005-06-30"


def test_a_comparison_stops_where_it_turns_true(replay: Replay, whole: RunResult) -> None:
    rsi = whole.column("rsi")
    below = rsi < 10
    expected = (np.flatnonzero(below[1:] & ~below[:-1]) + 2).tolist()
    replay.add_breakpoint("rsi < 10")
    found = []
    while replay.run_on() is Stop.BREAKPOINT:
        found.append(replay.index)
        assert replay.value("rsi") < 10
    assert found == expected


def test_a_signal_a_fill_a_loss_and_a_date_stop_it(replay: Replay, whole: RunResult) -> None:
    flags = whole.column("dip")
    replay.add_breakpoint("dip")
    replay.run_on()
    assert replay.index == int(np.flatnonzero(flags)[0]) + 1
    replay.breakpoints.clear()
    replay.add_breakpoint("fill")
    replay.run_on()
    assert replay.index == int(whole.ledger.fills["bar"][0]) + 1
    replay.breakpoints.clear()
    replay.add_breakpoint("IBM: loss")
    replay.run_on()
    assert replay.moment is not None
    assert replay.ledger().trades["pnl"][-1] < 0 < len(replay.moment.parts)
    replay.breakpoints.clear()
    replay.add_breakpoint("2010-01-01")
    replay.run_on()
    assert str(np.datetime64(replay.moment.ts_ns, "ns"))[:10] == "2010-01-04"


def test_a_drawdown_and_the_equity_stop_it(replay: Replay, whole: RunResult) -> None:
    equity = whole.ledger.equity
    peak = np.maximum.accumulate(np.maximum(equity, 100_000.0))
    expected = int(np.flatnonzero(100.0 * (1.0 - equity / peak) > 5.0)[0]) + 1
    replay.add_breakpoint("drawdown > 5")
    replay.run_on()
    assert replay.index == expected
    replay.breakpoints.clear()
    replay.add_breakpoint("equity >= 120000")
    replay.run_on()
    assert replay.index == int(np.flatnonzero(equity >= 120_000.0)[0]) + 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rsii < 10", "Did you mean 'rsi'"),
        ("dip.value", "names nothing"),
        ("AAPL: rsi < 3", "no instrument"),
        ("2010-13-01", "no date"),
        ("rsi <", "names nothing"),
    ],
)
def test_a_breakpoint_that_means_nothing_is_refused(replay: Replay, text: str, says: str) -> None:
    with pytest.raises(RunError, match=says):
        replay.add_breakpoint(text)
    assert not replay.breakpoints


def test_it_plays_at_the_speed_it_is_told(replay: Replay) -> None:
    replay.steps_per_s = 400.0
    times: list[float] = []
    assert replay.play(lambda _moment: times.append(time.perf_counter()), until=40) is Stop.PAUSED
    replay.steps_per_s = None
    assert replay.index == 40
    assert times[-1] - times[0] >= 39 / 400.0 * 0.9


def test_it_is_paused_from_another_thread_and_goes_on_as_if_nothing_had_happened(
    replay: Replay, whole: RunResult
) -> None:
    replay.steps_per_s = 1_000.0
    running = threading.Event()
    outcome: list[Stop] = []
    player = threading.Thread(target=lambda: outcome.append(replay.play(lambda _moment: running.set())))
    player.start()
    assert running.wait(30)
    replay.pause()
    player.join(30)
    assert outcome == [Stop.PAUSED]
    assert 0 < replay.index < len(replay)
    replay.steps_per_s = None
    assert replay.run_on() is Stop.END
    assert_same_bits(replay.ledger(), whole.ledger)


def test_beyond_the_end_there_is_no_step(replay: Replay) -> None:
    replay.jump(len(replay))
    with pytest.raises(RunError, match="data has ended"):
        replay.step()
    with pytest.raises(RunError, match="must lie between 0 and"):
        replay.jump(len(replay) + 1)


# ---------------------------------------------------------------------- forks


def test_a_fork_without_a_change_is_the_same_run(replay: Replay, whole: RunResult) -> None:
    replay.jump(1_234)
    fork = replay.fork()
    fork.run_on()
    assert_same_bits(fork.ledger(), whole.ledger)
    assert replay.index == 1_234


def test_a_fork_at_the_start_is_the_changed_strategy(replay: Replay) -> None:
    fork = replay.compare_fork("advisors.dip.long_entry=25", at=0)
    changed = run(RSI, registry=REGISTRY, overrides=("advisors.dip.long_entry=25",))
    assert_same_bits(fork.changed.ledger, changed.ledger)


@pytest.mark.parametrize("change", ["advisors.dip.long_entry=25", "money.size.percent=30", "risk.stop.percent=2"])
def test_both_ways_of_a_fork_agree_up_to_it_and_differ_after(replay: Replay, whole: RunResult, change: str) -> None:
    replay.jump(900)
    fork = replay.compare_fork(change, at=1_500)
    assert replay.index == 900
    assert_same_bits(fork.original.ledger, whole.ledger)
    before, after = fork.original.ledger.equity, fork.changed.ledger.equity
    assert before[:1_500].tobytes() == after[:1_500].tobytes()
    assert before[1_500:].tobytes() != after[1_500:].tobytes()
    early = fork.changed.ledger.fills["bar"] < 1_500
    assert fork.changed.ledger.fills[early].tolist() == whole.ledger.fills[: early.sum()].tolist()


def test_a_fork_goes_back_no_further_than_to_where_it_began(replay: Replay) -> None:
    fork = replay.fork("money.size.percent=30", at=100)
    fork.jump(300)
    fork.jump(100)
    with pytest.raises(RunError, match="between 100 and"):
        fork.jump(99)


def test_a_fork_cannot_change_the_data_or_what_is_not_there(replay: Replay) -> None:
    with pytest.raises(RunError, match="instruments and data"):
        replay.fork("run.start=2005-01-01", at=10)
    with pytest.raises(SpecError):
        replay.fork("money.size.percentt=3")


def test_scripts_replay_by_the_public_name() -> None:
    replay = quantcrafter.replay(RSI, money__size__percent=40)
    replay.jump(500)
    assert replay.index == 500
