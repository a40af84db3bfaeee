"""What gestures and commands of one canvas share: document, level, scene and view, and one way to change the graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QPointF, Signal
from PySide6.QtGui import QMouseEvent

from quantcrafter.app.canvas.arrange import NodeBox, Point, free_place
from quantcrafter.app.canvas.candidates import Wanted
from quantcrafter.app.canvas.hint import Hint
from quantcrafter.app.canvas.ranking import pair_key
from quantcrafter.app.canvas.scene import GraphScene, PortRef
from quantcrafter.app.canvas.view import CanvasView
from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import Edit, MoveNodes
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.ports import reference_to
from quantcrafter.app.document.view import GraphView, Scope, WireView
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.settings import Settings

NEW_SIZE = (190.0, 110.0)
"""About the size of a node that is not drawn yet, in scene units."""


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """A wire dropped on empty canvas: the port that it hangs on, and what the other end must be."""

    fixed: PortRef
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected: ids of nodes and frames, and wires."""

    nodes: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    wires: tuple[WireView, ...] = ()


class EditContext(QObject):
    """One level of one document on one canvas.

    `do` is the only way by which gestures change anything: an edit that cannot be done is shown to the user, and the
    document stays as it is.
    """

    message = Signal(str)
    quick_add_wanted = Signal(object, QPoint)
    """A LooseEnd or None, and the place in the viewport."""

    def __init__(self, document: Document, scene: GraphScene, view: CanvasView, settings: Settings) -> None:
        super().__init__(view)
        self.document = document
        self.scene = scene
        self.view = view
        self.settings = settings
        self.scope: Scope = ()
        self.graph = GraphView()
        self.hint = Hint(view)
        self.locked = ""

    # ------------------------------------------------------------------ changing the document

    def do(self, *edits: Edit, label: str) -> bool:
        """Carry out edits as one undo step at this level; return whether they could be done."""
        if self.locked:
            self.message.emit(self.locked)
            return False
        try:
            self.document.do(*edits, label=label, scope=self.scope, origin=self)
        except EditError as error:
            self.message.emit(str(error))
            return False
        return True

    def connect_refusal(self, fixed: PortRef, other: PortRef) -> str:
        """Return why two ports cannot be wired, '' if they can."""
        if self.locked:
            return self.locked
        if fixed.side == other.side:
            if fixed == other:
                return ""
            return tr("A wire goes from an output to an input.")
        source, target = (fixed, other) if fixed.side == "out" else (other, fixed)
        return self.document.refusal(self.reference(source.node, source.port), target.node, target.port, self.scope)

    def count_wire(self, source: str, target: str) -> None:
        """Note that the user wired two nodes, for the ranking of quick-add."""
        nodes = self.graph.nodes
        if source in nodes and target in nodes:
            key = pair_key(nodes[source].use, nodes[target].use)
            counts = self.settings.quick_add_counts
            self.settings.quick_add_counts = {**counts, key: counts.get(key, 0) + 1}

    # ------------------------------------------------------------------ looking at it

    def reference(self, node: str, output: str) -> str:
        """Return what the file says for an output."""
        return reference_to(self.graph.nodes[node], output)

    def scene_pos(self, event: QMouseEvent) -> QPointF:
        """Return where in the scene a mouse event happened."""
        return self.view.mapToScene(event.position().toPoint())

    def reach(self, pixels: float) -> float:
        """Return a length on the screen in scene units."""
        return pixels / max(self.view.transform().m11(), 1e-6)

    def box(self, node: str) -> NodeBox:
        """Return a node's rectangle as it is drawn."""
        item = self.scene.nodes[node]
        return NodeBox(item.x(), item.y(), item.layout.width, item.layout.height)

    def boxes(self, ids: Iterable[str] | None = None) -> dict[str, NodeBox]:
        """Return the rectangles of nodes; of all when no ids are given."""
        return {node: self.box(node) for node in (self.scene.nodes if ids is None else ids) if node in self.scene.nodes}

    def free_place(self, wanted: QPointF, size: Point = NEW_SIZE) -> Point:
        """Return the nearest place on the grid where a new node covers no other."""
        return free_place((wanted.x(), wanted.y()), size, self.boxes().values())

    def pins(self, *moved: str) -> tuple[Edit, ...]:
        """Return the edit that writes down where nodes without a place in the file are seen; none if all have one.

        Without it they would jump as soon as others get places.
        """
        places = {
            node.id: (self.scene.nodes[node.id].pos().x(), self.scene.nodes[node.id].pos().y())
            for node in self.graph.nodes.values()
            if node.position is None and node.id in self.scene.nodes and node.id not in moved
        }
        return (MoveNodes(places),) if places else ()

    @property
    def selection(self) -> Selection:
        """What is selected, in the order of the file."""
        return Selection(self.scene.selected_ids(), self.scene.selected_frames(), self.scene.selected_wires())

    def select(self, selection: Selection) -> None:
        """Select exactly this."""
        self.scene.select(selection.nodes, frames=selection.frames, wires=selection.wires)
