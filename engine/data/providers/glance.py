"""The first lines of a file with the detected meaning of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.data.providers.column_roles import ColumnRole, find_kept

GLANCE_LINES = 12
_COLUMNS, _LONGEST = 60, 60


@dataclass(frozen=True, slots=True)
class Glance:
    """The first lines of a file, cut into cells, whether or not its bars can be read.

    Args:
        rows: the cells of each line.
        roles: for each role that is known, or the name of a further column, the place of its column, from 0.
        names: the names of the columns, if the file has a header.
    """

    rows: tuple[tuple[str, ...], ...] = ()
    roles: tuple[tuple[str, int], ...] = ()
    names: tuple[str, ...] = ()


def glance_at(rows: Sequence[Sequence[object]], roles: Mapping[ColumnRole, int], names: Sequence[str] = ()) -> Glance:
    """Return a glance of rows, none too many or too long to be shown."""
    cells = tuple(tuple(_shown(cell) for cell in row[:_COLUMNS]) for row in rows[:GLANCE_LINES])
    places = tuple((role, place) for role, place in roles.items() if place < _COLUMNS)
    return Glance(cells, places, tuple(_shown(name) for name in names[:_COLUMNS]))


def with_chosen(
    roles: Mapping[ColumnRole, int], names: Sequence[str], chosen: Mapping[str, str | int]
) -> dict[ColumnRole, int]:
    """Return roles with those that an import keeps and that the user chose; a chosen column has no other role."""
    places = {
        role: wanted - 1 if isinstance(wanted, int) else names.index(wanted)
        for role, wanted in chosen.items()
        if isinstance(wanted, int) or wanted in names
    }
    known: dict[Any, int] = {**roles, **find_kept(names, chosen)}
    kept = {role: place for role, place in known.items() if place not in places.values()}
    return {**kept, **places}


def _shown(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
