"""An account at a gateway of vnpy: the simulated exchange fills in parts, rejects, is late, and loses its line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quantcrafter.engine.adapters.vnpy.gateway_broker import GatewayBrokerConnection, VnpyBroker
from quantcrafter.engine.adapters.vnpy.gateway_feed import GatewayFeedConnection, VnpyFeed
from quantcrafter.engine.adapters.vnpy.gateway_options import settings_from
from quantcrafter.engine.api import (
    Accepted,
    Amend,
    AmendRejected,
    Bar,
    BarClosed,
    BrokerState,
    Cancel,
    Cancelled,
    CancelRejected,
    DataError,
    FeedState,
    Filled,
    OrderId,
    Rejected,
    RunError,
    Submit,
    Subscription,
    Timeframe,
    TryAgainError,
)
from quantcrafter.engine.api.place import settings_from_folder
from quantcrafter.engine.feeds.clocked import moment_of
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.live.session_worker import SessionWorker
from tests.support.fed_worker import assert_fills_as_in_backtest, fed_graph, paper, seen_by
from tests.support.live_cases import STOPPED, abandon
from tests.support.scripted import HeldFeed, ScriptedFeed

pytest.importorskip("vnpy")

SYMBOL = "SIM.LOCAL"
WORKER = "abc123"
S = 1_000_000_000
MINUTE_NS = 60 * S
BEGIN = moment_of("2024-03-04")


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An exchange that only does what a test says, at the time that it says."""
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    from quantcrafter.engine.adapters.vnpy.place import prepare

    prepare()
    from quantcrafter.engine.adapters.vnpy.gateway_session import SESSIONS
    from quantcrafter.engine.adapters.vnpy.simulated_gateway import EXCHANGES, SimulatedExchange

    made = EXCHANGES["default"] = SimulatedExchange()
    made.clock_ns = BEGIN
    yield made
    del EXCHANGES["default"]
    left = dict(SESSIONS._there)
    for session, _ in left.values():
        session.close()
    SESSIONS._there.clear()
    assert left == {}


class Desk:
    """A connection with all that it has reported."""

    def __init__(self, worker: str = WORKER) -> None:
        made = VnpyBroker.from_place("simulated").connect()
        assert isinstance(made, GatewayBrokerConnection)
        self.connection = made
        self.events: list[Any] = []
        made._session.contract(SYMBOL)
        made.begin(worker, {SYMBOL: 1.0})

    def until(self, *kinds: type[Any], times: int = 1) -> list[Any]:
        end = time.monotonic() + 60
        while sum(isinstance(each, kinds) for each in self.events) < times:
            assert time.monotonic() < end, self.events
            self.events += self.connection.poll(0.02)
        return [each for each in self.events if isinstance(each, kinds)]

    def kinds(self) -> list[str]:
        return [type(each).__name__ for each in self.events]


@pytest.fixture
def desk(exchange: Any) -> Iterator[Desk]:
    del exchange
    made = Desk()
    yield made
    made.connection.close()


def number(count: int) -> OrderId:
    return OrderId(WORKER, 1_700_000_000, count)


def submit(count: int = 1, kind: str = "limit", lots: int = 4, side: str = "buy") -> Submit:
    price = {"limit": 99.5, "stop": 101.0}.get(kind)
    return Submit(number(count), SYMBOL, side, kind, lots, float(lots), 1.0, BEGIN, price=price)  # type: ignore[arg-type]


def test_an_order_is_filled_in_parts(exchange: Any, desk: Desk) -> None:
    desk.connection.send(submit())
    assert desk.until(Accepted)[0].venue_id == "SIMULATED.1"
    (shown,) = desk.connection.open_orders()
    assert (shown.kind, shown.price, shown.quantity, shown.client_order_id) == ("limit", 99.5, 4.0, str(number(1)))
    exchange.fill("1", 1, 99.5)
    exchange.fill("1", 3, 99.25)
    assert [(each.lots, each.price) for each in desk.until(Filled, times=2)] == [(1, 99.5), (3, 99.25)]
    assert desk.kinds() == ["Accepted", "Filled", "Filled"]
    executions = desk.connection.executions(0)
    assert [(each.id, each.client_order_id) for each in executions] == [
        (each.execution, str(number(1))) for each in desk.until(Filled)
    ]
    assert desk.connection.executions(BEGIN + 1) == []
    assert [(each.symbol, each.quantity) for each in desk.connection.positions()] == [(SYMBOL, 4.0)]
    assert desk.connection.balances()[0].total == 1_000_000 - 99.5 - 3 * 99.25
    assert desk.connection.open_orders() == []


