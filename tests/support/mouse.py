"""A person's mouse and keyboard: real Qt events, with the buttons held while the mouse moves."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton
STEPS = 6


def send(
    widget: QWidget,
    kind: QEvent.Type,
    at: QPoint,
    *,
    button: Qt.MouseButton = LEFT,
    held: Qt.MouseButton = LEFT,
    modifiers: Qt.KeyboardModifier = NONE,
) -> None:
    """Send one mouse event to a widget, at a place of its own; `held` are the buttons that are down meanwhile."""
    place = QPointF(at)
    everywhere = QPointF(widget.mapToGlobal(at))
    QApplication.sendEvent(widget, QMouseEvent(kind, place, everywhere, button, held, modifiers))


def press(widget: QWidget, at: QPoint, modifiers: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
    """Press a button."""
    send(widget, QEvent.Type.MouseButtonPress, at, button=button, held=button, modifiers=modifiers)


def move(widget: QWidget, at: QPoint, modifiers: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
    """Move the mouse with a button held."""
    send(widget, QEvent.Type.MouseMove, at, button=Qt.MouseButton.NoButton, held=button, modifiers=modifiers)


def hover(widget: QWidget, at: QPoint) -> None:
    """Move the mouse with no button held."""
    none = Qt.MouseButton.NoButton
    send(widget, QEvent.Type.MouseMove, at, button=none, held=none)


def release(widget: QWidget, at: QPoint, modifiers: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
    """Let a button go."""
    none = Qt.MouseButton.NoButton
    send(widget, QEvent.Type.MouseButtonRelease, at, button=button, held=none, modifiers=modifiers)


def click(widget: QWidget, at: QPoint, modifiers: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
    """Press and let go at one place."""
    press(widget, at, modifiers, button)
    release(widget, at, modifiers, button)


def double_click(widget: QWidget, at: QPoint) -> None:
    """Click twice, as the window system reports it."""
    click(widget, at)
    send(widget, QEvent.Type.MouseButtonDblClick, at)
    release(widget, at)


def travel(
    widget: QWidget, start: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT
) -> None:
    """Move from one place to another in steps, a button held."""
    for number in range(1, STEPS + 1):
        part = number / STEPS
        at = QPoint(round(start.x() + (end.x() - start.x()) * part), round(start.y() + (end.y() - start.y()) * part))
        move(widget, at, modifiers, button)


def drag(
    widget: QWidget, path: Sequence[QPoint], modifiers: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT
) -> None:
    """Press at the first place, move through the others, let go at the last."""
    press(widget, path[0], modifiers, button)
    for start, end in itertools.pairwise(path):
        travel(widget, start, end, modifiers, button)
    release(widget, path[-1], modifiers, button)


def key(widget: QWidget, code: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Press and let go a key."""
    QTest.keyClick(widget, code, modifiers)


def type_text(widget: QWidget, text: str) -> None:
    """Type letters."""
    QTest.keyClicks(widget, text)
