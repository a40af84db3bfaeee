"""Minimap: the whole graph in a corner of the canvas, with the part that shows; a click or a drag goes there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from quantcrafter.app.canvas.items.paint import accent_of
from quantcrafter.app.canvas.pan_zoom_view import PanZoomView
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import themes
from quantcrafter.app.theme.colors import mix

SIZE = QSize(196, 132)
MARGIN = 14
PADDING = 8.0
LEAST_VIEW = QSize(560, 420)
WINDOW_MS = 33
CONTENT_MS = 200
OUTSIDE_ALPHA = 150


class Minimap(QWidget):
    """Lies over a view's corner.

    It hides on a small view, on a graph of one node at most, where it would cover a graph that is all in sight, and
    when it is turned off.
    """

    def __init__(self, view: PanZoomView) -> None:
        super().__init__(view)
        self._view = view
        self._scene = view.graph_scene
        self._on = True
        self._picture: QPixmap | None = None
        self._area = QRectF()
        self._window_timer = self._timer(WINDOW_MS, self._refresh)
        self._content_timer = self._timer(CONTENT_MS, self._redraw)
        self.setFixedSize(SIZE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Minimap"))
        self.setToolTip(tr("Click or drag to move the view"))
        view.view_changed.connect(self._view_changed)
        self._scene.content_changed.connect(self._content_changed)
        themes.changed.connect(self._redraw)
        view.installEventFilter(self)
        self._refresh()

    @property
    def is_on(self) -> bool:
        """Whether the minimap is turned on."""
        return self._on

    def set_on(self, on: bool) -> None:  # noqa: FBT001 - a state
        """Turn the minimap on or off."""
        self._on = on
        self._refresh()

    def to_scene(self, at: QPointF) -> QPointF:
        """Return the point of the scene that a place of the minimap stands for."""
        scale, left, top = self._mapping()
        return QPointF((at.x() - left) / scale, (at.y() - top) / scale)

    def from_scene(self, box: QRectF) -> QRectF:
        """Return where a box of the scene stands on the minimap."""
        scale, left, top = self._mapping()
        return QRectF(box.x() * scale + left, box.y() * scale + top, box.width() * scale, box.height() * scale)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's
        if event.type() == QEvent.Type.Resize:
            self._refresh()
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._view.centre_on(self.to_scene(event.position()))
        event.accept()

    def _timer(self, interval: int, action: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(action)
        return timer

    def _view_changed(self) -> None:
        if not self._window_timer.isActive():
            self._window_timer.start()

    def _content_changed(self) -> None:
        """Draw the nodes again once they rest; while they are dragged, nobody looks at the corner."""
        self._content_timer.start()

    def _redraw(self) -> None:
        self._picture = None
        self._refresh()

    def _refresh(self) -> None:
        room = self._view.size()
        fits = room.width() >= LEAST_VIEW.width() and room.height() >= LEAST_VIEW.height()
        self.move(room.width() - self.width() - MARGIN, room.height() - self.height() - MARGIN)
        worthwhile = len(self._scene.nodes) > 1 and not self._is_in_the_way()
        self.setVisible(self._on and fits and worthwhile)
        self.update()

    def _is_in_the_way(self) -> bool:
        """Return whether the whole graph is in sight anyway, and the minimap would lie over some of it."""
        if not self._view.visible_rect().contains(self._scene.content_rect()):
            return False
        place = self._view.mapToScene(self.geometry()).boundingRect()
        return any(node.body().intersects(place) for node in self._scene.nodes.values())

    def _mapping(self) -> tuple[float, float, float]:
        """Return scale and offsets by which the graph fits into the minimap."""
        box = self._area
        if box.isEmpty():
            return 0.05, self.width() / 2, self.height() / 2
        scale = min((self.width() - 2 * PADDING) / box.width(), (self.height() - 2 * PADDING) / box.height(), 0.12)
        centre = box.center()
        return scale, self.width() / 2 - centre.x() * scale, self.height() / 2 - centre.y() * scale

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatio() != ratio:
            self._area = self._scene.content_rect()
            self._picture = self._draw(ratio)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        window = self.from_scene(self._view.visible_rect()).intersected(QRectF(self.rect()).adjusted(2, 2, -2, -2))
        theme = self._scene.looks.theme
        around = QPainterPath()
        around.addRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        around.addRect(window)
        shade = QColor(theme.canvas)
        shade.setAlpha(OUTSIDE_ALPHA)
        painter.fillPath(around, shade)
        painter.setPen(QPen(QColor(theme.selection), 1.6))
        painter.drawRect(window)
        painter.end()

    def _draw(self, ratio: float) -> QPixmap:
        looks, theme = self._scene.looks, self._scene.looks.theme
        picture = QPixmap(SIZE * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(theme.panel))
        painter = QPainter(picture)
        painter.setPen(QColor(theme.border))
        painter.drawRect(QRectF(0.5, 0.5, SIZE.width() - 1, SIZE.height() - 1))
        scale, left, top = self._mapping()
        painter.translate(left, top)
        painter.scale(scale, scale)
        for frame in self._scene.frames.values():
            painter.fillRect(frame.body(), QColor(mix(theme.frame(frame.view.color), theme.panel, 0.3)))
        for node in self._scene.nodes.values():
            painter.fillRect(
                node.body(), looks.color(theme.error if node.badge == "error" else accent_of(node.view, looks))
            )
        painter.end()
        return picture
