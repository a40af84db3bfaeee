"""The question whether strategies may read a file outside of their own folder: a bar over the canvas, not a dialog."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.window.layout.notice import NoticeBar
from quantcrafter.engine.api.folders import offered_folder


class FolderNotice(NoticeBar):
    """Asks about a file and emits once `answered(str)`: the file or the folder that is allowed, '' for nothing.

    Escape allows nothing. The folder is offered beside the file where it is not too much: no home, no system folder.

    Args:
        name: what the strategy is called.
        file: the file that it names.
    """

    answered = Signal(str)

    def __init__(self, name: str, file: str, parent: QWidget | None = None) -> None:
        text = tr(
            "“{name}” reads “{file}”, which is outside the strategy's folder. Allow "
            "strategies to read that file? Don't allow it if you don't know where the "
            "strategy comes from.",
            name=name,
            file=file,
        )
        super().__init__(text, "warning", parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.allow = self.add_button(tr("Allow this file"))
        self.allow.clicked.connect(lambda: self._give(file))
        folder = offered_folder(file)
        self.allow_folder = self.add_button(tr("Allow its folder"))
        self.allow_folder.setVisible(folder is not None)
        self.allow_folder.setToolTip("" if folder is None else str(folder))
        self.allow_folder.clicked.connect(lambda: self._give(str(folder)))
        self.refuse = self.add_button(tr("Don't allow"))
        self.refuse.clicked.connect(lambda: self._give(""))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Allow nothing on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self._give("")
        else:
            super().keyPressEvent(event)

    def _give(self, allowed: str) -> None:
        self.hide()
        self.answered.emit(allowed)
