"""Runs that begin after the data: nodes see the bars before `run.start`, decisions and figures count from there on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import DataError, MoneyManager, SeriesInput, StrategyContext, port
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.runtime.replay import Replay
from quantcrafter.engine.runtime.research.sweep import LoadedOnce
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import load_graph, load_text
from quantcrafter.engine.runtime.running.memo import ColumnMemo
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import moments, run_on, until
from tests.support.kept_runs import registry
from tests.support.ledger_checks import assert_same_bits
from tests.support.random_strategies import write_random_strategy
from tests.support.remembering import STRATEGY as REMEMBERING
from tests.support.remembering import documented, registry_with

FIRST_DAY = date(2023, 1, 1)


def write_bars(folder: Path, closes: Sequence[float], name: str = "d.csv") -> None:
    """Write one bar a day, around the clock, that opens at the close before."""
    lines = ["time,open,high,low,close,volume"]
    before = closes[0]
    for number, close in enumerate(closes):
        day = FIRST_DAY + timedelta(days=number)
        lines.append(f"{day},{before},{max(before, close) + 0.5},{min(before, close) - 0.5},{close},1000")
        before = close
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def walk(count: int, seed: int = 1) -> list[float]:
    """Return closes in whole cents."""
    steps = np.random.default_rng(seed).normal(0, 1, count)
    return [float(each) for each in np.round(150 + np.cumsum(steps), 2)]


AVERAGE = """\
quantcrafter: 1
name: Above its average
instruments:
  - {symbol: X, data: csv, path: d.csv, timeframe: 1d, session: 24x7, tick_size: 0.01, lot_size: 1}
indicators:
  average: {use: ta.SMA, input: bars.close, timeperiod: 100}
logic:
  known: {use: compare, left: average, op: ">", right: 0}
advisors:
  go: {use: rule, enter_long: [known]}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [go], money: size}
