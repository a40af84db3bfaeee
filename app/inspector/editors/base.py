"""What the form's rows expect of an editor."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QWidget

from quantcrafter.app.theme import current

LEAST_WIDTH = 56


class Editor(QWidget):
    """One editor of one value.

    The Qt signal `chosen` carries a value that was picked as a whole; `typed` carries a text that was finished by
    Enter or by leaving the editor, and has yet to be read.
    """

    chosen = Signal(object)
    typed = Signal(str)

    def show_value(self, value: Any, *, various: bool) -> None:
        """Show a value (UNSET for none); `various` says that several subjects differ."""
        raise NotImplementedError

    def draft(self) -> str | None:
        """Return the text that was typed and is not the value shown, None when there is none."""
        return None

    def set_draft(self, text: str) -> None:
        """Put a text into the editor as if it had been typed."""
        raise NotImplementedError(text)

    def finish(self) -> None:
        """Send what is pending, as if the editor had been left."""

    def mark(self, severity: str) -> None:
        """Colour the editor as faulty: `error`, `warning`, or '' for fine."""
        theme = current()
        colors = {"error": theme.error_soft, "warning": theme.warning_soft}
        for part in (self.focusProxy() or self, *self.findChildren(QWidget)):
            palette = QPalette()
            if severity in colors:
                palette.setColor(QPalette.ColorRole.Base, QColor(colors[severity]))
                palette.setColor(QPalette.ColorRole.Button, QColor(colors[severity]))
            part.setPalette(palette)


class _WheelGuard(QObject):
    """Lets the wheel scroll the form instead of changing a value that has no focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def guard_wheel(widget: QComboBox | QAbstractSpinBox) -> None:
    """Keep the wheel from changing a value in passing, and let the widget become narrow."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.setMinimumWidth(LEAST_WIDTH)
    widget.installEventFilter(_WheelGuard(widget))
