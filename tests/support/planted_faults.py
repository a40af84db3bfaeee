"""The app with a fault in each kind of method that Qt calls, one kind after the other. Arguments: a strategy file.

Prints how many methods there are, how many of them Qt called, and how often one raised. Exits with 7.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget

from quantcrafter.app.guard import guarded, overrides
from quantcrafter.app.main import open_app
from quantcrafter.app.window.startup.start_steps import Start
from tests.support.qt_classes import qt_classes

DONE = 7
TURNS = 2
_AT = QPointF(5, 5)
_KIND, _BUTTON, _KEYS = QEvent.Type, Qt.MouseButton, Qt.KeyboardModifier.NoModifier
_MIME = QMimeData()
_DRAG = (_MIME, _BUTTON.LeftButton, _KEYS)


def _mouse(kind: QEvent.Type) -> Callable[[], QEvent]:
    return lambda: QMouseEvent(kind, _AT, _AT, _BUTTON.LeftButton, _BUTTON.LeftButton, _KEYS)


EVENTS: dict[str, Callable[[], QEvent]] = {
    "keyPressEvent": lambda: QKeyEvent(_KIND.KeyPress, Qt.Key.Key_F30, _KEYS),
    "keyReleaseEvent": lambda: QKeyEvent(_KIND.KeyRelease, Qt.Key.Key_F30, _KEYS),
    "mousePressEvent": _mouse(_KIND.MouseButtonPress),
    "mouseReleaseEvent": _mouse(_KIND.MouseButtonRelease),
    "mouseMoveEvent": _mouse(_KIND.MouseMove),
    "mouseDoubleClickEvent": _mouse(_KIND.MouseButtonDblClick),
    "leaveEvent": lambda: QEvent(_KIND.Leave),
    "focusOutEvent": lambda: QFocusEvent(_KIND.FocusOut),
    "showEvent": QShowEvent,
    "closeEvent": QCloseEvent,
    "changeEvent": lambda: QEvent(_KIND.FontChange),
    "event": lambda: QEvent(_KIND.User),
    "viewportEvent": lambda: QEvent(_KIND.Leave),
    "contextMenuEvent": lambda: QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), QPoint(5, 5)),
    "wheelEvent": lambda: QWheelEvent(
        _AT, _AT, QPoint(), QPoint(0, 120), _BUTTON.NoButton, _KEYS, Qt.ScrollPhase.NoScrollPhase, False
    ),
    "dragEnterEvent": lambda: QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, *_DRAG),
    "dragMoveEvent": lambda: QDragMoveEvent(QPoint(5, 5), Qt.DropAction.CopyAction, *_DRAG),
    "dragLeaveEvent": QDragLeaveEvent,
    "dropEvent": lambda: QDropEvent(_AT, Qt.DropAction.CopyAction, *_DRAG),
}


class Planting:
    """Goes through the kinds; all methods of a kind raise for a few turns of the event loop, and are then put back."""

    def __init__(self, start: Start) -> None:
        self.desktop = start._shell.desktop
        self.window = self.desktop.window
        self.places = [(cls, name) for cls in qt_classes() for name in overrides(cls)]
        self.called: set[tuple[type, str]] = set()
        self.raised = 0
        self._round = 0
        self.desktop.settings.tour_done = True
        self._steps = self._all()
        self._timer = QTimer(self.window)
        self._timer.timeout.connect(self._next)
        self._timer.start(0)

    def _next(self) -> None:
        if next(self._steps, None) is None:
            self._timer.stop()
            sys.stdout.write(f"{len(self.places)} {len(self.called)} {self.raised}\n")
            sys.stdout.flush()
            QTimer.singleShot(0, self.window, lambda: QApplication.exit(DONE))

    def _all(self) -> Iterator[str]:
        for name in sorted({name for _, name in self.places}):
            good = {cls: vars(cls)[name] for cls, each in self.places if each == name}
            for cls, method in good.items():
                setattr(cls, name, self._faulty(cls, name, method.__wrapped__))
            try:
                self._use(name, tuple(good))
                for _ in range(TURNS):
                    yield name
            finally:
                for cls, method in good.items():
                    setattr(cls, name, method)

    def _faulty(self, cls: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def raising(_self: Any, *_arguments: Any, **_options: Any) -> Any:
            self.raised += 1
            self.called.add((cls, name))
            raise ValueError(f"planted in {cls.__qualname__}.{name}")

        raising.__annotations__ = method.__annotations__
        return guarded(cls, name, raising)

    def _use(self, name: str, classes: tuple[type, ...]) -> None:
        """Have Qt call the methods of a name: by events to widgets of their classes, by an edit, by a paint of all."""
        for widget in QApplication.allWidgets():
            if isinstance(widget, classes):
                self._send(widget, name)
                widget.updateGeometry()
        if name in EVENTS:
            return
        self._round += 1
        docks = self.desktop.docks
        docks.show(list(docks.docks)[self._round % len(docks.docks)])
        self.window.resize(1200 + self._round % 2 * 40, 720)
        tab = self.desktop.tab
        if tab is not None:
            tab.document.set_text(f"{tab.document.text}# {self._round}\n")
        self.window.grab()

    def _send(self, widget: QWidget, name: str) -> None:
        make = EVENTS.get(name)
        if make is None:
            return
        for target in (widget, widget.viewport() if isinstance(widget, QAbstractScrollArea) else None):
            if target is not None:
                QApplication.sendEvent(target, make())


if __name__ == "__main__":
    Start._guide = lambda start: setattr(start, "planting", Planting(start))  # type: ignore[method-assign, assignment]
    sys.exit(open_app([Path(sys.argv[1])]))