run: {cash: 100000, start: "2023-06-01"}
"""


def average_run(folder: Path, count: int = 300, *overrides: str, text: str = AVERAGE) -> RunResult:
    write_bars(folder, walk(count))
    (folder / "strategy.yaml").write_text(text, encoding="utf-8")
    return run(folder / "strategy.yaml", registry=registry(), overrides=overrides)


def day_of(ns: int) -> str:
    return str(np.datetime64(ns, "ns").astype("datetime64[D]"))


# ---------------------------------------------------------------------- where enough bars come before the start


def test_an_average_is_known_at_the_first_bar_of_the_run(tmp_path: Path) -> None:
    result = average_run(tmp_path)
    assert result.warmup == 0
    assert [day_of(int(ns)) for ns in result.fills["ts_ns"]] == ["2023-06-02"]
    assert (result.findings, result.notes) == ((), ())
    closes = walk(300)
    assert result.column("average")[0] == pytest.approx(np.mean(closes[52:152]))  # 151 days come before


def test_figures_count_from_the_start_of_the_run_on(tmp_path: Path) -> None:
    result = average_run(tmp_path)
    closes = walk(300)
    assert day_of(int(result.metrics["start_ns"] or 0)) == "2023-06-01"
    assert result.bars == 149
    assert len(result.ledger.equity) == 149
    assert result.ledger.equity[0] == 100_000.0
    bought = closes[151]  # the second day of the run opens at the close of its first
    assert result.ledger.equity[-1] == pytest.approx(100_000.0 + closes[-1] - bought)
    assert result.metrics["buy_and_hold_pct"] == pytest.approx(100 * (closes[-1] / closes[150] - 1))
    assert result.metrics["exposure_pct"] == pytest.approx(100 * 148 / 149)


def test_bars_before_the_start_belong_to_what_a_run_saw(tmp_path: Path) -> None:
    one = average_run(tmp_path)
    text = (tmp_path / "d.csv").read_text(encoding="utf-8").replace("2023-01-02,", "2023-01-02,1")
    (tmp_path / "d.csv").write_text(text, encoding="utf-8")
    other = run(tmp_path / "strategy.yaml", registry=registry(), overrides=["instruments.X.on_bad_bars=repair"])
    assert one.bars == other.bars
    assert one.data_hash != other.data_hash


def test_a_kept_run_has_the_columns_from_its_start_on(tmp_path: Path) -> None:
    result = average_run(tmp_path)
    save_run(result, tmp_path / "kept")
    kept = RunFolder.open(tmp_path / "kept")
    assert len(kept.instruments[0].bars) == 149
    assert np.array_equal(kept.column("average"), result.column("average"))
    assert not np.isnan(kept.column("average")).any()


# ---------------------------------------------------------------------- where too few do


def test_a_cold_node_is_named_with_the_bars_that_it_lacks(tmp_path: Path) -> None:
    result = average_run(tmp_path, 300, "run.start=2023-03-01")
    assert result.warmup == 40
    told = "'average' lacks 40 bars. The first decision is on 2023-04-10. Give earlier data, or start later."
    assert [str(each) for each in result.findings] == [
        f"X: too few bars come before the start of the run on 2023-03-01, 59 in all: {told}"
    ]
    assert [day_of(int(ns)) for ns in result.fills["ts_ns"]] == ["2023-04-11"]


def test_every_cold_node_of_a_path_is_named(tmp_path: Path) -> None:
    text = AVERAGE.replace("logic:", "  smooth: {use: ta.SMA, input: average, timeperiod: 100}\nlogic:").replace(
        "left: average", "left: smooth"
    )
    result = average_run(tmp_path, 300, "run.start=2023-03-01", text=text)
    assert "'average' lacks 40 bars, 'smooth' lacks 139 bars." in result.findings[0]
    assert result.warmup == 139


def test_a_node_that_no_decision_reads_is_not_named(tmp_path: Path) -> None:
    text = AVERAGE.replace("logic:", "  unused: {use: ta.SMA, input: bars.close, timeperiod: 250}\nlogic:")
    assert average_run(tmp_path, text=text).findings == ()


def test_a_run_that_ends_before_it_is_warm_says_so(tmp_path: Path) -> None:
    result = average_run(tmp_path, 80, "run.start=2023-02-01")
    assert "No decision is taken." in result.findings[0]
    assert not len(result.fills)


def test_a_run_without_a_start_says_nothing_of_its_warm_up(tmp_path: Path) -> None:
    text = AVERAGE.replace(', start: "2023-06-01"', "")
    result = average_run(tmp_path, text=text)
    assert result.warmup == 99
    assert (result.findings, result.notes) == ((), ())


def test_a_node_that_remembers_more_than_there_is_is_noted(tmp_path: Path) -> None:
    result = average_run(tmp_path, text=AVERAGE.replace("ta.SMA", "ta.EMA"))
    assert result.findings == ()
    assert result.warmup == 0
    # 99 bars to its first value, and 54 ln 2 / -ln(1 - 2 / 101) until a value counts for less than 2^-53.
    memory = 99 + int(np.ceil(54 * np.log(2) / -np.log1p(-2 / 101)))
    told = f"so their first values depend on where the data begins: 'average' remembers {memory:,} bars, there are 151."
    assert [str(each) for each in result.notes] == [
        f"X: fewer bars come before the start of the run than some nodes remember, {told}"
    ]


WEEKLY = """\
quantcrafter: 1
name: Weekly
instruments:
  - {symbol: X, data: csv, path: d.csv, timeframe: 1d, session: 24x7, tick_size: 0.01, lot_size: 1}
data:
  weekly: {use: resample, timeframe: 1w}
indicators:
  average: {use: ta.SMA, input: weekly.close, timeperiod: 10}
logic:
  over: {use: compare, left: bars.close, op: ">", right: average}
advisors:
  go: {use: rule, enter_long: [over]}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [go], money: size}
