"""The plugins dialog: the installed plugins, their contents and errors, and a switch for each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, SignalInstance
from PySide6.QtGui import QBrush, QColor, QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTextBrowser,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.dialogs.frame import DialogFrame, note, paint_words, table
from quantcrafter.app.dialogs.node_file import asks_to_allow
from quantcrafter.app.dialogs.plugin_list import PluginList, PluginRow
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.text_editor import open_in_editor
from quantcrafter.app.theme import current
from quantcrafter.engine.api import PluginError
from quantcrafter.engine.plugins import PluginStatus, Registry, node_folder

NAME_ROLE = Qt.ItemDataRole.UserRole
MAX_NAMES = 40


class PluginsDialog(DialogFrame):
    """Shows a `PluginList`; switches are kept at once and hold from the next start.

    Args:
        registry: what is loaded.
        allow: allows a node file and has it loaded; the caller calls `refresh` then.
    """

    def __init__(self, registry: Registry, allow: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            title=tr("Plugins"),
            intro=tr(
                "Plugins are Python packages that add nodes, data and engines. Install them with pip. A Python file in "
                "the folder for node files is a plugin too."
            ),
        )
        self.model = PluginList(registry)
        self._allow = allow
        self.table = table([tr("Plugin"), tr("Version"), tr("Status")], tr("Installed plugins"))
        self.details = QTextBrowser()
        self.details.setAccessibleName(tr("What the plugin provides"))
        self.enabled = QCheckBox(tr("Use this plugin"))
        self.allow = QPushButton(tr("Allow"))
        self.show_file = QPushButton(tr("Show"))
        self.own = note(tr("This is part of QuantCrafter and can't be turned off."))
        self.restart = QLabel()
        self.restart.setWordWrap(True)
        self._lay_out()
        self.table.currentItemChanged.connect(self._show_current)
        self.enabled.clicked.connect(self._switch)
        self.allow.clicked.connect(self._allow_current)
        self.show_file.clicked.connect(self._show_file)
        self._fill()

    @property
    def needs_restart(self) -> bool:
        """Whether a switch waits for a restart."""
        return self.model.needs_restart

    def _lay_out(self) -> None:
        columns = QHBoxLayout()
        columns.addWidget(self.table, 5)
        right = QVBoxLayout()
        right.addWidget(self.details, 1)
        right.addWidget(self.enabled)
        file_buttons = QHBoxLayout()
        file_buttons.addWidget(self.show_file)
        file_buttons.addWidget(self.allow)
        file_buttons.addStretch(1)
        right.addLayout(file_buttons)
        right.addWidget(self.own)
        columns.addLayout(right, 4)
        self.body.addLayout(columns, 1)
        self.body.addWidget(self.restart)
        self.add_button(tr("Open folder of node files"), QDialogButtonBox.ButtonRole.ActionRole, _open_folder)
        self.close_button = self.add_button(
            tr("Close"), QDialogButtonBox.ButtonRole.RejectRole, self.accept, default=True
        )
        self.resize(860, 520)

    def refresh(self) -> None:
        """Show the plugins as they are now."""
        current = self.table.currentItem()
        name = current.data(0, NAME_ROLE) if current is not None else None
        self.model.refresh()
        self.table.clear()
        self._fill()
        for number in range(self.table.topLevelItemCount()):
            item = self.table.topLevelItem(number)
            if item is not None and item.data(0, NAME_ROLE) == name:
                self.table.setCurrentItem(item)

    def _fill(self) -> None:
        for row in self.model.rows:
            item = QTreeWidgetItem()
            item.setData(0, NAME_ROLE, row.name)
            self.table.addTopLevelItem(item)
            self._write(item, row)
        self.table.setCurrentItem(self.table.topLevelItem(0))
        self._say_restart()

    def _write(self, item: QTreeWidgetItem, row: PluginRow) -> None:
        item.setText(0, row.name)
        item.setText(1, row.info.version)
        item.setText(2, row.status)
        if row.info.status is PluginStatus.FAILED:
            item.setForeground(2, QBrush(QColor(current().error)))

    def _show_current(self) -> None:
        item = self.table.currentItem()
        if item is None:
            return
        row = self.model.row(item.data(0, NAME_ROLE))
        waits = row.info.status is PluginStatus.NOT_ALLOWED
        self.enabled.setVisible(not row.info.builtin and not waits)
        self.allow.setVisible(waits)
        self.show_file.setVisible(bool(row.info.file))
        self.own.setVisible(row.info.builtin)
        self.enabled.setChecked(row.enabled)
        self.details.setHtml(_details(row))

    def _allow_current(self) -> None:
        item = self.table.currentItem()
        if item is None:
            return
        try:
            self._allow(item.data(0, NAME_ROLE))
        except PluginError as error:
            self._warn(translated(str(error)))

    def _show_file(self) -> None:
        item = self.table.currentItem()
        if item is None:
            return
        row = self.model.row(item.data(0, NAME_ROLE))
        if row.info.status is not PluginStatus.NOT_ALLOWED:
            open_in_editor(Path(row.info.file))
        elif asks_to_allow(self, Path(row.info.file)):
            self._allow_current()

    def _switch(self, enabled: bool) -> None:  # noqa: FBT001 - the signature of Qt's clicked
        item = self.table.currentItem()
        if item is None:
            return
        try:
            row = self.model.switch(item.data(0, NAME_ROLE), enabled=enabled)
        except PluginError as error:
            self.enabled.setChecked(not enabled)
            self._warn(translated(str(error)))
            return
        self._write(item, row)
        self._say_restart()

    def _say_restart(self) -> None:
        self._warn(tr("Restart QuantCrafter for the change to take effect.") if self.needs_restart else " ")

    def _warn(self, text: str) -> None:
        paint_words(self.restart, current().warning)
        self.restart.setText(text)


def show_plugins(
    parent: QWidget | None, registry: Registry, allow: Callable[[str], None], loaded: SignalInstance
) -> bool:
    """Show the plugins; return whether one was switched, so that a restart is due.

    Args:
        parent: the window.
        registry: what is loaded.
        allow: allows a node file and has it loaded.
        loaded: the Qt signal that something was loaded again.
    """
    dialog = PluginsDialog(registry, allow, parent)
    loaded.connect(dialog.refresh)
    dialog.exec()
    loaded.disconnect(dialog.refresh)
    result = dialog.needs_restart
    dialog.deleteLater()
    return result


def _open_folder() -> None:
    folder = node_folder()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _details(row: PluginRow) -> str:
    """Return what is known of a plugin as HTML."""
    info = row.info
    parts = [f"<b>{escape(info.name)}</b> {escape(info.version)}"]
    if info.file:
        parts.append(escape(info.file))
    elif info.distribution:
        parts.append(escape(tr("From the package {name}", name=info.distribution)))
    if info.error:
        error = f'<span style="color: {current().error}">{escape(translated(info.error))}</span>'
        parts.append(f"{escape(tr('It was not loaded:'))}<br>{error}")
    for title, names in row.brings():
        more = len(names) - MAX_NAMES
        tail = tr(", and {count} more", count=more) if more > 0 else ""
        parts.append(f"<b>{escape(title)}</b> ({len(names)})<br>{escape(', '.join(names[:MAX_NAMES]) + tail)}")
    if info.status is PluginStatus.NOT_ALLOWED:
        parts.append(escape(tr("It runs with all your permissions. Read it before you allow it.")))
    elif not info.provides and not info.error:
        parts.append(escape(tr("Enable it to see its contents.")))
    if info.traceback:
        parts.append(f"<pre>{escape(info.traceback.strip())}</pre>")
    return "".join(f"<p>{part}</p>" for part in parts)
