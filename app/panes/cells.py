"""How the cells of plain tables are painted."""

from __future__ import annotations

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QStyledItemDelegate


class RoomyCells(QStyledItemDelegate):
    """Keeps a number at the right of its column apart from a word at the left of the next."""

    def displayText(self, value: object, locale: QLocale | QLocale.Language) -> str:  # noqa: N802 - Qt's
        return f"\N{NO-BREAK SPACE}{super().displayText(value, locale)}\N{NO-BREAK SPACE}"