run: {cash: 100000, start: "2023-02-15"}
"""


def test_bars_of_a_longer_timeframe_are_counted_in_their_own(tmp_path: Path) -> None:
    # 2023 begins on a Sunday. By Wednesday, 15 February, 7 weeks have closed, the first one of a day.
    result = average_run(tmp_path, text=WEEKLY)
    assert "'average' lacks 3 bars of 'weekly'." in result.findings[0]
    assert day_of(int(result.instruments[0].bars.open_ns[result.warmup])) == "2023-03-05"
    warm = average_run(tmp_path, 300, "run.start=2023-03-15", text=WEEKLY)
    assert (warm.findings, warm.warmup) == ((), 0)


OTHER = WEEKLY.replace(
    "{use: resample, timeframe: 1w}", "{use: feed, symbol: Y, data: csv, path: y.csv, session: 24x7}"
)


def test_bars_of_another_instrument_before_the_start_are_seen(tmp_path: Path) -> None:
    write_bars(tmp_path, walk(300, seed=5), "y.csv")
    result = average_run(tmp_path, text=OTHER)
    assert result.warmup == 0
    assert result.column("average")[0] == pytest.approx(np.mean(walk(300, seed=5)[36:46]))


def test_another_instrument_that_ends_before_the_start_is_refused(tmp_path: Path) -> None:
    write_bars(tmp_path, walk(40), "y.csv")
    with pytest.raises(DataError, match=r"Y from y.csv: no bar opens within the range.*opens on 2023-02-09"):
        average_run(tmp_path, text=OTHER)


def test_a_start_after_the_last_bar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"X from d.csv: no bar opens within the range.*opens on 2023-01-30.*'start'"):
        average_run(tmp_path, 30)


# ---------------------------------------------------------------------- as if it had always run


def assert_is_the_end_of(result: RunResult, whole: RunResult) -> None:
    """Compare every column of nodes that don't read the position, and what decisions are taken on, to the bit."""
    assert result.trace is not None
    assert whole.trace is not None
    looped = {node for step in result.trace.plan.steps if step.in_loop for node in step.nodes}
    for number, (job, all_of_it) in enumerate(zip(result.instruments, whole.instruments, strict=True)):
        first = len(all_of_it.bars) - len(job.bars)
        assert job.first_bar == max(0, all_of_it.first_bar - first)
        for node, step in result.trace.plan.step_of.items():
            if node in looped:
                continue
            for output in result.trace.plan.steps[step].component.outputs:
                ours, theirs = (each.column(node, output.name, number) for each in (result, whole))
                assert ours.tobytes() == theirs[first:].tobytes(), node
        if not looped:
            assert np.array_equal(job.flags, all_of_it.flags[first:])
            assert np.array_equal(job.allowed, all_of_it.allowed[first:])


RANDOM = 12


