"""The notice that a strategy's file was changed by another program: a bar over the canvas, not a dialog."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPalette
from PySide6.QtWidgets import QPushButton, QWidget

from quantcrafter.app import theme
from quantcrafter.app.dialogs.folding import FoldingBar
from quantcrafter.app.services.i18n import tr


class ChangedAnswer(Enum):
    """What to do about a file that another program changed: take its text, or go on with what is open."""

    RELOAD = "reload"
    KEEP = "keep"


class ChangedNotice(FoldingBar):
    """Says that a file changed or vanished on disk and emits `answered(ChangedAnswer)` once; Escape keeps.

    Args:
        name: the file's name, for the sentence.
        modified: whether the open strategy has unsaved changes; after a reload Undo brings them back.
        missing: whether the file is gone, so that there is nothing to reload.
    """

    answered = Signal(object)

    def __init__(
        self, name: str, *, modified: bool = False, missing: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(_sentence(name, modified=modified, missing=missing), parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tint()
        theme.themes.changed.connect(self._tint)
        self.row.setContentsMargins(14, 8, 10, 8)
        self.reload_button = QPushButton(tr("Reload"))
        self.reload_button.setVisible(not missing)
        self.reload_button.clicked.connect(lambda: self._give(ChangedAnswer.RELOAD))
        self.keep_button = QPushButton(tr("Keep my version"))
        self.keep_button.clicked.connect(lambda: self._give(ChangedAnswer.KEEP))
        self.buttons.addWidget(self.reload_button)
        self.buttons.addWidget(self.keep_button)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Keep what is open on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self._give(ChangedAnswer.KEEP)
        else:
            super().keyPressEvent(event)

    def _give(self, answer: ChangedAnswer) -> None:
        self.hide()
        self.answered.emit(answer)

    def _tint(self) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(theme.current().warning_soft))
        self.setPalette(palette)


def _sentence(name: str, *, modified: bool, missing: bool) -> str:
    if missing:
        return tr("“{name}” was deleted or moved by another program. Save to create it again.", name=name)
    if modified:
        return tr(
            "“{name}” was changed by another program, and you also have unsaved changes. If "
            "you reload it, Undo restores your version.",
            name=name,
        )
    return tr("“{name}” was changed by another program.", name=name)
