"""Dialogs about node files: the text of one that is not allowed yet, and the name of a new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QDialogButtonBox, QLineEdit, QPlainTextEdit, QWidget

from quantcrafter.app.dialogs.frame import DialogFrame, note, paint_words
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.theme import current
from quantcrafter.engine.api import PluginError

MOST_TEXT = 1_000_000
"""How much of a file is shown."""


class NodeFileDialog(DialogFrame):
    """Shows a node file, which is not run for that; accepted when the user allows it."""

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            title=tr("Node file {name}", name=path.name),
            intro=tr("If you allow this file, it runs with all your permissions, now and after each change of it."),
        )
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName(str(path))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setPlainText(_read(path))
        self.body.addWidget(self.text, 1)
        self.body.addWidget(note(str(path)))
        self.allow_button = self.add_button(tr("Allow"), QDialogButtonBox.ButtonRole.AcceptRole, self.accept)
        self.close_button = self.add_button(
            tr("Close"), QDialogButtonBox.ButtonRole.RejectRole, self.reject, default=True
        )
        self.resize(760, 520)


class NewNodeFileDialog(DialogFrame):
    """Asks for the name of a new node file; `create` makes it, and its errors are shown."""

    def __init__(self, create: Callable[[str], Path], parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            title=tr("New node file"),
            intro=tr("A Python file with a small indicator to start from. It is loaded again each time you save it."),
        )
        self._create = create
        self.path: Path | None = None
        self.name = QLineEdit()
        self.name.setPlaceholderText(tr("Name, such as momentum"))
        self.name.setAccessibleName(tr("Name, such as momentum"))
        self.reason = note(" ")
        paint_words(self.reason, current().error)
        self.body.addWidget(self.name)
        self.body.addWidget(self.reason, 1)
        self.create_button = self.add_button(
            tr("Create"), QDialogButtonBox.ButtonRole.AcceptRole, self._take, default=True
        )
        self.add_button(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole, self.reject)
        self.name.setFocus()
        self.resize(520, 240)

    def _take(self) -> None:
        try:
            self.path = self._create(self.name.text().strip().removesuffix(".py"))
        except PluginError as error:
            self.reason.setText(translated(str(error)))
            return
        self.accept()


def asks_to_allow(parent: QWidget | None, path: Path) -> bool:
    """Show a node file; return whether the user allows it."""
    dialog = NodeFileDialog(path, parent)
    allowed = dialog.exec() == NodeFileDialog.DialogCode.Accepted
    dialog.deleteLater()
    return allowed


def ask_for_new_file(parent: QWidget | None, create: Callable[[str], Path]) -> Path | None:
    """Ask for a name; return the file that was made, None if the user changed their mind."""
    dialog = NewNodeFileDialog(create, parent)
    dialog.exec()
    path = dialog.path
    dialog.deleteLater()
    return path


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MOST_TEXT)
    except OSError as error:
        return tr("The file can't be read: {reason}", reason=error.strerror or str(error))
