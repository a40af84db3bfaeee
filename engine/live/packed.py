"""Bars and ledgers as bytes for the log: a line of JSON, then compressed columns.

The same content gives the same bytes. Columns are written by name and type, so that a later version, which knows more
of them, reads what an earlier one wrote.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Bars, CorporateActions, DatedAmounts, Ledger, Rolls, RunError, Session, Timeframe
from quantcrafter.engine.api.bars import BAR_COLUMNS
from quantcrafter.engine.api.ledger import (
    BLOCKED_DTYPE,
    CASHFLOW_DTYPE,
    FILL_DTYPE,
    INTERVENTION_DTYPE,
    ORDER_DTYPE,
    OpenPosition,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.round_trips import PART_DTYPE
from quantcrafter.engine.api.step_program import StepRecord

_LEVEL = 1
_TIMES = ("open_ns", "close_ns")
_CURVES = ("ts_ns", "equity", "cash")
_TABLES = MappingProxyType(
    {
        "orders": ORDER_DTYPE,
        "fills": FILL_DTYPE,
        "parts": PART_DTYPE,
        "blocked": BLOCKED_DTYPE,
        "interventions": INTERVENTION_DTYPE,
        "cashflows": CASHFLOW_DTYPE,
    }
)
_AMOUNTS = ("funding", "swap")
_DATED = fields(DatedAmounts)
_ROLLS = ("price", "contract", "factor", "offset")
_STEPS = ("values", "flags", "allowed")

Columns = dict[str, npt.NDArray[Any]]


def pack(about: Mapping[str, Any], columns: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return columns, and plain values about them, as bytes."""
    listed = [[name, column.dtype.str, list(column.shape)] for name, column in columns.items()]
    head = json.dumps({"about": about, "columns": listed}, separators=(",", ":"), sort_keys=True).encode()
    body = b"".join(np.ascontiguousarray(column).tobytes() for column in columns.values())
    return head + b"\n" + zlib.compress(body, _LEVEL)


def unpack(data: bytes) -> tuple[dict[str, Any], Columns]:
    """Return what `pack` was given.

    Raises:
        RunError: the bytes are damaged.
    """
    try:
        head, _, packed = data.partition(b"\n")
        read = json.loads(head)
        body, at, columns = zlib.decompress(packed), 0, {}
        for name, dtype, shape in read["columns"]:
            count = int(np.prod(shape, dtype=np.int64))
            columns[name] = np.frombuffer(body, dtype, count, at).reshape(shape)
            at += columns[name].nbytes
        return dict(read["about"]), columns
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise RunError(
            Message("A part of a worker's log is damaged: {error}.", error=f"{type(error).__name__}: {error}")
        ) from error


# -------------------------------------------------------------------------------------------------------------- bars


def pack_bars(bars: Bars) -> bytes:
    """Return bars as bytes, with prices as traded, splits, dividends and further columns."""
    about = {
        "symbol": bars.symbol,
        "timeframe": str(bars.timeframe),
        "session": asdict(bars.session),
        "source": bars.source,
        "synthetic": bars.synthetic,
        "session_source": bars.session_source,
        "decimals": bars.decimals,
        "traded": bars.traded is not None,
        "extra": list(bars.extra),
    }
    costs: Columns = {} if bars.spread is None else {"spread": bars.spread}
    for name in _AMOUNTS:
        amounts: DatedAmounts | None = getattr(bars, name)
        costs |= {} if amounts is None else {f"{name}.{each.name}": getattr(amounts, each.name) for each in _DATED}
    if bars.rolls is not None:
        about |= {"contracts": list(bars.rolls.names), "expiries": list(bars.rolls.expiries)}
        costs |= {f"rolls.{name}": getattr(bars.rolls, name) for name in _ROLLS}
    return pack(about, _bar_columns(bars, "") | costs)


def unpack_bars(data: bytes) -> Bars:
    """Return the bars that `pack_bars` was given.

    Raises:
        RunError: the bytes are damaged.
    """
    about, columns = unpack(data)
    session = about["session"]
    shared = {
        "symbol": about["symbol"],
        "timeframe": Timeframe.parse(about["timeframe"]),
        "session": Session(**{**session, "weekdays": tuple(session["weekdays"])}),
        "source": about["source"],
        "synthetic": about["synthetic"],
        "session_source": about["session_source"],
        "decimals": about.get("decimals"),
    }
    extra = {name: columns[f"extra.{name}"] for name in about["extra"]}
    costs: dict[str, Any] = {"spread": columns.get("spread")}
    for name in _AMOUNTS:
        if f"{name}.{_DATED[0].name}" in columns:
            costs[name] = DatedAmounts(*(columns[f"{name}.{each.name}"] for each in _DATED))
    traded = Bars(**shared, **_fields_of(columns, "traded."), **costs) if about["traded"] else None
    if "contracts" in about:
        rolls: dict[str, Any] = {name: columns[f"rolls.{name}"] for name in _ROLLS}
        costs["rolls"] = Rolls(**rolls, names=tuple(about["contracts"]), expiries=tuple(about["expiries"]))
    return Bars(**shared, **_fields_of(columns, ""), **costs, extra=extra, traded=traded)


def _bar_columns(bars: Bars, prefix: str) -> Columns:
    columns: Columns = {f"{prefix}{name}": getattr(bars, name) for name in (*_TIMES, *BAR_COLUMNS)}
    if bars.actions is not None:
        columns |= {f"{prefix}split": bars.actions.split, f"{prefix}dividend": bars.actions.dividend}
    columns |= {f"extra.{name}": column for name, column in bars.extra.items()}
    return columns if bars.traded is None else columns | _bar_columns(replace(bars.traded, extra={}), "traded.")


