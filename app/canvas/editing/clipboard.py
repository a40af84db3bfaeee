"""The system clipboard, as far as the canvas uses it: nodes as YAML text that any editor can show."""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

MIME_FRAGMENT = "application/x-quantcrafter-fragment"
MAX_CHARACTERS = 2_000_000


def put(fragment: str) -> None:
    """Put a fragment on the clipboard, as text too."""
    data = QMimeData()
    data.setData(MIME_FRAGMENT, fragment.encode("utf-8"))
    data.setText(fragment)
    QGuiApplication.clipboard().setMimeData(data)


def take() -> str:
    """Return the clipboard's text, "" when there is none or when it is longer than any strategy."""
    data = QGuiApplication.clipboard().mimeData()
    text = data.text() if data is not None and data.hasText() else ""
    return text if len(text) <= MAX_CHARACTERS else ""
