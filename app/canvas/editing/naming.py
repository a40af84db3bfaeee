"""Names and texts edited in place: of nodes, new blocks and frames."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, QRect, QRectF

from quantcrafter.app.canvas.edit_context import EditContext
from quantcrafter.app.canvas.editing.inline_editors import MultilineEditor, NameEditor
from quantcrafter.app.canvas.items.layout import HEADER
from quantcrafter.app.document.edits import RenameNode, SetFrame
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.ports import is_id
from quantcrafter.app.services.i18n import tr

FRAME_TEXT_HEIGHT = 72


class Naming(QObject):
    """Opens the editors over a stage's view, and has the stage execute what is typed."""

    def __init__(self, context: EditContext) -> None:
        super().__init__(context)
        self._context = context
        self.name_editor = NameEditor(context.view)
        self.name_editor.refused.connect(context.message)
        self.text_editor = MultilineEditor(context.view)

    @property
    def is_open(self) -> bool:
        """Whether something is being edited."""
        return self.name_editor.isVisible() or self.text_editor.isVisible()

    def finish(self) -> None:
        """Apply pending input."""
        self.name_editor.finish()
        self.text_editor.leave(taking=True)

    def rename(self) -> None:
        """Edit the name of the one selected node on its title."""
        chosen = self._context.selection.nodes
        if len(chosen) != 1 or self._refused():
            return
        node = chosen[0]
        if self._context.graph.nodes[node].role is None:
            self._context.message.emit(tr("'{name}' can't be renamed here.", name=node))
            return
        self._context.view.reveal(node)
        body = self._context.scene.nodes[node].body()
        body.setHeight(HEADER)
        self.name_editor.ask(node, tr("Name of the node"), self._on_view(body), lambda name: self._rename(node, name))

    def _rename(self, node: str, name: str) -> str:
        """Rename a node; return why it cannot have this name."""
        if name == node:
            return ""
        context = self._context
        try:
            edit = RenameNode(node, name)
            context.document.do(edit, label=tr("Rename"), scope=context.scope, origin=context)
        except EditError as error:
            return str(error)
        return ""

    def ask_block_name(self, accept: Callable[[str], bool]) -> None:
        """Ask how a new block is called, near the selected nodes."""
        if self._refused():
            return
        box = self._context.scene.content_rect(self._context.selection.nodes)
        area = self._on_view(QRectF(box.x(), box.y() - 40, 220, 30))

        def take(name: str) -> str:
            if not is_id(name):
                return tr("Use letters, digits and underscores, and start with a letter.")
            return "" if accept(name) else tr("These nodes can't be grouped into a block '{name}'.", name=name)

        self.name_editor.ask("", tr("Name of the new block"), area, take)

    def edit_frame(self, frame: str) -> None:
        """Edit the text of a frame; its first line is the title."""
        view = self._context.graph.frames.get(frame)
        if view is None or self._refused():
            return
        area = self._on_view(self._context.scene.frames[frame].body())

        def take(text: str) -> None:
            if text != view.text:
                edit = SetFrame(frame, text, view.x, view.y, view.width, view.height, view.color)
                self._context.do(edit, label=tr("Edit the comment"))

        self.text_editor.ask(view.text, QRect(area.x(), area.y(), area.width(), FRAME_TEXT_HEIGHT), take)

    def _refused(self) -> bool:
        if self._context.locked:
            self._context.message.emit(self._context.locked)
        return bool(self._context.locked)

    def _on_view(self, area: QRectF) -> QRect:
        """Return where a part of the scene is in the view, moved inside it."""
        view = self._context.view
        corner = view.mapFromScene(area.topLeft())
        width, height = round(area.width() * view.zoom), round(area.height() * view.zoom)
        x = max(4, min(corner.x(), view.width() - 180))
        y = max(4, min(corner.y(), view.height() - 60))
        return QRect(QPoint(x, y), view.rect().size().boundedTo(QRect(0, 0, width, height).size()))
