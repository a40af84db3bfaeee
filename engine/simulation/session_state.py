"""The saved state of a session: small, by field name, in plain values.

1. `state_of` takes it between two steps; the ledger's rows are not included: the caller must save the results of
   `drain`.
2. `SessionState.to_json` and `from_json` write and read it. A state has a version; a newer one is rejected.
3. `restore_state` puts it into a fresh session of the same strategy, which continues as if it had never stopped, with
   identical results. Another strategy's state is rejected; use `quantcrafter.engine.simulation.adopting` instead.

Terms of the job are never part of a state. Values that a fresh session has are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import ORDER_DTYPE
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.simulation.identity import BAR_STANDARD, Identity, terms_hash
from quantcrafter.engine.simulation.placing import AT_CLOSE
from quantcrafter.engine.simulation.plain import from_plain, is_same, plain, trimmed
from quantcrafter.engine.simulation.records import (
    HOLDING_DTYPE,
    HOLDING_TERMS,
    PORTFOLIO_TERMS,
    WORKING_SLOTS,
    Record,
    portfolio_dtype,
)

VERSION = 1
"""The version of states that are written. Fields may be added: what a state leaves out is as in a fresh session."""

MOST_COUNT = 1 << 40
"""How many steps and bars there may be."""

_TABLES = frozenset(
    {"orders", "fills", "parts", "blocked", "interventions", "cashflows", "cash_changes", "overflow", "at_work"}
)
_OF_CASH = frozenset({"cash", "peak", "last_equity", "day_equity", "highest_equity"})
"""Fields that begin with the cash of the job: they are always written."""

_SLOTS = ("from_bar", "phase", "opens", "decided", "day_bar", "touch_price", "value", "charged", "unit")
_ADDED_SLOTS = {"unit": -1}
"""Fields of an order's slot that earlier states do not have, and what they were."""

_WAKING = ("alarm_below", "alarm_above", "alarm_bar", "quiet_until", "awake", "turn")
_ORDER = tuple(name for name in ORDER_DTYPE.names or () if name not in {"instrument", "rule"})
_EARLIER_NAMES = {"book": "holding"}
PORTFOLIO_STATE = tuple(name for name in portfolio_dtype(1).names or () if name not in PORTFOLIO_TERMS | _TABLES)
HOLDING_STATE = tuple(
    name for name in HOLDING_DTYPE.names or () if name not in {*HOLDING_TERMS, *_SLOTS, *_WAKING, "slots", "working"}
)


