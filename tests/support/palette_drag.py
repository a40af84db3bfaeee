"""Drag the first thing found in the palette onto a widget, and print what arrives; run on a real screen."""

from __future__ import annotations

import sys

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QCursor, QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from quantcrafter.app.panes.palette import MIME, Palette
from quantcrafter.app.theme import apply
from tests.support.open_documents import open_document


class Target(QWidget):
    """Takes drops and prints them."""

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.setMinimumWidth(300)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's
        if event.mimeData().hasFormat(MIME):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's
        sys.stdout.write(bytes(event.mimeData().data(MIME).data()).decode())
        event.acceptProposedAction()


def main() -> None:
    """Search, press, move and let go."""
    app = QApplication([])
    apply(app, "light")
    window = QWidget()
    box = QHBoxLayout(window)
    palette, target = Palette(open_document()), Target()
    box.addWidget(palette)
    box.addWidget(target)
    window.resize(700, 400)
    window.show()
    QTest.qWaitForWindowExposed(window)
    QTest.keyClicks(palette.box, "crossover")
    port = palette.view.viewport()
    start = palette.view.visualRect(palette.model.index(0, 0)).center()
    goal = target.mapTo(window, QPoint(150, 150))
    handle = window.windowHandle()

    def post(kind: QMouseEvent.Type, place: QPoint, held: Qt.MouseButton) -> None:
        everywhere = window.mapToGlobal(place)
        QCursor.setPos(everywhere)
        left = Qt.MouseButton.LeftButton
        button = left if kind == QMouseEvent.Type.MouseButtonRelease else Qt.MouseButton.NoButton
        event = QMouseEvent(kind, QPointF(place), QPointF(everywhere), button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.postEvent(handle, event)

    none = Qt.MouseButton.NoButton
    left = Qt.MouseButton.LeftButton
    QTimer.singleShot(300, lambda: post(QMouseEvent.Type.MouseMove, goal - QPoint(9, 9), left))
    QTimer.singleShot(600, lambda: post(QMouseEvent.Type.MouseMove, goal, left))
    QTimer.singleShot(900, lambda: post(QMouseEvent.Type.MouseButtonRelease, goal, none))
    QTimer.singleShot(8000, app.quit)
    QTest.mousePress(port, left, pos=start)
    for step in (QPoint(4, 2), QPoint(30, 10)):
        place = QPointF(start + step)
        move = QMouseEvent(
            QMouseEvent.Type.MouseMove, place, QPointF(port.mapToGlobal(start + step)), none, left,
            Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(port, move)
    QApplication.processEvents()
    window.close()


if __name__ == "__main__":
    main()
