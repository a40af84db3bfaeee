"""The strip beside the text: line numbers, and a mark on every line that has a problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip, QWidget

from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.theme import current
from quantcrafter.engine.api import Problem, Severity

if TYPE_CHECKING:
    from quantcrafter.app.panes.yaml_view.editor import CodeEditor

_MARK = 16
_GAP = 10


def sentence(problems: Sequence[Problem]) -> str:
    """Return problems as a tooltip says them: message and remedy, errors first, one below the other."""
    ordered = sorted(problems, key=lambda problem: problem.severity is not Severity.ERROR)
    lines = []
    for problem in ordered:
        kind = tr("Error") if problem.severity is Severity.ERROR else tr("Warning")
        lines.append(
            "\n".join(part for part in (f"{kind}: {translated(problem.message)}", translated(problem.remedy)) if part)
        )
    return "\n\n".join(lines)


class Gutter(QWidget):
    """Line numbers of a CodeEditor, with a round mark for an error and a triangle for a warning.

    The Qt signal `clicked(row)` tells which line was clicked, counted from 0.
    """

    clicked = Signal(int)

    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAccessibleName(tr("Line numbers and problems"))

    def wanted_width(self) -> int:
        """Return the width that the numbers need, in pixels."""
        digits = max(3, len(str(self._editor.blockCount())))
        return _MARK + _GAP + self._editor.fontMetrics().horizontalAdvance("9") * digits + _GAP

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(self.wanted_width(), 0)

    def event(self, event: QEvent) -> bool:
        """Show what is wrong with the line under the mouse."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tip_at(event.pos())
            if text:
                QToolTip.showText(event.globalPos(), text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def tip_at(self, position: QPoint) -> str:
        """Return what is wrong with the line at a height of the strip, "" for nothing."""
        found = self._editor.problems_on(self._editor.row_at(position.y()))
        return sentence(found) if found else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Tell which line was clicked."""
        self.clicked.emit(self._editor.row_at(event.position().toPoint().y()))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint numbers and marks of the lines in view."""
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), QColor(theme.panel))
        painter.setPen(QPen(QColor(theme.divider)))
        painter.drawLine(self.width() - 1, event.rect().top(), self.width() - 1, event.rect().bottom())
        painter.setFont(self._editor.font())
        own = self._editor.textCursor().blockNumber()
        height = self._editor.fontMetrics().height()
        for row, top in self._editor.rows_in_view():
            if top > event.rect().bottom():
                break
            painter.setPen(QColor(theme.text if row == own else theme.text_dim))
            box = QRectF(_MARK, top, self.width() - _MARK - _GAP, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(row + 1))
            found = self._editor.problems_on(row)
            if found:
                _draw_mark(painter, found, QPointF(_MARK / 2 + 2, top + height / 2))


def _draw_mark(painter: QPainter, problems: Sequence[Problem], center: QPointF) -> None:
    theme = current()
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    if any(problem.severity is Severity.ERROR for problem in problems):
        painter.setBrush(QColor(theme.error))
        painter.drawEllipse(center, 5.0, 5.0)
    else:
        painter.setBrush(QColor(theme.warning))
        x, y = center.x(), center.y()
        painter.drawPolygon(QPolygonF([QPointF(x, y - 5.5), QPointF(x + 6, y + 5), QPointF(x - 6, y + 5)]))
    painter.restore()