def test_prices_fill_what_they_reach_in_parts(exchange: Any, desk: Desk) -> None:
    exchange.parts = 3
    for count, kind in enumerate(("market", "limit", "stop"), 1):
        desk.connection.send(submit(count, kind))
    desk.until(Accepted, times=3)
    exchange.tick(SYMBOL, 100.0, 10)
    assert [(each.order.number, each.lots) for each in desk.until(Filled, times=3)] == [(1, 1), (1, 1), (1, 2)]
    exchange.tick(SYMBOL, 101.0, 20)
    exchange.tick(SYMBOL, 99.5, 30)
    assert {each.order.number: each.price for each in desk.until(Filled, times=9)} == {1: 100.0, 2: 99.5, 3: 101.0}


def test_a_rejection_and_a_cancel_with_a_part_filled(exchange: Any, desk: Desk) -> None:
    exchange.rejections = ["not enough money"]
    desk.connection.send(submit())
    assert desk.until(Rejected)[0].text == "not enough money"
    desk.connection.send(submit(2))
    desk.until(Accepted)
    exchange.fill("2", 1, 99.5)
    desk.connection.send(Cancel(number(2), BEGIN))
    desk.until(Cancelled)
    assert desk.kinds() == ["Rejected", "Accepted", "Filled", "Cancelled"]
    desk.connection.send(Cancel(number(2), BEGIN))
    desk.until(CancelRejected)
    desk.connection.send(Amend(number(2), 1, 4, 4.0, BEGIN, price=98.0))
    desk.until(AmendRejected)
    desk.connection.send(Submit(number(3), "NO.LOCAL", "buy", "market", 1, 1.0, 1.0, BEGIN))
    assert "no contract 'NO.LOCAL'" in desk.until(Rejected, times=2)[1].text


def test_late_answers_come_and_an_order_is_sent_once(exchange: Any, desk: Desk) -> None:
    exchange.delay_s = 0.3
    desk.connection.send(submit())
    desk.connection.send(submit())
    assert desk.connection.poll(0.0) == []
    desk.until(Accepted)
    assert exchange.received == 1


def test_fills_during_a_disconnect_come_when_it_is_back(exchange: Any, desk: Desk) -> None:
    desk.connection.send(submit())
    desk.until(Accepted)
    exchange.disconnect()
    assert desk.until(BrokerState)[0].state == "lost"
    exchange.fill("1", 4, 99.0)
    for ask in (desk.connection.positions, desk.connection.open_orders, lambda: desk.connection.send(submit(2))):
        with pytest.raises(TryAgainError):
            ask()
    exchange.reconnect()
    assert [each.lots for each in desk.until(Filled)] == [4]
    assert [each.state for each in desk.until(BrokerState, times=2)] == ["lost", "connected"]
    desk.connection.send(submit(2))
    desk.until(Accepted, times=2)


def test_orders_from_before_are_followed_and_known(exchange: Any) -> None:
    first = Desk()
    for count in (1, 2):
        first.connection.send(submit(count))
    first.until(Accepted, times=2)
    first.connection.close()
    exchange.fill("1", 3, 99.5)
    exchange.fill("2", 4, 99.5)
    second, other = Desk(), Desk("other")
    assert [(each.order, each.lots) for each in second.until(Filled)] == [(number(1), 3)]
    exchange.fill("1", 1, 99.5)
    second.until(Filled, times=2)
    found = second.connection.outcome(number(2))
    assert [type(each).__name__ for each in found] == ["Accepted", "Filled"]
    assert [type(each) for each in second.connection.outcome(number(9))] == [Rejected]
    assert other.connection.poll(0.1) == []
    for each in (second, other):
        each.connection.close()


