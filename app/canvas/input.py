"""How keys, double-clicks, drops and the menu button reach a canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QDragMoveEvent, QDropEvent, QKeyEvent, QKeySequence

from quantcrafter.app.canvas.edit_context import Selection
from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.items.layout import HEADER
from quantcrafter.app.canvas.menus import context_menu
from quantcrafter.app.canvas.view import NODE_MIME

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas


class CanvasInput(QObject):
    """Listens to a canvas's view for all that is no gesture."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        view = self._view = canvas.view
        view.drop_handler = self._drop
        view.space_tapped.connect(lambda: self._run("Space"))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)
        view.installEventFilter(self)
        view.viewport().installEventFilter(self)

    def open(self, hit: Hit, at: QPoint) -> None:
        """Carry out a double-click."""
        node = self._canvas.graph.nodes.get(hit.node) if hit.node is not None else None
        if node is not None:
            self._canvas.select((node.id,))
            if node.block:
                self._canvas.open_block(node.id)
            elif self._canvas.scene.nodes[node.id].y() + HEADER >= hit.pos.y():
                self._canvas.rename()
        elif hit.frame is not None and hit.wire is None:
            self._canvas.edit_frame(hit.frame)
        elif hit.wire is None:
            self._canvas.quick_add(at)

    def _drop(self, event: QDropEvent, pos: QPointF) -> bool:
        if self._canvas.locked:
            self._canvas.message.emit(self._canvas.locked)
            return False
        self._canvas.view.setFocus()
        return self._canvas.adding.drop(bytes(event.mimeData().data(NODE_MIME).data()), pos)

    def _show_menu(self, at: QPoint) -> None:
        """Select what is under the mouse, and show what can be done with it."""
        hit = self._canvas.scene.hit(self._canvas.view.mapToScene(at))
        chosen = self._canvas.context.selection
        if hit.node is not None and hit.node not in chosen.nodes:
            self._canvas.select((hit.node,))
        elif hit.node is None and hit.wire is not None and hit.wire not in chosen.wires:
            self._canvas.context.select(Selection(wires=(hit.wire,)))
        elif hit.node is None and hit.wire is None and hit.frame is not None:
            self._canvas.context.select(Selection(frames=(hit.frame,)))
        menu = context_menu(self._canvas, hit, at)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._canvas.view.mapToGlobal(at))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        # The last events come while the view is being destroyed: it is asked nothing before the kind is known.
        kind = event.type()
        if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and watched is self._view:
            return self._key(event)
        if kind == QEvent.Type.DragMove and isinstance(event, QDragMoveEvent):
            self._look(event)
        elif kind == QEvent.Type.DragLeave:
            self._canvas.adding.look_no_more()
        return False

    def _key(self, event: QKeyEvent) -> bool:
        """Carry out what a key stands for; return whether it was used."""
        if self._canvas.naming.is_open or self._canvas.quick_add_controller.popup.isVisible():
            return True  # what an editor over the canvas does not use is not meant for the graph
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            return False  # held down it moves the view; only when it is let go without that was it a key
        return self._run(_sequence(event))

    def _run(self, keys: str) -> bool:
        """Do what a key sequence stands for; return whether there is anything."""
        return self._canvas.offers.press(self._canvas, keys)

    def _look(self, event: QDragMoveEvent) -> None:
        """Show which wire a node of the palette would go into."""
        if event.mimeData().hasFormat(NODE_MIME) and not self._canvas.locked:
            pos = self._view.mapToScene(event.position().toPoint())
            self._canvas.adding.look(bytes(event.mimeData().data(NODE_MIME).data()), pos)


def _sequence(event: QKeyEvent) -> str:
    """Return the pressed keys as portable text; those of the number pad are like the others."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    sequence = QKeySequence(event.key() | held.value)
    return sequence.toString(QKeySequence.SequenceFormat.PortableText)
