"""Overlay: a search that lies over its parent until something is chosen, or the user turns to something else."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QWidget


class SearchOverlay(QFrame):
    """A search box with what it found. The box keeps the focus, wherever inside is clicked.

    A click outside, and the focus going elsewhere in the window, dismiss it; another window in front does not. What
    the mouse does inside is not passed on to the parent below.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.search = QLineEdit()
        # A click on a list without focus would otherwise give it to the parent, and so end the search before the click.
        self.setFocusProxy(self.search)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)

    def show_over(self) -> None:
        """Show it above what it is on, ready to be typed into."""
        self.show()
        self.raise_()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def dismiss(self) -> None:
        """Go away without a choice."""
        raise NotImplementedError

    @property
    def has_focus(self) -> bool:
        """Whether the keys go to something inside; where they do not, the user has already chosen another place."""
        return self._holds(self.window().focusWidget())

    def press_key(self, key: int) -> bool:
        """Take a key that was pressed in the search box; return whether it is used up."""
        raise NotImplementedError(key)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's
        super().showEvent(event)
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr] # there is one where there are widgets

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
        super().hideEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's
        """Look at every event of the program while the overlay is there."""
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress and isinstance(watched, QWidget):
            if self.isVisible() and not self._holds(watched):
                self.dismiss()
        elif watched is self.search:
            if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self.press_key(event.key())
            if kind == QEvent.Type.FocusOut and self.isVisible() and not self.has_focus:
                self.dismiss()
        return False

    def _holds(self, widget: QWidget | None) -> bool:
        """Return whether a widget is inside, or belongs to what is, as the menu of the search box does."""
        while widget is not None and widget is not self:
            widget = widget.parentWidget()
        return widget is self