@pytest.mark.parametrize("knows_references", [True, False])
def test_an_order_whose_sending_was_cut_off_is_known_by_its_reference_or_stays_unknown(
    exchange: Any, monkeypatch: pytest.MonkeyPatch, *, knows_references: bool
) -> None:
    from quantcrafter.engine.adapters.vnpy.gateway_orders import Journal

    first = Desk()
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "sent_as", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            first.connection.send(submit())
    first.connection.close()
    if not knows_references:
        exchange.orders["1"].reference = ""
    second = Desk()
    found = second.connection.outcome(number(1))
    assert [type(each).__name__ for each in found] == (["Accepted"] if knows_references else [])
    second.connection.send(submit())
    assert exchange.received == 1
    second.connection.close()


def test_positions_of_the_other_side_are_closed_first() -> None:
    from vnpy.trader.constant import Direction, Exchange, Offset

    from quantcrafter.engine.adapters.vnpy.offsets import parts_of

    def parts(venue: Exchange, held: float, before: float, quantity: float, *, reduces: bool = False) -> list[Any]:
        position = SimpleNamespace(vt_symbol="a.X", direction=Direction.LONG, volume=held, yd_volume=before, frozen=0.0)
        session: Any = SimpleNamespace(positions={"a": position}, orders={}, lock=__import__("threading").RLock())
        contract = SimpleNamespace(vt_symbol="a.X", exchange=venue, net_position=False)
        order = Submit(number(1), "a.X", "sell", "market", 1, quantity, quantity, 0, reduce_only=reduces)
        return list(parts_of(session, contract, order))

    assert parts(Exchange.DCE, 3, 1, 2) == [(Offset.CLOSE, 2)]
    assert parts(Exchange.DCE, 3, 1, 5) == [(Offset.CLOSE, 3), (Offset.OPEN, 2)]
    assert parts(Exchange.SHFE, 3, 1, 5) == [(Offset.CLOSEYESTERDAY, 1), (Offset.CLOSETODAY, 2), (Offset.OPEN, 2)]
    assert parts(Exchange.DCE, 0, 0, 5) == [(Offset.OPEN, 5)]
    assert parts(Exchange.DCE, 3, 0, 5, reduces=True) == [(Offset.CLOSE, 3)]
    assert parts(Exchange.DCE, 0, 0, 5, reduces=True) == []


def test_secrets_do_not_stand_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ctp.json"
    path.write_text(json.dumps({"用户名": "me", "密码": "hunter2"}), encoding="utf-8")
    with pytest.raises(RunError, match="'密码' is a secret") as caught:
        settings_from(str(path), "x")
    assert "hunter2" not in str(caught.value)
    path.write_text(json.dumps({"用户名": "me", "密码": "env:CTP_PASSWORD"}), encoding="utf-8")
    monkeypatch.setenv("CTP_PASSWORD", "secret")
    assert settings_from(str(path), "x") == {"用户名": "me", "密码": "secret"}
    path.write_text("[1", encoding="utf-8")
    with pytest.raises(RunError, match="can't be read"):
        settings_from(str(path), "x")


def test_settings_lie_beside_the_strategy_file_or_the_configuration(tmp_path: Path, exchange: Any) -> None:
    del exchange
    (tmp_path / "slow.json").write_text('{"exchange": "default", "seed": 5}', encoding="utf-8")
    text = "simulated,settings=slow.json"
    for cls in (VnpyBroker, VnpyFeed):
        assert cls.from_place(text).beside(str(tmp_path)).settings == str(tmp_path / "slow.json")
        assert cls.from_place("simulated").beside(str(tmp_path)) == cls.from_place("simulated")
    graph = fed_graph(STOPPED.replace("ONE", SYMBOL), tmp_path)
    worker = SessionWorker(graph, StoredFeed(speed="max"), VnpyBroker.from_place(text), tmp_path / "w")
    worker.start()
    worker.close()
    assert settings_from_folder(f"vnpy:{text},a=b", tmp_path) == f"vnpy:simulated,settings={tmp_path}/slow.json,a=b"
    for text in ("vnpy:simulated", "replay:60x@2024-01-01", "paper", "vnpy:simulated,settings=/etc/ctp.json"):
        assert settings_from_folder(text, tmp_path) == text


