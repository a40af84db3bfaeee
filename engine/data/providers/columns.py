"""Which column of a table is which, by its name or place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean, shortened

ColumnRole = Literal[
    "time", "date", "open", "high", "low", "close", "volume", "symbol", "split", "dividend", "adjusted_close"
]

# Adjusted closes are known by name so that they are not taken for the close.
_NAMES: dict[str, tuple[str, ...]] = {
    "time": (
        *("datetime", "timestamp", "time", "ts", "epoch", "unix", "opentime", "dateandtime", "datetimeutc"),
        *("timestamputc", "gmttime", "localtime", "bartime", "unixtimestamp", "t", "tsns", "indexlevel0"),
    ),
    "date": ("date", "day", "tradedate", "tradingday", "dt", "tradingdate"),
    "open": ("open", "o", "openprice", "opening", "priceopen", "first"),
    "high": ("high", "h", "highprice", "max", "pricehigh"),
    "low": ("low", "l", "lowprice", "min", "pricelow"),
    "close": ("close", "c", "closeprice", "closelast", "last", "price", "priceclose", "closing", "settle"),
    "volume": ("volume", "v", "vol", "tickvol", "tickvolume", "totalvolume", "qty", "quantity", "basevolume"),
    "symbol": ("symbol", "ticker", "sym", "instrument", "tic", "code", "name"),
}
_SHOWN = 20
_FEWEST, _LONGEST = 4, 40  # a line of fewer or longer cells may be any text, whose content no message may show
_REQUIRED = ("open", "high", "low", "close")


def find_columns(names: Sequence[str], chosen: Mapping[ColumnRole, str | int], subject: str) -> dict[ColumnRole, int]:
    """Return the position of each role's column; `chosen` maps roles to names or to places counted from 1.

    Raises:
        DataError: a chosen column is missing, or times and prices are not all there.
    """
    found = guess_columns(names)
    if "time" in chosen and "date" not in chosen:
        found.pop("date", None)
    if "date" in chosen and "time" not in chosen:
        found.pop("time", None)
    for role, wanted in chosen.items():
        found[role] = _place(names, role, wanted, subject)
    missing = [role for role in _REQUIRED if role not in found]
    if "time" not in found and "date" not in found:
        missing.insert(0, "time")
    if missing:
        lacking = " or ".join(repr(role) for role in missing)
        raise DataError(
            Message(
                "{subject}: no column for {lacking} among {names}. Name it under 'columns', such as '{missing}: NAME'.",
                subject=subject,
                lacking=lacking,
                names=_listed(names),
                missing=missing[0],
            ),
            field="columns",
        )
    return found


def guess_columns(names: Sequence[str]) -> dict[ColumnRole, int]:
    """Return the position of each role that a column's name gives away; of several names the likeliest."""
    plain = [_plain(name) for name in names]
    found: dict[ColumnRole, int] = {}
    for role, candidates in _NAMES.items():
        place = next((plain.index(name) for name in candidates if name in plain), None)
        if place is None and role == "volume":
            place = next((i for i, name in enumerate(plain) if name.startswith("volume")), None)
        if place is not None:
            found[role] = place  # type: ignore[index] # the table's keys are the roles
    return found


_ACTIONS: dict[ColumnRole, tuple[str, ...]] = {
    "split": ("split", "splits", "stocksplit", "stocksplits", "splitratio", "splitfactor", "splitcoefficient"),
    "dividend": ("dividend", "dividends", "dividendamount", "divcash", "cashdividend", "exdividend"),
    "adjusted_close": ("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjcloseprice", "adjustedcloseprice"),
}


def find_actions(
    names: Sequence[str], chosen: Mapping[ColumnRole, str | int], wanted: Sequence[ColumnRole], subject: str
) -> dict[ColumnRole, int]:
    """Return the positions of the columns of corporate actions that are wanted: at least one of them.

    Raises:
        DataError: there is none.
    """
    plain = [_plain(name) for name in names]
    found: dict[ColumnRole, int] = {}
    for role in wanted:
        if role in chosen:
            found[role] = _place(names, role, chosen[role], subject)
        else:
            place = next((plain.index(name) for name in _ACTIONS[role] if name in plain), None)
            if place is not None:
                found[role] = place
    if not found:
        raise DataError(
            Message(
                "{subject}: no column for {wanted} among {names}. "
                "Name it under 'columns', or leave 'corporate_actions' out.",
                subject=subject,
                wanted=" or ".join(repr(role) for role in wanted),
                names=_listed(names),
            ),
            field="corporate_actions",
        )
    return found


def positional_columns(cells: Sequence[str]) -> dict[ColumnRole, int]:
    """Return the roles of a table without header: date (and time), open, high, low, close, volume in this order."""
    roles: list[ColumnRole] = ["time", "open", "high", "low", "close", "volume"]
    second = cells[1] if len(cells) > 1 else ""
    clock = re.fullmatch(r"\d{8}", cells[0]) and re.fullmatch(r"\d{4}|\d{6}", second) and len(cells) > len(roles)
    if ":" in second or clock:
        roles = ["date", *roles]
    return {role: place for place, role in enumerate(roles) if place < len(cells)}


def _place(names: Sequence[str], role: str, wanted: str | int, subject: str) -> int:
    if isinstance(wanted, int):
        if 1 <= wanted <= len(names):
            return wanted - 1
        raise DataError(
            Message(
                "{subject}: column {wanted} for '{role}' must lie between 1 and {count}. Change 'columns'.",
                subject=subject,
                wanted=wanted,
                role=role,
                count=len(names),
            ),
            field="columns",
        )
    if wanted in names:
        return names.index(wanted)
    hint = did_you_mean(wanted, names)
    text = Message(
        "{subject}: no column '{wanted}' for '{role}' among {names}. {hint}",
        subject=subject,
        wanted=shortened(wanted, 60),
        role=role,
        names=_listed(names),
        hint=hint,
    )
    raise DataError(text.rstrip(), field="columns")


def _listed(names: Sequence[str]) -> str:
    """Return the names of a table's columns for a message; only their number where they may be no names at all."""
    if len(names) < _FEWEST or any(len(name) > _LONGEST or not name.isprintable() for name in names[:_SHOWN]):
        return f"its {len(names):,}"
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(map(repr, names[:_SHOWN]))}{more}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