def _fields_of(columns: Columns, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {name: columns[prefix + name] for name in (*_TIMES, *BAR_COLUMNS)}
    if f"{prefix}split" in columns:
        found["actions"] = CorporateActions(columns[f"{prefix}split"], columns[f"{prefix}dividend"])
    return found


def joined_bars(parts: Sequence[Bars]) -> Bars:
    """Return bars that follow one another as one; at least one part is needed.

    Fundings and swaps are those of the last part, which has all of them.
    """
    filled = [part for part in parts if len(part)] or list(parts[:1])
    first = filled[0]
    if len(filled) == 1:
        return first
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in filled]) for name in (*_TIMES, *BAR_COLUMNS)
    }
    names = list(dict.fromkeys(name for part in filled for name in part.extra))
    columns["extra"] = {
        name: np.concatenate([part.extra.get(name, np.full(len(part), np.nan)) for part in filled]) for name in names
    }
    if any(part.actions is not None for part in filled):
        actions = [_actions_of(part) for part in filled]
        columns["actions"] = CorporateActions(
            np.concatenate([each.split for each in actions]), np.concatenate([each.dividend for each in actions])
        )
    if all(part.spread is not None for part in filled):
        columns["spread"] = np.concatenate([part.spread for part in filled])
    columns |= {name: getattr(filled[-1], name) for name in _AMOUNTS}
    rolls = [part.rolls for part in filled if part.rolls is not None]
    if len(rolls) == len(filled):
        columns["rolls"] = _joined_rolls(rolls)
    if any(part.traded is not None for part in filled):
        columns["traded"] = joined_bars([part if part.traded is None else part.traded for part in filled])
    return replace(first, **columns)


def _joined_rolls(parts: Sequence[Rolls]) -> Rolls:
    """Return rolls that follow one another as one; each part may count its contracts from its own first one on."""
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ROLLS}
    names = [part.names[number] for part in parts for number in part.contract.tolist()]
    begins = [0, *(row for row in range(1, len(names)) if names[row] != names[row - 1])]
    columns["contract"] = np.searchsorted(begins, np.arange(len(names)), side="right") - 1
    last, number = parts[-1], int(parts[-1].contract[-1])
    expiry = last.expiries[number] if number == len(last.names) - 1 else None
    expiries = (*(None for _ in begins[1:]), expiry)
    return Rolls(**columns, names=tuple(names[row] for row in begins), expiries=expiries)


def _actions_of(bars: Bars) -> CorporateActions:
    return CorporateActions(np.ones(len(bars)), np.zeros(len(bars))) if bars.actions is None else bars.actions


# ------------------------------------------------------------------------------------------------------------ ledger


def pack_ledger(ledger: Ledger) -> bytes:
    """Return a part of a ledger as bytes, with what the steps in the bar loop gave."""
    columns: Columns = {name: np.asarray(getattr(ledger, name)) for name in _CURVES}
    for table in _TABLES:
        rows = getattr(ledger, table)
        columns |= {f"{table}.{name}": rows[name] for name in rows.dtype.names}
    record = ledger.steps
    if record is not None:
        for name in _STEPS:
            columns |= {f"steps.{name}.{i}": part for i, part in enumerate(getattr(record, name))}
    about = {
        "open_positions": [asdict(each) for each in ledger.open_positions],
        "instruments": 0 if record is None else len(record.values),
    }
    return pack(about, columns)


def unpack_ledger(data: bytes) -> Ledger:
    """Return the part that `pack_ledger` was given.

    Raises:
        RunError: the bytes are damaged.
    """
    about, columns = unpack(data)
    given: dict[str, Any] = {name: columns[name] for name in _CURVES}
    for table, dtype in _TABLES.items():
        names = [name for name in dtype.names or () if f"{table}.{name}" in columns]
        rows = np.zeros(len(columns[f"{table}.{names[0]}"]), dtype)
        for name in names:
            rows[name] = columns[f"{table}.{name}"]
        given[table] = rows
    count = about["instruments"]
    if count:
        parts = {name: tuple(columns[f"steps.{name}.{i}"] for i in range(count)) for name in _STEPS}
        given["steps"] = StepRecord(parts["values"], parts["flags"], parts["allowed"])
    return Ledger(**given, open_positions=tuple(OpenPosition(**each) for each in about["open_positions"]))


def compact_ledger(ledger: Ledger) -> Ledger:
    """Return a ledger with rows and curves of its own, which keep nothing else in memory."""
    own: dict[str, Any] = {name: np.array(getattr(ledger, name)) for name in (*_TABLES, *_CURVES)}
    return replace(ledger, **own)


def joined_ledgers(parts: Sequence[Ledger]) -> Ledger:
    """Return what a session drained, part by part, as one ledger; the last part has the open positions and orders.

    An order that ended before a part and fills late after it has a row in both: the later one holds.
    """
    tables: dict[str, Any] = {}
    for each in fields(Ledger):
        values = [getattr(part, each.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            tables[each.name] = np.concatenate(values)
    orders = tables["orders"][np.argsort(tables["orders"]["id"], kind="stable")]
    tables["orders"] = orders[np.append(orders["id"][1:] != orders["id"][:-1], np.ones(len(orders[:1]), np.bool_))]
    records = [part.steps for part in parts if part.steps is not None]
    if records:
        joined = {
            name: tuple(np.concatenate(each, axis=1) for each in zip(*(getattr(r, name) for r in records), strict=True))
            for name in _STEPS
        }
        tables["steps"] = StepRecord(joined["values"], joined["flags"], joined["allowed"])
    return replace(parts[-1], **tables)
