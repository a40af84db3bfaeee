"""Read the `instruments:` list."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any, Literal, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError

from quantcrafter.engine.api.currencies import currency_code
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import (
    CURRENCY_PATTERN,
    Continuous,
    Funding,
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
from quantcrafter.engine.spec.model import DAY, InstrumentSpec, Located, UniverseSpec
from quantcrafter.engine.spec.sections import is_empty, join, place_in
from quantcrafter.engine.spec.source import ProblemLog, shown
from quantcrafter.engine.spec.tree import Mapping, Scalar, Sequence, content, kind, plain
from quantcrafter.engine.spec.universe_entries import Member, entry_of, read_universe

OWN_FIELDS = (
    "symbol",
    "data",
    "timeframe",
    "market",
    "tick_size",
    "tick_table",
    "lot_size",
    "min_quantity",
    "currency",
    "quote_unit",
    "borrow_percent",
    "kind",
    "multiplier",
    "pip_size",
    "margin",
    "buy_duty_percent",
    "sell_duty_percent",
    "spread",
    "funding_percent",
    "funding",
    "swap",
    "expiry",
    "continuous",
    "settlement",
    "price_limit_percent",
    "trading_days",
    "on_bad_bars",
    "values",
    "universe",
)
_NOT_IN_COLUMNS = frozenset({"symbol", "data", "margin", "spread", "swap", "on_bad_bars", "values", "universe"})
COLUMNS = tuple(name for name in OWN_FIELDS if name not in _NOT_IN_COLUMNS)
"""The keys of an instrument that the file of a universe may have as columns."""
_WHOLE = 100.0
_QUOTE_UNITS = {"pence": "GBX", "pounds": "GBP"}
_CURRENCY = re.compile(CURRENCY_PATTERN)
VALUE_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")
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
        if instrument.universe is not None:
            made[path] = instrument
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


def member_of(
    template: InstrumentSpec, member: Member, columns: Iterable[str], log: ProblemLog
) -> InstrumentSpec | None:
    """Return one instrument of a universe; None if it is unusable. What is wrong is noted."""
    entries = template.located.entries
    at = next(iter(entries.values())).value
    body = Mapping(at.source, at.start, at.end, entries=dict(entries))
    made = _Reader(entry_of(body, member, columns), template.path, log).read()
    if made is None:
        return None
    return replace(made, located=Located(template.located.origin, made.located.entries), is_member=True)


class _OwnTerms(BaseModel):
    """The terms of an instrument that are mappings, under their keys."""

    margin: InstrumentMargin = InstrumentMargin()
    spread: Spread = Spread()
    swap: Swap = Swap()
    funding: Funding = Funding()
    continuous: Continuous = None  # type: ignore[assignment]  # no series is none of its values


class _Reader:
    def __init__(self, body: Mapping, path: str, log: ProblemLog) -> None:
        self.body = body
        self.path = path
        self.log = log

    def read(self) -> InstrumentSpec | None:
        universe = self._universe()
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
            if self.body.get(name) is None and not (name == "symbol" and "universe" in self.body.entries):
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
            tick_table=self._field("tick_table", "", _text, Message("the name of a table such as tse_topix500")),
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
            funding=self._model("funding", "'{file: funding.csv}'"),
            swap=self._model("swap", "'{long: -0.7, short: 0.2, unit: pips}'"),
            buy_duty_percent=self._field(
                "buy_duty_percent", 0.0, _not_negative, Message("a number that is not negative")
            ),
            sell_duty_percent=self._field(
                "sell_duty_percent", 0.0, _not_negative, Message("a number that is not negative")
            ),
            expiry=self._field("expiry", None, _date, Message("a date such as 2024-12-20")),
            continuous=self._model(
                "continuous", "'{contracts: data/ES*.csv, roll: {rule: days_before_expiry, days: 5}}'"
            ),
            settlement=cast("Settlement", self._field("settlement", "t+0", _settlement, Message("t+0 or t+1"))),
            price_limit_percent=self._field(
                "price_limit_percent", None, _below_hundred, Message("a number from 0 to below 100; 0 for no limit")
            ),
            trading_days=self._field("trading_days", None, _positive, Message("a number above 0")),
            on_bad_bars=cast(
                "Literal['refuse', 'repair']",
                self._field("on_bad_bars", "refuse", _choice, Message("refuse or repair")),
            ),
            values=self._values(),
            universe=universe,
            options={k: plain(e.value) for k, e in self.body.entries.items() if k not in OWN_FIELDS},
            path=self.path,
            located=Located(self.body.place, self.body.entries),
        )
        unit = self._field("quote_unit", "", _quote_unit, Message("pence or pounds"))
        if unit and made.currency not in ("", "GBP", _QUOTE_UNITS[unit]):
            text = Message(
                "'quote_unit: {unit}' contradicts 'currency: {currency}'.", unit=unit, currency=made.currency
            )
            self._note("quote_unit", text, Message("Leave one of them out."))
        elif unit:
            made = replace(made, currency=_QUOTE_UNITS[unit])
        self._refuse_combinations(made)
        if made.kind == "spot" and (made.says("kind") or not made.market):
            self._refuse_terms_of_contracts(made)
        elif made.borrow_percent:
            self._note(
                "borrow_percent",
                Message("'borrow_percent' is for spot: contracts are not borrowed."),
                Message("Leave it out."),
            )
        return made if symbol or universe is not None else None

    def _universe(self) -> UniverseSpec | None:
        """Return where the symbols of several instruments come from; None for one instrument."""
        node = self.body.get("universe")
        if node is None or is_empty(node):
            return None
        if self.body.get("symbol") is not None:
            text = Message("An entry has either 'symbol' or 'universe', this one has both.")
            self._note("universe", text, Message("Remove one of them."))
            return None
        return read_universe(node, join(self.path, "universe"), self.log)

    def _refuse_combinations(self, made: InstrumentSpec) -> None:
        """Note what excludes each other: fundings, a swap that changes, an expiry and a continuous series."""
        listed = made.funding is not None and bool(made.funding.file)
        if listed and made.funding_percent:
            text = Message("'funding_percent' and 'funding' exclude each other.")
            self._note("funding_percent", text, Message("Leave one of them out."))
        if (listed or made.funding_percent) and made.swap is not None and made.swap.file:
            text = Message("A swap that changes and a funding exclude each other.")
            self._note("swap", text, Message("Leave one of them out."))
        if made.continuous is None:
            return
        if made.expiry is not None:
            text = Message(
                "{symbol} has both 'expiry' and 'continuous'.", symbol=made.symbol or Message("the instrument")
            )
            self._note("expiry", text, Message("Give the expiry of each contract under 'contracts'."))
        if made.timeframe.nominal_ns > DAY.nominal_ns:
            text = Message(
                "'timeframe' of a continuous series can be at most a day, was {timeframe}.", timeframe=made.timeframe
            )
            self._note("timeframe", text, Message("Use '1d', and longer bars by 'use: resample'."))

    def _refuse_terms_of_contracts(self, made: InstrumentSpec) -> None:
        if made.multiplier != 1.0:
            text = Message(
                "'multiplier' is for contracts, but {symbol} is spot.", symbol=made.symbol or Message("the instrument")
            )
            self._note("multiplier", text, Message("Add 'kind: contract'."))
        terms = ("funding_percent", "funding", "swap", "expiry", "continuous")
        for name, value in ((name, getattr(made, name)) for name in terms):
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

    def _values(self) -> dict[str, str | float]:
        """Return what is said of the instrument by names of the strategy's own."""
        node = self.body.get("values")
        if node is None or is_empty(node):
            return {}
        body = content(node)
        if not isinstance(body, Mapping):
            text = Message("'values' of an instrument must be a mapping, was {kind}.", kind=kind(body))
            self._note("values", text, Message("Write {example}.", example="'values: {sector: technology}'"))
            return {}
        found: dict[str, str | float] = {}
        for name, entry in body.entries.items():
            value = plain(entry.value)
            fault = value_fault(name, value)
            if fault:
                at, path = entry.value.place, join(self.path, "values", name)
                self.log.add("instruments", fault[0], fault[1], at=at, path=path, field="values")
            else:
                found[name] = value
        return found

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


