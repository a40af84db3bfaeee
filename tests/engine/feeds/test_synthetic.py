"""A made-up market: the same bars from any beginning, in any piece, and in all timeframes."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import (
    NEW_YORK_STOCKS,
    ROUND_THE_CLOCK,
    BarClosed,
    DataError,
    FeedState,
    Session,
    Subscription,
    Timeframe,
)
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.data.resample import resample
from quantcrafter.engine.feeds.clocked import moment_of
from quantcrafter.engine.feeds.synthetic import SyntheticConnection, SyntheticFeed
from quantcrafter.engine.feeds.synthetic_market import MarketTerms, SyntheticMarket
from tests.support.fed_worker import (
    assert_books_as_in_backtest,
    assert_fills_as_in_backtest,
    fed_graph,
    paper,
    run_until,
)
from tests.support.live_cases import STOPPED, assert_same_books

MINUTE = Timeframe(1, "m")
S, HOUR_NS, DAY_NS = 1_000_000_000, 3_600_000_000_000, 86_400_000_000_000
BEGIN = moment_of("2024-01-01")
TEXT = STOPPED.replace("timeframe: 1d", "timeframe: 5m")
SHANGHAI = Session("Asia/Shanghai", 570, 900, (0, 1, 2, 3, 4), "XSHG")


def opened(text: str, *wanted: Subscription) -> SyntheticConnection:
    made = SyntheticFeed.from_place(text).open(wanted)
    assert isinstance(made, SyntheticConnection)
    return made


def one(timeframe: str = "5m", name: str = "ONE") -> Subscription:
    return Subscription(name, "ONE", Timeframe.parse(timeframe))


@settings(max_examples=15, deadline=None)
@given(
    first=st.integers(0, 20 * 1440),
    lengths=st.lists(st.integers(1, 4000), min_size=2, max_size=4),
    timeframe=st.sampled_from(["1m", "5m", "7m", "1h", "1d", "1w"]),
    session=st.sampled_from([ROUND_THE_CLOCK, NEW_YORK_STOCKS, SHANGHAI]),
)
def test_bars_made_in_pieces_are_those_made_at_once(
    first: int, lengths: list[int], timeframe: str, session: Session
) -> None:
    edges = [BEGIN + first * 60 * S]
    for each in lengths:
        edges.append(edges[-1] + each * 60 * S)
    terms, length = MarketTerms(seed=first), Timeframe.parse(timeframe)
    whole = SyntheticMarket("ONE", terms).bars(length, session, edges[0], edges[-1])
    parts = [SyntheticMarket("ONE", terms).bars(length, session, a, b) for a, b in pairwise(edges)]
    for name in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"):
        assert np.concatenate([getattr(each, name) for each in parts]).tobytes() == getattr(whole, name).tobytes()
    assert (whole.low <= np.minimum(whole.open, whole.close)).all()
    assert (whole.high >= np.maximum(whole.open, whole.close)).all()
    assert (whole.low > 0).all()


def test_longer_bars_are_made_of_the_minutes_and_seeds_and_symbols_differ() -> None:
    market = SyntheticMarket("ONE", MarketTerms())
    minutes = market.bars(MINUTE, ROUND_THE_CLOCK, BEGIN, BEGIN + 2 * DAY_NS)
    hours = market.bars(Timeframe(1, "h"), ROUND_THE_CLOCK, BEGIN, BEGIN + 2 * DAY_NS)
    assert (len(minutes), len(hours)) == (2880, 48)
    assert resample(minutes, Timeframe(1, "h")).high.tolist() == hours.high.tolist()
    assert minutes.synthetic
    assert (minutes.open[1:] == minutes.close[:-1]).all()
    for other in (SyntheticMarket("TWO", MarketTerms()), SyntheticMarket("ONE", MarketTerms(seed=2))):
        assert (other.bars(MINUTE, ROUND_THE_CLOCK, BEGIN, BEGIN + DAY_NS).close != minutes.close[:1440]).any()


def test_sessions_and_their_breaks_are_kept_to() -> None:
    market = SyntheticMarket("ONE", MarketTerms())
    bars = market.bars(Timeframe(30, "m"), SHANGHAI, moment_of("2024-09-27"), moment_of("2024-10-09"))
    days = sorted(set((bars.open_ns // DAY_NS).tolist()))
    assert [str(np.datetime64(day, "D")) for day in days] == ["2024-09-27", "2024-09-30", "2024-10-08"]
    assert len(bars) == 3 * 8  # 09:30 to 11:30 and 13:00 to 15:00


def test_it_goes_on_after_a_moment_with_the_same_bars_by_its_clock() -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    def fresh() -> SyntheticConnection:
        terms = MarketTerms()
        return SyntheticConnection([one()], terms, BEGIN, BEGIN + DAY_NS, 60.0, clock=lambda: now, sleep=sleep)

    feed = fresh()
    assert feed.now_ns() == BEGIN
    assert len(feed.history("ONE", BEGIN, 100)) == 100
    assert feed.history("ONE", BEGIN, 100).close_ns[-1] == BEGIN
    feed.begin(BEGIN)
    assert feed.poll(1.0) == []
    assert feed.now_ns() == BEGIN + 60 * S
    (first,) = feed.poll(10.0)
    assert isinstance(first, BarClosed)
    assert first.bar.close_ns == BEGIN + 300 * S
    again = fresh()
    again.begin(first.bar.close_ns)
    assert again.poll(1e9) == feed.poll(1e9) != []
    assert [each.close_ns for each in again.missed("ONE", BEGIN, BEGIN + 600 * S)] == [BEGIN + 300 * S, BEGIN + 600 * S]
    sleep(1e9)
    events = [event for _ in range(10) for event in feed.poll(0.0)]
    assert events[-1] == FeedState("ended", BEGIN + DAY_NS)
    assert [each.is_last for each in events if isinstance(each, BarClosed)][-2:] == [False, True]


def test_bars_of_several_timeframes_come_together() -> None:
    feed = opened("max", one(), one("1h", "slow"))
    feed.begin(BEGIN)
    moments = [each for _ in range(2) for each in feed.poll(0.0) if isinstance(each, BarClosed)]
    slow = [n for n, each in enumerate(moments) if each.name == "slow"]
    assert len(slow) > 5
    assert all(moments[n - 1].bar.close_ns == moments[n].bar.close_ns for n in slow)


@pytest.mark.parametrize("text", ["fast", "1x@yesterday", "1x,seed=-1", "1x,seed=x", "1x,colour=3"])
def test_wrong_options_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"speed|day or time|seed|colour"):
        SyntheticFeed.from_place(text)


def test_bars_shorter_than_a_minute_are_refused() -> None:
    with pytest.raises(DataError, match="'ONE' asks for 30s"):
        opened("max", one("30s"))


def test_a_worker_has_the_books_of_a_backtest_also_if_it_is_killed(tmp_path: Path) -> None:
    feed, graph = SyntheticFeed.from_place("max@2024-01-01..2024-01-02,volatility=80"), fed_graph(TEXT)
    calm = run_until(lambda: paper(graph, feed, tmp_path / "calm"), 1000)
    killed = run_until(lambda: paper(graph, feed, tmp_path / "killed"), 1000, kills=(50, 130))
    assert calm.has_ended
    assert assert_books_as_in_backtest(calm, TEXT) > 10
    assert_same_books(killed.ledger(), calm.ledger())
    for each in (calm, killed):
        each.close()


def test_a_market_without_an_end_goes_on(tmp_path: Path) -> None:
    feed, graph = SyntheticFeed.from_place("max,seed=5,volatility=80"), fed_graph(TEXT)
    worker = run_until(lambda: paper(graph, feed, tmp_path / "on"), 700, kills=(100,))
    assert assert_fills_as_in_backtest(worker, TEXT) > 20
    worker.close()


def test_start_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file, out = tmp_path / "small.yaml", tmp_path / "out.json"
    file.write_text(TEXT, encoding="utf-8")
    place = "synthetic:max@2024-01-01..2024-01-03,seed=9,volatility=80"
    assert main(["start", str(file), "--feed", place, "--until-end", "--json", str(out), "-q"]) == 0
    assert len(json.loads(out.read_text(encoding="utf-8"))["fills"]) > 10
