"""CanvasView: the view of the scene. It forwards mouse events to gestures, and shows hover information."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from quantcrafter.app.canvas.gesture import Gesture, Hit
from quantcrafter.app.canvas.pan_zoom_view import LEAST_ZOOM, MOST_ZOOM, PanZoomView
from quantcrafter.app.canvas.scene import GraphScene
from quantcrafter.app.document.view import BARS
from quantcrafter.app.services.i18n import tr

__all__ = ["LEAST_ZOOM", "MOST_ZOOM", "NODE_MIME", "CanvasView"]

NODE_MIME = "application/x-quantcrafter-node"

DropHandler = Callable[[QDropEvent, QPointF], bool]


class CanvasView(PanZoomView):
    """A view of a `GraphScene` to work in.

    The middle button, or Space and the left one, drag the canvas. Everything else of the mouse goes to `gestures`, in
    their order; a node dropped from the palette to `drop_handler`, which returns whether it took it.

    Qt signals: `hovered(object)` with the Hit under the mouse; `space_tapped()` when Space was pressed and released
    without dragging.
    """

    hovered = Signal(object)
    space_tapped = Signal()

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self.gestures: list[Gesture] = []
        self.drop_handler: DropHandler | None = None
        self._active: Gesture | None = None
        self._pan_from: QPoint | None = None
        self._space = False
        self._space_used = False
        self._invites = False
        self._hover = Hit(QPointF())
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(tr("Canvas"))

    # The mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        self._press(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        self._press(event)

    def _press(self, event: QMouseEvent) -> None:
        """Begin a pan or a gesture; gestures tell a double click by `event.type()`."""
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._pan_from = event.position().toPoint()
            self._space_used = True
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            event.accept()
            return
        if self._active is not None:
            event.accept()
            return
        hit = self.graph_scene.hit(self.mapToScene(event.position().toPoint()))
        for gesture in self.gestures:
            if gesture.press(event, hit):
                self._active = gesture
                event.accept()
                return
        event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        at = event.position().toPoint()
        if self._pan_from is not None:
            moved = self._pan_from - at
            self._pan_from = at
            self.scroll_by(moved.x(), moved.y())
        elif self._active is not None:
            self._active.move(event)
        else:
            self._hover_at(self.mapToScene(at))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        if self._pan_from is not None:
            self._pan_from = None
            self._show_cursor()
        elif self._active is not None:
            gesture, self._active = self._active, None
            gesture.release(event)
        else:
            event.ignore()
            return
        event.accept()

    def cancel_gesture(self) -> bool:
        """Cancel the current gesture; return whether there was one."""
        gesture, self._active = self._active, None
        if gesture is not None:
            gesture.cancel()
        return gesture is not None

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's
        self._hover_over(Hit(QPointF()))
        super().leaveEvent(event)

    def _hover_at(self, pos: QPointF) -> None:
        self._hover_over(self.graph_scene.hit(pos))

    def _hover_over(self, hit: Hit) -> None:
        before, self._hover = self._hover, hit
        scene = self.graph_scene
        old = scene.nodes.get(before.node or ""), scene.frames.get(before.frame or "")
        new = scene.nodes.get(hit.node or ""), scene.frames.get(hit.frame or "") if not hit.node else None
        for item, now in zip(old, new, strict=True):
            if item is not None and item is not now:
                item.set_hovered(False)
        node, frame = new
        if node is not None:
            node.set_hovered(True, hit.port)
        if frame is not None:
            frame.set_hovered(True)
        for view in {before.wire, hit.wire} - {None}:
            wire = scene.wires.get(view)  # type: ignore[arg-type]
            if wire is not None:
                wire.set_hovered(view == hit.wire)
        self.hovered.emit(hit)
        self._show_cursor()

    def _show_cursor(self) -> None:
        if self._space:
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif self._hover.port:
            self.viewport().setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.viewport().unsetCursor()

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                self._space, self._space_used = True, False
                self._show_cursor()
            event.accept()
        elif event.key() == Qt.Key.Key_Escape and self.cancel_gesture():
            event.accept()
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        if event.key() == Qt.Key.Key_Space and self._space and not event.isAutoRepeat():
            self._space = False
            self._show_cursor()
            if not self._space_used:
                self.space_tapped.emit()
            event.accept()
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's
        self._space = False
        self._pan_from = None
        self.cancel_gesture()
        self._show_cursor()
        super().focusOutEvent(event)

    # Drag and drop, tooltips, pinch

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's
        _take_node(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802 - Qt's
        _take_node(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's
        event.ignore()
        if event.mimeData().hasFormat(NODE_MIME) and self.drop_handler is not None:
            pos = self.mapToScene(event.position().toPoint())
            if self.drop_handler(event, pos):
                event.acceptProposedAction()

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802 - Qt's
        if isinstance(event, QHelpEvent):
            text = self.graph_scene.tooltip_at(self.mapToScene(event.pos()))
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.zoom_by(1.0 + event.value(), event.position().toPoint())
            return True
        return super().viewportEvent(event)

    # Painting

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802 - Qt's
        super().scrollContentsBy(dx, dy)
        if self._invites:
            self.viewport().update()  # Qt also moved the text drawn over the canvas

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        super().paintEvent(event)
        invites = set(self.graph_scene.graph.nodes) <= {BARS} and not self.graph_scene.frames
        if invites != self._invites:
            self._invites = invites
            self.viewport().update()  # the words lie over the scene, which paints again only where its items change
        if invites:
            painter = QPainter(self.viewport())
            self._say(painter, tr("Press Tab or double-click to add a node, or drag one from the Components pane"))
            painter.end()


def _take_node(event: QDropEvent) -> None:
    if event.mimeData().hasFormat(NODE_MIME):
        event.acceptProposedAction()
    else:
        event.ignore()
