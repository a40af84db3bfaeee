"""The bar above the canvas about a node file that is not used: it is not allowed yet, or it has an error."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.window.layout.notice import NoticeBar
from quantcrafter.engine.plugins import PluginInfo, PluginStatus


class NodeFileNotice(NoticeBar):
    """`shown` requests the file's text, `allowed` its use, `closed` to close the bar."""

    shown = Signal()
    allowed = Signal()
    closed = Signal()

    def __init__(self, info: PluginInfo, parent: QWidget | None = None) -> None:
        name = Path(info.file).name
        has_failed = info.status is PluginStatus.FAILED
        text = (
            tr("The node file “{name}” was not loaded: {error}", name=name, error=translated(info.error))
            if has_failed
            else tr("The node file “{name}” is not used yet. It runs with all your permissions.", name=name)
        )
        super().__init__(text, "error" if has_failed else "warning", parent)
        self.show_button = self.add_button(tr("Open file") if has_failed else tr("Show"))
        self.show_button.clicked.connect(self.shown)
        self.allow_button = self.add_button(tr("Allow"))
        self.allow_button.setVisible(not has_failed)
        self.allow_button.clicked.connect(self.allowed)
        self.close_button = self.add_button(tr("Close") if has_failed else tr("Not now"))
        self.close_button.clicked.connect(self.closed)
