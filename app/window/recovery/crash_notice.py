"""Messages after a crash: the location of the report, and the damaged recovery files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QPalette
from PySide6.QtWidgets import QDialogButtonBox, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from quantcrafter.app.dialogs.frame import DialogFrame, plain
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.window.recovery.unsaved_work import Leftovers

_MAX_COPIED = 1_000_000
"""Bytes of a report that are copied."""


class CrashNotice(QFrame):
    """A tinted panel with a row for the latest report, one for damaged recovery files and one for damaged settings."""

    def __init__(self, left: Leftovers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(current().warning_soft))
        self.setPalette(palette)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 10, 14, 10)
        self._column.setSpacing(8)
        self.buttons: dict[str, QPushButton] = {}
        if left.reports:
            self._show_report(left.reports[0])
        if left.set_aside:
            self._show_damage(left.set_aside)
        if left.settings is not None:
            text = tr("The settings couldn't be read, so the defaults are used. The damaged file is kept:")
            self._add_row(text, left.settings, {"settings": (tr("Open folder"), partial(_open, left.settings.parent))})

    def _show_report(self, report: Path) -> None:
        self._add_row(
            tr("QuantCrafter crashed when it last ran. Please send this report to the developers:"),
            report,
            {
                "open": (tr("Open report"), partial(_open, report)),
                "copy": (tr("Copy report"), partial(_copy, report)),
            },
        )

    def _show_damage(self, files: tuple[Path, ...]) -> None:
        folder = files[0].parent
        names = ", ".join(file.name for file in files[:3]) + (", ..." if len(files) > 3 else "")  # noqa: PLR2004
        text = tr("Recovery files that can't be read: {names}. They are kept in:", names=names)
        self._add_row(text, folder, {"folder": (tr("Open folder"), partial(_open, folder))})

    def _add_row(self, text: str, path: Path, buttons: dict[str, tuple[str, Callable[[], None]]]) -> None:
        words = QLabel(text)
        words.setWordWrap(True)
        self._column.addWidget(words)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(plain(str(path)), 1)
        for name, (label, clicked) in buttons.items():
            button = self.buttons[name] = QPushButton(label)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked=False, clicked=clicked: clicked())
            row.addWidget(button)
        self._column.addLayout(row)


def report_crash(parent: QWidget | None, left: Leftovers) -> None:
    """Show a dialog about a crash or damage that left no unsaved work; nothing where there is nothing to tell."""
    if not left:
        return
    title = tr("After a crash") if left.reports else tr("Damaged files")
    dialog = DialogFrame(parent, title=title, intro=tr("There is no unsaved work to restore. Your files are safe."))
    dialog.body.addWidget(CrashNotice(left))
    dialog.body.addStretch(1)
    dialog.add_button(tr("Close"), QDialogButtonBox.ButtonRole.AcceptRole, dialog.accept, default=True)
    dialog.resize(640, dialog.sizeHint().height())
    dialog.exec()
    dialog.deleteLater()


def _open(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _copy(report: Path) -> None:
    try:
        with report.open("rb") as stream:
            text = stream.read(_MAX_COPIED).decode("utf-8", "replace")
    except OSError as error:
        text = f"{report}: {error}"
    QGuiApplication.clipboard().setText(text)