@pytest.mark.slow
@settings(max_examples=RANDOM, deadline=None)
@given(seed=st.integers(0, 100_000), share=st.floats(0.05, 0.95))
def test_what_a_run_decides_on_is_that_of_a_run_over_all_bars(
    seed: int, share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("random")
    path = write_random_strategy(folder, registry(), seed)
    whole = run(path, registry=registry())
    start = start_within(whole, share)
    assert_is_the_end_of(run(path, registry=registry(), overrides=[f"run.start={start}"]), whole)


def start_within(whole: RunResult, share: float) -> str:
    """Return a time between the latest first and the earliest last bar of all instruments."""
    begin = max(int(job.bars.open_ns[0]) for job in whole.instruments)
    end = min(int(job.bars.open_ns[-1]) for job in whole.instruments)
    moment = np.datetime64(begin + int(share * max(0, end - begin)), "ns").astype("datetime64[s]")
    return f"'{str(moment).replace('T', ' ')}'"


POSITION = """\
quantcrafter: 1
name: Reads its position
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1d, bars: 500, seed: 3}
  - {symbol: TWO, data: synthetic, timeframe: 1d, bars: 400, seed: 4}
indicators:
  average: {use: ta.EMA, input: bars.close, timeperiod: 12}
logic:
  pos: {use: position}
  up: {use: compare, left: bars.close, op: ">", right: average}
  free: {use: compare, left: pos.side, op: "==", right: 0}
  fresh: {use: and, conditions: [up, free]}
  often: {use: rolling_count, condition: fresh, bars: 30}
  lasting: {use: compare, left: often, op: ">=", right: 12}
  old: {use: compare, left: pos.bars, op: ">=", right: 7}
advisors:
  go: {use: rule, enter_long: [lasting], exit_long: [old]}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [go], money: size}
run: {cash: 100000}
"""


def test_nodes_that_read_the_position_remember_the_bars_before_the_start() -> None:
    result = run(load_text(POSITION, registry()), registry=registry(), overrides=())
    late = late_run(POSITION, registry(), "2011-02-01")
    assert (late.warmup, late.findings) == (0, ())
    closes, average = (late.instruments[0].bars.close, late.column("average"))
    whole_up = (result.instruments[0].bars.close > result.column("average"))[-len(closes) - 29 :]
    # No position before the start: at the first bar the count is that of the rising bars alone.
    assert late.column("often")[0] == np.sum(whole_up[:30])
    assert np.array_equal(whole_up[29:], closes > average)


def late_run(text: str, catalog: Registry, start: str) -> RunResult:
    return run(starting(text, catalog, start), registry=catalog)


def starting(text: str, catalog: Registry, start: str, end: str = "2030-01-01") -> BoundGraph:
    return load_text(text.replace("run: {cash", f'run: {{start: "{start}", end: "{end}", cash'), catalog)


class Cautious(MoneyManager):
    """Buy more, the lower the close is beside those of the last 40 bars and the line."""

    name = "mine.cautious_40"

    line: SeriesInput = port("A line.")

    def warmup(self) -> int:
        """39 bars come before the first decision."""
        return 39

    def on_bar(self, ctx: StrategyContext) -> float:
        """Count the bars, too."""
        ctx.state["asked"] = ctx.state.get("asked", 0) + 1
        assert len(ctx.market.close) > 39
        assert len(ctx.indicators.line) == len(ctx.market.close)
        highest = float(np.max(ctx.market.close[-40:]))
        return 1 + round(10 * (highest / float(ctx.market.close.now) - 1)) + (ctx.positions["ONE"].entry_bar > 40)


PLUGIN = """\
quantcrafter: 1
name: Cautious
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1d, bars: 500, seed: 3}
  - {symbol: TWO, data: synthetic, timeframe: 1d, bars: 400, seed: 4}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 3}
  slow: {use: ta.EMA, input: bars.close, timeperiod: 12}
advisors: {cross: {use: crossover, fast: fast, slow: slow}}
money: {size: {use: mine.cautious_40, line: slow}}
execution: {entry: {use: market, signals: [cross], money: size}}
run: {cash: 100000}
"""

CASES = [
    pytest.param(POSITION, registry, id="position"),
    pytest.param(PLUGIN, lambda: registry_with(Cautious), id="plugin"),
    pytest.param(REMEMBERING + "run: {cash: 100000}\n", documented, id="remembering"),
]


@pytest.mark.parametrize(("text", "catalog"), CASES)
@pytest.mark.parametrize("start", ["2011-02-01", "2010-06-15", "2010-01-05"])
def test_a_session_that_knows_the_bars_before_keeps_the_books_of_a_run_from_a_start(
    text: str, catalog: Callable[[], Registry], start: str
) -> None:
    installed = catalog()
    result, graph = late_run(text, installed, start), starting(text, installed, start)
    session = session_after(graph)
    assert start > "2011" or len(result.fills) > 4
    assert_same_bits(replace(session.ledger(), steps=None), replace(result.ledger, steps=None))


def session_after(graph: BoundGraph) -> StrategySession:
    """Return a session that knows the bars before the start, and was brought all others."""
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market)
    return session


LIMITED = """\
quantcrafter: 1
name: Limited
instruments:
  - {symbol: 600000.SH, data: csv, path: d.csv, timeframe: 30m, market: cn_stocks}
logic:
  any: {use: compare, left: bars.close, op: ">", right: 0}
advisors:
  go: {use: rule, enter_long: [any]}
money:
  size: {use: fixed_quantity, quantity: 100}
execution:
  entry: {use: market, signals: [go], money: size}
run: {cash: 100000, start: "2024-03-06"}
"""


