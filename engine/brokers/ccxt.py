"""`ccxt`: accounts at crypto exchanges, by the library of that name."""

from __future__ import annotations

import importlib
import queue
import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field

from quantcrafter.engine.api import (
    Balance,
    Broker,
    BrokerConnection,
    BrokerState,
    OrderCommand,
    OrderEvent,
    OrderId,
    RunError,
    TryAgainError,
    VenueExecution,
    VenueOrder,
    VenuePosition,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.orders import OrderType, TimeInForce
from quantcrafter.engine.api.place import place_and_options
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.brokers.ccxt_account import AccountMember, ExchangeAccount
from quantcrafter.engine.brokers.ccxt_ids import WITHOUT_IDS
from quantcrafter.engine.brokers.ccxt_orders import AMENDS, contract_size, is_contract, working
from quantcrafter.engine.brokers.credentials import secrets_of
from quantcrafter.engine.data.download.moved_urls import moved_urls

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TIMEOUT_MS = 10_000


class CcxtBroker(Broker):
    """An account at a crypto exchange, such as `ccxt:binance` or `ccxt:bybit,sandbox=true`.

    Its keys come from the environment, such as QUANTCRAFTER_BINANCE_APIKEY and QUANTCRAFTER_BINANCE_SECRET, or from the
    keyring. With `account=second` they are QUANTCRAFTER_BINANCE_SECOND_APIKEY and so on. All workers of a process share
    the requests of an account.
    """

    name = "ccxt"
    place = "exchange"
    kinds: ClassVar[tuple[OrderType, ...]] = ("market", "limit", "stop", "stop_limit")
    times_in_force: ClassVar[tuple[TimeInForce, ...]] = ("gtc",)
    changeable: ClassVar[tuple[str, ...]] = ("symbols",)

    exchange: str = Field(min_length=1, description="The exchange's name in ccxt.")
    sandbox: bool = Field(False, description="Whether to use the exchange's test network.")
    account: str = Field("", description="Which of several accounts, as in the names of its keys.")
    symbols: str = Field("", description="Further symbols whose executions count, with spaces between.")
    url: str = Field("", description="A server to ask in place of the exchange.")

    @property
    def is_live(self) -> bool:
        return not self.sandbox and urlsplit(self.url).hostname not in _LOOPBACK

    def holds_both(self, symbols: Sequence[str]) -> bool:
        return all(map(is_contract, symbols))

    def changes_orders(self) -> bool:
        return self.exchange in AMENDS

    @classmethod
    def from_place(cls, text: str) -> Self:
        exchange, options = place_and_options(text)
        return cls.model_validate({"exchange": exchange} | options)

    def connect(self) -> BrokerConnection:
        return CcxtBrokerConnection(self, ACCOUNTS.take(self))

    def api(self) -> Any:
        """Return the exchange of ccxt with its keys.

        Raises:
            RunError: ccxt is not installed, there is no such exchange, a key is missing, or it has no test network.
        """
        try:
            import ccxt
        except ImportError as error:
            raise RunError(
                Message(
                    "The broker 'ccxt' needs the library 'ccxt'. Install it with: {command}",
                    command="pip install 'quantcrafter[download]'",
                )
            ) from error
        if self.exchange not in ccxt.exchanges:
            hint = did_you_mean(self.exchange, ccxt.exchanges) or Message("Examples are 'binance' and 'kraken'.")
            raise RunError(Message("ccxt has no exchange '{exchange}'. {hint}", exchange=self.exchange, hint=hint))
        if self.exchange in WITHOUT_IDS:
            raise RunError(
                Message(
                    "{exchange} can't be traded: ccxt doesn't return client order ids there, by which orders are "
                    "recognised. Use another exchange.",
                    exchange=self.exchange,
                )
            )
        made = vars(importlib.import_module(f"ccxt.{self.exchange}"))[self.exchange]
        api = made({"enableRateLimit": True, "requests_trust_env": True, "timeout": _TIMEOUT_MS})
        needed = [name for name, is_needed in api.requiredCredentials.items() if is_needed]
        for name, value in secrets_of(self.exchange, self.account, needed).items():
            setattr(api, name, value)
        if self.sandbox:
            try:
                api.set_sandbox_mode(True)
            except ccxt.NotSupported as error:
                raise RunError(
                    Message("{exchange} has no test network. Leave 'sandbox' out.", exchange=self.exchange)
                ) from error
        if self.url:
            api.urls["api"] = moved_urls(api.urls["api"], self.url, api.hostname)
        api.has["fetchCurrencies"] = False  # trading needs none of it
        api.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
        return api


class Accounts:
    """The accounts of a process, while somebody needs them: limits hold for an account, so its workers share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._there: dict[CcxtBroker, tuple[ExchangeAccount, int]] = {}

    def take(self, broker: CcxtBroker) -> ExchangeAccount:
        """Return an account, which is given back later.

        Raises:
            TryAgainError: the exchange can't be reached now.
            RunError: an option is wrong, a key is missing, or the exchange refuses it.
        """
        with self._lock:
            found = self._there.get(broker)
            account, users = (self._made(broker), 0) if found is None else found
            self._there[broker] = (account, users + 1)
            return account

    def give_back(self, broker: CcxtBroker) -> None:
        """End an account's thread if nobody needs it any more."""
        with self._lock:
            account, users = self._there[broker]
            self._there[broker] = (account, users - 1)
            if users > 1:
                return
            del self._there[broker]
        account.close()

    @staticmethod
    def _made(broker: CcxtBroker) -> ExchangeAccount:
        account = ExchangeAccount(broker.api(), broker.exchange, broker.symbols.split())
        try:
            account.asked(lambda api: api.load_markets())
            account.asked(lambda api: api.fetch_balance())  # a key that is refused is told now
        except (TryAgainError, RunError):
            account.close()
            raise
        return account


ACCOUNTS = Accounts()


class CcxtBrokerConnection(BrokerConnection):
    """A worker's view of an account.

    Args:
        broker: whose account it is.
        account: the account.
    """

    is_slow: ClassVar[bool] = True

    def __init__(self, broker: CcxtBroker, account: ExchangeAccount) -> None:
        self._broker, self._account = broker, account
        self._member: AccountMember | None = None
        self._is_closed = False

    def begin(self, worker: str, lot_sizes: Mapping[str, float]) -> None:
        self._member = AccountMember(worker, dict(lot_sizes))
        self._account.join(self._member)

    def send(self, command: OrderCommand) -> None:
        self._account.send(command)

    def poll(self, timeout_s: float) -> Sequence[OrderEvent | BrokerState]:
        if self._member is None:
            return ()
        found: list[OrderEvent | BrokerState] = []
        reports = self._member.reports
        try:
            found.append(reports.get(timeout=timeout_s) if timeout_s > 0 else reports.get_nowait())
            while True:
                found.append(reports.get_nowait())
        except queue.Empty:
            return found

    def executions(self, since_ns: int) -> Sequence[VenueExecution]:
        return self._account.executions(since_ns)

    def open_orders(self) -> Sequence[VenueOrder]:
        account, found = self._account, []
        for symbol in account.symbols():
            market = account.market(symbol)
            listed = account.asked(lambda api: api.fetch_open_orders(symbol))  # noqa: B023 - called at once
            found += [working(each, market, self._broker.exchange) for each in listed]
        return found

    def positions(self) -> Sequence[VenuePosition]:
        account = self._account
        markets = {symbol: account.market(symbol) for symbol in account.symbols()}
        contracts = [symbol for symbol, market in markets.items() if market.get("contract")]
        found: dict[str, VenuePosition] = {}
        if contracts:
            for each in account.asked(lambda api: api.fetch_positions(contracts)):
                side = -1.0 if each.get("side") == "short" else 1.0
                quantity = side * abs(float(each.get("contracts") or 0.0)) * contract_size(markets[each["symbol"]])
                if quantity:
                    price = each.get("entryPrice")
                    found[each["symbol"]] = VenuePosition(
                        each["symbol"], quantity, None if price is None else float(price)
                    )
        spot = {market["base"]: symbol for symbol, market in reversed(markets.items()) if not market.get("contract")}
        if spot:
            owned = account.asked(lambda api: api.fetch_balance())["total"]
            for base, symbol in spot.items():
                if owned.get(base):
                    found[symbol] = VenuePosition(symbol, float(owned[base]))
        return list(found.values())

    def balances(self) -> Sequence[Balance]:
        found = self._account.asked(lambda api: api.fetch_balance())
        return [
            Balance(currency, float(total), float(found["free"].get(currency) or 0.0))
            for currency, total in found["total"].items()
            if total
        ]

    def outcome(self, order: OrderId) -> Sequence[OrderEvent]:
        self._account.look_up(order)  # the answer comes with `poll`
        return ()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._member is not None:
            self._account.leave(self._member)
        ACCOUNTS.give_back(self._broker)
