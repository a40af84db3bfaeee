"""The palette's items as a Qt model: a tree by family and category, or a flat list of what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QWidget

from quantcrafter.app.panes.palette.index import Entry, by_family
from quantcrafter.app.panes.rows import COUNT, SECOND
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.type_names import family_member, family_name
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon

MIME = "application/x-quantcrafter-node"
ENTRY = int(Qt.ItemDataRole.UserRole)
KEY = ENTRY + 1
FLAT = 8
"""A family of so few members has no categories between."""


class PaletteModel(QStandardItemModel):
    """Holds entries; an entry that is dragged is named by JSON in the MIME type of `MIME`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(1)

    def show_tree(self, entries: Sequence[Entry], blocks: Sequence[Entry]) -> None:
        """Show everything by family and category; a family of one category, or of few members, has no level between."""
        self.clear()
        top = []
        for role, groups in by_family(entries):
            total = sum(map(len, groups.values()))
            family = _group(family_name(role), total, role.value, family=role.value)
            if len(groups) == 1 or total <= FLAT:
                _append(family, [_leaf(entry) for members in groups.values() for entry in members])
            else:
                for category, members in groups.items():
                    inner = _group(category or tr("Loading…"), len(members), f"{role.value}/{category}")
                    _append(inner, [_leaf(entry) for entry in members])
                    family.appendRow(inner)
            top.append(family)
        if blocks:
            group = _group(tr("Blocks"), len(blocks), "blocks", family="block")
            _append(group, [_leaf(entry, sign="block") for entry in blocks])
            top.append(group)
        _append(self, top)

    def show_list(self, entries: Sequence[Entry], blocks: Sequence[Entry]) -> None:
        """Show what was found, the best first."""
        self.clear()
        own = set(blocks)
        rows = [_leaf(entry, sign="block" if entry in own else "") for entry in entries]
        _append(self, rows)

    def entry(self, index: QModelIndex) -> Entry | None:
        """Return the entry of a row, None for a group."""
        found = index.data(ENTRY)
        return found if isinstance(found, Entry) else None

    def mimeTypes(self) -> list[str]:  # noqa: N802 - Qt's
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:  # noqa: N802 - Qt's
        data = QMimeData()
        entry = self.entry(indexes[0]) if indexes else None
        if entry is not None:
            named = {"role": str(entry.role), "use": entry.use}
            data.setData(MIME, json.dumps(named).encode())
        return data


def _append(parent: QStandardItem | QStandardItemModel, rows: Sequence[QStandardItem]) -> None:
    """Append items one by one, at the top to the model: `appendRows` and the invisible root never release them."""
    for row in rows:
        parent.appendRow(row)


def _group(title: str, count: int, key: str, family: str = "") -> QStandardItem:
    item = QStandardItem(title)
    if family:
        known = family in current().families
        item.setIcon(icon(family, current().family(family) if known else current().text_dim))
        font = item.font()
        font.setBold(True)
        item.setFont(font)
    item.setData(count, COUNT)
    item.setData(key, KEY)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
    item.setData(tr("{name}, {count} items", name=title, count=count), Qt.ItemDataRole.AccessibleTextRole)
    return item


def _leaf(entry: Entry, sign: str = "") -> QStandardItem:
    item = QStandardItem(entry.title)
    family = entry.role.value if entry.role is not None else ""
    item.setIcon(icon(sign or family, current().family(family)))
    item.setData(entry, ENTRY)
    item.setData(entry.summary, SECOND)
    item.setToolTip(entry.summary)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled)
    text = f"{entry.title}, {family_member(entry.role)}. {entry.summary}"
    item.setData(text, Qt.ItemDataRole.AccessibleTextRole)
    return item
