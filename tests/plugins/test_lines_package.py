"""The feed and the broker of the guide: a package of its own, accepted by the hooks, as the contracts say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from quantcrafter.engine.api import (
    Accepted,
    Amend,
    Bar,
    BarClosed,
    Cancel,
    Feed,
    FeedConnection,
    FeedState,
    Filled,
    OrderError,
    OrderId,
    Rejected,
    Submit,
    Subscription,
    Timeframe,
    TryAgainError,
    VenueExecution,
    VenueOrder,
    bars_from,
)
from quantcrafter.engine.api.bars import DatedAmount
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.plugins import Registry, load_registry

SOURCE = Path(__file__).parent / "quantcrafter_lines" / "quantcrafter_lines.py"
ONE = Subscription("ONE", "ONE", Timeframe.parse("1m"))
AGAIN = Subscription("again", "ONE", Timeframe.parse("1m"))
MINUTE_NS = 60_000_000_000


@pytest.fixture(scope="module")
def registry() -> Registry:
    spec = importlib.util.spec_from_file_location("quantcrafter_lines", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return load_registry(extra_plugins=[("lines", module)])


def line(number: int, close: float = 10.0) -> str:
    return f"ONE,{number * MINUTE_NS},{(number + 1) * MINUTE_NS},10,11,9,{close},5\n"


def feed_class(registry: Registry) -> type[Feed]:
    found = registry.feed("lines")
    assert found is not None
    return found


def connection(registry: Registry, folder: Path, *subscriptions: Subscription) -> FeedConnection:
    return feed_class(registry).from_place("bars.txt").open(subscriptions or (ONE,), str(folder))


def test_both_are_registered_and_the_plugin_is_loaded(registry: Registry) -> None:
    assert registry.plugins[-1].error == ""
    assert "lines" in registry.feed_names()
    assert "at_once" in registry.broker_names()
    assert registry.owner("feeds", "lines") == registry.owner("brokers", "at_once") == "lines"


def test_bars_come_when_their_line_is_whole_to_every_name_of_the_symbol(registry: Registry, tmp_path: Path) -> None:
    feed = connection(registry, tmp_path, ONE, AGAIN)
    (lost,) = feed.poll(0)
    assert isinstance(lost, FeedState)
    assert lost.state == "lost"
    path = tmp_path / "bars.txt"
    path.write_text(line(0) + line(1)[:20])
    state, *bars = feed.poll(0)
    assert isinstance(state, FeedState)
    assert state.state == "connected"
    assert lost.seen_ns <= state.seen_ns <= feed.now_ns()
    assert not feed_class(registry).own_clock
    assert [(each.name, each.bar.close_ns) for each in bars if isinstance(each, BarClosed)] == [
        ("ONE", MINUTE_NS),
        ("again", MINUTE_NS),
    ]
    assert not feed.poll(0)
    path.write_text(line(0) + line(1))
    assert [each.bar for each in feed.poll(0) if isinstance(each, BarClosed)] == 2 * [
        Bar(MINUTE_NS, 2 * MINUTE_NS, 10.0, 11.0, 9.0, 10.0, 5.0)
    ]


def test_history_ends_at_the_moment_and_missed_bars_follow_it(registry: Registry, tmp_path: Path) -> None:
    feed = connection(registry, tmp_path)
    with pytest.raises(TryAgainError):
        feed.history("ONE", MINUTE_NS, 5)
    (tmp_path / "bars.txt").write_text("".join(map(line, range(6))))
    history = feed.history("ONE", 4 * MINUTE_NS, 3)
    assert history.close_ns.tolist() == [2 * MINUTE_NS, 3 * MINUTE_NS, 4 * MINUTE_NS]
    assert (history.symbol, history.timeframe, history.source) == ("ONE", ONE.timeframe, "bars.txt")
    assert [bar.close_ns for bar in feed.missed("ONE", 4 * MINUTE_NS, 5 * MINUTE_NS)] == [5 * MINUTE_NS]
    assert len(feed.history("ONE", 0, 3)) == 0


def test_the_broker_reports_once_and_answers_for_orders_that_it_knows_and_others(registry: Registry) -> None:
    broker = registry.broker("at_once")
    assert broker is not None
    assert not broker.from_place("").is_live
    assert (broker.venue, broker.can_amend, broker.has_closing_auction) == ("external", False, False)
    assert broker.times_in_force == ("gtc", "day")
    venue = broker.from_place("").connect()
    market = Submit(OrderId("w", 0, 1), "ONE", "buy", "market", 3, 3.0, 1.0, ts_ns=7)
    venue.send(market)
    venue.send(market)
    accepted, filled = venue.poll(0)
    assert isinstance(accepted, Accepted)
    assert filled == Filled(market.order, "E1", 3, 100.0, 7, fee=0.0)
    assert venue.poll(0) == []
    assert list(venue.outcome(market.order)) == [accepted, filled]
    assert [type(each) for each in venue.outcome(OrderId("w", 0, 9))] == [Rejected]
    limit = Submit(OrderId("w", 0, 2), "ONE", "sell", "limit", 1, 1.0, 1.0, ts_ns=8, price=120.0)
    venue.send(limit)
    venue.send(Amend(limit.order, 1, 2, 2.0, ts_ns=9, price=119.0))
    assert [(each.client_order_id, each.venue_order_id) for each in venue.open_orders()] == [("w-0-2", "V2")]
    venue.send(Cancel(limit.order, ts_ns=10))
    assert [type(each).__name__ for each in venue.poll(0)] == ["Accepted", "AmendRejected", "Cancelled"]
    assert not venue.open_orders()
    assert [(each.symbol, each.quantity, each.average_price) for each in venue.positions()] == [("ONE", 3.0, None)]
    assert [each.total for each in venue.balances()] == [100_000.0 - 300.0]
    assert [each.id for each in venue.executions(8)] == []
    assert [each.client_order_id for each in venue.executions(7)] == ["w-0-1"]


def test_bars_with_all_that_a_bar_can_have_become_columns_and_come_back() -> None:
    raw = Bar(0, 1, 10.0, 11.0, 9.0, 10.5, 3.0)
    given = [
        Bar(0, 1, 5.0, 5.5, 4.5, 5.25, 6.0, traded=raw, extra={"score": 0.5}),
        Bar(
            1, 2, 5.0, 5.5, 4.5, 5.25, 6.0, traded=Bar(1, 2, 5.0, 5.5, 4.5, 5.25, 6.0, split=2.0), extra={"score": 1.0}
        ),
    ]
    bars = bars_from(ONE, given, "test")
    assert [bar_of(bars, number) for number in range(2)] == given
    costs = [Bar(0, 1, 5.0, 5.5, 4.5, 5.25, spread=0.5, funding=(DatedAmount(0, 0.1, 0.2),))]
    assert [bar_of(bars_from(ONE, costs), 0)] == costs
    own = [Bar(0, 1, 5.0, 5.5, 4.5, 5.25), Bar(1, 2, 5.0, 5.5, 4.5, 5.25, dividend=0.25)]
    assert [bar_of(bars_from(ONE, own), number) for number in range(2)] == own
    assert len(bars_from(ONE, [])) == 0


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), True, "1"])
def test_what_a_broker_says_is_checked(value: Any) -> None:
    with pytest.raises(OrderError, match="'quantity' is a number above 0"):
        VenueExecution("1", "ONE", "buy", value, 1.0, 0)
    with pytest.raises(OrderError, match="'quantity'"):
        VenueOrder("1", "ONE", "buy", "market", value)
    with pytest.raises(OrderError, match="'id'"):
        VenueExecution("", "ONE", "buy", 1.0, 1.0, 0)
