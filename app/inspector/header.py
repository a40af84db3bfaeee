"""The head of a node's form: its id, what it uses, its family, bypass and mute."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from quantcrafter.app.document.view import NodeView
from quantcrafter.app.inspector.editors.texts import EscapableLine
from quantcrafter.app.inspector.label_colors import tint
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.type_names import family_member
from quantcrafter.app.theme import current, family_of
from quantcrafter.app.theme.icons import icon

_STRIPE = 4


class NodeHeader(QWidget):
    """Says which node it is. The Qt signals ask for a new id, and for the flags."""

    renamed = Signal(str)
    bypassed = Signal(bool)
    muted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.family = ""
        self.sign = QLabel(self)
        self.name = EscapableLine(self)
        self.name.setAccessibleName(tr("Node name"))
        self.name.setToolTip(tr("The node's name in the file. Wires are updated when it changes."))
        self.use = QLabel(self)
        self.use.setWordWrap(True)
        self.use.setForegroundRole(self.use.palette().ColorRole.PlaceholderText)
        self.reason = QLabel(self)
        self.reason.setWordWrap(True)
        self.reason.hide()
        self.bypass = self._toggle("bypass", tr("Bypass: pass the first compatible input through"))
        self.mute = self._toggle("mute", tr("Mute: no output"))
        self._lay_out()
        self.name.returnPressed.connect(self.finish)
        # Soon: a click that ends the typing is dealt with first, as a new name makes the form below again.
        self._finish_soon = QTimer(self, singleShot=True, interval=0)
        self._finish_soon.timeout.connect(self.finish)
        self.name.editingFinished.connect(self._finish_soon.start)
        self.bypass.clicked.connect(self.bypassed)
        self.mute.clicked.connect(self.muted)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.sign)
        top.addWidget(self.name, 1)
        top.addWidget(self.bypass)
        top.addWidget(self.mute)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 6, 6)
        box.setSpacing(3)
        box.addLayout(top)
        box.addWidget(self.reason)
        box.addWidget(self.use)

    def show_node(self, node: NodeView) -> None:
        """Show a node; a name that is being typed stays."""
        self.family = family_of(node.role, node.id)
        self.sign.setPixmap(icon(self.family, current().family(self.family)).pixmap(QSize(18, 18)))
        if self.name.text() == self.name.shown or self.name.shown != node.id:
            self.name.setText(node.id)
            self.say("")
        self.name.shown = node.id
        self.name.setReadOnly(node.role is None)
        self.use.setText(_use_text(node))
        for button, state in ((self.bypass, node.bypass), (self.mute, node.mute)):
            button.setChecked(state)
            button.setVisible(node.role is not None and node.known)
        self.update()

    def say(self, reason: str) -> None:
        """Mark the name as refused, with the reason; '' for fine."""
        self.reason.setText(reason)
        tint(self.reason, current().error)
        self.reason.setVisible(bool(reason))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        super().paintEvent(event)
        painter = QPainter(self)
        theme = current()
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.fillRect(0, 0, _STRIPE, self.height(), QColor(theme.family(self.family)))
        painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(theme.divider))

    @property
    def is_refused(self) -> bool:
        """Whether a name is shown that the node does not have; call `finish` before."""
        return self.name.text().strip() != self.name.shown

    def finish(self) -> None:
        """Ask for the name that was typed, if it is another."""
        text = self.name.text().strip()
        if text == self.name.shown:
            self.say("")
        elif not text:
            self.say(tr("A node needs a name."))
        else:
            self.renamed.emit(text)

    def _toggle(self, name: str, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(name))
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setToolTip(text)
        button.setAccessibleName(text.partition(":")[0])
        button.setAccessibleDescription(text)
        return button


def _use_text(node: NodeView) -> str:
    if node.block:
        return tr("Block {use}", use=node.use)
    if not node.known:
        return tr("{use} (not installed)", use=node.use or "?")
    return f"{family_member(node.role)} · {node.use}" if node.role is not None else family_member(None)


class TitleHeader(QWidget):
    """The head of a form that is not about one node."""

    def __init__(self, name: str, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        sign = QLabel(self)
        sign.setPixmap(icon(name).pixmap(QSize(18, 18)))
        self.title = QLabel(title, self)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.text = QLabel(text, self)
        self.text.setWordWrap(True)
        self.text.setForegroundRole(self.text.palette().ColorRole.PlaceholderText)
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(sign)
        top.addWidget(self.title, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 6, 6)
        box.setSpacing(3)
        box.addLayout(top)
        box.addWidget(self.text)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        super().paintEvent(event)
        painter = QPainter(self)
        theme = current()
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(theme.divider))
