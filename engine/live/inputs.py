"""The inputs of a running strategy and what comes out of them: plain values with a JSON form by field name.

A worker's state is a function of its inputs in their order. Nothing else may change it: no clock, file or socket.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from quantcrafter.engine.api import (
    Bar,
    BarRevised,
    BrokerState,
    FeedState,
    OrderCommand,
    OrderEvent,
    RunError,
    Term,
)
from quantcrafter.engine.api.bars import DatedAmount, HeldContract
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.orders import from_fields, to_fields
from quantcrafter.engine.graph.terms import Terms

KnownTerms = Mapping[str, Mapping[str, Any]]
"""Values of each instrument's terms with their sources, and its table of ticks, as plain values by symbol."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """The histories begin anew: the bars of anchor `number` are those before the next step, from a fixed first one on.

    They stand in the log beside this input. `strategy` is the hash of the strategy. `epoch` is that of the ids of
    orders. `terms` are those of each instrument, as far as the data showed them, so that they stay as they are.
    """

    number: int
    ts_ns: int
    strategy: str
    epoch: int
    terms: KnownTerms = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BarsClosed:
    """Bars that closed, by name, as they were seen at `ts_ns`: a step, or bars of feeds alone.

    `last` names the instruments that will have no further bar.
    """

    bars: Mapping[str, Bar]
    ts_ns: int
    last: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a broker reported of an order."""

    event: OrderEvent
    ts_ns: int


@dataclass(frozen=True, slots=True)
class ClockTick:
    """Time went by: the feed's clock stands at `ts_ns`."""

    ts_ns: int


Verb = Literal["pause", "resume", "no-entries", "cancel", "flatten", "stop"]
"""What a user can ask of a worker; see `quantcrafter.engine.live.commands`."""


SCHEDULE = "schedule"
"""The source of commands of the schedule: `flatten` before a session ends, and `resume` in the next one."""

VERBS: tuple[Verb, ...] = get_args(Verb)


def checked_verb(text: str) -> Verb:
    """Return the verb of that name.

    Raises:
        ValueError: there is none.
    """
    for verb in VERBS:
        if verb == text:
            return verb
    raise ValueError(Message("a verb is one of {verbs}, was '{text}'", verbs=", ".join(VERBS), text=text))


@dataclass(frozen=True, slots=True)
class UserCommand:
    """A user asked for something, at `ts_ns` of the feed's clock; `source` says by what way, such as `file`."""

    verb: Verb
    ts_ns: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The worker has done what the command `stop` asks, and ends."""

    ts_ns: int


@dataclass(frozen=True, slots=True)
class ScheduleHours:
    """The hours of the schedule begin, or ended at `ts_ns` of the feed's clock."""

    is_open: bool
    ts_ns: int


@dataclass(frozen=True, slots=True)
class BarsOverdue:
    """The bars of these instruments and feeds should have come by now, and have not; none: all have come again."""

    names: tuple[str, ...]
    ts_ns: int


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Orders, executions and positions of the account were compared with the log.

    `differences` says what doesn't agree, a sentence each; `nobodys` are positions of the account that belong to no
    worker, by symbol.
    """

    ts_ns: int
    differences: tuple[str, ...] = ()
    nobodys: Mapping[str, float] = field(default_factory=dict)


LiveInput = (
    Anchored
    | BarsClosed
    | BarRevised
    | Report
    | ClockTick
    | FeedState
    | UserCommand
    | Stopped
    | ScheduleHours
    | BarsOverdue
    | BrokerState
    | Reconciled
)
"""Everything that can change a worker's state."""

