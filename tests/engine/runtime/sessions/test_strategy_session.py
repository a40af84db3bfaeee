"""A strategy that is given its bars one by one keeps the books of a run, however often it is saved and taken on."""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import Bar, ComponentError, DataError, Indicator, Ledger, RunError, StrategyContext
from quantcrafter.engine.api.order_id import OrderError, OrderId
from quantcrafter.engine.api.order_state import OrderState
from quantcrafter.engine.api.orders import Accepted, OrderCommand
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph, load_text
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import Host, StrategySession
from tests.support.bar_by_bar import (
    bars_by_name,
    joined,
    moments,
    run_on,
    start_near,
    step_count,
    ticks_and_lots,
    until,
)
from tests.support.changing_costs import COSTS, costly
from tests.support.contract_files import write_series
from tests.support.counts import sample, seed
from tests.support.jobs import DAY_NS
from tests.support.ledger_checks import assert_same_bits
from tests.support.outside_broker import OutsideBroker
from tests.support.random_strategies import write_random_strategy
from tests.support.remembering import STRATEGY, documented, registry_with

ROOT = Path(__file__).parents[4]
EXAMPLES = sorted((ROOT / "resources" / "examples").glob("*.yaml"))
RANDOM = sample(6, of=500)
MOST_BARS = sample(1_200, of=200_000)
"""How many bars of all instruments are brought; longer data are cut."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def market_of(graph: BoundGraph) -> LoadedMarket:
    return load_market(graph, lambda *_: None, lambda: False)


def take_on(folder: Path, state: str, end: str) -> None:
    """Let another process take all strategies of a folder on."""
    command = [sys.executable, "-m", "tests.support.session_worker", str(folder), state, end]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=3_000)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.long
def test_strategies_fed_bar_by_bar_and_taken_on_in_other_processes_keep_the_books_of_a_run(
    registry: Registry, tmp_path: Path
) -> None:
    """All examples, random strategies, and some with costs that change or a continuous series.

    They are saved at two random bars, each time opened by another process.
    """
    rng = random.Random(seed("sessions"))  # noqa: S311 - cases of a test, no secrets
    first = seed("session strategies") % 1_000_000
    made = tmp_path / "made"
    paths = list(EXAMPLES)
    for number in range(first, first + RANDOM):
        (made / str(number)).mkdir(parents=True)
        paths.append(write_random_strategy(made / str(number), registry, number))
    for what in ("spread and swap", "funding", "column by a table"):
        (made / what).mkdir()
        paths.append(costly(made / what, COSTS[what], bars=120))
    paths.append(write_series(made / "series"))
    root, traded = tmp_path / "sessions", 0
    for number, path in enumerate(paths):
        folder = root / f"{number:03}"
        folder.mkdir(parents=True)
        begin_session(folder, path, registry, rng)
    take_on(root, "first", "second")
    take_on(root, "second", "last")
    for number, path in enumerate(paths):
        folder = root / f"{number:03}"
        names = ("first.books", "second.books", "last.books")
        books = joined([pickle.loads((folder / name).read_bytes()) for name in names])  # noqa: S301 - our own
        whole = pickle.loads((folder / "whole.books").read_bytes())  # noqa: S301 - our own
        traded += len(whole.trades) > 0
        try:
            # What nodes gave that read the position is no part of a session's books.
            assert_same_bits(replace(books, steps=None), replace(whole, steps=None))
        except AssertionError as error:
            raise AssertionError(f"{path}: {error}") from error
    assert traded > len(paths) / 2


def begin_session(folder: Path, path: Path, registry: Registry, rng: random.Random) -> None:
    """Run a strategy at once, and its session up to a random bar; keep both, and where the next process ends."""
    graph = load_graph(path, registry)
    market = market_of(graph)
    most = max(40, MOST_BARS // len(graph.instruments))
    start = start_near(market, -most) if step_count(market) > most else None
    # The session knows the bars before its start, as the run does; without any, no bar shows it ticks and lots.
    overrides = [f"run.start={start}"] if start is not None else ticks_and_lots(graph, market, tables=True)
    graph = load_graph(path, registry, overrides)
    market = market_of(graph)
    count = step_count(market)
    steps = sorted(rng.randrange(count + 1) for _ in range(2))
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market, steps[0])
    (folder / "strategy.txt").write_text("\n".join([str(path), *overrides]), encoding="utf-8")
    (folder / "first").write_text(f"{steps[0]}\n{session.state()}", encoding="utf-8")
    (folder / "second").write_text(str(steps[1]), encoding="utf-8")
    (folder / "first.books").write_bytes(pickle.dumps(session.drain()))
    (folder / "whole.books").write_bytes(pickle.dumps(run(graph, registry=registry).ledger))


# ---------------------------------------------------------------------- what a state is bound to


SMALL = """\
quantcrafter: 1
name: Small
instruments: [{symbol: ONE, data: synthetic, timeframe: 1d, bars: 300, seed: 3}]
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 20}
advisors: {cross: {use: crossover, fast: fast, slow: slow}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [cross], money: size}}
"""


def opened(text: str, registry: Registry, start: int, steps: int) -> tuple[StrategySession, BoundGraph, LoadedMarket]:
    graph = load_text(text, registry)
    market = market_of(graph)
    session = StrategySession.open(graph, until(graph, market, start))
    for bars in moments(graph, market, start, start + steps):
        session.append(bars)
    return session, graph, market


def test_components_that_remember_keep_the_books_of_a_run_in_sessions_that_are_taken_on() -> None:
    graph = load_text(STRATEGY, documented())
    market = market_of(graph)
    session = StrategySession.open(graph, until(graph, market, 0))
    parts = []
    for end in (97, 210, None):
        run_on(session, graph, market, end)
        if end is None:
            parts.append(session.ledger())
            break
        parts.append(session.drain())
        text = session.state()
        session = StrategySession.open(graph, until(graph, market, end), text)
        assert session.state() == text
    whole = run(graph, registry=documented()).ledger
    assert len(whole.trades) > 5
    assert_same_bits(joined(parts), whole)


def test_a_session_trades_from_its_first_step_on_and_reaches_back_before_it(registry: Registry) -> None:
    session, graph, market = opened(SMALL, registry, 150, 100)
    assert session.steps == 100
    fills = session.ledger().fills
    assert len(fills)
    late, _, _ = opened(SMALL.replace("timeperiod: 20", "timeperiod: 140"), registry, 150, 100)
    assert len(late.ledger().ts_ns) == 100
    assert bars_by_name(graph, market)["ONE"].close_ns[150] == session.ledger().ts_ns[0]


def test_commands_come_out_of_the_step_that_decides(registry: Registry) -> None:
    graph = load_text(SMALL, registry)
    market = market_of(graph)
    session = StrategySession.open(graph, until(graph, market, 0), worker="bot", epoch=7)
    told = [(step, each) for step, bars in enumerate(moments(graph, market)) for each in session.append(bars)]
    fills = session.ledger().fills
    assert [step + 1 for step, _ in told] == fills["bar"].tolist()
    assert all(str(each.order).startswith("bot-7-") for _, each in told)


def test_prices_of_contracts_may_fall_below_zero(tmp_path: Path, registry: Registry) -> None:
    rows = [f"2024-03-{day:02},{7 - day},{8.5 - day},{6 - day},{7.5 - day},1" for day in range(1, 29)]
    (tmp_path / "d.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]) + "\n", encoding="utf-8")
    small = SMALL.replace("fast, slow: slow", "slow, slow: fast").replace("timeperiod: 20", "timeperiod: 8")
    source = "data: csv, path: d.csv, session: 24x7, timeframe: 1d, tick_size: 0.5, kind: contract"
    (tmp_path / "s.yaml").write_text(small.replace("data: synthetic, timeframe: 1d, bars: 300, seed: 3", source))
    graph = load_graph(tmp_path / "s.yaml", registry)
    market = market_of(graph)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market)
    assert_same_bits(session.ledger(), run(graph, registry=registry).ledger)
    assert session.steps == len(rows)
    spot = load_graph(tmp_path / "s.yaml", registry, ["instruments.0.kind=spot"])
    with pytest.raises(DataError, match="must have prices above 0"):
        run_on(StrategySession.open(spot, until(graph, market, 0)), graph, market)


def test_a_state_of_another_strategy_is_refused(registry: Registry) -> None:
    session, graph, market = opened(SMALL, registry, 0, 80)
    other = load_text(SMALL.replace("timeperiod: 5", "timeperiod: 6"), registry)
    with pytest.raises(RunError, match=r"of another strategy.*adopt"):
        StrategySession.open(other, until(graph, market, 80), session.state())


@pytest.mark.parametrize("costs", ["spread: {ticks: 2}", "kind: contract, swap: {long: -1, short: 0.5}"])
@pytest.mark.parametrize("known", [0, 80])
def test_a_session_refuses_amounts_in_ticks_if_the_tick_is_not_fixed(
    costs: str, known: int, registry: Registry
) -> None:
    field = "swap" if "swap" in costs else "spread"
    for tick in ("", "tick_table: mifid_3, "):
        if tick and field == "spread":
            continue
        text = SMALL.replace("seed: 3", f"seed: 3, {tick}{costs}")
        with pytest.raises(RunError, match=f"can't use '{field}' of ONE in ticks.*set 'tick_size'"):
            opened(text, registry, known, 1)
    text = SMALL.replace("seed: 3", f"seed: 3, tick_size: 0.01, {costs}")
    session, _, _ = opened(text, registry, known, 1)
    assert session.steps == 1


def test_a_session_with_a_table_of_ticks_is_taken_on_when_usual_prices_have_another_tick(registry: Registry) -> None:
    graph = load_text(SMALL.replace("seed: 3", "seed: 3, tick_table: mifid_3"), registry)
    market = market_of(graph)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market, 150)
    first = session.drain()
    later = StrategySession.open(graph, until(graph, market, 150), session.state())
    assert later.terms[0].value("tick_size") != session.terms[0].value("tick_size")
    run_on(later, graph, market)
    whole = run(graph, registry=registry).ledger
    assert len(whole.trades) > 5
    assert_same_bits(joined([first, later.ledger()]), whole)


def test_a_state_goes_on_over_its_own_bars_alone(registry: Registry) -> None:
    session, graph, market = opened(SMALL, registry, 0, 80)
    text, known = session.state(), until(graph, market, 80)
    for count in (79, 81):
        with pytest.raises(RunError, match=f"kept after 80 bars of 'ONE'.*{count} from"):
            StrategySession.open(graph, until(graph, market, count), text)
    anchored = {"ONE": market.bars[0].slice(1, 81)}
    with pytest.raises(RunError, match=r"from .* on"):
        StrategySession.open(graph, anchored, text)
    close = known["ONE"].close.copy()
    close[40] = (known["ONE"].low[40] + known["ONE"].high[40]) / 2
    with pytest.raises(RunError, match="not those over which the state was kept"):
        StrategySession.open(graph, {"ONE": replace(known["ONE"], close=close)}, text)
    assert StrategySession.open(graph, known, text).state() == text


def test_a_node_that_remembers_something_else_over_the_same_bars_is_named() -> None:
    moods = iter(range(1_000_000))

    class Moody(Indicator):
        """Remember what nobody can repeat."""

        name = "mine.node"

        def on_bar(self, ctx: StrategyContext) -> float:
            ctx.state["mood"] = next(moods)
            return 0.0

    installed = registry_with(Moody)
    text = SMALL.replace("slow: {use: ta.SMA, input: bars.close, timeperiod: 20}", "slow: {use: mine.node}")
    session, graph, market = opened(text, installed, 0, 30)
    with pytest.raises(RunError, match=r"Node 'slow' remembers something else.*inputs alone"):
        StrategySession.open(graph, until(graph, market, 30), session.state())


def test_a_state_is_small_and_plain(registry: Registry) -> None:
    session, _, _ = opened(SMALL, registry, 0, 250)
    values = json.loads(session.state())
    assert len(session.state()) < 3_000
    assert values["components"]["kept"]["histories"]["ONE"]["bars"] == 250


def test_a_bar_that_is_refused_changes_nothing(registry: Registry) -> None:
    session, graph, market = opened(SMALL, registry, 0, 80)
    text = session.state()
    bar = bar_of(market.bars[0], 80)
    for wrong in ({"ONE": replace(bar, close=-1.0)}, {"TWO": bar}, {"ONE": bar_of(market.bars[0], 79)}):
        with pytest.raises(DataError):
            session.append(wrong)
        assert session.state() == text
    session.append({"ONE": bar})
    assert session.steps == 81
    assert graph.instruments[0].spec.symbol in session.names


def test_a_bar_after_the_end_of_the_data_is_refused_and_the_session_still_answers(registry: Registry) -> None:
    session, _, market = opened(SMALL, registry, 0, 80)
    session.end_data("ONE")
    for _ in range(2):
        with pytest.raises(RunError, match="The data of ONE has ended"):
            session.append({"ONE": bar_of(market.bars[0], 80)})
    assert session.steps == 80


def test_a_session_whose_component_failed_goes_on_from_its_last_state_alone() -> None:
    class Brittle(Indicator):
        """Fail at one bar."""

        name = "mine.node"

        def on_bar(self, ctx: StrategyContext) -> float:
            if ctx.index == 40:
                raise ValueError("brittle")
            return float(ctx.index)

    installed = registry_with(Brittle)
    text = SMALL.replace("slow: {use: ta.SMA, input: bars.close, timeperiod: 20}", "slow: {use: mine.node}")
    session, _, market = opened(text, installed, 0, 40)
    with pytest.raises(ComponentError, match="brittle"):
        session.append({"ONE": bar_of(market.bars[0], 40)})
    with pytest.raises(RunError, match=r"ended by a failure.*brittle.*last state"):
        session.append({"ONE": bar_of(market.bars[0], 41)})
    with pytest.raises(RunError, match="has no state"):
        session.state()


def test_strategies_of_one_host_have_the_books_that_each_has_alone(registry: Registry) -> None:
    host = Host()
    texts = [SMALL, SMALL.replace("timeperiod: 5", "timeperiod: 8")]
    graphs = [load_text(text, registry) for text in texts]
    market = market_of(graphs[0])
    sessions = [StrategySession.open(each, until(each, market, 0), host=host) for each in graphs]
    before = host.columns.computed
    for bars in moments(graphs[0], market):
        last = ["ONE"] if bars["ONE"].close_ns == market.bars[0].close_ns[-1] else []
        for session in sessions:
            session.append(bars, last=last)
    # Two moving averages and a cross of each; the slow average is computed once for both.
    assert host.columns.computed - before == 5 * len(market.bars[0])
    for graph, session in zip(graphs, sessions, strict=True):
        assert_same_bits(session.ledger(), run(graph, registry=registry).ledger)


def test_a_changed_strategy_adopts_what_fits_and_says_what_it_dropped(registry: Registry) -> None:
    text = SMALL.replace("\nmoney:", "\nrisk: {stop: {use: percent_stop, percent: 50}}\nmoney:").replace(
        "signals: [cross],", "signals: [cross], risk: [stop],"
    )
    session, _, market = opened(text, registry, 0, 100)
    held = 100
    while not session.ledger().open_positions:
        session.append({"ONE": bar_of(market.bars[0], held)})
        held += 1
    graph = load_text(SMALL.replace("timeperiod: 20", "timeperiod: 30"), registry)
    anchored = {"ONE": market.bars[0].slice(10, held)}
    taken, dropped = StrategySession.adopt(graph, anchored, session.state())
    assert taken.ledger().open_positions == session.ledger().open_positions
    assert taken.equity == session.equity
    assert any("stop" in each for each in dropped)
    run_on(taken, graph, market)
    assert taken.steps == len(market.bars[0])
    with pytest.raises(RunError, match="last bar of ONE closed at"):
        StrategySession.adopt(graph, {"ONE": market.bars[0].slice(0, held - 1)}, session.state())


def test_the_documented_sessions_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "sessions.md").read_text(encoding="utf-8")
    alone, outside = (part.partition("```")[0] for part in text.split("```python\n")[1:3])
    names: dict[str, object] = {}
    exec(compile(alone, "sessions.md", "exec", dont_inherit=True), names)  # noqa: S102 - our own documentation
    session, books = names["session"], names["books"]
    assert isinstance(session, StrategySession)
    assert isinstance(books, Ledger)
    assert session.steps == 301
    assert capsys.readouterr().out.count("Submit(") == len(books.fills) == 4
    exec(compile(outside, "sessions.md", "exec", dont_inherit=True), names)  # noqa: S102 - our own documentation
    session = names["session"]
    assert isinstance(session, StrategySession)
    fills = session.ledger().fills
    assert fills["commission"].tolist() == [1.0] * len(fills)
    assert fills["bar"].tolist() == books.fills["bar"].tolist()


# ---------------------------------------------------------------------- what is not a bar


def wrong_bars(bar: Bar) -> dict[str, tuple[object, type[Exception], str]]:
    """Return what is brought instead of a bar, or of a step, with the error and what it says."""
    after: dict[str, Any] = {"open_ns": bar.close_ns, "close_ns": bar.close_ns + 30 * DAY_NS}
    changed: Any = partial(replace, bar)  # with values of any type
    return {
        "overlaps": ({"ONE": replace(bar, open_ns=bar.open_ns - 1)}, DataError, "no earlier than the last one closed"),
        "a month": ({"ONE": replace(bar, **after)}, DataError, "no longer than .* h in 1d, was 720 h"),
        "text": ({"ONE": changed(close=str(bar.close))}, RunError, r"'close' .* must be a number, was .*\(str\)"),
        "none": ({"ONE": changed(volume=None)}, RunError, "'volume' of a bar of ONE must be a number, was None"),
        "split": ({"ONE": changed(split="2")}, RunError, "'split' of a bar of ONE must be a number"),
        "float": ({"ONE": changed(open_ns=float(bar.open_ns))}, RunError, "'open_ns' .* nanoseconds .*float"),
        "date": ({"ONE": changed(close_ns=datetime(2024, 1, 1, tzinfo=UTC))}, RunError, "'close_ns' .*datetime"),
        "far": ({"ONE": changed(close_ns=10**30)}, RunError, "'close_ns' of a bar of ONE must be a whole number"),
        "traded": ({"ONE": changed(traded=(1, 2))}, RunError, "A bar of ONE as traded must be a Bar"),
        "list": ({"ONE": [1, 2, 3]}, RunError, r"A bar of ONE must be a Bar, was \[1, 2, 3\] \(list\)"),
        "nothing": ({"ONE": None}, RunError, "A bar of ONE must be a Bar, was None"),
        "no names": ([bar], RunError, "must be a mapping from names to bars, was list"),
        "a number as name": ({1: bar}, DataError, "no instrument or feed '1'"),
    }


def test_what_is_no_next_bar_is_one_error_and_changes_nothing(registry: Registry) -> None:
    session, _, market = opened(SMALL, registry, 0, 80)
    text, bar = session.state(), bar_of(market.bars[0], 80)
    for name, (wrong, error, message) in wrong_bars(bar).items():
        with pytest.raises(error, match=message):
            session.append(wrong)  # type: ignore[arg-type]
        assert session.state() == text, name
    with pytest.raises(RunError, match="no instrument 'TWO' here; there are ONE"):
        session.append({"ONE": bar}, last=["TWO"])
    assert session.state() == text
    session.append({"ONE": bar})
    assert session.steps == 81


@pytest.mark.parametrize("session", ["24x7", "us_stocks", "'17:00-16:00 America/Chicago'"])
@pytest.mark.parametrize("timeframe", ["1h", "4h", "1d", "1w"])
def test_bars_as_files_have_them_are_taken(tmp_path: Path, registry: Registry, session: str, timeframe: str) -> None:
    """Hours that begin at half past, with nights, weekends, holidays, a half day and a change of clocks between."""
    rows, days = ["time,open,high,low,close,volume"], [*range(1, 15), *range(18, 29)]
    for day in days:
        weekday = datetime(2024, 3, day, tzinfo=UTC).weekday()
        hours = range(13 if day > 9 else 14, 17 if day == 21 else 20)
        rows += [f"2024-03-{day:02} {hour}:30,10,11,9,10,1" for hour in hours if weekday < 5]
    (tmp_path / "d.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    text = SMALL.replace(
        "data: synthetic, timeframe: 1d, bars: 300, seed: 3",
        f"data: csv, path: d.csv, timezone: UTC, timeframe: {timeframe}, session: {session}",
    )
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    graph = load_graph(tmp_path / "s.yaml", registry)
    market = market_of(graph)
    taken = StrategySession.open(graph, until(graph, market, 0))
    run_on(taken, graph, market)
    assert taken.steps == len(market.bars[0]) > 2


# ---------------------------------------------------------------------- a broker outside

STOPPED = (
    SMALL.replace("\nmoney:", "\nrisk: {stop: {use: percent_stop, percent: 1}}\nmoney:")
    .replace("signals: [cross],", "signals: [cross], risk: [stop],")
    .replace("quantity: 1}", "quantity: 9}")
)


def listen(session: StrategySession, broker: OutsideBroker, *, all_of_them: bool = False) -> None:
    for event in broker.reports(all_of_them=all_of_them):
        broker.take(session.apply(event))


@pytest.mark.parametrize("number", range(4))
def test_a_session_at_a_broker_has_the_brokers_positions_money_and_orders(registry: Registry, number: int) -> None:
    """A broker that answers late, fills in parts and refuses; the session is opened again every 40 bars."""
    graph = load_text(STOPPED, registry)
    market, broker = market_of(graph), OutsideBroker(number)
    session = StrategySession.open(graph, until(graph, market, 0), venue="external")
    booked: list[tuple[int, float]] = []

    def drained() -> None:
        booked.extend((int(row["side"] * row["lots"]), float(row["price"])) for row in session.drain().fills)

    for step, bars in enumerate(moments(graph, market), 1):
        broker.work()
        broker.trade({symbol: (bar.open, bar.high, bar.low, bar.close) for symbol, bar in bars.items()})
        listen(session, broker)
        broker.take(session.append(bars))
        listen(session, broker)
        if step % 40 == 0:
            drained()
            session = StrategySession.open(graph, until(graph, market, step), session.state(), venue="external")
    for _ in range(5):
        broker.trouble = 0.0
        broker.work(at_once=True)
        listen(session, broker, all_of_them=True)
    held = sum(each.lots for each in session.ledger().open_positions)
    drained()
    assert len(booked) > 10
    assert sorted(booked) == sorted(broker.executed)
    assert held == broker.positions["ONE"]
    known = {order.number: each for order, each in broker.orders.items()}
    assert {number for number, order in session.orders.items() if not order.state.is_over} == {
        number for number, each in known.items() if each.state == "working"
    }
    assert all(order.filled == known[number].filled for number, order in session.orders.items())


def test_a_broker_reports_to_a_session_of_its_own_orders_alone(registry: Registry) -> None:
    session, graph, market = opened(STOPPED, registry, 0, 0)
    with pytest.raises(RunError, match=r"simulated: it reports nothing.*venue='external'"):
        session.apply(Accepted(OrderId("session", 0, 1), 0, "V1"))
    with pytest.raises(RunError, match="must be 'simulated' or 'external', was 'paper'"):
        StrategySession.open(graph, until(graph, market, 0), venue="paper")  # type: ignore[arg-type]
    session = StrategySession.open(graph, until(graph, market, 0), venue="external")
    sent: list[OrderCommand] = []
    for bars in moments(graph, market):
        sent += session.append(bars)
        if sent:
            break
    (entry,) = sent
    with pytest.raises(RunError, match=r"must be one of Accepted, .*; was dict"):
        session.apply({"message": "Accepted"})  # type: ignore[arg-type]
    with pytest.raises(OrderError, match="not sent"):
        session.apply(Accepted(OrderId("other", 0, 1), 0, "V1"))
    text, known = session.state(), until(graph, market, session.steps)
    with pytest.raises(RunError, match=r"work at a broker outside.*Open it with venue='external'"):
        StrategySession.open(graph, known, text)
    again = StrategySession.open(graph, known, text, venue="external")
    assert again.apply(Accepted(entry.order, 0, "V1")) == ()
    assert again.orders[entry.order.number].state is OrderState.ACCEPTED
