"""Which column of a table is which, by its name or place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import alternatives, did_you_mean, first_of, shortened
from quantcrafter.engine.data.providers.column_names import ACTIONS, NO_NAME, candidates, plain

ColumnRole = Literal[
    "time", "date", "open", "high", "low", "close", "volume", "symbol", "split", "dividend", "adjusted_close"
]

_SHOWN = 20
_FEWEST, _LONGEST = 4, 40  # a line of fewer or longer cells may be any text, whose content no message may show
_REQUIRED = ("open", "high", "low", "close")
_GUESSED: tuple[ColumnRole, ...] = ("time", "date", "open", "high", "low", "close", "volume", "symbol")


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
        lacking = alternatives(missing)
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
    plains = [plain(name) for name in names]
    found: dict[ColumnRole, int] = {}
    for role in _GUESSED:
        place = next((plains.index(name) for name in candidates(role) if name in plains), None)
        if place is None and role == "volume":
            place = next((i for i, name in enumerate(plains) if name.startswith("volume")), None)
        if role == "symbol" and place is not None and plains[place] == "name" and "timeopen" in plains:
            place = None  # of the currency, in files of CoinMarketCap
        if place is not None:
            found[role] = place
    if "time" not in found and "date" not in found and plains and plains[0] in NO_NAME:
        found["time"] = 0
    return found


def volume_choices(names: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the columns that may hold the volume, likeliest first; several of one choice are summed."""
    plains = [plain(name) for name in names]
    places = dict.fromkeys(plains.index(name) for name in candidates("volume") if name in plains)
    choices: list[tuple[int, ...]] = [(place,) for place in places]
    if {"up", "down"} <= set(plains):  # volume at rising and at falling prices, as TradeStation writes it
        choices.append((plains.index("up"), plains.index("down")))
    return choices


def find_actions(
    names: Sequence[str], chosen: Mapping[ColumnRole, str | int], wanted: Sequence[ColumnRole], subject: str
) -> dict[ColumnRole, int]:
    """Return the positions of the columns of corporate actions that are wanted: at least one of them.

    Raises:
        DataError: there is none.
    """
    plains = [plain(name) for name in names]
    found: dict[ColumnRole, int] = {}
    for role in wanted:
        if role in chosen:
            found[role] = _place(names, role, chosen[role], subject)
        else:
            place = next((plains.index(name) for name in ACTIONS[role] if name in plains), None)
            if place is not None:
                found[role] = place
    if not found:
        raise DataError(
            Message(
                "{subject}: no column for {wanted} among {names}. "
                "Name it under 'columns', or leave 'corporate_actions' out.",
                subject=subject,
                wanted=alternatives(wanted),
                names=_listed(names),
            ),
            field="corporate_actions",
        )
    return found


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
    raise DataError(text, field="columns")


def _listed(names: Sequence[str]) -> str:
    """Return the names of a table's columns for a message; only their number where they may be no names at all."""
    if len(names) < _FEWEST or any(len(name) > _LONGEST or not name.isprintable() for name in names[:_SHOWN]):
        return Message("its {count:,}", count=len(names))
    return first_of(list(map(repr, names)), _SHOWN)