def value_fault(name: str, value: object) -> tuple[str, str] | None:
    """Return what is wrong with a value of an instrument, and what to do; None if nothing is."""
    if VALUE_NAME.match(name) is None or len(name) > MAX_NAME_CHARS:
        message = Message("{name} can't be the name of a value of an instrument.", name=shown(name))
        return message, Message("Use letters, digits and underscores, and begin with a letter.")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        message = Message("The value '{name}' must be text or a number, was {found}.", name=name, found=shown(value))
        return message, Message("Put it in quotes.") if isinstance(value, bool) else ""
    if isinstance(value, str) and (not value.strip() or len(value) > MAX_NAME_CHARS):
        message = Message("The value '{name}' must have 1 to {most} characters.", name=name, most=MAX_NAME_CHARS)
        return message, ""
    if isinstance(value, float) and not math.isfinite(value):
        return Message("The value '{name}' must be a finite number, was {found}.", name=name, found=shown(value)), ""
    return None


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
    code = currency_code(value) if isinstance(value, str) else ""
    if _CURRENCY.match(code) is None:
        raise ValueError(value)
    return code


def _quote_unit(value: object) -> str:
    if value not in _QUOTE_UNITS:
        raise ValueError(value)
    return str(value)


def _kind(value: object) -> str:
    if value not in ("spot", "contract"):
        raise ValueError(value)
    return str(value)


def _choice(value: object) -> str:
    if value not in ("refuse", "repair"):
        raise ValueError(value)
    return str(value)
