"""PaneFocus: takes the keyboard from pane to pane, and shows where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QScrollArea, QToolBar, QWidget
from shiboken6 import isValid

from quantcrafter.app.theme import current

if TYPE_CHECKING:
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.tabs.tabs import Tabs

CANVAS, TEXT = "canvas", "text"
LINE = 2
"""Width of the line around the pane that the keyboard was taken to, in pixels."""
_TAB_FOCUS = Qt.FocusPolicy.TabFocus.value


class PaneFocus(QObject):
    """Moves the focus between the canvas, the text and the panes of a window.

    Places are named as the docks are, `canvas` and `text` for those in the middle. A line around a place shows that the
    keyboard was taken there, until it leaves.

    Args:
        tabs: the open strategies.
        panes: the panes.
    """

    def __init__(self, tabs: Tabs, panes: PaneHost) -> None:
        super().__init__(tabs)
        self._tabs = tabs
        self._panes = panes
        self._ring: _Ring | None = None
        self._place: QWidget | None = None
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._moved)

    def toggle(self, name: str) -> None:
        """Show a pane and move the focus to it, or hide it if it has the focus."""
        docks = self._panes.docks
        if docks.is_shown(name) and _holds(docks.docks[name], QApplication.focusWidget()):
            self.leave()
            docks.docks[name].hide()
        else:
            self.enter(name)

    def enter(self, name: str) -> None:
        """Go to a place; a pane is shown for it."""
        if name not in (CANVAS, TEXT):
            self._panes.docks.show(name)
        # A pane behind a tab, or one that is made when it is first seen, is there once Qt has shown it.
        QTimer.singleShot(0, self, lambda: self._enter(name))

    def step(self, by: int) -> None:
        """Go to the next (1) or the previous (-1) place that can be seen, around the ends."""
        places = self.places()
        if not places:
            return
        focused = QApplication.focusWidget()
        names = list(places)
        here = next((at for at, place in enumerate(places.values()) if _holds(place, focused)), names.index(CANVAS))
        self.enter(names[(here + by) % len(names)])

    def leave(self) -> None:
        """Go back to the canvas."""
        tab = self._tabs.current()
        if tab is not None:
            tab.canvas.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def places(self) -> dict[str, QWidget]:
        """Return the places that can be seen, in the order in which they are walked."""
        tab = self._tabs.current()
        if tab is None or not self._panes.is_there:
            return {}
        docks = self._panes.docks
        shown = {name: dock for name, dock in docks.docks.items() if docks.is_shown(name)}
        left = {name: shown.pop(name) for name in ("palette",) if name in shown}
        text = {TEXT: tab.yaml} if tab.yaml.isVisible() else {}
        return {**left, CANVAS: tab.canvas, **text, **shown}

    def _enter(self, name: str) -> None:
        place = self.places().get(name)
        if place is None:
            return
        place.window().activateWindow()
        target = _target(place, docked=name not in (CANVAS, TEXT))
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self._show_ring(place)

    # ------------------------------------------------------------------ the line around the place

    def _show_ring(self, place: QWidget) -> None:
        self._hide_ring()
        self._place, self._ring = place, _Ring(place)

    def _hide_ring(self) -> None:
        if self._ring is not None and isValid(self._ring):  # a strategy that is closed takes it along
            self._ring.hide()
            self._ring.deleteLater()
        self._place = self._ring = None

    def _moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        if self._place is None or (isValid(self._place) and (new is None or _holds(self._place, new))):
            return
        self._hide_ring()


class _Ring(QWidget):
    """A line around a widget; the mouse goes through it."""

    def __init__(self, place: QWidget) -> None:
        super().__init__(place)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setGeometry(place.rect())
        place.installEventFilter(self)
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Stay as large as the place, and above what is put into it later."""
        if isinstance(watched, QWidget) and event.type() in (QEvent.Type.Resize, QEvent.Type.ChildAdded):
            self.setGeometry(watched.rect())
            self.raise_()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's signature
        painter = QPainter(self)
        painter.setPen(QPen(QColor(current().accent), LINE))
        half = LINE / 2
        painter.drawRect(QRectF(self.rect()).adjusted(half, half, -half, -half))
        painter.end()


def _holds(place: QWidget, widget: QWidget | None) -> bool:
    return widget is not None and (widget is place or place.isAncestorOf(widget))


def _target(place: QWidget, *, docked: bool) -> QWidget:
    """Return the widget of a place that takes the keyboard: the one that had it last, or the first that can."""
    last = place.focusWidget()
    if last is not None and last is not place and _takes(last, place):
        return last
    if not docked:
        return place
    each = place.nextInFocusChain()
    while each is not None and each is not place:
        if _takes(each, place):
            return each
        each = each.nextInFocusChain()
    place.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a pane without anything to type or to choose: its keys go on
    return place


def _takes(widget: QWidget, place: QWidget) -> bool:
    # A scroll area takes keys to scroll: what is in it is meant; and what a row of buttons is for, not its buttons.
    meant = not isinstance(widget, QScrollArea) and not isinstance(widget.parentWidget(), QToolBar)
    can = meant and bool(widget.focusPolicy().value & _TAB_FOCUS)
    return can and widget.isEnabled() and widget.isVisible() and place.isAncestorOf(widget)