@pytest.mark.parametrize("symbols", ["SIM", "SIM.LOCAL BTC.NOWHERE", ".LOCAL"])
def test_a_symbol_without_its_exchange_is_named(symbols: str, tmp_path: Path, exchange: Any) -> None:
    del exchange
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"exchange": "other", "symbols": symbols}), encoding="utf-8")
    wrong = symbols.rsplit(maxsplit=1)[-1]
    with pytest.raises(RunError, match=rf"such as SIM\.LOCAL, was '{wrong}'\. Correct 'symbols'"):
        VnpyBroker.from_place(f"simulated,settings={path}").connect()


@pytest.mark.parametrize("text", ["os.system", "vnpy_ctp", "ctp", "simulated,colour=1"])
def test_only_gateways_of_vnpy_are_imported(text: str) -> None:
    for cls in (VnpyBroker, VnpyFeed):
        with pytest.raises(ValueError, match=r"gateway|colour"):
            cls.from_place(text)
    assert VnpyBroker.from_place("vnpy_ctp.CtpGateway").is_live
    assert not VnpyBroker.from_place("simulated").is_live


# ---------------------------------------------------------------------------------------------------------------- feeds


def shown(exchange: Any, bar: Bar, total: float) -> float:
    """Show the prices of a bar, and return the volume of the day so far."""
    path = (bar.open, bar.low, bar.high, bar.close)
    for part, price in enumerate(path):
        exchange.clock_ns = bar.open_ns + part * 15 * S
        total += bar.volume / 4
        exchange.tick(SYMBOL, price, total)
    return total


def minutes(exchange: Any, count: int) -> list[Bar]:
    """Return minutes of the exchange's made-up market."""
    from quantcrafter.engine.api import ROUND_THE_CLOCK
    from quantcrafter.engine.feeds.synthetic_market import MarketTerms, SyntheticMarket
    from quantcrafter.engine.graph.history import bar_of

    market = SyntheticMarket(SYMBOL, MarketTerms(seed=exchange.seed, volatility=80))
    bars = market.bars(Timeframe(1, "m"), ROUND_THE_CLOCK, BEGIN, BEGIN + count * MINUTE_NS)
    return [bar_of(bars, row) for row in range(len(bars))]


def until_bars(feed: GatewayFeedConnection, count: int) -> list[Any]:
    events: list[Any] = []
    end = time.monotonic() + 60
    while sum(isinstance(each, BarClosed) for each in events) < count:
        assert time.monotonic() < end, events
        events += feed.poll(0.02)
    return events


def opened(timeframe: str = "1m", **more: Any) -> GatewayFeedConnection:
    feed = VnpyFeed(gateway="simulated", **more).open([Subscription(SYMBOL, SYMBOL, Timeframe.parse(timeframe))])
    assert isinstance(feed, GatewayFeedConnection)
    return feed


def test_bars_are_made_of_prices_and_come_when_they_close(exchange: Any) -> None:
    feed, bars, total = opened(), minutes(exchange, 5), 0.0
    assert len(feed.history(SYMBOL, BEGIN, 100)) == 100
    total = shown(exchange, bars[0], total)
    assert not [each for each in feed.poll(0.2) if isinstance(each, BarClosed)]
    exchange.clock_ns = bars[0].close_ns + 2 * S  # by the clock
    (first,) = [each for each in until_bars(feed, 1) if isinstance(each, BarClosed)]
    assert (first.bar.open, first.bar.high, first.bar.low, first.bar.close) == (
        bars[0].open, bars[0].high, bars[0].low, bars[0].close,
    )  # fmt: skip
    total = shown(exchange, bars[1], total)
    shown(exchange, bars[2], total)  # by the next price
    (second,) = [each for each in until_bars(feed, 1) if isinstance(each, BarClosed)]
    assert second.bar.close_ns == bars[1].close_ns
    assert second.bar.volume == pytest.approx(bars[1].volume)
    assert [each.close_ns for each in feed.missed(SYMBOL, BEGIN, bars[1].close_ns)] == [
        bars[0].close_ns,
        bars[1].close_ns,
    ]
    feed.close()
    feed.close()


