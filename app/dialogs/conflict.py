"""The question before a file that another program changed is written: both versions side by side."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QToolButton,
    QWidget,
)

from quantcrafter.app.dialogs.conflict_text import Pair, places, side_by_side
from quantcrafter.app.dialogs.frame import DialogFrame, note
from quantcrafter.app.dialogs.text_version import Version, scroll_together
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon

_SHARE = 0.86


class ConflictAnswer(Enum):
    """What to do about a file that holds what was never seen here."""

    OVERWRITE = "overwrite"
    RELOAD = "reload"
    COPY = "copy"
    CANCEL = "cancel"


class ConflictDialog(DialogFrame):
    """Shows the strategy as it is here beside the file as it is on disk; `answer` is CANCEL until a button is pressed.

    Args:
        path: the file.
        ours: the text that was to be saved.
        theirs: the text in the file, None where it is none that can be shown.
        parent: the window.
    """

    def __init__(self, path: Path, ours: str, theirs: str | None, parent: QWidget | None = None) -> None:
        intro = tr(
            "Another program or window changed {path} after you opened it. Nothing has been saved yet.", path=path
        )
        super().__init__(parent, title=tr("“{name}” changed on disk", name=path.name), intro=intro)
        self.answer = ConflictAnswer.CANCEL
        self.pairs = side_by_side(ours, theirs) if theirs is not None else [Pair(x, x) for x in ours.splitlines()]
        self._places = places(self.pairs)
        self._at = -1
        self.ours = Version(tr("Your version"))
        self.theirs = Version(tr("The file on disk"))
        self.ours.fill([(pair.ours, pair.theirs) for pair in self.pairs])
        if theirs is None:
            self.theirs.editor.setPlainText(tr("The file is not text, so it can't be shown here."))
        else:
            self.theirs.fill([(pair.theirs, pair.ours) for pair in self.pairs])
            scroll_together(self.ours, self.theirs)
        self._compose()
        self._add_buttons(can_reload=theirs is not None)
        self._resize(parent)
        self.step(1)

    def step(self, by: int) -> None:
        """Go to the next (1) or the previous (-1) difference, around the ends."""
        if not self._places:
            self.place.setText(tr("They differ only in line endings.") if self._can_reload else "")
            return
        self._at = (self._at + by) % len(self._places)
        row = self._places[self._at]
        self.place.setText(tr("Difference {number} of {count}", number=self._at + 1, count=len(self._places)))
        for version in (self.ours, self.theirs):
            version.go_to(row)

    def _compose(self) -> None:
        self.place = QLabel()
        self.place.setForegroundRole(self.place.palette().ColorRole.PlaceholderText)
        self.previous_button = self._arrow("chevron-up", tr("Previous difference"), -1)
        self.next_button = self._arrow("chevron-down", tr("Next difference"), 1)
        line = QHBoxLayout()
        line.addWidget(self.place)
        line.addWidget(self.previous_button)
        line.addWidget(self.next_button)
        line.addStretch(1)
        sides = QSplitter(Qt.Orientation.Horizontal)
        sides.setChildrenCollapsible(False)
        sides.addWidget(self.ours)
        sides.addWidget(self.theirs)
        self.body.addLayout(line)
        self.body.addWidget(sides, 1)
        self.body.addWidget(
            note(tr("If you load the version from disk, Undo restores your version as long as the tab is open."))
        )

    def _add_buttons(self, *, can_reload: bool) -> None:
        roles = QDialogButtonBox.ButtonRole
        self._can_reload = can_reload
        self.copy_button = self.add_button(
            tr("Save my version as..."), roles.AcceptRole, lambda: self._give(ConflictAnswer.COPY), default=True
        )
        self.overwrite_button = self.add_button(
            tr("Overwrite the file"), roles.DestructiveRole, lambda: self._give(ConflictAnswer.OVERWRITE)
        )
        self.reload_button = self.add_button(
            tr("Load the version from disk"), roles.DestructiveRole, lambda: self._give(ConflictAnswer.RELOAD)
        )
        self.reload_button.setEnabled(can_reload)
        self.cancel_button = self.add_button(tr("Cancel"), roles.RejectRole, self.reject)
        self.copy_button.setFocus()

    def _arrow(self, name: str, text: str, by: int) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name))
        button.setAutoRaise(True)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setEnabled(len(self._places) > 1)
        button.clicked.connect(lambda: self.step(by))
        return button

    def _resize(self, parent: QWidget | None) -> None:
        room = (parent.window() if parent is not None else self).screen().availableSize()
        wanted = QSize(1180, 700)
        self.resize(wanted.boundedTo(QSize(round(room.width() * _SHARE), round(room.height() * _SHARE))))

    def _give(self, answer: ConflictAnswer) -> None:
        self.answer = answer
        self.accept()


def ask_conflict(parent: QWidget | None, path: Path, ours: str, theirs: str | None) -> ConflictAnswer:
    """Ask what to do about a file that changed on disk; closing the question means CANCEL."""
    dialog = ConflictDialog(path, ours, theirs, parent)
    dialog.exec()
    answer = dialog.answer
    dialog.deleteLater()
    return answer
