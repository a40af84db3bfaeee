"""A CSV file that grows: whole lines only, gaps filled, and the books of a backtest of the same file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import (
    BarClosed,
    BarRevised,
    DataError,
    FeedEvent,
    FeedState,
    Subscription,
    Timeframe,
    TryAgainError,
)
from quantcrafter.engine.feeds.clocked import moment_of
from quantcrafter.engine.feeds.csv_file import CsvConnection, CsvFeed
from quantcrafter.engine.feeds.synthetic_market import MarketTerms, SyntheticMarket
from tests.support.fed_worker import assert_fills_as_in_backtest, fed_graph, paper, seen_by
from tests.support.live_cases import STOPPED, abandon

MINUTE = Timeframe(1, "m")
MINUTE_NS = 60_000_000_000
BEGIN = moment_of("2024-03-04")
HEADER = "time,open,high,low,close,volume\n"
TEXT = STOPPED.replace("timeframe: 1d", "timeframe: 5m").replace("percent: 2}", "percent: 0.3}")


def rows(count: int, symbol: str = "") -> list[str]:
    """Return lines of one-minute bars, stamped by their open."""
    from quantcrafter.engine.api import ROUND_THE_CLOCK

    terms = MarketTerms(volatility=80)
    bars = SyntheticMarket("ONE", terms).bars(MINUTE, ROUND_THE_CLOCK, BEGIN, BEGIN + count * MINUTE_NS)
    times = [datetime.fromtimestamp(each / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S") for each in bars.open_ns.tolist()]
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    values = zip(*(each.tolist() for each in columns), strict=True)
    return [
        ",".join([stamp, *([symbol] if symbol else []), *map(repr, each)]) + "\n"
        for stamp, each in zip(times, values, strict=True)
    ]


ROWS = rows(3000)


def opened(path: Path, timeframe: str = "1m", now: Callable[[], int] | None = None) -> CsvConnection:
    feed = CsvFeed(path=str(path))
    wanted = [Subscription("ONE", "ONE", Timeframe.parse(timeframe))]
    providers = {"ONE": feed.provider("ONE")}
    return CsvConnection(wanted, providers, "", sleep=lambda _: None, **({} if now is None else {"now_ns": now}))


def written(path: Path, count: int) -> Path:
    path.write_text(HEADER + "".join(ROWS[:count]), encoding="utf-8")
    return path


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def closes(events: object) -> list[int]:
    assert isinstance(events, list)
    return [(each.bar.close_ns - BEGIN) // MINUTE_NS for each in events if isinstance(each, BarClosed)]


def states(events: object) -> list[str]:
    assert isinstance(events, list)
    return [each.state for each in events if isinstance(each, FeedState)]


def test_rows_that_are_there_are_history_and_later_ones_come(tmp_path: Path) -> None:
    feed = opened(written(tmp_path / "a.csv", 30))
    assert len(feed.history("ONE", feed.now_ns(), 20)) == 20
    assert feed.history("ONE", BEGIN + 10 * MINUTE_NS, 20).close_ns[-1] == BEGIN + 10 * MINUTE_NS
    assert states(first := feed.poll(0.0)) == ["connected"]
    assert closes(first) == []
    append(tmp_path / "a.csv", ROWS[30] + ROWS[31])
    assert closes(feed.poll(0.0)) == [31, 32]
    assert feed.poll(0.3) == []
    assert [each.close_ns for each in feed.missed("ONE", BEGIN + 28 * MINUTE_NS, BEGIN + 30 * MINUTE_NS)] == [
        BEGIN + 29 * MINUTE_NS,
        BEGIN + 30 * MINUTE_NS,
    ]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 120), min_size=1, max_size=12))
def test_a_half_written_line_is_never_used(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    """The file grows by some bytes at a time: what comes is always what the whole lines hold, and all of it."""
    path = written(tmp_path_factory.mktemp("grows") / "a.csv", 4)
    feed, rest = opened(path), "".join(ROWS[4:14])
    feed.history("ONE", feed.now_ns(), 10)
    feed.poll(0.0)
    came: list[FeedEvent] = []
    for cut in [*cuts, len(rest)]:
        piece, rest = rest[:cut], rest[cut:]
        append(path, piece)
        came += feed.poll(0.0)
        whole = path.read_text(encoding="utf-8").count("\n") - 1
        assert closes(came) == list(range(5, whole + 1))
    assert closes(came) == list(range(5, 15))
    assert not any(isinstance(each, BarRevised | FeedState) for each in came)


def test_longer_bars_come_when_they_are_complete(tmp_path: Path) -> None:
    feed = opened(written(tmp_path / "a.csv", 3), "5m")
    assert len(feed.history("ONE", feed.now_ns(), 20)) == 0
    feed.poll(0.0)
    append(tmp_path / "a.csv", ROWS[3])
    assert closes(feed.poll(0.0)) == []
    append(tmp_path / "a.csv", ROWS[4] + ROWS[5])
    assert closes(feed.poll(0.0)) == [5]


def test_a_bar_that_has_not_closed_waits_with_the_values_of_its_close(tmp_path: Path) -> None:
    now = BEGIN + 10 * MINUTE_NS + 1
    feed = opened(written(tmp_path / "a.csv", 10), now=lambda: now)
    feed.history("ONE", now, 10)
    feed.poll(0.0)
    append(tmp_path / "a.csv", ROWS[10].replace(",", ",1", 0))
    assert closes(feed.poll(0.0)) == []
    now += MINUTE_NS
    assert closes(feed.poll(0.0)) == [11]


def test_a_corrected_row_is_told_and_a_lost_file_too(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 20)
    feed = opened(path)
    feed.history("ONE", feed.now_ns(), 20)
    feed.poll(0.0)
    stamp, *prices, _ = ROWS[12].split(",")
    path.write_text(HEADER + "".join(ROWS[:12]) + ",".join([stamp, *prices, "7.0\n"]) + "".join(ROWS[13:20]))
    (event,) = feed.poll(0.0)
    assert isinstance(event, BarRevised)
    assert (event.bar.volume, event.bar.close_ns) == (7.0, BEGIN + 13 * MINUTE_NS)
    path.rename(tmp_path / "away.csv")
    assert states(feed.poll(0.0)) == ["lost"]
    assert feed.poll(0.2) == []
    append(tmp_path / "away.csv", ROWS[20] + "nonsense,1,2,3,4,5\n")
    (tmp_path / "away.csv").rename(path)
    assert feed.poll(0.0) == []
    path.write_text(HEADER + "".join(ROWS[:22]))
    again = feed.poll(0.0)
    assert states(again) == ["connected"]
    assert closes(again) == [21, 22]


def test_a_file_that_is_not_there_is_refused_and_one_that_is_away_is_asked_for_again(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.csv"):
        CsvFeed(path="no.csv").open([Subscription("ONE", "ONE", MINUTE)], str(tmp_path))
    feed = opened(written(tmp_path / "a.csv", 5))
    (tmp_path / "a.csv").unlink()
    with pytest.raises((TryAgainError, DataError)):
        feed.history("ONE", feed.now_ns(), 3)


@pytest.mark.parametrize("text", ["", "a.csv,separator=x", "a.csv,timezone=Mars", "a.csv,colour=red"])
def test_wrong_options_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"path|separator|Mars|colour"):
        CsvFeed.from_place(text)


def test_a_file_of_several_symbols_and_a_file_for_each(tmp_path: Path) -> None:
    both = [line for pair in zip(rows(9, "ONE"), rows(9, "TWO"), strict=True) for line in pair]
    (tmp_path / "all.csv").write_text(HEADER.replace("time,", "time,symbol,") + "".join(both))
    names = [Subscription(name, name, MINUTE) for name in ("ONE", "TWO")]
    feed = CsvFeed.from_place("all.csv").open(names, str(tmp_path))
    assert [len(feed.history(each.name, feed.now_ns(), 20)) for each in names] == [9, 9]
    written(tmp_path / "BTC_USDT.csv", 7)
    other = CsvFeed.from_place("{symbol}.csv,timezone=UTC").open(
        [Subscription("BTC/USDT", "BTC/USDT", MINUTE)], str(tmp_path)
    )
    assert len(other.history("BTC/USDT", other.now_ns(), 20)) == 7
    for each in (feed, other):
        each.close()
        assert each.poll(0.0) == []


def test_a_worker_has_the_books_of_a_backtest_of_the_file_also_if_it_is_killed(tmp_path: Path) -> None:
    path, graph = written(tmp_path / "a.csv", 600), fed_graph(TEXT, tmp_path)
    feed = CsvFeed(path=path.name)
    worker = paper(graph, feed, tmp_path / "worker")
    worker.start()
    for number in range(600, 3000, 40):
        text = "".join(ROWS[number : number + 40])
        append(path, text[:-25])
        worker.step()
        if number in (1000, 2000):
            abandon(worker)
            append(path, text[-25:])  # while it is away
            worker = paper(graph, feed, tmp_path / "worker")
            worker.start()
            worker.step()
        else:
            append(path, text[-25:])
        worker.step()
    assert len(seen_by(worker)["ONE"]) == 600
    assert worker.core.session.steps == 480
    assert assert_fills_as_in_backtest(worker, TEXT) > 20
    worker.close()