def test_a_lost_line_is_told_and_the_bar_under_way_comes_from_the_history(exchange: Any) -> None:
    feed, bars, total = opened(), minutes(exchange, 6), 0.0
    feed.history(SYMBOL, BEGIN, 10)
    total = shown(exchange, bars[0], total)
    total = shown(exchange, bars[1], total)
    until_bars(feed, 1)
    exchange.disconnect()
    end = time.monotonic() + 60
    states: list[str] = []
    while states != ["lost"]:
        assert time.monotonic() < end
        states += [each.state for each in feed.poll(0.02) if isinstance(each, FeedState)]
    exchange.reconnect()
    total = shown(exchange, bars[2], total)
    shown(exchange, bars[3], total)
    events = until_bars(feed, 2)
    assert "connected" in [each.state for each in events if isinstance(each, FeedState)]
    found = [each.bar for each in events if isinstance(each, BarClosed)]
    assert [each.close_ns for each in found] == [bars[1].close_ns, bars[2].close_ns]
    assert (found[0].open, found[0].high, found[0].low, found[0].close) == (
        bars[1].open, bars[1].high, bars[1].low, bars[1].close,
    )  # fmt: skip
    feed.close()


def test_silence_while_the_market_is_open_is_a_lost_feed(exchange: Any) -> None:
    feed, bars = opened(silence_s=0.2), minutes(exchange, 2)
    shown(exchange, bars[0], 0.0)
    end = time.monotonic() + 60
    states: list[str] = []
    while states != ["connected", "lost"]:
        assert time.monotonic() < end, states
        states += [each.state for each in feed.poll(0.02) if isinstance(each, FeedState)]
    feed.close()


