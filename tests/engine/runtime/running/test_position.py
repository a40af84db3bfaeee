"""Conditions that read the position and the account: what they see, on every engine, and who can't."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.adapters.vnpy.client import end_shared_process
from quantcrafter.engine.api import EXIT_LONG, Capability, EngineJob, Ledger, Problem, Signals, SpecError
from quantcrafter.engine.graph import Evaluation, StepColumn
from quantcrafter.engine.runtime.explain import ComparedSides, Facts, explain
from quantcrafter.engine.runtime.replay import Replay
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.job import with_record
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.memo import ColumnMemo
from quantcrafter.engine.runtime.running.run import Prepared, StageTimer, prepare_run, run
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, compiled
from quantcrafter.engine.simulation.matcher import BarMatcher
from quantcrafter.engine.simulation.session import SimulationSession
from tests.support.kept_runs import registry, saved_run
from tests.support.ledger_checks import assert_same_bits

STRATEGY = """\
quantcrafter: 1
name: Reads its position
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1h, bars: 700, seed: 3}
  - {symbol: TWO, data: synthetic, timeframe: 1h, bars: 500, seed: 4}
indicators:
  average: {use: ta.SMA, input: bars.close, timeperiod: 12}
logic:
  pos: {use: position}
  acc: {use: account}
  up: {use: compare, left: bars.close, op: ">", right: average}
  down: {use: compare, left: bars.close, op: "<", right: average}
  old: {use: compare, left: pos.bars, op: ">=", right: 7}
  lost: {use: compare, left: pos.open_percent, op: "<", right: -1.5}
  back: {use: crosses_below, left: bars.close, right: pos.entry_price}
  won: {use: compare, left: pos.last_trade_percent, op: ">", right: 0}
  flat_before: {use: lag, input: pos.side, bars: 3}
  flat: {use: compare, left: flat_before, op: "==", right: 0}
  small: {use: compare, left: acc.drawdown_percent, op: "<", right: 25}
  rare: {use: compare, left: pos.entries_today, op: "<", right: 2}
  then: {use: value_when, input: pos.open_percent, condition: up, occurrence: 1}
  hot: {use: latch, set: won, reset: lost}
  times: {use: counter, condition: lost, restart: won}
  first: {use: once, condition: lost, restart: won}
  turns: {use: phases, conditions: [won, lost]}
  choice: {use: where, condition: hot, then: pos.bars, otherwise: times}
  pick: {use: select, conditions: [won, lost], values: [then, pos.bars], otherwise: -1}
  score: {use: formula, formula: "sqrt(abs(a)) + log(b + 1) - exp(c / 9) + floor(a[1]) + ceil(a)", \
          a: pos.open_percent, b: pos.bars, c: choice}
  high: {use: compare, left: score, op: ">", right: 12}
advisors:
  enters: {use: rule, enter_long: [up], enter_short: [down]}
  leaves: {use: rule, enter_long: [flat, won, lost], \
           exit_long: [old, lost, back, turns.done, first, high], exit_short: [old, lost]}
filters:
  calm: {use: condition, input: small}
  few: {use: condition, input: rare}
