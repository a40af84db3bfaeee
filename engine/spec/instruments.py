"""Read the `instruments:` list."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from typing import Any, Literal, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import (
    CURRENCY_PATTERN,
    InstrumentKind,
    InstrumentMargin,
    Settlement,
    Spread,
    Swap,
)
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.api.wording import nearest
from quantcrafter.engine.spec.field_messages import findings
from quantcrafter.engine.spec.limits import MAX_INSTRUMENTS, MAX_NAME_CHARS
from quantcrafter.engine.spec.model import DAY, InstrumentSpec, Located
from quantcrafter.engine.spec.sections import is_empty, join, place_in
from quantcrafter.engine.spec.source import ProblemLog, shown
from quantcrafter.engine.spec.tree import Mapping, Scalar, Sequence, content, kind, plain

OWN_FIELDS = (
    "symbol",
    "data",
    "timeframe",
    "market",
    "tick_size",
    "lot_size",
    "min_quantity",
    "currency",
    "borrow_percent",
    "kind",
    "multiplier",
    "pip_size",
    "margin",
    "buy_duty_percent",
    "sell_duty_percent",
    "spread",
    "funding_percent",
    "swap",
    "expiry",
    "settlement",
    "price_limit_percent",
    "trading_days",
    "on_bad_bars",
)
_WHOLE = 100.0
_CURRENCY = re.compile(CURRENCY_PATTERN)
_T = TypeVar("_T")


def read_instruments(root: Mapping, log: ProblemLog) -> tuple[InstrumentSpec, ...]:
    """Return the instruments that are usable, noting what is wrong with the others."""
    section = root.get("instruments")
    example = Message("Write '- {symbol: AAPL, data: sample}' below it.")
    if not isinstance(section, Sequence) or not section.items:
        found = Message("missing") if section is None else Message("empty") if is_empty(section) else kind(section)
        found = Message("an empty list") if isinstance(section, Sequence) else found
        entry = root.entries.get("instruments")
        at = entry.key.place if entry else root.place
        message = Message("'instruments' must list at least one instrument, was {found}.", found=found)
        log.add("instruments", message, example, at=at, path="instruments")
        return ()
    if len(section.items) > MAX_INSTRUMENTS:
        message = Message(
            "A strategy can have at most {max_instruments:,} instruments, this one has {count:,}.",
            max_instruments=MAX_INSTRUMENTS,
            count=len(section.items),
        )
        at = section.items[MAX_INSTRUMENTS].place
        log.add("limit", message, Message("Split them between several files."), at=at, path="instruments")
    made: dict[str, InstrumentSpec] = {}
    for index, item in enumerate(section.items[:MAX_INSTRUMENTS]):
        body = content(item)
        path = join("instruments", index)
        if not isinstance(body, Mapping):
            log.add(
                "shape",
                Message("An instrument must be a mapping, was {kind}.", kind=kind(body)),
                example,
                at=item.place,
                path=path,
            )
            continue
        instrument = _Reader(body, path, log).read()
        if instrument is None:
            continue
        if instrument.symbol in made:
            message = Message("The symbol '{symbol}' occurs twice.", symbol=instrument.symbol)
            at = instrument.place("symbol")
            log.add(
                "duplicate_symbol",
                message,
                Message("Remove one of them."),
                at=at,
                path=f"{path}.symbol",
                field="symbol",
            )
            continue
        made[instrument.symbol] = instrument
    return tuple(made.values())


class _OwnTerms(BaseModel):
    """The terms of an instrument that are mappings, under their keys."""

    margin: InstrumentMargin = InstrumentMargin()
    spread: Spread = Spread()
    swap: Swap = Swap()


class _Reader:
    def __init__(self, body: Mapping, path: str, log: ProblemLog) -> None:
        self.body = body
        self.path = path
        self.log = log

    def read(self) -> InstrumentSpec | None:
        symbol = self._field("symbol", "", _text, Message("text such as AAPL"))
        if len(symbol) > MAX_NAME_CHARS:
            message = Message(
                "A symbol can have at most {max_name_chars} characters, this one has {count:,}.",
                max_name_chars=MAX_NAME_CHARS,
                count=len(symbol),
            )
            at = self.body.entries["symbol"].value.place
            self.log.add(
                "limit", message, Message("Shorten it."), at=at, path=join(self.path, "symbol"), field="symbol"
            )
            symbol = ""
        data = self._field("data", "", _text, Message("the name of a data provider such as sample"))
        for name in ("symbol", "data"):
            if self.body.get(name) is None:
                message = Message("The instrument has no '{name}'.", name=name)
                near = nearest(name, [key for key in self.body.entries if key not in OWN_FIELDS])
                remedy = (
                    Message("Write '{name}' instead of '{key}'.", name=name, key=near[0])
                    if near
                    else Message("Add '{name}: ...'.", name=name)
                )
                self.log.add(
                    "missing",
                    message,
                    remedy,
                    at=self.body.place,
                    path=self.path,
                    field=name,
                )
        made = InstrumentSpec(
            symbol=symbol,
            data=data,
            timeframe=self._field(
                "timeframe", DAY, Timeframe.parse, Message("a count and a unit such as 15m, 1h or 1d")
            ),
            market=self._field("market", "", _text, Message("the name of a market such as us_stocks")),
            tick_size=self._field("tick_size", None, _positive, Message("a number above 0")),
            lot_size=self._field("lot_size", None, _positive, Message("a number above 0")),
            min_quantity=self._field("min_quantity", 0.0, _not_negative, Message("a number that is not negative")),
            currency=self._field("currency", "", _currency, Message("a code in capitals such as EUR")),
            borrow_percent=self._field("borrow_percent", None, _not_negative, Message("a number that is not negative")),
            kind=cast("InstrumentKind", self._field("kind", "spot", _kind, Message("spot or contract"))),
            multiplier=self._field("multiplier", 1.0, _positive, Message("a number above 0")),
            pip_size=self._field("pip_size", None, _positive, Message("a number above 0")),
            margin=self._model("margin", "'{initial_percent: 5}', or of a contract '{per_contract: 1000}'"),
            spread=self._model("spread", "'{ticks: 2}', '{pips: 1.2}' or '{price: 0.02}'"),
            funding_percent=self._field("funding_percent", 0.0, _percent, Message("a number from -100 to 100")),
            swap=self._model("swap", "'{long: -0.7, short: 0.2, unit: pips}'"),
            buy_duty_percent=self._field(
                "buy_duty_percent", 0.0, _not_negative, Message("a number that is not negative")
            ),
            sell_duty_percent=self._field(
                "sell_duty_percent", 0.0, _not_negative, Message("a number that is not negative")
            ),
            expiry=self._field("expiry", None, _date, Message("a date such as 2024-12-20")),
            settlement=cast("Settlement", self._field("settlement", "t+0", _settlement, Message("t+0 or t+1"))),
            price_limit_percent=self._field(
                "price_limit_percent", None, _below_hundred, Message("a number from 0 to below 100; 0 for no limit")
            ),
            trading_days=self._field("trading_days", None, _positive, Message("a number above 0")),
            on_bad_bars=cast(
                "Literal['refuse', 'repair']",
                self._field("on_bad_bars", "refuse", _choice, Message("refuse or repair")),
            ),
            options={k: plain(e.value) for k, e in self.body.entries.items() if k not in OWN_FIELDS},
            path=self.path,
            located=Located(self.body.place, self.body.entries),
        )
        if made.kind == "spot" and (made.says("kind") or not made.market):
            self._refuse_terms_of_contracts(made)
        elif made.borrow_percent:
            self._note(
                "borrow_percent",
                Message("'borrow_percent' is for spot: contracts are not borrowed."),
                Message("Leave it out."),
            )
        return made if symbol else None

    def _refuse_terms_of_contracts(self, made: InstrumentSpec) -> None:
        if made.multiplier != 1.0:
            text = Message(
                "'multiplier' is for contracts, but {symbol} is spot.", symbol=made.symbol or Message("the instrument")
            )
            self._note("multiplier", text, Message("Add 'kind: contract'."))
        for name, value in (("funding_percent", made.funding_percent), ("swap", made.swap), ("expiry", made.expiry)):
            if value:
                text = Message(
                    "'{name}' is for contracts, but {symbol} is spot.",
                    name=name,
                    symbol=made.symbol or Message("the instrument"),
                )
                self._note(name, text, Message("Add 'kind: contract'."))
        if made.margin is not None and made.margin.per_contract is not None:
            text = Message(
                "'margin' per contract is for contracts, but {symbol} is spot.",
                symbol=made.symbol or Message("the instrument"),
            )
            self._note("margin", text, Message("Add 'kind: contract'."))

    def _note(self, name: str, message: str, remedy: str) -> None:
        at = self.body.entries[name].value.place
        self.log.add("instruments", message, remedy, at=at, path=join(self.path, name), field=name)

    def _model(self, name: str, example: str) -> Any:
        """Return a field that is a mapping of its own, noting what is wrong with it."""
        node = self.body.get(name)
        if node is None or is_empty(node):
            return None
        body = content(node)
        if not isinstance(body, Mapping):
            text = Message("'{name}' of an instrument must be a mapping, was {kind}.", name=name, kind=kind(body))
            self._note(name, text, Message("Write {example}.", example=example))
            return None
        try:
            return getattr(_OwnTerms.model_validate({name: plain(node)}), name)
        except ValidationError as error:
            for names, message, remedy in findings(error, _OwnTerms, self.log.suggest):
                at, path = place_in(self.body, names), join(self.path, *names)
                text = Message("{subject}: {message}", subject=self.body_name(), message=message)
                self.log.add("instruments", text, remedy, at=at, path=path, field=".".join(names))
            return None

    def body_name(self) -> str:
        """Return how messages call the instrument."""
        node = self.body.get("symbol")
        return str(node.value) if isinstance(node, Scalar) and node.value is not None else "instrument"

    def _field(self, name: str, default: _T, read: Callable[[Any], _T], wish: str) -> _T:
        node = self.body.get(name)
        if node is None:
            return default
        value = node.value if isinstance(node, Scalar) else None
        try:
            return read(value)
        except ValueError:
            found = shown(value) if isinstance(node, Scalar) else kind(node)
            remedy = Message("Put it in quotes.") if read is _text and value is not None else ""
            message = Message(
                "'{name}' of an instrument must be {wish}, was {found}.", name=name, wish=wish, found=found
            )
            path = join(self.path, name)
            self.log.add("instruments", message, remedy, at=node.place, path=path, field=name)
            return default


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(value)
    return value


def _positive(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ValueError(value)
    return float(value)


def _not_negative(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(value)
    return float(value)


def _date(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - the reader of a field tells of values
    return date.fromisoformat(value)


def _percent(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _WHOLE:
        raise ValueError(value)
    return float(value)


def _below_hundred(value: object) -> float:
    percent = _not_negative(value)
    if percent >= _WHOLE:
        raise ValueError(value)
    return percent


def _settlement(value: object) -> str:
    if value not in get_args(Settlement):
        raise ValueError(value)
    return str(value)


def _currency(value: object) -> str:
    if not isinstance(value, str) or _CURRENCY.match(value) is None:
        raise ValueError(value)
    return value


def _kind(value: object) -> str:
    if value not in ("spot", "contract"):
        raise ValueError(value)
    return str(value)


def _choice(value: object) -> str:
    if value not in ("refuse", "repair"):
        raise ValueError(value)
    return str(value)
