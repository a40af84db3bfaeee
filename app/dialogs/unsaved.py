"""The dialog for unsaved changes: save, discard or cancel."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from PySide6.QtWidgets import QDialogButtonBox, QListWidget, QWidget

from quantcrafter.app.dialogs.frame import DialogFrame
from quantcrafter.app.services.i18n import tr

MAX_ROWS = 8


class UnsavedAnswer(Enum):
    """What to do with strategies that have unsaved changes."""

    SAVE = "save"
    DISCARD = "discard"
    CANCEL = "cancel"


class UnsavedDialog(DialogFrame):
    """Lists the strategies with unsaved changes; `answer` is CANCEL until a button is clicked."""

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        title = tr("Save your changes?")
        intro = tr("If you don't save, the changes to these strategies are lost.")
        if len(names) == 1:
            intro = tr("If you don't save, the changes to this strategy are lost.")
        super().__init__(parent, title=title, intro=intro)
        self.answer = UnsavedAnswer.CANCEL
        self.names = QListWidget()
        self.names.setAccessibleName(tr("Strategies with unsaved changes"))
        self.names.addItems(list(names))
        self.names.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.names.setStyleSheet("QListView::item { padding: 3px 5px; }")
        row = self.names.sizeHintForRow(0)
        self.names.setFixedHeight(row * min(max(len(names), 1), MAX_ROWS) + 2 * self.names.frameWidth())
        self.body.addWidget(self.names)
        roles = QDialogButtonBox.ButtonRole
        save = tr("Save all") if len(names) > 1 else tr("Save")
        self.save_button = self.add_button(save, roles.AcceptRole, lambda: self._give(UnsavedAnswer.SAVE), default=True)
        self.discard_button = self.add_button(
            tr("Don't save"), roles.DestructiveRole, lambda: self._give(UnsavedAnswer.DISCARD)
        )
        self.cancel_button = self.add_button(tr("Cancel"), roles.RejectRole, self.reject)
        self.save_button.setFocus()
        self.setMinimumWidth(440)

    def _give(self, answer: UnsavedAnswer) -> None:
        self.answer = answer
        self.accept()


def ask_unsaved(parent: QWidget | None, names: Sequence[str]) -> UnsavedAnswer:
    """Ask what to do with the unsaved changes of these strategies; closing the dialog means CANCEL."""
    dialog = UnsavedDialog(names, parent)
    dialog.exec()
    answer = dialog.answer
    dialog.deleteLater()
    return answer
