"""What a strategy's migration to this version's format changed: each change in a sentence, and both texts."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialogButtonBox, QListWidget, QSplitter, QWidget

from quantcrafter.app.dialogs.conflict_text import places, side_by_side
from quantcrafter.app.dialogs.frame import DialogFrame, section
from quantcrafter.app.dialogs.text_version import Version, scroll_together
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.engine.spec import Migrated, format_version

_MOST_ROWS = 6
_SHARE = 0.86


class MigrationDialog(DialogFrame):
    """Shows what was changed; `undo_asked` is True once the user wants the old text back.

    Args:
        name: what the strategy is called.
        migrated: the text as it was and as it is, and the changes.
        parent: the window.
        is_last: whether nothing was changed since, so that one step back undoes it.
    """

    def __init__(self, name: str, migrated: Migrated, parent: QWidget | None = None, *, is_last: bool = True) -> None:
        intro = tr(
            "“{name}” had format {old}. It was migrated to format {new}, which this version "
            "writes. The file is not changed until you save.",
            name=name,
            old=migrated.version,
            new=format_version(),
        )
        super().__init__(parent, title=tr("Changes to “{name}”", name=name), intro=intro)
        self.undo_asked = False
        self.changes = QListWidget()
        self.changes.setAccessibleName(tr("Changes"))
        self.changes.addItems([translated(sentence) for sentence in migrated.changes])
        self.changes.setWordWrap(True)
        rows = min(max(self.changes.count(), 1), _MOST_ROWS)
        self.changes.setFixedHeight(rows * self.changes.sizeHintForRow(0) + 2 * self.changes.frameWidth() + 2)
        self.before, self.after = Version(tr("Previous version")), Version(tr("Current version"))
        pairs = side_by_side(migrated.before, migrated.text)
        self.before.fill([(pair.ours, pair.theirs) for pair in pairs])
        self.after.fill([(pair.theirs, pair.ours) for pair in pairs])
        for row in places(pairs)[:1]:
            self.before.go_to(row)
            self.after.go_to(row)
        scroll_together(self.before, self.after)
        self._compose()
        self.undo_button.setEnabled(is_last)
        self._resize(parent)

    def _compose(self) -> None:
        sides = QSplitter(Qt.Orientation.Horizontal)
        sides.setChildrenCollapsible(False)
        sides.addWidget(self.before)
        sides.addWidget(self.after)
        self.body.addWidget(section(tr("Changes")))
        self.body.addWidget(self.changes)
        self.body.addWidget(sides, 1)
        roles = QDialogButtonBox.ButtonRole
        self.close_button = self.add_button(tr("Close"), roles.AcceptRole, self.accept, default=True)
        self.undo_button = self.add_button(tr("Undo these changes"), roles.DestructiveRole, self._undo)
        self.close_button.setFocus()

    def _undo(self) -> None:
        self.undo_asked = True
        self.accept()

    def _resize(self, parent: QWidget | None) -> None:
        room = (parent.window() if parent is not None else self).screen().availableSize()
        self.resize(QSize(1180, 700).boundedTo(QSize(round(room.width() * _SHARE), round(room.height() * _SHARE))))


def asks_to_undo(parent: QWidget | None, name: str, migrated: Migrated, *, is_last: bool) -> bool:
    """Show a migration and return whether the user wants the old text back."""
    dialog = MigrationDialog(name, migrated, parent, is_last=is_last)
    dialog.exec()
    answer = dialog.undo_asked
    dialog.deleteLater()
    return answer
