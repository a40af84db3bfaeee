"""PanZoomView: a view with a dot grid that can be panned and zoomed."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from time import monotonic

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from quantcrafter.app.canvas.items.grid import DotGrid
from quantcrafter.app.canvas.scene import GraphScene
from quantcrafter.app.theme import themes

LEAST_ZOOM, MOST_ZOOM = 0.1, 3.0
FIT_AT_MOST = 1.0
FIT_MARGIN = 24
SETTLE_MS = 120
WHEEL_STEP = 1.0015
FRAME_BUDGET_MS = 6.0
NO_BUDGET = inf
SLOW_FRAME_S = 0.009
HAIR_BELOW = 0.75
SAME = 1e-9


class PanZoomView(QGraphicsView):
    """A view of a `GraphScene` that zooms and pans.

    The wheel zooms at the mouse; with Shift it scrolls sideways. A trackpad scrolls, and zooms with Ctrl or a pinch.
    While the view zooms, curves are drawn plainly and old pictures are stretched; it is sharp again when it rests. The
    same goes for other movements once a frame took too long.

    Qt signals: `zoomed(float)`; `view_changed()` after any pan, zoom or resize.
    """

    zoomed = Signal(float)
    view_changed = Signal()

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self.graph_scene = scene
        self._grid = DotGrid()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(SETTLE_MS)
        self._rest.timeout.connect(self._rested)
        self._budget = NO_BUDGET
        self._plain = False
        self._shows_all = False
        self._set_up()
        scene.content_changed.connect(self._rest.start)
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
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

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
        if abs(zoom - self.zoom) < SAME:
            return
        point = at if at is not None else self.viewport().rect().center()
        fixed = self.mapToScene(point)
        self._shows_all = False
        self._hurry()
        self.setTransform(QTransform.fromScale(zoom, zoom))
        self._scroll_to(fixed, point)
        self.graph_scene.set_hair_lines(max(1.0, round(self.devicePixelRatioF())) if zoom < HAIR_BELOW else None)
        self.zoomed.emit(zoom)
        self.view_changed.emit()

    def _scroll_to(self, scene_pos: QPointF, at: QPoint) -> None:
        """Scroll so that a scene point stands at a place of the viewport."""
        moved = self.mapFromScene(scene_pos) - at
        self.scroll_by(moved.x(), moved.y())

    def scroll_by(self, dx: int, dy: int) -> None:
        """Move the window over the scene by whole pixels; Qt moves what is painted and asks for the new strip only."""
        horizontal, vertical = self.horizontalScrollBar(), self.verticalScrollBar()
        for bar, change in ((horizontal, dx), (vertical, dy)):
            # Bounded here: far out, the sum is more than Qt's whole numbers hold.
            bar.setValue(max(bar.minimum(), min(bar.value() + change, bar.maximum())))

    def centre_on(self, scene_pos: QPointF) -> None:
        """Put a scene point into the middle."""
        self._scroll_to(scene_pos, self.viewport().rect().center())

    def fit(self, ids: Iterable[str] | None = None) -> None:
        """Show these nodes, or the whole graph, as large as fits, at most at their natural size.

        A view of the whole graph shows all of it in another size too, until the user zooms or moves it.
        """
        box = self.graph_scene.content_rect(ids)
        if box.isEmpty():
            self.set_zoom(1.0)
            self.centre_on(QPointF(0, 0))
        else:
            room = self.viewport().size() - QSize(2 * FIT_MARGIN, 2 * FIT_MARGIN)
            zoom = min(max(room.width(), 1) / box.width(), max(room.height(), 1) / box.height(), FIT_AT_MOST)
            self.set_zoom(zoom)
            self.centre_on(box.center())
        self._shows_all = ids is None
        self.settle()

    def reveal(self, node_id: str) -> None:
        """Scroll as little as is needed to see a node."""
        item = self.graph_scene.nodes.get(node_id)
        if item is not None:
            self.ensureVisible(item.body(), FIT_MARGIN, FIT_MARGIN)

    def visible_rect(self) -> QRectF:
        """Return the part of the scene that shows, in scene coordinates."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

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

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802 - Qt's
        self._shows_all = False
        self._move()
        super().scrollContentsBy(dx, dy)
        self.view_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        shows_all = self._shows_all
        super().resizeEvent(event)
        if shows_all:
            self.fit()
        self.view_changed.emit()

    # Painting

    def _hurry(self) -> None:
        """Paint quickly until the view rests: the whole window is new in each frame."""
        self.graph_scene.looks.hurried = True
        self._go_plain()
        self._move()

    def _move(self) -> None:
        """Make only so many new pictures a frame until the view rests."""
        self._budget = FRAME_BUDGET_MS
        self._rest.start()

    def _go_plain(self) -> None:
        self._plain = True
        self.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _rested(self) -> None:
        """Paint everything sharp again, a few pictures a frame."""
        plain, self._plain = self._plain, False
        self.graph_scene.looks.hurried = False
        self.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if plain:
            self.viewport().update()
        else:
            self._paint_late()

    def settle(self) -> None:
        """Paint everything sharp again, at once."""
        self._rest.stop()
        self._budget = NO_BUDGET
        self._rested()

    def is_settled(self) -> bool:
        """Return whether all that shows was painted sharp."""
        return not self._rest.isActive() and not self.graph_scene.looks.late and self._budget == NO_BUDGET

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        looks = self.graph_scene.looks
        start = monotonic()
        looks.begin_frame(self._budget)
        super().paintEvent(event)
        if self._rest.isActive():
            if monotonic() - start > SLOW_FRAME_S:
                self._go_plain()
        elif looks.late:
            QTimer.singleShot(0, self, self._paint_late)
        else:
            self._budget = NO_BUDGET

    def _paint_late(self) -> None:
        """Ask for the nodes again whose pictures there was no time for."""
        late, self.graph_scene.looks.late = self.graph_scene.looks.late, set()
        for item in late:
            item.update()

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:  # noqa: N802 - Qt's
        self._grid.paint(painter, QRectF(rect), self.graph_scene.looks.theme)

    def _theme_changed(self) -> None:
        self.graph_scene.refresh_theme()
        self.viewport().update()

    def _say(self, painter: QPainter, text: str) -> None:
        painter.setPen(QColor(self.graph_scene.looks.theme.text_dim))
        area = self.viewport().rect().adjusted(40, 0, -40, -24)  # below the bars, which are in the middle
        place = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom | Qt.TextFlag.TextWordWrap
        painter.drawText(area, int(place), text)
