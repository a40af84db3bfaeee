"""Qt children by their class, with its type: the types of `findChild` and `findChildren` say nothing about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QTableWidget, QTableWidgetItem

Kind = TypeVar("Kind", bound=QObject)


def children(parent: QObject, kind: type[Kind]) -> list[Kind]:
    """Return all children of a class, at any depth."""
    found: Iterable[Any] = parent.findChildren(kind)
    return list(found)


def child(parent: QObject, kind: type[Kind], name: str | None = None) -> Kind:
    """Return the first child of a class, of this object name if one is given."""
    found = parent.findChild(kind) if name is None else parent.findChild(kind, name)
    assert isinstance(found, kind), f"there is no {kind.__name__} {name or ''} in {parent!r}"
    return found


def cell(table: QTableWidget, row: int, column: int) -> QTableWidgetItem:
    """Return the cell of a table."""
    found = table.item(row, column)
    assert found is not None, f"there is no cell at {row}, {column}"
    return found
