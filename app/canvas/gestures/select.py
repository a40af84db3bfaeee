"""Select: a box pulled over the canvas, and a click on a wire."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QRubberBand

from quantcrafter.app.canvas.edit_context import EditContext, Selection
from quantcrafter.app.canvas.gesture import Hit

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


class BoxSelect:
    """Pull a box over empty canvas: what it touches is selected. Shift adds to the selection, Ctrl toggles."""

    def __init__(self, context: EditContext) -> None:
        self._context = context
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, context.view.viewport())
        self._from: QPoint | None = None
        self._before = Selection()
        self._modifiers = Qt.KeyboardModifier.NoModifier

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        if event.button() != Qt.MouseButton.LeftButton or hit.node is not None or hit.port is not None:
            return False
        self._from = event.position().toPoint()
        self._before = self._context.selection
        self._modifiers = event.modifiers()
        return True

    def move(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._from is None or (
            not self._band.isVisible() and (at - self._from).manhattanLength() < QApplication.startDragDistance()
        ):
            return
        box = QRect(self._from, at).normalized()
        self._band.setGeometry(box)
        self._band.show()
        area = self._context.view.mapToScene(box).boundingRect()
        self._context.select(self._chosen(area))

    def _chosen(self, area: QRectF) -> Selection:
        touched = {node for node, item in self._context.scene.nodes.items() if item.body().intersects(area)}
        frames = {frame for frame, item in self._context.scene.frames.items() if area.contains(item.body())}
        return Selection(
            self._joined(self._before.nodes, touched), self._joined(self._before.frames, frames), self._before.wires
        )

    def _joined(self, before: tuple[str, ...], touched: set[str]) -> tuple[str, ...]:
        if self._modifiers & CONTROL:
            return tuple(set(before) ^ touched)
        return tuple(set(before) | touched) if self._modifiers & SHIFT else tuple(touched)

    def release(self, event: QMouseEvent) -> None:  # noqa: ARG002 - the contract's
        if not self._band.isVisible() and not self._modifiers & (SHIFT | CONTROL):
            self._context.select(Selection())
        self._end()

    def cancel(self) -> None:
        if self._from is not None:
            self._context.select(self._before)
        self._end()

    def _end(self) -> None:
        self._band.hide()
        self._from = None


class WireSelect:
    """Click on a wire to select it; Shift or Ctrl keeps what is selected already."""

    def __init__(self, context: EditContext) -> None:
        self._context = context

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        wanted = event.button() == Qt.MouseButton.LeftButton and hit.wire is not None
        if not wanted or hit.wire is None or hit.node is not None or hit.port is not None:
            return False
        if event.modifiers() & (SHIFT | CONTROL):
            old = self._context.selection
            self._context.select(Selection(old.nodes, old.frames, tuple({*old.wires} ^ {hit.wire})))
        else:
            self._context.select(Selection(wires=(hit.wire,)))
        return True

    def move(self, event: QMouseEvent) -> None:
        """Nothing moves with the mouse."""

    def release(self, event: QMouseEvent) -> None:
        """All was done at the press."""

    def cancel(self) -> None:
        """Nothing to undo."""
