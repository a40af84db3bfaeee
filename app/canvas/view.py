"""CanvasView: the window on the scene. It zooms, pans, and hands the mouse to gestures."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
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
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QToolTip, QWidget

from app.canvas.gestures.base import Gesture, Hit
from app.canvas.items.looks import SIMPLE_BELOW
from app.canvas.scene import GraphScene
from app.services.i18n import tr
from app.theme import themes

NODE_MIME = "application/x-quantcrafter-node"
LEAST_ZOOM, MOST_ZOOM = 0.1, 3.0
FIT_AT_MOST = 1.0
FIT_MARGIN = 40
GRID = 20.0
SETTLE_MS = 120
WHEEL_STEP = 1.0015

DropHandler = Callable[[QDropEvent, QPointF], bool]


class CanvasView(QGraphicsView):
    """A view of a `GraphScene`.

    The wheel zooms at the mouse; with Shift it scrolls sideways. A trackpad scrolls, and zooms with Ctrl or a pinch.
    The middle button, or Space and the left one, drag the paper. Everything else of the mouse goes to `gestures`.

    Qt signals: `zoomed(float)`; `view_changed()` after any pan, zoom or resize; `hovered(object)` with the Hit under
    the mouse; `space_tapped()` when Space was pressed and released without dragging.
    """

    zoomed = Signal(float)
    view_changed = Signal()
    hovered = Signal(object)
    space_tapped = Signal()

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self.graph_scene = scene
        self.gestures: list[Gesture] = []
        self.drop_handler: DropHandler | None = None
        self._active: Gesture | None = None
        self._pan_from: QPoint | None = None
        self._space = False
        self._space_used = False
        self._hover = Hit(QPointF())
        self._dots: tuple[float, str, QPixmap] | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._settled)
        self._set_up()
        themes.changed.connect(self._theme_changed)

    def _set_up(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Canvas"))

    # Zoom and pan

    @property
    def zoom(self) -> float:
        """The scale: 1 shows a scene unit as one (logical) pixel."""
        return self.transform().m11()

    def zoom_by(self, factor: float, at: QPoint | None = None) -> None:
        """Zoom within the bounds; the scene point under `at` (viewport coordinates; the middle without) stays there."""
        self.set_zoom(self.zoom * factor, at)

    def set_zoom(self, zoom: float, at: QPoint | None = None) -> None:
        """Zoom to a scale within the bounds; the scene point under `at` stays there."""
        zoom = max(LEAST_ZOOM, min(MOST_ZOOM, zoom))
        if abs(zoom - self.zoom) < 1e-9:  # noqa: PLR2004 - equal
            return
        point = at if at is not None else self.viewport().rect().center()
        fixed = self.mapToScene(point)
        self.graph_scene.looks.hurried = True
        self._settle.start()
        self.setTransform(QTransform.fromScale(zoom, zoom))
        self._scroll_to(fixed, point)
        self._thin_wires()
        self.zoomed.emit(zoom)
        self.view_changed.emit()

    def _scroll_to(self, scene_pos: QPointF, at: QPoint) -> None:
        """Scroll so that a scene point stands at a place of the viewport."""
        moved = self.mapFromScene(scene_pos) - at
        self.scroll_by(moved.x(), moved.y())

    def scroll_by(self, dx: int, dy: int) -> None:
        """Move the window over the scene by whole pixels."""
        horizontal, vertical = self.horizontalScrollBar(), self.verticalScrollBar()
        horizontal.setValue(horizontal.value() + dx)
        vertical.setValue(vertical.value() + dy)

    def centre_on(self, scene_pos: QPointF) -> None:
        """Put a scene point into the middle."""
        self._scroll_to(scene_pos, self.viewport().rect().center())

    def fit(self, ids: Iterable[str] | None = None) -> None:
        """Show these nodes, or the whole graph, as large as fits, at most at their natural size."""
        box = self.graph_scene.content_rect(ids)
        if box.isEmpty():
            self.set_zoom(1.0)
            self.centre_on(QPointF(0, 0))
            return
        room = self.viewport().size() - QSize(2 * FIT_MARGIN, 2 * FIT_MARGIN)
        zoom = min(max(room.width(), 1) / box.width(), max(room.height(), 1) / box.height(), FIT_AT_MOST)
        self.set_zoom(zoom)
        self.centre_on(box.center())

    def reveal(self, node_id: str) -> None:
        """Scroll as little as is needed to see a node."""
        item = self.graph_scene.nodes.get(node_id)
        if item is not None:
            self.ensureVisible(item.body(), FIT_MARGIN, FIT_MARGIN)

    def visible_rect(self) -> QRectF:
        """Return the part of the scene that shows, in scene coordinates."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def _thin_wires(self) -> None:
        thin = self.zoom < SIMPLE_BELOW
        for wire in self.graph_scene.wires.values():
            wire.set_thin(thin)

    def _settled(self) -> None:
        self.graph_scene.looks.hurried = False
        self.viewport().update()

    def _theme_changed(self) -> None:
        self.graph_scene.refresh_theme()
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802 - Qt's
        super().scrollContentsBy(dx, dy)
        self.view_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        super().resizeEvent(event)
        self.view_changed.emit()

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
        """End the gesture under way without a trace; return whether there was one."""
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
        if before.node in scene.nodes and before.node != hit.node and before.node:
            scene.nodes[before.node].set_hovered(False)
        if hit.node:
            scene.nodes[hit.node].set_hovered(True, hit.port)
        if before.wire in scene.wires and before.wire != hit.wire and before.wire:
            scene.wires[before.wire].set_hovered(False)
        if hit.wire:
            scene.wires[hit.wire].set_hovered(True)
        if before.frame in scene.frames and before.frame != hit.frame and before.frame:
            scene.frames[before.frame].set_hovered(False)
        if hit.frame:
            scene.frames[hit.frame].set_hovered(not hit.node)
        self.hovered.emit(hit)
        self._show_cursor()

    def _show_cursor(self) -> None:
        if self._space:
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif self._hover.port:
            self.viewport().setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.viewport().unsetCursor()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's
        at = event.position().toPoint()
        angle, pixels = event.angleDelta(), event.pixelDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(WHEEL_STEP ** (angle.y() or pixels.y()), at)
        elif not pixels.isNull():
            self.scroll_by(-pixels.x(), -pixels.y())
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier or angle.y() == 0:
            self.scroll_by(-(angle.x() or angle.y()) // 2, 0)
        else:
            self.zoom_by(WHEEL_STEP ** angle.y(), at)
        event.accept()

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

    def drawBackground(self, painter: QPainter, rect: QRectF | QPointF) -> None:  # noqa: N802 - Qt's
        theme = self.graph_scene.looks.theme
        transform = painter.worldTransform()
        area = transform.mapRect(QRectF(rect)).toAlignedRect()  # type: ignore[arg-type]
        painter.save()
        painter.resetTransform()
        painter.fillRect(area, QColor(theme.canvas))
        painter.fillRect(area, self._dot_brush(transform, painter.device().devicePixelRatioF()))
        painter.restore()

    def _dot_brush(self, transform: QTransform, ratio: float) -> QBrush:
        """Return the grid as a tiled picture of one dot; it grows coarser and fainter as the view zooms out."""
        theme = self.graph_scene.looks.theme
        step = GRID * transform.m11()
        while step < GRID * 0.8:
            step *= 2
        key = round(step * ratio)
        if self._dots is None or self._dots[0] != key or self._dots[1] != theme.canvas_dot:
            self._dots = (key, theme.canvas_dot, _dot(key, theme.canvas_dot, ratio))
        brush = QBrush(self._dots[2])
        brush.setTransform(QTransform(step / key, 0, 0, step / key, transform.dx() % step, transform.dy() % step))
        return brush

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        super().paintEvent(event)
        if not self.graph_scene.graph.nodes or set(self.graph_scene.graph.nodes) == {"bars"}:
            self._paint_hint()

    def _paint_hint(self) -> None:
        theme = self.graph_scene.looks.theme
        painter = QPainter(self.viewport())
        painter.setPen(QColor(theme.text_dim))
        area = self.viewport().rect().adjusted(40, 0, -40, 0)
        text = tr("Press Tab or double-click to add a node, or drag one from the palette")
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)
        painter.end()


def _dot(side: int, color: str, ratio: float) -> QPixmap:
    tile = QPixmap(side, side)
    tile.fill(Qt.GlobalColor.transparent)
    size = max(1, round(1.6 * ratio))
    painter = QPainter(tile)
    painter.fillRect(0, 0, size, size, QColor(color))
    painter.end()
    return tile


def _take_node(event: QDropEvent) -> None:
    if event.mimeData().hasFormat(NODE_MIME):
        event.acceptProposedAction()
    else:
        event.ignore()
