"""Migrations: migrates strategies of an older format when they are opened, and shows the changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.app.window.layout.notice import NoticeBar
from quantcrafter.engine.api import SpecError
from quantcrafter.engine.spec import Migrated, format_version, migrate_text

if TYPE_CHECKING:
    from quantcrafter.app.document.contract import DocumentChange
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.tabs.tab import StrategyTab

ABOUT = "format"


class MigrationNotice(NoticeBar):
    """Shows that a strategy was migrated. `shown` requests the changes, `closed` requests to close the bar."""

    shown = Signal()
    closed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        text = tr(
            "“{name}” had an older format and was migrated to format {new}. The file is not changed until you save.",
            name=name,
            new=format_version(),
        )
        super().__init__(text, "warning", parent)
        self.show_button = self.add_button(tr("Show changes"))
        self.show_button.clicked.connect(self.shown)
        self.close_button = self.add_button(tr("OK"))
        self.close_button.clicked.connect(self.closed)


class Migrations:
    """Migrates each strategy that is opened or loaded again, as one step that can be undone.

    The file is left alone until the user saves. Who undoes the step gets the text as it is in the file.

    Args:
        messages: shows messages to the user.
    """

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._done: dict[StrategyTab, Migrated] = {}

    def follow(self, tab: StrategyTab) -> None:
        """Migrate a strategy if it is of an older format, now and whenever its file is loaded again."""
        tab.changed.connect(lambda change: self._changed(tab, change))
        self._migrate(tab)

    def forget(self, tab: StrategyTab) -> None:
        """Release a strategy that is closed."""
        self._done.pop(tab, None)

    def _migrate(self, tab: StrategyTab) -> None:
        if tab.document.redo_label == _label():
            return  # the user took it back
        try:
            migrated = migrate_text(tab.document.text, str(tab.path or ""))
        except SpecError as error:
            self._messages.say(error_text(error))
            return
        if migrated is not None:
            self._done[tab] = migrated
            tab.document.set_text(migrated.text, label=_label())
            self._show_notice(tab)

    def _changed(self, tab: StrategyTab, change: DocumentChange) -> None:
        if change.kind == "saved":
            tab.end_notice(ABOUT)
            QTimer.singleShot(0, tab, lambda: self._migrate(tab))  # all others hear of this change first
        elif change.label == _label() and change.kind == "undo":
            tab.end_notice(ABOUT)
        elif change.label == _label() and change.kind == "redo":
            self._show_notice(tab)

    def _show_notice(self, tab: StrategyTab) -> None:
        migrated = self._done.get(tab)
        if migrated is None:
            return
        notice = MigrationNotice(tab.title, tab)
        notice.shown.connect(lambda: self._show_changes(tab, migrated))
        notice.closed.connect(lambda: tab.end_notice(ABOUT))
        tab.show_notice(notice, ABOUT)

    def _show_changes(self, tab: StrategyTab, migrated: Migrated) -> None:
        from quantcrafter.app.dialogs.migration import asks_to_undo

        is_last = tab.document.undo_label == _label()
        if asks_to_undo(tab, tab.title, migrated, is_last=is_last):
            tab.document.undo()


def _label() -> str:
    return tr("Migrate to format {version}", version=format_version())
