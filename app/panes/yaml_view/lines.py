"""The lines of a text field, as the rest of the view reads them."""

from __future__ import annotations

from PySide6.QtGui import QTextDocument


class FieldLines:
    """The lines of a Qt text document, fetched one by one, so that a large text is never copied whole."""

    def __init__(self, document: QTextDocument) -> None:
        self._document = document

    def __len__(self) -> int:
        return self._document.blockCount()

    def __getitem__(self, row: int) -> str:
        return self._document.findBlockByNumber(row).text()
