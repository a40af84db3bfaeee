"""Resize a frame by its corner."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent

from quantcrafter.app.canvas.arrange import snap
from quantcrafter.app.canvas.edit_context import EditContext
from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.document.edits import SetFrame
from quantcrafter.app.services.i18n import tr

LEAST = (80.0, 60.0)


class FrameResize:
    """Drag the lower right corner; the size snaps to the grid."""

    def __init__(self, context: EditContext) -> None:
        self._context = context
        self._frame: str | None = None
        self._grabbed = QPointF()

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        item = self._context.scene.frames.get(hit.frame) if hit.frame is not None else None
        if event.button() != Qt.MouseButton.LeftButton or item is None or hit.node is not None:
            return False
        if self._context.locked or not item.grip_rect().contains(hit.pos):
            return False
        self._frame = hit.frame
        self._grabbed = item.body().bottomRight() - hit.pos
        return True

    def move(self, event: QMouseEvent) -> None:
        item = self._context.scene.frames.get(self._frame) if self._frame is not None else None
        if item is not None:
            size = self._context.scene_pos(event) + self._grabbed - item.pos()
            item.set_size(max(LEAST[0], snap(size.x())), max(LEAST[1], snap(size.y())))

    def release(self, event: QMouseEvent) -> None:  # noqa: ARG002 - the contract's
        item = self._context.scene.frames.get(self._frame) if self._frame is not None else None
        if item is not None:
            old, new = item.view, item.rect()
            edit = SetFrame(old.id, old.text, old.x, old.y, new.width(), new.height(), old.color)
            changed = (new.width(), new.height()) != (old.width, old.height)
            if changed and not self._context.do(edit, label=tr("Resize the frame")):
                item.set_size(old.width, old.height)
        self._frame = None

    def cancel(self) -> None:
        item = self._context.scene.frames.get(self._frame) if self._frame is not None else None
        if item is not None:
            item.set_size(item.view.width, item.view.height)
        self._frame = None