@dataclass(frozen=True)
class InstrumentState:
    """What is kept of one instrument.

    `bars` counts those known; `open_ns` and `close_ns` are the times of the last one (UTC ns), `first_bar` the bar from
    which decisions are taken, `holding` the fields of its position. `orders` are those at work, `rows` the decision
    columns of the bars on which working entries were decided, `steps` what the plan's steps remember. `lot` tells
    what a lot is.
    """

    bars: int
    lot: Mapping[str, Any] = field(default_factory=dict)
    open_ns: int | None = None
    close_ns: int | None = None
    ended: bool = False
    first_bar: int = 0
    calendar: Mapping[str, Any] = field(default_factory=dict)
    holding: Mapping[str, Any] = field(default_factory=dict)
    orders: tuple[Mapping[str, Any], ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    steps: tuple[float, ...] = ()


@dataclass(frozen=True)
class SessionState:
    """The data that a session needs to continue in another process; see the module.

    `step` counts the steps done, of which the last closed at `last_ns` with this `equity`; `due_first` is the step at
    which weights were restored first, or -1. `account` holds the fields of the account by name. `epochs` are the order
    numbers from which on ids have a worker's name and epoch, `told` the orders as they were last commanded, and
    `tracked` what a broker has reported of them.
    `executions` are the names of the execution nodes, whose numbers orders have; none in states of earlier releases.
    `refused` are the requests that a broker rejected, by order number and name: how often, and when they are due (UTC
    ns).
    `components` holds the states of components in Python, by name. `program` is a hash of the steps that read the
    position, whose memory each instrument has.
    """

    strategy: str
    terms: str
    step: int
    last_ns: int | None
    equity: float
    due_first: int
    account: Mapping[str, Any]
    instruments: Mapping[str, InstrumentState]
    epochs: tuple[tuple[int, str, int], ...] = ()
    told: tuple[Mapping[str, Any], ...] = ()
    tracked: tuple[Mapping[str, Any], ...] = ()
    components: Mapping[str, Any] = field(default_factory=dict)
    executions: tuple[str, ...] = ()
    program: str = ""
    refused: tuple[tuple[int, str, int, int], ...] = ()
    bar_standard: str = BAR_STANDARD
    version: int = VERSION

    def to_json(self) -> str:
        """Return the state as a JSON text of one line; floats are written so that they are read to the last bit.

        Raises:
            RunError: a component's state holds something that is not a plain value.
        """
        instruments = {symbol: vars(each) for symbol, each in self.instruments.items()}
        values = {**vars(self), "instruments": instruments}
        return json.dumps(plain(values), allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> SessionState:
        """Return the state that `to_json` wrote.

        Raises:
            RunError: it is no state, or one of a newer version.
        """
        try:
            values = from_plain(json.loads(text))
            version = values["version"]
        except (ValueError, TypeError, KeyError):
            raise RunError(
                Message("This is not the state of a session. Give the text that was saved with one.")
            ) from None
        if version != VERSION:
            raise RunError(
                Message(
                    "The state has version {version}, and this program reads version {version_2}. "
                    "Use the version of QuantCrafter that wrote it, or a newer one.",
                    version=version,
                    version_2=VERSION,
                )
            )
        try:
            values["instruments"] = {symbol: _instrument_state(each) for symbol, each in values["instruments"].items()}
            values["epochs"] = tuple(tuple(each) for each in values["epochs"])
            values["told"], values["tracked"] = tuple(values["told"]), tuple(values.get("tracked", ()))
            values["executions"] = tuple(values.get("executions", ()))
            values["refused"] = tuple(map(_refused, values.get("refused", ())))
            state = cls(**values)
            _check_numbers(state)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise RunError(
                Message("The state of a session can't be read: {error}. It was changed or cut off.", error=error)
            ) from None
        return state


def _refused(given: Sequence[Any]) -> tuple[int, str, int, int]:
    """Return a rejected request; earlier releases kept its order and name alone, and repeated it at the next close."""
    number, name, count, due_ns = given if len(given) > 2 else (*given, 1, AT_CLOSE)  # noqa: PLR2004 - two fields
    if name not in {"submit", "amend", "cancel"}:
        raise ValueError(Message("'{name}' is no request", name=name))
    return int(number), str(name), int(count), int(due_ns)


def _check_numbers(state: SessionState) -> None:
    """Refuse numbers that are none, or below what they count from.

    Raises:
        TypeError: the check fails.
    """
    counts = {"step": state.step, "due_first": state.due_first + 1}
    for symbol, each in state.instruments.items():
        counts |= {f"bars of {symbol}": each.bars, f"first_bar of {symbol}": each.first_bar}
        times = (each.open_ns, each.close_ns, state.last_ns)
        if any(time is not None and type(time) is not int for time in times) or type(each.ended) is not bool:
            raise TypeError(
                Message("times of {symbol} are whole numbers of nanoseconds, were {times}", symbol=symbol, times=times)
            )
    for name, count in counts.items():
        if type(count) is not int or not 0 <= count < MOST_COUNT:
            raise TypeError(Message("'{name}' is a whole number, was {count}", name=name, count=repr(count)))
    if type(state.equity) is not float:
        raise TypeError(Message("'equity' is a number, was {equity}", equity=repr(state.equity)))


Fields = Record | Mapping[str, Any]
"""A record, or some of its fields by name."""

# ---------------------------------------------------------------------- taking it


def _instrument_state(saved: Mapping[str, Any]) -> InstrumentState:
    """Return what was saved of one instrument; earlier states call its `holding` a book."""
    fields = {_EARLIER_NAMES.get(name, name): value for name, value in saved.items()}
    return InstrumentState(**{**fields, **{name: tuple(fields[name]) for name in ("orders", "rows", "steps")}})


def changed_fields(record: Record, names: tuple[str, ...], fresh: Fields) -> dict[str, Any]:
    """Return the fields that are not as in a fresh record, and those that begin with the cash, by name."""
    found = {}
    for name in names:
        value, usual = record[name], fresh[name]
        if value.ndim:
            if (values := trimmed(value)) != trimmed(usual):
                found[name] = values
        elif name in _OF_CASH or not is_same(value.item(), usual.item()):
            found[name] = value.item()
    return found


def order_fields(holding: Record, k: int, rules: tuple[str, ...]) -> dict[str, Any]:
    """Return the order in a slot by field name; its rule by the rule's name."""
    order = holding["slots"][k]
    fields = {name: order[name].item() for name in _ORDER}
    rule = int(order["rule"])
    return {**fields, "rule": rules[rule] if rule >= 0 else None, **{name: holding[name][k].item() for name in _SLOTS}}


def account_fields(portfolio: Record, fresh: Fields, rules: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of the account; the rule that halts by its name."""
    found = changed_fields(portfolio, PORTFOLIO_STATE, fresh)
    if "halt_rule" in found:
        number = int(found["halt_rule"])
        found["halt_rule"] = rules[number] if number >= 0 else None
    return found


# ---------------------------------------------------------------------- putting it back


def check_owner(state: SessionState, job: EngineJob, identity: Identity) -> None:
    """Reject a state that doesn't belong to this strategy and job.

    Raises:
        RunError: so it is; the message says what differs.
    """
    remedy = Message("Use adopt() to take over what fits, or begin without a state.")
    if state.bar_standard != BAR_STANDARD:
        raise RunError(
            Message(
                "The state is after the bar standard {bar_standard}, not {bar_standard_2}. {remedy}",
                bar_standard=state.bar_standard,
                bar_standard_2=BAR_STANDARD,
                remedy=remedy,
            )
        )
    symbols, mine = list(state.instruments), [each.symbol for each in job.instruments]
    if symbols != mine:
        raise RunError(
            Message(
                "The state is of {symbols}, and the strategy trades {mine}. {remedy}",
                symbols=", ".join(symbols),
                mine=", ".join(mine),
                remedy=remedy,
            )
        )
    if state.strategy != identity.strategy:
        given = Message(
            "'{strategy}', and this strategy is '{strategy_2}'", strategy=state.strategy, strategy_2=identity.strategy
        )
        raise RunError(Message("The state is of another strategy: {given}. {remedy}", given=given, remedy=remedy))
    if state.terms != terms_hash(job):
        raise RunError(
            Message(
                "The state is of the same strategy with other settings, rules or components. {remedy}", remedy=remedy
            )
        )


def put_fields(record: Record, names: tuple[str, ...], saved: Mapping[str, Any], what: str) -> None:
    """Write saved fields into a fresh record.

    Raises:
        RunError: there is no such field, or its value is not one for it.
    """
    for name, value in saved.items():
        if name not in names:
            raise RunError(
                Message("The state of a session can't be read: {what} has no field '{name}'.", what=what, name=name)
            )
        try:
            if record[name].ndim:
                record[name][: len(value)] = value
            else:
                record[name] = value
        except (TypeError, ValueError) as error:
            raise RunError(
                Message(
                    "The state of a session can't be read: '{name}' of {what}: {error}.",
                    name=name,
                    what=what,
                    error=error,
                )
            ) from None


def put_account(portfolio: Record, saved: Mapping[str, Any], rules: tuple[str, ...]) -> None:
    """Write saved fields of the account into a fresh one."""
    fields = dict(saved)
    if "halt_rule" in fields:
        name = fields["halt_rule"]
        fields["halt_rule"] = rules.index(name) if name in rules else -1
    put_fields(portfolio, PORTFOLIO_STATE, fields, "the account")


def put_order(holding: Record, saved: Mapping[str, Any], rules: tuple[str, ...]) -> None:
    """Restore a saved order.

    Raises:
        RunError: there is no room for it, or it names a rule that doesn't exist.
    """
    k = int(holding["working"])
    if k == WORKING_SLOTS:
        raise RunError(
            Message(
                "The state of a session can't be read: an instrument has {working_slots} orders at most.",
                working_slots=WORKING_SLOTS,
            )
        )
    fields = dict(saved)
    rule = fields.pop("rule")
    if rule is not None and rule not in rules:
        raise RunError(Message("The state of a session can't be read: an order names the rule '{rule}'.", rule=rule))
    fields = _ADDED_SLOTS | fields
    slots = {name: fields.pop(name) for name in _SLOTS}
    put_fields(holding["slots"][k], _ORDER, fields, "an order")
    holding["slots"][k]["rule"] = -1 if rule is None else rules.index(rule)
    holding["slots"][k]["instrument"] = holding["index"]
    for name, value in slots.items():
        holding[name][k] = value
    holding["working"] = k + 1


def lot_of(instrument: InstrumentJob) -> dict[str, Any]:
    """Return the terms that say what a lot of an instrument is."""
    return {name: getattr(instrument, name) for name in ("lot_size", "kind", "multiplier", "currency")}


def oldest_needed(holding: Record, kept: int) -> int:
    """Return the oldest bar whose columns a book may still look at: an entry is protected by those of its decision."""
    working = int(holding["working"])
    opening = [int(bar) for k, bar in enumerate(holding["decided"][:working].tolist()) if holding["opens"][k]]
    return max(min([int(holding["bars"]) - kept, *opening]), 0)


def decided_bars(holding: Record) -> list[int]:
    """Return the bars on whose closes the working entries were decided."""
    working = int(holding["working"])
    opens = np.flatnonzero(holding["opens"][:working])
    return sorted({int(holding["decided"][k]) for k in opens.tolist()})