risk: {stop: {use: percent_stop, percent: 3}}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [enters, leaves], filters: [calm, few], risk: [stop], money: size}}
run: {commission: {percent: 0.05}}
"""
LOOPED = (
    "then",
    "hot",
    "times",
    "first",
    "turns",
    "choice",
    "pick",
    "score",
    "high",
    "old",
    "lost",
    "back",
    "won",
    "flat_before",
    "flat",
    "small",
    "rare",
    "calm",
    "few",
    "leaves",
)


def prepared(text: str = STRATEGY) -> Prepared:
    graph = load_text(text, registry())
    return prepare_run(graph, graph.spec.run, clock=StageTimer())


@pytest.fixture(autouse=True, scope="module")
def _one_vnpy() -> Iterator[None]:
    yield
    end_shared_process()


def column(result: Any, node: str, output: str = "", instrument: int = 0) -> np.ndarray:
    found: np.ndarray = result.trace.column(node, output, instrument)
    return found


# ---------------------------------------------------------------------- the same everywhere


def test_all_drivers_keep_the_same_books_and_see_the_same_position() -> None:
    job = prepared().job
    first = simulate(job, kernel=INTERPRETED)
    assert len(first.trades) > 30
    others = (
        simulate(job, kernel=compiled()),
        simulate_stepwise(job, kernel=compiled()),
        simulate_stepwise(job, kernel=INTERPRETED),
        simulate_stepwise(job, BarMatcher()),
    )
    for other in others:
        assert_same_bits(first, other)


@pytest.mark.slow
def test_a_strategy_that_reads_its_position_trades_alike_on_all_engines() -> None:
    graph = load_text(STRATEGY, registry())
    native, *others = (run(graph, registry=registry(), engine=name) for name in ("native", "backtrader", "vnpy"))
    assert len(native.ledger.fills) > 60
    for other in others:
        assert other.ledger.fills.tolist() == native.ledger.fills.tolist(), other.engine
        for node in ("pos", "leaves"):
            assert np.array_equal(column(native, node), column(other, node))


def test_what_a_node_gave_in_the_loop_is_what_it_computes_from_what_it_read() -> None:
    ready = prepared()
    evaluations, _ = with_record(ready.plan, ready.evaluations, ready.job.instruments, simulate(ready.job))
    checked = 0
    for evaluation in evaluations:
        for number, step in enumerate(ready.plan.steps):
            if step.in_loop and step.inputs:
                inputs = {port: read(evaluation, wires) for port, wires in step.inputs.items()}
                made = step.component.compute(**inputs)
                for one, gave in zip(
                    made if isinstance(made, tuple) else (made,), evaluation.values[number], strict=True
                ):
                    assert np.array_equal(plain(one), plain(gave), equal_nan=True), step.label
                checked += 1
    assert checked == 2 * len(LOOPED)


def read(evaluation: Evaluation, wires: Any) -> Any:
    return tuple(map(evaluation.column, wires)) if isinstance(wires, tuple) else evaluation.column(wires)


def plain(value: Any) -> np.ndarray:
    found: np.ndarray = (value.flags if isinstance(value, Signals) else value).astype(np.float64)
    return found


# ---------------------------------------------------------------------- what is seen


def test_the_position_and_the_account_are_those_of_the_books_at_each_close() -> None:
    result = run(load_text(STRATEGY, registry()), registry=registry())
    for instrument, job in enumerate(result.instruments):
        seen = {output.name: column(result, "pos", output.name, instrument) for output in outputs_of(result)}
        fills = [row for row in result.ledger.fills if row["instrument"] == instrument]
        held, entered, price, costs = 0.0, -1, np.nan, 0.0
        day = (job.bars.close_ns - 1) // 86_400_000_000_000
        for bar in range(len(job.bars)):
            for fill in (row for row in fills if row["bar"] == bar):
                size = float(fill["side"] * fill["lots"] * job.lot_size)
                if held == 0.0:
                    entered, price, costs = bar, float(fill["price"]), float(fill["commission"] + fill["slippage"])
                held += size
            close = float(job.bars.close[bar])
            assert seen["side"][bar] == np.sign(held)
            assert seen["quantity"][bar] == abs(held)
            assert seen["bars"][bar] == (bar - entered + 1 if held else 0)
            assert seen["entries"][bar] == (1 if held else 0)
            assert seen["days"][bar] == (day[bar] - day[entered] if held else 0)
            if not held:
                assert np.isnan([seen[name][bar] for name in ("entry_price", "open_percent", "open_cash")]).all()
                continue
            assert seen["entry_price"][bar] == seen["last_entry_price"][bar] == price
            assert seen["open_cash"][bar] == pytest.approx((close - price) * held - costs)
            assert seen["open_percent"][bar] == pytest.approx(
                100 * ((close - price) * held - costs) / abs(price * held)
            )
            assert seen["lowest"][bar] <= close <= seen["highest"][bar]
    steps = np.searchsorted(result.ledger.ts_ns, result.instruments[0].bars.close_ns)
    assert np.array_equal(column(result, "acc", "equity"), result.ledger.equity[steps])
    assert np.array_equal(column(result, "acc", "cash"), result.ledger.cash[steps])
    peak = np.maximum.accumulate(np.append(result.settings.cash, result.ledger.equity))[1:]
    drawdown = 100 * (1 - result.ledger.equity / peak)
    assert column(result, "acc", "drawdown_percent") == pytest.approx(drawdown[steps], abs=1e-9)


def outputs_of(result: Any) -> Any:
    return result.trace.plan.steps[result.trace.plan.step_of["pos"]].component.outputs


def test_the_last_trades_result_and_the_days_entries_are_those_of_the_books() -> None:
    result = run(load_text(STRATEGY, registry()), registry=registry())
    for instrument, job in enumerate(result.instruments):
        trades = result.ledger.trades[result.ledger.trades["instrument"] == instrument]
        seen = column(result, "pos", "last_trade_percent", instrument)
        last = np.searchsorted(trades["exit_bar"], np.arange(len(job.bars)), side="right") - 1
        assert np.isnan(seen[last < 0]).all()
        value = trades["entry_price"] * trades["lots"] * job.lot_size
        assert seen[last >= 0] == pytest.approx((100 * trades["pnl"] / value)[last[last >= 0]])
        days = (job.bars.close_ns - 1) // 86_400_000_000_000
        fills = result.ledger.fills[result.ledger.fills["instrument"] == instrument]
        entries = fills[np.isin(fills["reason"], [0])]
        today = [int(np.sum((days[entries["bar"]] == day) & (entries["bar"] <= bar))) for bar, day in enumerate(days)]
        assert column(result, "pos", "entries_today", instrument).tolist() == today
        assert max(today) == 2  # the filter holds further ones back


def test_what_a_condition_makes_of_the_position_acts_on_the_next_bar() -> None:
    result = run(load_text(STRATEGY, registry()), registry=registry())
    job = result.instruments[0]
    assert np.array_equal(job.flags & EXIT_LONG != 0, column(result, "leaves") & EXIT_LONG != 0)
    long = column(result, "pos", "side") > 0
    leaving = np.flatnonzero(long[:-1] & (job.flags[:-1] & EXIT_LONG != 0))
    assert len(leaving) > 5
    fills = result.ledger.fills[(result.ledger.fills["instrument"] == 0) & (result.ledger.fills["side"] < 0)]
    assert set(leaving + 1) <= set(fills["bar"].tolist())


def test_a_strategy_whose_position_node_is_only_looked_at_trades_as_without() -> None:
    text = STRATEGY.replace("signals: [enters, leaves], filters: [calm, few]", "signals: [enters]")
    without = "\n".join(
        line for line in text.splitlines() if not any(f"  {name}:" in line for name in ("pos", "acc", *LOOPED))
    ).replace("filters:\n", "")
    looked_at, plain_run = (run(load_text(each, registry()), registry=registry()) for each in (text, without))
    assert plain_run.trace is not None
    assert plain_run.trace.plan.loop is None
    assert_same_bits(replace(looked_at.ledger, steps=None), plain_run.ledger)
    assert len(plain_run.ledger.fills) > 50


# ---------------------------------------------------------------------- looking at it


def test_a_saved_run_explains_an_exit_by_what_the_position_was(tmp_path: Path) -> None:
    kept = saved_run(STRATEGY, tmp_path)
    facts = Facts(kept, registry())
    bars = kept.column("pos", "bars")
    exits = [row for row in kept.ledger.orders if row["instrument"] == 0 and row["reason"] == 1]
    explained = 0
    for row in exits:
        bar = int(row["created_bar"])
        if bars[bar] < 7:
            continue
        why = explain(facts, bar)
        found = [each for each in why.causes if each.node == "old"]
        assert found
        test = found[0].test
        assert isinstance(test, ComparedSides)
        assert (test.left.value, test.op, test.right.value) == (bars[bar], ">=", 7)
        assert {"pos", "old", "leaves", "entry"} <= why.path.nodes
        explained += 1
    assert explained > 3


def test_a_replay_shows_the_position_and_going_back_changes_nothing() -> None:
    text = STRATEGY.replace("bars: 700", "bars: 300").replace("bars: 500", "bars: 200")
    replay = Replay(load_text(text, registry()).spec, registry=registry(), snapshot_steps=40)
    replay.jump(150)
    at_150 = [replay.value("pos", name) for name in ("side", "bars", "open_cash")]
    replay.jump(len(replay))
    whole = replay.result()
    replay.jump(90)
    replay.jump(150)
    assert [replay.value("pos", name) for name in ("side", "bars", "open_cash")] == at_150
    replay.jump(len(replay))
    assert_same_bits(whole.ledger, replay.result().ledger)
    assert_same_bits(whole.ledger, run(load_text(text, registry()), registry=registry()).ledger)


@pytest.mark.parametrize("change", ["logic.up.op='>'", "logic.flat_before.bars=5", "indicators.average.timeperiod=9"])
def test_a_fork_remembers_of_the_position_what_it_would_have_seen(change: str) -> None:
    text = STRATEGY.replace("bars: 700", "bars: 260").replace("bars: 500", "bars: 200")
    replay = Replay(load_text(text, registry()).spec, registry=registry())
    replay.jump(120)
    forked = replay.fork(change)
    job, record = forked.prepared.job, forked._session.recorded()
    assert record is not None
    # The state is that of a program which saw the same positions from the first bar on.
    original = replay._session.recorded()
    assert original is not None
    place = forked.prepared.plan.loop
    assert place is not None
    side = place.recorded.index(StepColumn(forked.prepared.plan.step_of["pos"], 0))
    seen = original.values[0][side][:120]
    lagged = record.values[0][place.recorded.index(StepColumn(forked.prepared.plan.step_of["flat_before"], 0))][:120]
    bars = 5 if "flat_before" in change else 3
    assert np.array_equal(lagged[bars:], seen[:-bars])
    forked.jump(len(forked))
    if change == "logic.up.op='>'":  # nothing is changed
        assert_same_bits(forked.ledger(), simulate(job))


# ---------------------------------------------------------------------- elsewhere


def test_runs_that_share_columns_do_not_share_what_the_position_was() -> None:
    memo = ColumnMemo()
    ledgers = []
    for bars in (3, 9, 3):
        graph = load_text(STRATEGY.replace("right: 7", f"right: {bars}"), registry())
        ledgers.append(run(graph, registry=registry(), columns=memo.evaluate))
    assert_same_bits(ledgers[0].ledger, ledgers[2].ledger)
    assert ledgers[0].ledger.fills.tobytes() != ledgers[1].ledger.fills.tobytes()
    assert not np.array_equal(column(ledgers[0], "pos"), column(ledgers[1], "pos"))


def test_nothing_that_reads_the_position_is_said_to_look_ahead() -> None:
    assert find_lookahead(load_text(STRATEGY, registry()), registry=registry(), cuts=5) == []


def test_a_session_that_goes_back_within_a_job_keeps_the_steps_memory() -> None:
    job: EngineJob = prepared().job
    session = SimulationSession(job)
    for _ in range(200):
        session.step()
    taken = session.snapshot()
    whole: list[Ledger] = []
    for _ in range(2):
        while not session.done:
            session.step()
        whole.append(session.ledger())
        session.restore(taken)
    assert_same_bits(whole[0], simulate(job))
    assert_same_bits(*whole)


# ---------------------------------------------------------------------- who can't


def refused(*changes: tuple[str, str]) -> list[Problem]:
    """Return the errors of the strategy with texts replaced."""
    text = STRATEGY
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    with pytest.raises(SpecError) as caught:
        load_text(text, registry())
    problems = [each for each in caught.value.problems if each.severity == "error"]
    lines = text.splitlines()
    assert all("pos." in lines[each.line - 1] for each in problems)
    return problems


MEAN = "  later: {use: ta.SMA, input: pos.quantity, timeperiod: 3}\n"
CANNOT = {
    "an indicator": [("  average: {", f"{MEAN}  average: {{")],
    "a risk manager": [("percent_stop, percent: 3", "atr_stop, atr: pos.entry_price, multiple: 2")],
    "a money manager": [("fixed_quantity, quantity: 10", "volatility_target, volatility: pos.bars")],
    "an execution": [("risk: [stop]", "risk: [stop], rank: pos.bars")],
}
SAID = {
    "an indicator": "'input' of 'later' reads 'pos', which depends on the position. 'ta.SMA' has no step form",
    "a risk manager": "'atr' of 'stop' reads 'pos', which depends on the position. What a risk or money manager reads",
    "a money manager": "'volatility' of 'size' reads 'pos', which depends on the position. What a risk or",
    "an execution": "'rank' of 'entry' reads 'pos', which depends on the position. Prices and ranks",
}


@pytest.mark.parametrize("who", CANNOT)
def test_what_cannot_read_the_position_is_refused_by_name_at_its_line(who: str) -> None:
    (problem,) = refused(*CANNOT[who])
    assert problem.code == "behind_position"
    assert problem.message.startswith(SAID[who])
    assert problem.remedy


def test_only_the_first_node_that_cannot_read_the_position_is_told() -> None:
    behind = "  two: {use: ta.EMA, input: later, timeperiod: 3}\n"
    (problem,) = refused(
        ("  average: {", f"{MEAN}{behind}  average: {{"),
        ("up: {use: compare, left: bars.close", "up: {use: compare, left: two"),
    )
    assert problem.message.startswith("'input' of 'later' reads 'pos'")


def test_an_engine_that_cannot_run_steps_is_refused_by_the_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    native = registry().engine("native")
    assert native is not None
    monkeypatch.setattr(native, "capabilities", native.capabilities - {Capability.POSITION_CONDITIONS})
    with pytest.raises(SpecError, match="'native' doesn't do conditions on the position, which node 'pos' needs"):
        run(load_text(STRATEGY, registry()), registry=registry())


# ---------------------------------------------------------------------- splits


def test_prices_of_the_position_compare_with_adjusted_prices_across_a_split(tmp_path: Path) -> None:
    closes = [100, 100, 100, 104, 52, 51, 49, 49, 49]
    rows = [f"2024-01-{day:02},{c},{c},{c},{c},1000,{2 if day == 5 else 1}" for day, c in enumerate(closes, 1)]
    (tmp_path / "split.csv").write_text("Date,Open,High,Low,Close,Volume,split\n" + "\n".join(rows) + "\n")
    strategy = tmp_path / "split.yaml"
    strategy.write_text(
        """\
quantcrafter: 1
instruments: [{symbol: S, data: csv, timeframe: 1d, path: split.csv, corporate_actions: columns}]
logic:
  pos: {use: position}
  none: {use: compare, left: pos.side, op: "==", right: 0}
  below: {use: crosses_below, left: bars.close, right: pos.entry_price}
advisors: {in: {use: rule, enter_long: [none], exit_long: [below]}}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [in], money: size}}
""",
        encoding="utf-8",
    )
    result = run(strategy, registry=registry())
    # Bought at 100 before the split, which is 50 of the adjusted prices: the fall from 104 to 52 is no loss.
    assert [(row["bar"], row["side"], row["price"]) for row in result.ledger.fills[:2]] == [(2, 1, 100), (7, -1, 49)]
    assert column(result, "pos", "entry_price")[2:7].tolist() == [50] * 5
    assert column(result, "pos", "quantity")[2:7].tolist() == [10, 10, 20, 20, 20]
    assert column(result, "pos", "open_cash")[2:7].tolist() == [0, 40, 40, 20, -20]
