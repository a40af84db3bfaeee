"""Drag nodes and frames; a single node dropped on a wire goes into it."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from quantcrafter.app.canvas.arrange import snap
from quantcrafter.app.canvas.edit_context import EditContext, Selection
from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.gestures.guides import REACH_PX, Guides
from quantcrafter.app.canvas.gestures.splice import SpliceHint
from quantcrafter.app.document.edits import Edit, InsertIntoWire, MoveNodes, SetFrame
from quantcrafter.app.document.view import FrameView
from quantcrafter.app.services.i18n import tr

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


class MoveNodesDrag:
    """A press selects (Shift adds, Ctrl toggles); a drag moves the selection along the grid, in one step.

    A frame is held by its title and carries the nodes that stand on it.
    """

    def __init__(self, context: EditContext) -> None:
        self._context = context
        self._guides = Guides(context.scene)
        self._splice = SpliceHint(context)
        self._held = ""
        self._from = QPoint()
        self._grabbed = QPointF()
        self._before = Selection()
        self._click: Selection | None = None
        self._started = False
        self._starts: dict[str, QPointF] = {}
        self._frame_starts: dict[str, QPointF] = {}

    # ------------------------------------------------------------------ press

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        if event.button() != Qt.MouseButton.LeftButton or hit.port is not None:
            return False
        held = hit.node or self._frame_title(hit)
        if held is None:
            return False
        self._held, self._from, self._grabbed = held, event.position().toPoint(), hit.pos
        self._before = self._context.selection
        self._started, self._click = False, None
        self._choose(held, event.modifiers())
        return True

    def _frame_title(self, hit: Hit) -> str | None:
        item = self._context.scene.frames.get(hit.frame) if hit.frame is not None else None
        held = item is not None and hit.wire is None and item.title_rect().contains(hit.pos)
        return hit.frame if held else None

    def _choose(self, held: str, modifiers: Qt.KeyboardModifier) -> None:
        """Select as a press does; what a plain click on a selected thing would do waits for the release."""
        old, is_node = self._before, held in self._context.scene.nodes
        mine = old.nodes if is_node else old.frames
        alone = Selection((held,)) if is_node else Selection(frames=(held,))
        if held in mine:
            rest = tuple(other for other in mine if other != held)
            without = Selection(rest, old.frames, old.wires) if is_node else Selection(old.nodes, rest, old.wires)
            self._click = without if modifiers & CONTROL else alone if not modifiers & SHIFT else None
        elif modifiers & (CONTROL | SHIFT):
            more = (*mine, held)
            self._context.select(
                Selection(more, old.frames, old.wires) if is_node else Selection(old.nodes, more, old.wires)
            )
        else:
            self._context.select(alone)

    # ------------------------------------------------------------------ move

    def move(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if not self._held:
            return
        if not self._started:
            if (at - self._from).manhattanLength() < QApplication.startDragDistance():
                return
            if self._context.locked:
                self._context.message.emit(self._context.locked)
                self.cancel()
                return
            self._begin()
        self._place(self._context.scene_pos(event) - self._grabbed)
        nodes = tuple(self._starts)
        alone = nodes[0] if len(nodes) == 1 and not self._frame_starts else None
        self._splice.look(alone)

    def _begin(self) -> None:
        self._started = True
        scene = self._context.scene
        chosen = self._context.selection
        frames = list(chosen.frames)
        nodes = {*chosen.nodes} | ({self._held} & scene.nodes.keys())
        for frame in frames:
            nodes |= self._on_frame(frame)
        self._starts = {node: scene.nodes[node].pos() for node in scene.nodes if node in nodes}
        self._frame_starts = {frame: scene.frames[frame].pos() for frame in frames}
        others = (box for node, box in self._context.boxes().items() if node not in nodes)
        self._guides.begin(others)

    def _on_frame(self, frame: str) -> set[str]:
        area = self._context.scene.frames[frame].body()
        return {node for node, item in self._context.scene.nodes.items() if area.contains(item.body().center())}

    def _place(self, way: QPointF) -> None:
        """Show all at their new places; the held one lands on the grid, or in line with another node."""
        scene = self._context.scene
        start = self._starts[self._held] if self._held in self._starts else self._frame_starts[self._held]
        wanted = QPointF(snap(start.x() + way.x()), snap(start.y() + way.y()))
        if self._held in self._starts:
            item = scene.nodes[self._held]
            free = start + way
            wanted = self._guides.follow(
                free, wanted, (item.layout.width, item.layout.height), self._context.reach(REACH_PX)
            )
        shift = wanted - start
        for node, place in self._starts.items():
            scene.nodes[node].setPos(place + shift)
        for frame, place in self._frame_starts.items():
            scene.frames[frame].setPos(place + shift)

    # ------------------------------------------------------------------ release

    def release(self, event: QMouseEvent) -> None:  # noqa: ARG002 - the contract's
        if not self._started:
            if self._click is not None:
                self._context.select(self._click)
            self._end()
            return
        scene = self._context.scene
        moved = {
            node: (scene.nodes[node].x(), scene.nodes[node].y())
            for node, start in self._starts.items()
            if node in scene.nodes and scene.nodes[node].pos() != start
        }
        edits: list[Edit] = [*self._frame_edits()]
        if moved:
            edits += [*self._context.pins(*moved), MoveNodes(moved)]
        wire = self._splice.wire
        label = tr("Move")
        if wire is not None:
            edits.append(InsertIntoWire(next(iter(self._starts)), wire.target, wire.port, wire.index))
            label = tr("Insert into the wire")
        done = bool(edits) and self._context.do(*edits, label=label)
        if not done:
            self._put_back()
        self._end()

    def _frame_edits(self) -> Iterable[SetFrame]:
        for frame, start in self._frame_starts.items():
            item = self._context.scene.frames.get(frame)
            if item is not None and item.pos() != start:
                yield moved_frame(item.view, item.x(), item.y())

    def cancel(self) -> None:
        if self._held:
            self._put_back()
            self._context.select(self._before)
        self._end()

    def _put_back(self) -> None:
        scene = self._context.scene
        for node, place in self._starts.items():
            if node in scene.nodes:
                scene.nodes[node].setPos(place)
        for frame, place in self._frame_starts.items():
            if frame in scene.frames:
                scene.frames[frame].setPos(place)

    def _end(self) -> None:
        self._held = ""
        self._started = False
        self._starts, self._frame_starts, self._click = {}, {}, None
        self._guides.end()
        self._splice.end()


def moved_frame(frame: FrameView, x: float, y: float) -> SetFrame:
    """Return the edit that puts a frame somewhere else."""
    return SetFrame(frame.id, frame.text, x, y, frame.width, frame.height, frame.color)
