"""GraphScene: shows a graph, one item a node and a wire, and changes only what differs from the graph before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QGraphicsScene

from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.items.frame import FrameItem
from quantcrafter.app.canvas.items.free_places import missing_places
from quantcrafter.app.canvas.items.layout import Wired, wired_ports
from quantcrafter.app.canvas.items.node import Badge, NodeItem
from quantcrafter.app.canvas.items.paint import badge_rect
from quantcrafter.app.canvas.items.ports import PortRef
from quantcrafter.app.canvas.items.scene_style import SceneStyle
from quantcrafter.app.canvas.items.tooltips import badge_tooltip, mark_tooltip, node_tooltip, port_tooltip, wire_tooltip
from quantcrafter.app.canvas.items.wire import Share, WireItem, wire_path
from quantcrafter.app.canvas.plot_toggles import EyeLayer
from quantcrafter.app.canvas.run.layer import RunLayer
from quantcrafter.app.canvas.run.marks import NO_MARKS, RunMarks
from quantcrafter.app.document.view import FrameView, GraphView, NodeView, WireView
from quantcrafter.app.theme import current

__all__ = ["FrameItem", "GraphScene", "NodeItem", "PortRef", "WireItem"]

EXTENT = 100_000.0
PORT_REACH = 11.0
WIRE_REACH = 7.0
DRAG_WIRE_LEVEL = 10.0
TELL_MS = 33
NO_WIRES = Wired()


class GraphScene(QGraphicsScene):
    """The graph of one level as graphics items. Items receive no mouse events: the view calls `hit` instead.

    The Qt signal `content_changed` is emitted, at most 30 times per second, when nodes or frames were added, removed or
    moved.
    """

    content_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(-EXTENT, -EXTENT, 2 * EXTENT, 2 * EXTENT, parent)
        self.looks = SceneStyle()
        self.looks.moved = self._note_move
        self._moves = QTimer(self)
        self._moves.setSingleShot(True)
        self._moves.setInterval(TELL_MS)
        self._moves.timeout.connect(self.content_changed)
        self.graph = GraphView()
        self.nodes: dict[str, NodeItem] = {}
        self.wires: dict[WireView, WireItem] = {}
        self.frames: dict[str, FrameItem] = {}
        self._drag_wire: QGraphicsPathItem | None = None
        self._lit: frozenset[PortRef] | None = None
        self._hair: float | None = None
        self._run: RunLayer | None = None
        self._eyes: EyeLayer | None = None

    # The graph

    def set_graph(self, graph: GraphView) -> None:
        """Show a graph; items of what did not change stay as they are."""
        wired = wired_ports(graph.wires)
        selected = self._selected()
        gone, new = self.nodes.keys() - graph.nodes.keys(), graph.nodes.keys() - self.nodes.keys()
        renamed = len(gone) == len(new) == 1 and gone <= set(selected[0])
        blocked = self.blockSignals(True)
        self._drop_what_is_gone(graph)
        moved = self._take_nodes(graph.nodes, wired)
        for node_id in new if renamed else ():  # it stays selected under its new name
            self.nodes[node_id].setSelected(True)
        self._place(graph)
        for view in graph.wires:
            if view not in self.wires and view.source in self.nodes and view.target in self.nodes:
                self._add_wire(view)
        for node_id in moved:
            for wire_item in self.nodes[node_id].wires:
                wire_item.route()
                wire_item.restyle()
        self._take_frames(graph.frames)
        in_order = {node_id: self.nodes[node_id] for node_id in graph.nodes}
        self.nodes.clear()
        self.nodes.update(in_order)
        self.graph = graph
        self.blockSignals(blocked)
        if self._lit is not None:
            self.highlight_ports(set(self._lit))
        if selected != self._selected():
            self.selectionChanged.emit()
        self._moves.start()

    def _drop_what_is_gone(self, graph: GraphView) -> None:
        kept = {wire for wire in graph.wires if wire.source in graph.nodes and wire.target in graph.nodes}
        for wire in [wire for wire in self.wires if wire not in kept]:
            self._remove_wire(wire)
        for node_id in [node_id for node_id in self.nodes if node_id not in graph.nodes]:
            self._remove_node(node_id)

    def _note_move(self) -> None:
        """Tell of the first of many moves at once, and of the rest now and then."""
        if self._run is not None:
            self._run.nodes_moved()
        if not self._moves.isActive():
            self._moves.start()
            self.content_changed.emit()

    def _take_nodes(self, nodes: Mapping[str, NodeView], wired: Mapping[str, Wired]) -> set[str]:
        """Add and update node items; return the ids of those whose wires have to be drawn again."""
        changed = set()
        for node_id, node in nodes.items():
            item = self.nodes.get(node_id)
            if item is None:
                item = self.nodes[node_id] = NodeItem(node, wired.get(node_id, NO_WIRES), self.looks)
                self.addItem(item)
            else:
                muted = item.view.mute != node.mute
                if item.update_view(node, wired.get(node_id, NO_WIRES)) or muted:
                    changed.add(node_id)
        return changed

    def _place(self, graph: GraphView) -> None:
        """Put nodes where the file has them; those without a place stay, or get one when they are new."""
        new = [
            node_id
            for node_id, node in graph.nodes.items()
            if node.position is None and node_id not in self.graph.nodes
        ]
        if new:
            sizes = {node_id: (item.layout.width, item.layout.height) for node_id, item in self.nodes.items()}
            for node_id, place in missing_places(graph, sizes, new).items():
                self.nodes[node_id].setPos(*place)
        for node_id, node in graph.nodes.items():
            if node.position is not None:
                item = self.nodes[node_id]
                if (item.x(), item.y()) != node.position:
                    item.setPos(*node.position)

    def _take_frames(self, frames: Mapping[str, FrameView]) -> None:
        for frame_id in [frame_id for frame_id in self.frames if frame_id not in frames]:
            self.removeItem(self.frames.pop(frame_id))
        for frame_id, frame in frames.items():
            item = self.frames.get(frame_id)
            if item is None:
                item = self.frames[frame_id] = FrameItem(frame, self.looks)
                self.addItem(item)
            else:
                item.update_view(frame)

    def _add_wire(self, view: WireView) -> None:
        item = WireItem(view, self.nodes[view.source], self.nodes[view.target], self.looks)
        item.set_share(_share(view, self.marks))
        item.set_hair(self._hair)
        self.wires[view] = item
        self.addItem(item)

    def _remove_wire(self, view: WireView) -> None:
        item = self.wires.pop(view)
        item.detach()
        self.removeItem(item)

    def _remove_node(self, node_id: str) -> None:
        item = self.nodes.pop(node_id)
        item.drop_picture()
        self.removeItem(item)

    def refresh_theme(self) -> None:
        """Take the colours of the theme in use."""
        self.looks.theme = current()
        for node in self.nodes.values():
            node.repaint()
        for wire in self.wires.values():
            wire.restyle()
        self.update()

    @contextmanager
    def drawn_for_export(self) -> Iterator[None]:
        """Have everything painted as vectors, as it looks from near and without selection."""
        hair, self.looks.vector = self._hair, True
        self.set_hair_lines(None)
        try:
            yield
        finally:
            self.looks.vector = False
            self.set_hair_lines(hair)

    def set_hair_lines(self, width: float | None) -> None:
        """Draw wires so many device pixels thin: much faster, and as good when zoomed out; None ends that."""
        if width != self._hair:
            self._hair = width
            for wire in self.wires.values():
                wire.set_hair(width)

    def content_rect(self, ids: Iterable[str] | None = None) -> QRectF:
        """Return the box around nodes (all nodes and frames without `ids`) in scene coordinates; empty without any."""
        box = QRectF()
        for node_id in self.nodes if ids is None else ids:
            if node_id in self.nodes:
                box = box.united(self.nodes[node_id].body())
        for frame in self.frames.values() if ids is None else ():
            box = box.united(frame.body())
        return box

    # What a run did

    @property
    def marks(self) -> RunMarks:
        """What is shown of a run."""
        return self._run.marks if self._run is not None else NO_MARKS

    def set_marks(self, marks: RunMarks) -> None:
        """Show what a run did at a bar; `NO_MARKS` ends that, and nothing of it costs anything any more."""
        if marks == NO_MARKS:
            if self._run is None:
                return
            self.removeItem(self._run)
            self._run = None
        else:
            if self._run is None:
                self._run = RunLayer(self.nodes, self.looks, self.sceneRect())
                self.addItem(self._run)
            self._run.set_marks(marks)
        for view, wire in self.wires.items():
            wire.set_share(_share(view, marks))

    # What the chart shows

    def set_eyes(self, eyes: Mapping[str, str]) -> None:
        """Show which nodes the chart shows: by node, the colour there, or '' for one that it could show."""
        if self._eyes is None:
            if not eyes:
                return
            self._eyes = EyeLayer(self.nodes, self.looks, self.sceneRect())
            self.addItem(self._eyes)
        self._eyes.set_eyes(eyes)

    def eye_at(self, pos: QPointF) -> str | None:
        """Return the node whose eye is at a point, None if there is none."""
        return self._eyes.eye_at(pos) if self._eyes is not None else None

    # What lies where

    def hit(self, pos: QPointF) -> Hit:
        """Return what is at a point, the topmost thing of each kind."""
        port = self.port_at(pos)
        node = port.node if port else self.node_at(pos)
        wire = None if node else self.wire_at(pos)
        return Hit(pos, port, node, wire, self.frame_at(pos))

    def node_at(self, pos: QPointF) -> str | None:
        """Return the id of the topmost node at a point in scene coordinates."""
        x, y = pos.x(), pos.y()
        found, level = None, -1.0
        for node_id, item in self.nodes.items():
            at = item.pos()
            if (
                0 <= x - at.x() <= item.layout.width
                and 0 <= y - at.y() <= item.layout.height
                and item.zValue() >= level
            ):
                found, level = node_id, item.zValue()
        return found

    def port_at(self, pos: QPointF, reach: float = PORT_REACH) -> PortRef | None:
        """Return the port within `reach` (scene units) of a point."""
        x, y = pos.x(), pos.y()
        found = None
        for item in self.nodes.values():
            at = item.pos()
            if -reach <= x - at.x() <= item.layout.width + reach and -reach <= y - at.y() <= item.layout.height + reach:
                found = item.port_near(x, y, reach) or found
        return found

    def wire_at(self, pos: QPointF, tolerance: float = WIRE_REACH) -> WireView | None:
        """Return the wire nearest to a point, within `tolerance` (scene units)."""
        x, y = pos.x(), pos.y()
        best, found = tolerance, None
        for view, item in self.wires.items():
            distance = item.distance(x, y, best)
            if distance <= best:
                best, found = distance, view
        return found

    def frame_at(self, pos: QPointF) -> str | None:
        """Return the id of the smallest frame whose title strip or corner is at a point: where it can be held."""
        at = [
            frame_id
            for frame_id, item in self.frames.items()
            if item.title_rect().contains(pos) or item.grip_rect().contains(pos)
        ]
        return min(at, key=lambda frame_id: self.frames[frame_id].rect().width(), default=None)

    def tooltip_at(self, pos: QPointF) -> str:
        """Return what a tooltip says at a point, '' for nothing."""
        for item in self.nodes.values():
            if item.badge and badge_rect(item.layout).translated(item.pos()).contains(pos):
                return badge_tooltip(item)
        layers = (self._eyes, self._run)
        tip = next((tip for layer in layers if layer is not None and (tip := layer.tip_at(pos))), "")
        if tip:
            return mark_tooltip(tip)
        hit = self.hit(pos)
        if hit.port:
            slot = self.nodes[hit.port.node].slot(hit.port.side, hit.port.port, hit.port.index)
            return port_tooltip(slot) if slot else ""
        if hit.node:
            return node_tooltip(self.nodes[hit.node])
        return wire_tooltip(hit.wire) if hit.wire and self._run is None else ""

    # Selection

    def selected_ids(self) -> tuple[str, ...]:
        """Return the ids of selected nodes in file order."""
        return tuple(node_id for node_id, item in self.nodes.items() if item.isSelected())

    def selected_frames(self) -> tuple[str, ...]:
        """Return the ids of selected frames in file order."""
        return tuple(frame_id for frame_id, item in self.frames.items() if item.isSelected())

    def selected_wires(self) -> tuple[WireView, ...]:
        """Return the selected wires in file order."""
        return tuple(view for view, item in self.wires.items() if item.chosen)

    def _selected(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[WireView, ...]]:
        return self.selected_ids(), self.selected_frames(), self.selected_wires()

    def select(self, ids: Iterable[str], *, frames: Iterable[str] = (), wires: Iterable[WireView] = ()) -> None:
        """Select only these; `selectionChanged` is emitted once, and only if the selection changed."""
        wanted: dict[QGraphicsItem, bool] = {}
        nodes_wanted, frames_wanted, wires_wanted = set(ids), set(frames), set(wires)
        before = self._selected()
        wanted.update((item, node_id in nodes_wanted) for node_id, item in self.nodes.items())
        wanted.update((item, frame_id in frames_wanted) for frame_id, item in self.frames.items())
        blocked = self.blockSignals(True)
        for item, chosen in wanted.items():
            if item.isSelected() != chosen:
                item.setSelected(chosen)
        for view, wire in self.wires.items():
            wire.set_chosen(view in wires_wanted)
        self.blockSignals(blocked)
        if before != self._selected():
            self.selectionChanged.emit()

    # Marks

    def set_badges(self, badges: Mapping[str, tuple[Badge, str]]) -> None:
        """Show badges (kind, reason) on these nodes, and on no other."""
        for node_id, item in self.nodes.items():
            kind, reason = badges.get(node_id, (None, ""))
            item.set_badge(kind, reason)
        self._moves.start()

    def highlight_ports(self, refs: set[PortRef] | None) -> None:
        """Light these ports up and fade the others; None ends that."""
        self._lit = None if refs is None else frozenset(refs)
        by_node: dict[str, set[PortRef]] = {}
        for ref in refs or ():
            by_node.setdefault(ref.node, set()).add(ref)
        for node_id, item in self.nodes.items():
            item.set_lit(None if refs is None else frozenset(by_node.get(node_id, ())))
        for wire in self.wires.values():
            wire.setOpacity(1.0 if refs is None else 0.3)

    def set_drag_wire(self, start: QPointF, end: QPointF, ok: bool) -> None:  # noqa: FBT001 - the interface's
        """Show the wire that is being drawn, from an output's place to an input's; `ok` says whether it would hold."""
        if self._drag_wire is None:
            self._drag_wire = QGraphicsPathItem()
            self._drag_wire.setZValue(DRAG_WIRE_LEVEL)
            self.addItem(self._drag_wire)
        theme = self.looks.theme
        pen = QPen(QColor(theme.selection if ok else theme.error), 2.4)
        pen.setStyle(Qt.PenStyle.SolidLine if ok else Qt.PenStyle.DashLine)
        self._drag_wire.setPen(pen)
        self._drag_wire.setPath(wire_path(start, end))

    def clear_drag_wire(self) -> None:
        """Take the drawn wire away."""
        if self._drag_wire is not None:
            self.removeItem(self._drag_wire)
            self._drag_wire = None


def _share(wire: WireView, marks: RunMarks) -> Share:
    """Return what a wire is to the decision that is shown."""
    if not marks.has_path:
        return "plain"
    return "lit" if wire in marks.lit else "dim"