def test_a_contract_that_is_not_there_is_refused(exchange: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    del exchange
    monkeypatch.setattr("quantcrafter.engine.adapters.vnpy.gateway_session.GatewaySession.contract", lambda *_: None)
    with pytest.raises(DataError, match=r"no contract 'NO\.LOCAL'"):
        VnpyFeed(gateway="simulated").open([Subscription("NO.LOCAL", "NO.LOCAL", Timeframe(1, "m"))])


# -------------------------------------------------------------------------------------------------------------- workers

TEXT = (
    STOPPED.replace("timeframe: 1d", "timeframe: 1m")
    .replace("symbol: ONE", "symbol: SIM.LOCAL")
    .replace("percent: 2}", "percent: 0.2}")
)
PLAIN = TEXT.replace("  trail: {use: trailing_stop, percent: 3}\n", "").replace(", trail", "")


@pytest.mark.parametrize("loses_line", [False, True])
def test_a_worker_on_a_gateway_has_all_bars_and_the_books_of_a_backtest_also_if_it_is_killed(
    exchange: Any, tmp_path: Path, *, loses_line: bool
) -> None:
    """While the line is lost it enters nothing, so its books are those of a backtest only if it never is."""
    away = range(60, 64) if loses_line else range(0)
    graph, bars, total = fed_graph(TEXT), minutes(exchange, 200), 0.0
    worker = paper(graph, VnpyFeed(gateway="simulated"), tmp_path / "worker")
    worker.start()
    end = time.monotonic() + 60
    for place, bar in enumerate(bars):
        if loses_line and place == away.start:
            exchange.disconnect()
        if loses_line and place == away.stop:
            exchange.reconnect()
        if place == 120:
            worker._feed.close()  # type: ignore[union-attr] # its threads would go on
            abandon(worker)
        if place not in away and not 120 <= place <= 125:
            total = shown(exchange, bar, total)
            while worker._feed._makers[SYMBOL]._total != total:  # type: ignore[union-attr] # all prices are there
                assert time.monotonic() < end, place
                worker.step(0.02)
        exchange.clock_ns = bar.close_ns + 2 * S
        if place == 125:
            worker = paper(graph, VnpyFeed(gateway="simulated"), tmp_path / "worker")
            worker.start()
        if place in away or 120 <= place <= 125:
            continue
        while worker.core.session.steps <= place:
            assert time.monotonic() < end, place
            worker.step(0.02)
    own = seen_by(worker)[SYMBOL]
    assert own.close_ns[-200:].tolist() == [each.close_ns for each in bars]
    assert own.close[-200:].tolist() == [each.close for each in bars]
    assert worker.core.session.steps == 200
    assert loses_line or assert_fills_as_in_backtest(worker, TEXT) > 10
    worker.close()


@pytest.mark.logs_errors
def test_a_worker_trades_at_a_gateway_through_troubles_and_a_kill(exchange: Any, tmp_path: Path) -> None:
    """Each order is at the exchange once, and the position is the exchange's."""
    exchange.parts, exchange.reject_every, exchange.delay_s = 3, 7, 0.005
    graph = fed_graph(PLAIN.replace("timeframe: 1m", "timeframe: 1d"))

    def made() -> SessionWorker:
        broker = VnpyBroker(gateway="simulated")
        return SessionWorker(graph, StoredFeed(speed="max"), broker, tmp_path / "worker", snapshot_steps=20)

    def settle() -> None:
        end = time.monotonic() + 60
        waiting = ("pending_new", "unknown", "pending_cancel", "pending_amend")
        while any(each.state in waiting for each in worker.core.session.orders.values()):
            assert time.monotonic() < end, worker.core.session.orders
            exchange.tick(SYMBOL, 100.0, 1.0)
            worker.step(0.02)

    worker = made()
    worker.start()
    worker.step(0.02)
    settle()
    worker._desk._connection.close()  # type: ignore[union-attr] # its threads would go on
    abandon(worker)
    worker = made()
    worker.start()
    while not worker.has_ended:
        worker.step(0.02)
        settle()
    references = [each.reference for each in exchange.orders.values()]
    assert len(set(references)) == len(references) > 5
    end = time.monotonic() + 60
    while worker.core.session.positions.get(SYMBOL, 0.0) != exchange.position.get(SYMBOL, 0.0):
        assert time.monotonic() < end
        worker.step(0.02)
    assert len(worker.ledger().fills) == len(exchange.trades) > 5
    worker.close()


def test_a_position_at_a_gateway_that_is_late_and_refuses_has_stops_for_exactly_its_quantity(
    exchange: Any, tmp_path: Path
) -> None:
    """Entries fill in three parts, each fourth order is refused, cancels overtake acceptances, the line is lost."""
    exchange.parts, exchange.reject_every, exchange.delay_s = 3, 4, 0.02
    graph = fed_graph(STOPPED.replace("symbol: ONE", "symbol: SIM.LOCAL"))
    feed = ScriptedFeed.of(graph)
    worker = SessionWorker(graph, HeldFeed(held=feed), VnpyBroker(gateway="simulated"), tmp_path / "worker")
    worker.start()
    end, protected = time.monotonic() + 90, 0

    def settle() -> None:
        calm = 0
        while calm < 4:
            assert time.monotonic() < end, worker.core.session.orders
            worker.step(0.01)
            time.sleep(0.01)
            feed.at_ns += S // 4
            desk = worker._desk
            assert desk is not None
            is_calm = not desk.waiting() and worker.core.next_due_ns is None and not exchange.is_down
            calm = calm + 1 if is_calm else 0

    for place in range(36):
        feed.bring()
        bar = feed.events[-1].bar  # type: ignore[union-attr] # it was brought just now
        worker.step()
        for price in (bar.open, bar.low, bar.high, bar.close):
            exchange.tick(SYMBOL, price, 1.0)
        if place % 10 == 5:
            exchange.disconnect()
            worker.step(0.05)
            exchange.tick(SYMBOL, bar.close, 2.0)
            exchange.reconnect()
        settle()
        exchange.tick(SYMBOL, bar.close, 3.0)
        settle()
        held = exchange.position.get(SYMBOL, 0.0)
        stops = [each for each in exchange.orders.values() if each.is_active() and each.type.name == "STOP"]
        assert worker.core.session.positions.get(SYMBOL, 0.0) == held
        assert sum(each.volume - each.traded for each in stops) == abs(held), (place, exchange.orders)
        protected += held != 0.0
        worker.command("resume")
    assert protected > 10
    assert sum(each.status.name == "REJECTED" for each in exchange.orders.values()) > 3
    worker.close()
