"""Notices about runs: a bar over the canvas for a run that failed, and one over results that are out of date."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from quantcrafter.app import theme
from quantcrafter.app.dialogs.folding import FoldingBar
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon

ICON = 16


class NoticeBar(FoldingBar):
    """A tinted bar with an icon and a sentence."""

    def __init__(self, text: str, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._kind = kind
        self.row.setContentsMargins(12, 5, 8, 5)
        self._sign = QLabel()
        self.words.insertWidget(0, self._sign)
        self._tint()
        theme.themes.changed.connect(self._tint)

    def add_button(self, text: str) -> QPushButton:
        """Return a new button at the right end."""
        button = QPushButton(text)
        self.buttons.addWidget(button)
        return button

    def _tint(self) -> None:
        now = theme.current()
        soft, strong = (now.error_soft, now.error) if self._kind == "error" else (now.warning_soft, now.warning)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(soft))
        self.setPalette(palette)
        self._sign.setPixmap(icon(self._kind, strong).pixmap(QSize(ICON, ICON)))


class FailureNotice(NoticeBar):
    """Shows why a run failed. `node_asked` requests to show the failed node, `closed` requests to close the bar."""

    node_asked = Signal()
    closed = Signal()

    def __init__(self, message: str, node: str = "", parent: QWidget | None = None) -> None:
        super().__init__(message, "error", parent)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.show_node = self.add_button(tr("Show '{name}'", name=node))
        self.show_node.setVisible(bool(node))
        self.show_node.clicked.connect(self.node_asked)
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setToolTip(tr("Close"))
        close.setAccessibleName(tr("Close"))
        close.clicked.connect(self.closed)
        self.buttons.addWidget(close)


class StaleBanner(NoticeBar):
    """Shows that results are out of date. `run_asked` requests a run."""

    run_asked = Signal()
    folds = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Out of date: the strategy was changed after this run."), "warning", parent)
        self.text.setWordWrap(False)
        self.row.setContentsMargins(12, 1, 8, 1)  # it takes its height from the results
        again = QToolButton()
        again.setText(tr("Run again"))
        again.setIcon(icon("run"))
        again.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        again.setIconSize(QSize(ICON, ICON))
        again.clicked.connect(self.run_asked)
        self.buttons.addWidget(again)