_KINDS: Mapping[str, type[Any]] = {
    "anchored": Anchored,
    "bar": BarsClosed,
    "revised": BarRevised,
    "report": Report,
    "clock": ClockTick,
    "feed": FeedState,
    "command": UserCommand,
    "stopped": Stopped,
    "hours": ScheduleHours,
    "overdue": BarsOverdue,
    "broker": BrokerState,
    "reconciled": Reconciled,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class LiveOutput:
    """Something that came out of an input: a command to the broker, a report of the simulated one, or a notice.

    `kind` is the name of the command or report in small letters, or `notice`; `body` has its other fields.
    """

    kind: str
    ts_ns: int
    client_order_id: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


def output_of(message: OrderCommand | OrderEvent) -> LiveOutput:
    """Return a command or report as an output."""
    fields = to_fields(message)
    name, order, ts_ns = fields.pop("message"), fields.pop("order"), fields.pop("ts_ns")
    return LiveOutput(_small(name), ts_ns, order, fields)


def output_of_report(given: Report) -> LiveOutput:
    """Return a broker's report as an output: at the time at which it came, with the broker's own as `venue_ts_ns`."""
    found = output_of(given.event)
    return replace(found, ts_ns=given.ts_ns, body={**found.body, "venue_ts_ns": given.event.ts_ns})


def _small(name: str) -> str:
    """Return a name such as AmendRejected as amend_rejected."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


# -------------------------------------------------------------------------------------------------------------- JSON


def kind_of(given: LiveInput) -> str:
    """Return the name of an input's kind, as the log and `events` have it."""
    return _NAMES[type(given)]


def time_of(given: LiveInput) -> int:
    """Return when an input was seen, in UTC nanoseconds of the feed's clock."""
    return given.seen_ns if isinstance(given, (BarRevised, FeedState, BrokerState)) else given.ts_ns


def dumped(value: Any) -> str:
    """Return plain values as JSON: always the same text for the same values."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def written_input(given: LiveInput) -> str:
    """Return an input as JSON; its kind is kept beside it."""
    return dumped(_plain(given))


def _plain(given: LiveInput) -> dict[str, Any]:
    match given:
        case BarsClosed():
            bars = {name: bar_fields(bar) for name, bar in given.bars.items()}
            return {"bars": bars, "ts_ns": given.ts_ns} | ({"last": list(given.last)} if given.last else {})
        case BarRevised():
            return {"name": given.name, "bar": bar_fields(given.bar), "seen_ns": given.seen_ns}
        case Report():
            return {"event": to_fields(given.event), "ts_ns": given.ts_ns}
        case BarsOverdue():
            return {"names": list(given.names), "ts_ns": given.ts_ns}
        case Reconciled():
            return {"ts_ns": given.ts_ns, "differences": list(given.differences), "nobodys": dict(given.nobodys)}
        case _:
            return {name: getattr(given, name) for name in type(given).__slots__}


def read_input(kind: str, text: str) -> LiveInput:  # noqa: PLR0911 - one for each kind
    """Return the input that `written_input` wrote.

    Raises:
        RunError: it is damaged, or of a kind that this version doesn't know.
    """
    try:
        given = json.loads(text)
        match kind:
            case "bar":
                bars = {name: bar_from(each) for name, each in given["bars"].items()}
                return BarsClosed(bars, given["ts_ns"], tuple(given.get("last", ())))
            case "revised":
                return BarRevised(given["name"], bar_from(given["bar"]), given["seen_ns"])
            case "report":
                return Report(from_fields(given["event"]), given["ts_ns"])  # type: ignore[arg-type] # only events are
            case "overdue":
                return BarsOverdue(tuple(given["names"]), given["ts_ns"])
            case "reconciled":
                return Reconciled(given["ts_ns"], tuple(given["differences"]), given["nobodys"])
            case "command":
                return UserCommand(checked_verb(given["verb"]), given["ts_ns"], given["source"])
            case _:
                made: LiveInput = _KINDS[kind](**given)
                return made
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            Message(
                "An input of kind '{kind}' in a worker's log can't be read: {error}.",
                kind=kind,
                error=f"{type(error).__name__}: {error}",
            )
        ) from error


def bar_fields(bar: Bar) -> dict[str, Any]:
    """Return a bar as plain values by field name; what it doesn't have is left out."""
    found: dict[str, Any] = {
        "open_ns": bar.open_ns,
        "close_ns": bar.close_ns,
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
    }
    if bar.split != 1.0:
        found["split"] = bar.split
    if bar.dividend or math.copysign(1.0, bar.dividend) < 0:
        found["dividend"] = bar.dividend
    if bar.traded is not None:
        found["traded"] = bar_fields(bar.traded)
    extra = {name: value for name, value in bar.extra.items() if not math.isnan(value)}
    if bar.spread is not None:
        found["spread"] = bar.spread
    for name, amounts in (("funding", bar.funding), ("swap", bar.swap)):
        if amounts is not None:
            found[name] = [list(each) for each in amounts]
    if bar.contract is not None:
        found["contract"] = list(bar.contract)
    return found | ({"extra": extra} if extra else {})


def bar_from(given: Mapping[str, Any]) -> Bar:
    """Return the bar that `bar_fields` wrote.

    Raises:
        TypeError: a field is unknown or missing.
    """
    read: dict[str, Any] = dict(given)
    if "traded" in given:
        read["traded"] = bar_from(given["traded"])
    for name in ("funding", "swap"):
        if name in given:
            read[name] = tuple(DatedAmount(*each) for each in given[name])
    if "contract" in given:
        read["contract"] = HeldContract(*given["contract"])
    return Bar(**read)


def written_terms(terms: Terms) -> dict[str, Any]:
    """Return what is known of an instrument's terms as plain values."""
    values = {name: [term.value, term.source] for name, term in terms.values.items()}
    tables = [[since, [list(band) for band in bands]] for since, bands in terms.tick_tables]
    return {"values": values, "tick_tables": tables, "point": terms.point}


def terms_from(terms: Terms, given: Mapping[str, Any]) -> Terms:
    """Return an instrument's terms with what `written_terms` wrote."""
    values = {name: Term(value, source) for name, (value, source) in given["values"].items()}
    tables = tuple((since, tuple((low, tick) for low, tick in bands)) for since, bands in given["tick_tables"])
    return replace(terms, values=values, tick_tables=tables, point=given["point"])
