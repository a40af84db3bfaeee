"""Which column of a table is which, by its name or place."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.extra_columns import EXTRA_NAME, FILE_ROLES, MOST_EXTRA_COLUMNS, extra_names
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import alternatives, did_you_mean, first_of, shortened
from quantcrafter.engine.data.providers.column_names import ACTIONS, NO_NAME, candidates, plain

ColumnRole = Literal[
    "time",
    "date",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "symbol",
    "split",
    "dividend",
    "adjusted_close",
    "open_interest",
    "spread",
]

Names = TypeVar("Names", dict[str, str], dict[str, str | int])

_RESERVED = ("bars", "open_ns", "close_ns")
_SHOWN = 20
_FEWEST, _LONGEST = 4, 40  # a line of fewer or longer cells may be any text, whose content no message may show
_REQUIRED = ("open", "high", "low", "close")
_GUESSED: tuple[ColumnRole, ...] = ("time", "date", "open", "high", "low", "close", "volume", "symbol")


def find_columns(names: Sequence[str], chosen: Mapping[str, str | int], subject: str) -> dict[ColumnRole, int]:
    """Return the position of each role's column; `chosen` maps roles to names or to places counted from 1.

    Names of further columns are like roles.

    Raises:
        DataError: a chosen column is missing, or times and prices are not all there.
    """
    found = guess_columns(names)
    if "time" in chosen and "date" not in chosen:
        found.pop("date", None)
    if "date" in chosen and "time" not in chosen:
        found.pop("time", None)
    for role, wanted in chosen.items():
        found[role] = _place(names, role, wanted, subject)  # type: ignore[index]  # or the name of a further column
    if "close" not in chosen and "close" in found:
        _check_close(names, found["close"], subject)
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


_LATEST_PRICES = frozenset({"last", "latest", "price", "ltp", "prc", "settle"})
"""Names of the close that stand for different prices where a file has several of them."""


def _check_close(names: Sequence[str], place: int, subject: str) -> None:
    """Refuse a file with several columns that may be the close, none of which is called that.

    Raises:
        DataError: it has; the message names them.
    """
    plains = [plain(name) for name in names]
    several = [name for name, bare in zip(names, plains, strict=True) if bare in _LATEST_PRICES]
    if plains[place] not in _LATEST_PRICES or len(several) < 2:  # noqa: PLR2004 - one is no choice
        return
    raise DataError(
        Message(
            "{subject}: the close may be in the column {names}. Name it under 'columns', such as 'close: {first}'.",
            subject=subject,
            names=alternatives([shortened(name, 60) for name in several]),
            first=shortened(several[0], 60),
        ),
        field="columns",
    )


_MISSPELT, _LEAST_LETTERS = 0.8, 5
"""How similar to a role the name of a further column may not be, and from how many letters on: `clsoe` is refused."""


def checked_names(chosen: Names) -> Names:
    """Return `columns` as given, if every key is a role or can name a further column.

    Raises:
        ValueError: one can't, or is a misspelt role; or there are too many.
    """
    for name in chosen:
        if name in FILE_ROLES:
            continue
        if EXTRA_NAME.fullmatch(name) is None or name in _RESERVED:
            raise ValueError(
                Message(
                    "the name of a further column has letters, digits and underscores, no digit first, and isn't "
                    "'bars', was '{name}'",
                    name=shortened(name, 60),
                )
            )
        close = difflib.get_close_matches(name.casefold(), FILE_ROLES, n=1, cutoff=_MISSPELT)
        if close and len(name) >= _LEAST_LETTERS:
            raise ValueError(
                Message(
                    "'{name}' is too close to '{role}': write '{role}', or give the further column another name",
                    name=name,
                    role=close[0],
                )
            )
    if (count := len(extra_names(chosen))) > MOST_EXTRA_COLUMNS:
        raise ValueError(
            Message("there may be {most} further columns, were {count}", most=MOST_EXTRA_COLUMNS, count=count)
        )
    return chosen


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
    names: Sequence[str], chosen: Mapping[str, str | int], wanted: Sequence[ColumnRole], subject: str
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


def find_more(
    names: Sequence[str], chosen: Mapping[str, str | int], spread: str, subject: str, *, open_interest: bool
) -> dict[ColumnRole, int]:
    """Return the positions of the columns of the spread, by its name, and of the open interest, if they are wanted.

    Raises:
        DataError: one is missing.
    """
    found: dict[ColumnRole, int] = {}
    plains = [plain(name) for name in names]
    if spread:
        found["spread"] = plains.index(plain(spread)) if plain(spread) in plains else -1
    if open_interest and "open_interest" in chosen:
        found["open_interest"] = _place(names, "open_interest", chosen["open_interest"], subject)
    elif open_interest:
        known = (plains.index(name) for name in ACTIONS["open_interest"] if name in plains)
        found["open_interest"] = next(known, -1)
    for role, place in found.items():
        if place < 0:
            remedy = (
                Message("Correct 'spread'.")
                if role == "spread"
                else Message("Name it under 'columns', or choose another rule of 'roll'.")
            )
            raise DataError(
                Message(
                    "{subject}: no column for {role} among {names}. {remedy}",
                    subject=subject,
                    role=f"'{spread}'" if role == "spread" else Message("open interest"),
                    names=_listed(names),
                    remedy=remedy,
                ),
                field="columns",
            )
    return found


def find_kept(names: Sequence[str], chosen: Mapping[str, str | int]) -> dict[str, int]:
    """Return the positions of the columns of spread and open interest that an import keeps, by their usual names."""
    plains = [plain(name) for name in names]
    known = {"spread": ("spread",), "open_interest": ACTIONS["open_interest"]}
    found = {role: next((plains.index(name) for name in named if name in plains), -1) for role, named in known.items()}
    return {role: place for role, place in found.items() if place >= 0 and role not in chosen}


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