def test_price_limits_of_the_first_session_follow_from_the_close_before_the_start(tmp_path: Path) -> None:
    # Tuesday closes at 10.00. On Wednesday, prices are locked at the limit of 11.00 from the second bar on.
    lines = ["time,open,high,low,close,volume"]
    for day, price in (("2024-03-05", 10.0), ("2024-03-06", 11.0), ("2024-03-07", 11.5)):
        for number, hour in enumerate(("09:30", "10:00", "10:30", "11:00", "13:00", "13:30", "14:00", "14:30")):
            low = 10.5 if day == "2024-03-06" and not number else price
            lines.append(f"{day} {hour},{low},{price},{low},{price},1000")
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "strategy.yaml").write_text(LIMITED, encoding="utf-8")
    graph = load_graph(tmp_path / "strategy.yaml", registry())
    result = run(graph, registry=registry())
    assert [(row["bar"], row["price"]) for row in result.ledger.fills] == [(8, 11.5)]
    assert_same_bits(session_after(graph).ledger(), result.ledger)


def test_a_session_of_a_changed_strategy_begins_warm() -> None:
    """Its columns come from all bars that are known; what it remembers of the position is new, and knows them too."""
    graph = starting(POSITION, registry(), "2011-02-01")
    market = load_market(graph, lambda *_: None, lambda: False)
    old = StrategySession.open(graph, until(graph, market, 0))
    changed = load_text(POSITION.replace("bars: 30}", "bars: 31}"), registry())
    session, dropped = StrategySession.adopt(changed, until(graph, market, 0), old.state())
    assert dropped == () or "discarded" in dropped[0]
    fresh = StrategySession.open(changed, until(graph, market, 0))
    for bars in islice(moments(graph, market), 60):
        session.append(bars)
        fresh.append(bars)
    assert len(fresh.ledger().fills) > 0
    assert session.ledger().fills.tolist() == fresh.ledger().fills.tolist()


def test_a_replay_begins_warm(tmp_path: Path) -> None:
    write_bars(tmp_path, walk(300))
    (tmp_path / "strategy.yaml").write_text(AVERAGE, encoding="utf-8")
    replay = Replay(tmp_path / "strategy.yaml", registry=registry())
    replay.step()
    assert replay.value("average") == pytest.approx(np.mean(walk(300)[52:152]))
    replay.jump(len(replay))
    assert_same_bits(replay.result().ledger, run(tmp_path / "strategy.yaml", registry=registry()).ledger)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "catalog"), CASES[:2])
def test_a_run_from_a_start_trades_alike_on_all_engines(text: str, catalog: Callable[[], Registry]) -> None:
    graph = starting(text, catalog(), "2010-06-15")
    native, *others = (run(graph, registry=catalog(), engine=name) for name in ("native", "backtrader", "vnpy"))
    assert len(native.ledger.fills) > 10
    for other in others:
        assert other.ledger.fills.tolist() == native.ledger.fills.tolist(), other.engine


# ---------------------------------------------------------------------- one window after another

WINDOWS = [("2010-04-01", "2010-07-01"), ("2010-07-01", "2010-10-01"), ("2010-10-01", "2011-01-03")]


@pytest.mark.parametrize(("text", "catalog"), CASES[:2])
def test_windows_that_share_bars_and_columns_are_single_runs(text: str, catalog: Callable[[], Registry]) -> None:
    installed = catalog()
    memo, loaded = ColumnMemo(), LoadedOnce(load_bars)
    for start, end in WINDOWS:
        window = starting(text, installed, start, end)
        shared = run(window, registry=installed, loader=loaded, columns=memo.evaluate)
        alone = run(window, registry=installed)
        assert_same_bits(shared.ledger, alone.ledger)
        assert (shared.warmup, shared.findings) == (0, ())
        assert len(shared.ledger.orders) > 0
        assert day_of(int(shared.instruments[0].bars.open_ns[0])) == start
        assert day_of(int(shared.instruments[0].bars.open_ns[-1])) < end
