"""The question whether a strategy may read a folder outside of its own: a bar over the canvas, not a dialog."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from app.services.i18n import tr
from app.window.runs.notice import NoticeBar


class FolderNotice(NoticeBar):
    """Asks about a folder and emits `answered(bool)` once; Escape allows nothing.

    Args:
        name: what the strategy is called.
        folder: the folder that it names files in.
    """

    answered = Signal(bool)

    def __init__(self, name: str, folder: str, parent: QWidget | None = None) -> None:
        text = tr(
            "“{name}” reads files in “{folder}”, outside of its own folder. Allow strategies to read that folder? If "
            "you do not know where this strategy comes from, do not.",
            name=name,
            folder=folder,
        )
        super().__init__(text, "warning", parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.folder = folder
        self.allow = self.add_button(tr("Allow this folder"))
        self.allow.clicked.connect(lambda: self._give(allowed=True))
        self.refuse = self.add_button(tr("Don't allow"))
        self.refuse.clicked.connect(lambda: self._give(allowed=False))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Allow nothing on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self._give(allowed=False)
        else:
            super().keyPressEvent(event)

    def _give(self, *, allowed: bool) -> None:
        self.hide()
        self.answered.emit(allowed)
