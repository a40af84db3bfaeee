"""An account at an exchange on loopback: every order once, every fill once, and nothing guessed."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import (
    Accepted,
    Amend,
    AmendRejected,
    BrokerState,
    Cancel,
    Cancelled,
    CancelRejected,
    Filled,
    OrderId,
    Rejected,
    RunError,
    Submit,
    TryAgainError,
)
from quantcrafter.engine.api.order_state import TrackedOrder
from quantcrafter.engine.brokers import ccxt_account
from quantcrafter.engine.brokers.ccxt import CcxtBroker, CcxtBrokerConnection
from quantcrafter.engine.brokers.ccxt_ids import client_id, order_of
from quantcrafter.engine.brokers.ccxt_orders import execution_of, terms_of
from quantcrafter.engine.live.session_worker import SessionWorker
from tests.support.ccxt_exchange import Exchange, lost_after, lost_before, refused, running_exchange
from tests.support.fed_worker import fed_graph
from tests.support.live_cases import STOPPED, abandon
from tests.support.scripted import HeldFeed, ScriptedFeed

WORKER = "abc123"
LOTS = {"BTC/USDT": 0.001, "ETH/USDT": 0.001}


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    monkeypatch.setenv("QUANTCRAFTER_BINANCE_APIKEY", "key")
    monkeypatch.setenv("QUANTCRAFTER_BINANCE_SECRET", "secret")
    monkeypatch.setattr(ccxt_account, "SETTLE_S", 0.2)
    monkeypatch.setattr(ccxt_account, "SYNC_S", 0.05)
    monkeypatch.setattr(ccxt_account, "IDLE_S", 0.1)
    monkeypatch.setattr(ccxt_account, "_PAUSE_S", 0.05)
    real = CcxtBroker.api

    def without_limits(self: CcxtBroker) -> Any:
        api = real(self)
        vars(api)["enableRateLimit"] = False  # the limits of the real exchange would make the tests slow
        return api

    monkeypatch.setattr(CcxtBroker, "api", without_limits)
    with running_exchange() as running:
        yield running
    assert not [each for each in threading.enumerate() if each.name.startswith("ccxt-")]


class Desk:
    """A connection with all that it has reported."""

    def __init__(self, exchange: Exchange, worker: str = WORKER) -> None:
        made = CcxtBroker(exchange="binance", url=exchange.url).connect()
        assert isinstance(made, CcxtBrokerConnection)
        self.connection = made
        self.events: list[Any] = []
        made.begin(worker, LOTS)

    def until(self, *kinds: type[Any], times: int = 1) -> list[Any]:
        """Wait until there are so many reports of these kinds, and return them."""
        end = time.monotonic() + 60
        while sum(isinstance(each, kinds) for each in self.events) < times:
            assert time.monotonic() < end, self.events
            self.events += self.connection.poll(0.02)
        return [each for each in self.events if isinstance(each, kinds)]

    def kinds(self) -> list[str]:
        return [type(each).__name__ for each in self.events]


@pytest.fixture
def desk(exchange: Exchange) -> Iterator[Desk]:
    made = Desk(exchange)
    yield made
    made.connection.close()


def number(count: int) -> OrderId:
    return OrderId(WORKER, 1_700_000_000, count)


def submit(count: int = 1, kind: str = "limit", lots: int = 2_000, **more: Any) -> Submit:
    price = {"limit": 99.5, "stop": 101.0, "stop_limit": 101.0}.get(kind)
    limit = 101.5 if kind == "stop_limit" else None
    given = {"price": price, "limit": limit, **more}
    return Submit(number(count), "BTC/USDT", "buy", kind, lots, lots * 0.001, 0.001, 5, **given)  # type: ignore[arg-type]


def there(exchange: Exchange, count: int = 1) -> Any:
    return exchange.order(str(number(count)))


def test_an_order_is_filled_in_parts_with_the_ids_of_its_trades(exchange: Exchange, desk: Desk) -> None:
    desk.connection.send(submit())
    (accepted,) = desk.until(Accepted)
    assert (accepted.order, accepted.venue_id) == (number(1), "1")
    assert desk.connection.open_orders()[0].client_order_id == str(number(1))
    exchange.fill(there(exchange), 0.5, 99.5)
    desk.until(Filled)
    exchange.fill(there(exchange), 1.0, 99.4)
    exchange.fill(there(exchange), 0.5, 99.3)
    fills = desk.until(Filled, times=3)
    assert [(each.lots, each.price, each.fee) for each in fills] == [
        (500, 99.5, 0.05),
        (1000, 99.4, 0.05),
        (500, 99.3, 0.05),
    ]
    executions = desk.connection.executions(0)
    assert [each.id for each in executions] == [each.execution for each in fills]
    assert {each.client_order_id for each in executions} == {str(number(1))}
    assert desk.connection.executions(executions[-1].ts_ns + 1) == []
    assert [(each.symbol, each.quantity) for each in desk.connection.positions()] == [("BTC/USDT", 2.0)]
    assert {each.currency: each.total for each in desk.connection.balances()}["USDT"] == pytest.approx(100_000 - 198.8)
    assert desk.connection.open_orders() == []
    assert desk.kinds() == ["Accepted", "Filled", "Filled", "Filled"]


@pytest.mark.parametrize(
    ("kind", "venue"), [("market", "MARKET"), ("stop", "STOP_LOSS"), ("stop_limit", "STOP_LOSS_LIMIT")]
)
def test_each_kind_of_order_is_sent_as_such(exchange: Exchange, desk: Desk, kind: str, venue: str) -> None:
    desk.connection.send(submit(kind=kind))
    desk.until(Accepted)
    order = there(exchange)
    assert (order.kind, order.quantity, order.side) == (venue, 2.0, "BUY")
    assert (order.trigger, order.price) == {
        "market": (0, 0), "stop": (101.0, 0), "stop_limit": (101.0, 101.5),
    }[kind]  # fmt: skip
    (shown,) = desk.connection.open_orders()
    assert (shown.kind, shown.price, shown.limit) == (
        kind,
        None if kind == "market" else 101.0,
        101.5 if kind == "stop_limit" else None,
    )


def test_a_cancel_with_a_fill_on_the_way_reports_the_fill_first(exchange: Exchange, desk: Desk) -> None:
    desk.connection.send(submit())
    desk.until(Accepted)
    exchange.fill(there(exchange), 0.5, 99.5)
    desk.connection.send(Cancel(number(1), 6))
    desk.until(Cancelled)
    assert desk.kinds() == ["Accepted", "Filled", "Cancelled"]
    desk.connection.send(Cancel(number(1), 7))
    desk.until(CancelRejected)
    desk.connection.send(Cancel(number(9), 7))
    assert desk.until(CancelRejected, times=2)[1].order == number(9)


def test_what_the_exchange_refuses_is_rejected_with_its_words(exchange: Exchange, desk: Desk) -> None:
    exchange.troubles["POST order"] = [refused(-2010, "Account has insufficient balance for requested action.")]
    desk.connection.send(submit())
    (rejected,) = desk.until(Rejected)
    assert "insufficient balance" in rejected.text
    for count, quantity in ((2, 0.0005), (3, 0.0015)):
        desk.connection.send(Submit(number(count), "BTC/USDT", "buy", "market", 1, quantity, quantity, 5))
    small, odd = desk.until(Rejected, times=3)[1:]
    assert "minimum amount" in small.text
    assert "Set 'lot_size'" in odd.text
    desk.connection.send(submit(4))
    desk.until(Accepted)
    desk.connection.send(Amend(number(4), 1, 1000, 1.0, 6, price=98.0))
    assert "can't change orders" in desk.until(AmendRejected)[0].text
    assert exchange.submits == 1


def test_an_answer_that_can_not_be_read_counts_as_none(exchange: Exchange, desk: Desk) -> None:
    def odd(handler: Any, answer: Callable[[], None]) -> None:
        handler.is_mute = True
        answer()
        handler.is_mute = False
        handler.answer([1, 2, 3])

    exchange.troubles["POST order"] = [odd]
    desk.connection.send(submit())
    desk.until(Accepted)
    assert desk.kinds() == ["Unanswered", "Accepted"]
    assert exchange.submits == 1


def test_a_lost_acknowledgement_is_unknown_until_the_exchange_says_what_became_of_it(
    exchange: Exchange, desk: Desk
) -> None:
    exchange.troubles["POST order"] = [lost_after]
    desk.connection.send(submit())
    desk.until(Accepted)
    assert desk.kinds() == ["Unanswered", "Accepted"]
    exchange.fill(there(exchange), 2.0, 99.5)
    desk.until(Filled)
    assert exchange.submits == 1


def test_an_order_that_never_arrived_is_rejected_after_a_second_look_and_not_sent_again(
    exchange: Exchange, desk: Desk
) -> None:
    exchange.troubles["POST order"] = [lost_before]
    desk.connection.send(submit())
    desk.until(Rejected)
    assert desk.kinds()[0] == "Unanswered"
    desk.connection.send(submit())
    desk.connection.send(submit(2))
    desk.until(Accepted)
    assert exchange.submits == 1
    assert exchange.orders[0].client_id == str(number(2))


def test_an_answer_that_comes_late_is_taken(exchange: Exchange, desk: Desk) -> None:
    gate = threading.Event()

    def late(_handler: Any, answer: Callable[[], None]) -> None:
        gate.wait(60)
        answer()

    exchange.troubles["POST order"] = [late]
    desk.connection.send(submit())
    assert desk.connection.poll(0.1) == []
    gate.set()
    desk.until(Accepted)
    assert desk.kinds() == ["Accepted"]


@pytest.mark.parametrize("trouble", [lost_before, lost_after])
def test_a_cancel_without_an_answer_is_asked_for_again(exchange: Exchange, desk: Desk, trouble: Any) -> None:
    desk.connection.send(submit())
    desk.until(Accepted)
    exchange.troubles["DELETE order"] = [trouble]
    desk.connection.send(Cancel(number(1), 6))
    desk.until(Cancelled)
    assert there(exchange).status == "CANCELED"


def test_too_many_requests_are_waited_out(exchange: Exchange, desk: Desk) -> None:
    exchange.troubles["POST order"] = [refused(-1015, "Too many new orders.", 429)] * 2
    desk.connection.send(submit())
    desk.until(Accepted)
    assert (exchange.submits, desk.kinds()) == (1, ["Accepted"])


def test_fills_during_a_disconnect_come_when_it_is_back(exchange: Exchange, desk: Desk) -> None:
    desk.connection.send(submit())
    desk.until(Accepted)
    exchange.is_down = True
    assert desk.until(BrokerState)[0].state == "lost"
    with pytest.raises(TryAgainError):
        desk.connection.executions(0)
    exchange.fill(there(exchange), 2.0, 99.5)
    exchange.is_down = False
    desk.until(Filled)
    assert [each.state for each in desk.until(BrokerState, times=2)] == ["lost", "connected"]


def test_orders_from_before_are_followed_and_looked_up(exchange: Exchange) -> None:
    first = Desk(exchange)
    for each in (1, 2):
        first.connection.send(submit(each))
    first.until(Accepted, times=2)
    first.connection.close()
    exchange.fill(there(exchange, 1), 1.5, 99.5)
    exchange.fill(there(exchange, 2), 2.0, 99.5)
    second, other = Desk(exchange), Desk(exchange, "other")
    fills = second.until(Filled)
    assert [(each.order, each.lots) for each in fills] == [(number(1), 1500)]
    for each in (2, 7):
        assert second.connection.outcome(number(each)) == ()
    second.until(Rejected)
    assert [(each.order, each.lots) for each in second.until(Filled, times=2)][1] == (number(2), 2000)
    assert [each.order for each in second.until(Rejected)] == [number(7)]
    assert other.connection.poll(0.1) == []
    for desk in (second, other):
        desk.connection.close()


def test_executions_of_a_long_past_are_read_page_by_page(
    exchange: Exchange, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_account, "_PAGE", 4)
    for count in range(1, 11):
        desk.connection.send(submit(count))
    desk.until(Accepted, times=10)
    for order in exchange.orders:
        exchange.fill(order, 2.0, 99.5)
    desk.until(Filled, times=10)
    desk.connection.close()
    again = Desk(exchange)
    found = again.connection.executions(0)
    again.connection.close()
    assert [each.client_order_id for each in found] == [str(number(count)) for count in range(1, 11)]
    assert [each.id for each in found] == [each.execution for each in desk.until(Filled, times=10)]


def test_keys_come_from_the_environment_or_the_keyring(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = CcxtBroker.from_place(f"binance,account=second,url={exchange.url}")
    monkeypatch.setenv("QUANTCRAFTER_BINANCE_SECOND_APIKEY", "of the environment")
    kept = {"QUANTCRAFTER_BINANCE_SECOND_SECRET": "of the keyring"}
    keyring = pytest.importorskip("keyring")
    monkeypatch.setattr(keyring, "get_password", lambda _service, name: kept.get(name))
    api = broker.api()
    assert (api.apiKey, api.secret) == ("of the environment", "of the keyring")
    kept.clear()
    with pytest.raises(RunError, match="QUANTCRAFTER_BINANCE_SECOND_SECRET") as caught:
        broker.connect()
    assert "of the environment" not in str(caught.value) + capsys.readouterr().err


@pytest.mark.parametrize(("currency", "fee", "taken"), [("BTC", 4.0, 0.04), ("USDT", 0.04, 0.0), ("BNB", None, 0.0)])
def test_a_fee_is_told_in_money_and_as_what_was_taken_of_the_coin(
    currency: str, fee: float | None, taken: float
) -> None:
    market = {"id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT"}
    trade = {"id": 7, "price": 100.0, "amount": 1.0, "side": "buy", "timestamp": 5, "order": "9"}
    found = execution_of(trade | {"fee": {"cost": 0.04, "currency": currency}}, market, "")
    assert (found.fee, found.fee_quantity) == (fee, taken)


@pytest.mark.parametrize(("symbol", "reduces"), [("BTC/USDT", False), ("BTC/USDT:USDT", True)])
def test_only_orders_of_contracts_are_marked_as_reducing(symbol: str, *, reduces: bool) -> None:
    """A spot market has no such order, and Binance refuses the parameter there."""
    stop = Submit(OrderId("w", 1, 1), symbol, "sell", "stop", 1, 1.0, 1.0, 0, price=90.0, reduce_only=True)
    kind, price, params = terms_of(stop)
    assert (kind, price, params.get("reduceOnly", False), params["triggerPrice"]) == ("market", None, reduces, 90.0)
    assert CcxtBroker(exchange="binance").holds_both([symbol]) == reduces


def test_an_exchange_that_does_not_tell_our_ids_is_refused() -> None:
    with pytest.raises(RunError, match="bitfinex can't be traded: ccxt doesn't return client order ids there"):
        CcxtBroker(exchange="bitfinex").connect()


def test_what_moves_real_money_says_so() -> None:
    assert CcxtBroker(exchange="binance").is_live
    assert CcxtBroker(exchange="binance", url="https://mirror.example.com").is_live
    assert not CcxtBroker.from_place("binance,sandbox=true").is_live
    with pytest.raises(RunError, match="no exchange 'binanse'"):
        CcxtBroker(exchange="binanse").connect()


@pytest.mark.parametrize(
    ("exchange", "rule"),
    [
        ("binance", r"[.A-Z:/a-z0-9_-]{1,36}"),
        ("okx", r"[A-Za-z0-9]{1,32}"),
        ("kraken", r"[0-9a-f]{32}"),
        ("hyperliquid", r"0x[0-9a-f]{32}"),
        ("gate", r"[A-Za-z0-9_.-]{1,28}"),
    ],
)
def test_client_ids_keep_to_the_rules_of_the_exchange_and_are_read_back(exchange: str, rule: str) -> None:
    order = OrderId("abc123def456", 1_800_000_000, 36**5)
    text = client_id(order, exchange)
    assert re.fullmatch(rule, text)
    assert order_of(text, exchange) == order
    assert exchange != "gate" or order_of(f"t-{text}", exchange) == order
    assert exchange != "kraken" or order_of(str(uuid.UUID(text)), exchange) == order
    assert order_of("web_123", exchange) is None
    assert order_of(None, exchange) is None


TEXT = (
    STOPPED.replace("bars: 160", "bars: 100")
    .replace("symbol: ONE", "symbol: BTC/USDT, tick_size: 0.01, lot_size: 0.001")
    .replace("  trail: {use: trailing_stop, percent: 3}\n", "")
    .replace(", trail", "")
)


@pytest.mark.logs_errors
def test_a_worker_trades_at_an_exchange_through_troubles_and_a_kill(exchange: Exchange, tmp_path: Path) -> None:
    """Each order is at the exchange once, and the position is the exchange's."""
    exchange.fill_markets_at = 100.0
    exchange.balances["BTC"] = 1_000.0  # it sells short from what it owns
    exchange.troubles["POST order"] = [
        lambda _handler, answer: answer(), lost_after, lambda _handler, answer: answer(), lost_before,
        refused(-1015, "Too many new orders.", 429), refused(-2010, "Account has insufficient balance."),
    ]  # fmt: skip
    graph = fed_graph(TEXT.replace("bars: 100", "bars: 160"))
    feed = ScriptedFeed.of(graph)

    def made() -> SessionWorker:
        broker = CcxtBroker(exchange="binance", url=exchange.url)
        return SessionWorker(graph, HeldFeed(held=feed), broker, tmp_path / "worker", snapshot_steps=20)

    def settle() -> None:
        end = time.monotonic() + 60
        open_states = ("pending_new", "unknown", "pending_cancel")

        def is_under_way(order: TrackedOrder) -> bool:
            return order.state in open_states or (order.submit.kind == "market" and not order.state.is_over)

        orders, gate = worker.core.session.orders, worker.core.gate
        while any(map(is_under_way, orders.values())) or not gate.agreed:
            assert time.monotonic() < end, orders
            worker.step(0.02)

    worker = made()
    worker.start()
    while feed.next < 110:
        if feed.next == 50:
            worker._desk._connection.close()  # type: ignore[union-attr] # its thread would go on
            abandon(worker)
            worker = made()
            worker.start()
        feed.bring()
        worker.step()
        settle()
        worker.command("resume")  # after an exit that was refused
    ids = [each.client_id for each in exchange.orders]
    assert len(set(ids)) == len(ids) > 5
    position = worker.core.session.positions.get("BTC/USDT", 0.0)
    assert exchange.balances["BTC"] - 1_000.0 == pytest.approx(position)
    assert len(worker.ledger().fills) == len(exchange.trades)
    worker.close()
