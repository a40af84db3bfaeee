"""The shortcut editor: every action with its keys, found by name or by keys, conflicts named in place."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QKeySequence
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidgetItem,
    QWidget,
)

from quantcrafter.app.dialogs.frame import DialogFrame, note, paint_words, table
from quantcrafter.app.dialogs.shortcut_list import Command, ShortcutList
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current

ID_ROLE = Qt.ItemDataRole.UserRole


class ShortcutsDialog(DialogFrame):
    """Edits a `ShortcutList`: pick an action, press the keys for it."""

    def __init__(self, commands: Iterable[Command], parent: QWidget | None = None) -> None:
        super().__init__(parent, title=tr("Keyboard shortcuts"))
        self.model = ShortcutList(commands)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search by action or shortcut"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.setClearButtonEnabled(True)
        self.table = table([tr("Action"), tr("Shortcut"), ""], tr("Actions and keyboard shortcuts"))
        self.nothing = note("")
        self.body.addWidget(self.search)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.nothing)
        self._add_editor()
        self._add_buttons()
        self.search.textChanged.connect(self.refresh)
        self.table.currentItemChanged.connect(self._show_current)
        self.resize(720, 560)
        self.refresh()

    @property
    def overrides(self) -> dict[str, str]:
        """The keys that differ from those that the actions come with."""
        return self.model.overrides()

    @property
    def current_id(self) -> str:
        """The id of the action that is picked, '' for none."""
        item = self.table.currentItem()
        return str(item.data(0, ID_ROLE)) if item is not None else ""

    def refresh(self) -> None:
        """Show the actions that match the search, with their edited shortcuts."""
        chosen = self.current_id
        self.table.blockSignals(True)
        self.table.clear()
        for command in self.model.commands(self.search.text()):
            self.table.addTopLevelItem(self._row(command))
        rows = [self.table.topLevelItem(row) for row in range(self.table.topLevelItemCount())]
        again = [row for row in rows if row is not None and row.data(0, ID_ROLE) == chosen]
        first = (again or rows)[0] if rows else None
        if first is not None:
            self.table.setCurrentItem(first)
        self.table.blockSignals(False)
        self.nothing.setVisible(not rows)
        self.nothing.setText(tr("No action matches “{query}”.", query=self.search.text()))
        self._show_current()

    def _add_editor(self) -> None:
        row = QHBoxLayout()
        self.picked = QLabel()
        self.picked.setTextFormat(Qt.TextFormat.PlainText)
        self.keys = QKeySequenceEdit()
        self.keys.setMaximumSequenceLength(1)
        self.keys.setClearButtonEnabled(True)
        self.keys.setMinimumWidth(200)
        self.keys.setAccessibleName(tr("New shortcut"))
        self.reset_button = QPushButton(tr("Reset"))
        self.reset_button.setAutoDefault(False)
        row.addWidget(self.picked, 1)
        row.addWidget(self.keys)
        row.addWidget(self.reset_button)
        self.body.addLayout(row)
        self.conflict = QLabel(" ")
        self.conflict.setWordWrap(True)
        self.conflict.setTextFormat(Qt.TextFormat.PlainText)
        self.body.addWidget(self.conflict)
        self.keys.keySequenceChanged.connect(self._take_keys)
        self.reset_button.clicked.connect(self._reset)

    def _add_buttons(self) -> None:
        roles = QDialogButtonBox.ButtonRole
        self.reset_all_button = self.add_button(tr("Reset all"), roles.ResetRole, self._reset_all)
        self.ok_button = self.add_button(tr("OK"), roles.AcceptRole, self.accept)
        self.cancel_button = self.add_button(tr("Cancel"), roles.RejectRole, self.reject)

    def _row(self, command: Command) -> QTreeWidgetItem:
        rivals = self.model.conflicts(command.id)
        note_text = tr("Changed") if command.is_changed else ""
        if rivals:
            note_text = tr("Also: {titles}", titles=", ".join(rival.title for rival in rivals))
        item = QTreeWidgetItem([command.title, _native(command.current), note_text])
        item.setData(0, ID_ROLE, command.id)
        if command.is_changed:
            font = QFont(self.table.font())
            font.setWeight(QFont.Weight.DemiBold)
            item.setFont(1, font)
        if rivals:
            for column in (1, 2):
                item.setForeground(column, QBrush(QColor(current().error)))
        return item

    def _show_current(self) -> None:
        command_id = self.current_id
        for widget in (self.keys, self.reset_button):
            widget.setEnabled(bool(command_id))
        command = self.model.command(command_id) if command_id else Command("", "")
        self.picked.setText(command.title)
        self.reset_button.setEnabled(command.is_changed)
        self.keys.blockSignals(True)
        self.keys.setKeySequence(_sequence(command.current))
        self.keys.blockSignals(False)
        self._say_conflict(command)

    def _say_conflict(self, command: Command) -> None:
        rivals = self.model.conflicts(command.id) if command.id else ()
        paint_words(self.conflict, current().error)
        titles = ", ".join(tr("“{title}”", title=rival.title) for rival in rivals)
        self.conflict.setText(
            tr(
                "{keys} is already assigned to {titles}. Choose another shortcut for one of them.",
                keys=_native(command.current),
                titles=titles,
            )
            if rivals
            else " "
        )
        self.ok_button.setEnabled(not self.model.has_conflicts)
        self.reset_all_button.setEnabled(bool(self.overrides))

    def _take_keys(self, sequence: QKeySequence) -> None:
        if self.current_id:
            self.model.set_keys(self.current_id, sequence.toString(QKeySequence.SequenceFormat.PortableText))
            self._update_rows()

    def _update_rows(self) -> None:
        """Rewrite the rows in place, so that the keys go on being taken."""
        for number in range(self.table.topLevelItemCount()):
            item = self.table.topLevelItem(number)
            if item is None:
                continue
            made = self._row(self.model.command(item.data(0, ID_ROLE)))
            for column in range(self.table.columnCount()):
                item.setText(column, made.text(column))
                item.setFont(column, made.font(column))
                item.setForeground(column, made.foreground(column))
        command = self.model.command(self.current_id)
        self.reset_button.setEnabled(command.is_changed)
        self._say_conflict(command)

    def _reset(self) -> None:
        self.model.reset(self.current_id)
        self.refresh()

    def _reset_all(self) -> None:
        self.model.reset_all()
        self.refresh()


def edit_shortcuts(parent: QWidget | None, commands: Iterable[Command]) -> dict[str, str] | None:
    """Let the user change the keys; return what differs from the defaults by action id, or None on Cancel."""
    dialog = ShortcutsDialog(commands, parent)
    accepted = dialog.exec() == ShortcutsDialog.DialogCode.Accepted
    result = dialog.overrides if accepted else None
    dialog.deleteLater()
    return result


def _sequence(keys: str) -> QKeySequence:
    return QKeySequence.fromString(keys, QKeySequence.SequenceFormat.PortableText)


def _native(keys: str) -> str:
    return _sequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
