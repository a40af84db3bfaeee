"""Commands for the selection; each change is one undo step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QPointF

from quantcrafter.app.canvas.arrange import (
    Align,
    Direction,
    NodeBox,
    Point,
    align,
    around,
    distribute,
    framed,
    part,
    snap,
)
from quantcrafter.app.canvas.edit_context import EditContext, Selection
from quantcrafter.app.canvas.editing import clipboard
from quantcrafter.app.canvas.editing.wiring import cut_edits
from quantcrafter.app.canvas.navigation import reach
from quantcrafter.app.document.edits import (
    Edit,
    GroupIntoBlock,
    MoveNodes,
    Paste,
    RemoveFrames,
    RemoveNodes,
    SetFlags,
    SetFrame,
)
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import Role, SpecError
from quantcrafter.engine.spec import StrategyFile

STEP = 30.0
EMPTY_FRAME = (320.0, 200.0)


class Commands(QObject):
    """Works on what is selected on a stage."""

    def __init__(self, context: EditContext) -> None:
        super().__init__(context)
        self._context = context

    @property
    def own(self) -> tuple[str, ...]:
        """The selected nodes that can be removed, copied and flagged: not bars, not a block's inputs."""
        context = self._context
        return tuple(node for node in context.selection.nodes if context.graph.nodes[node].role is not None)

    # ------------------------------------------------------------------ delete, clipboard

    def delete(self, *, rejoin: bool = False) -> None:
        """Remove nodes, wires and frames; with `rejoin` what read a node reads what the node read."""
        context, own, chosen = self._context, self.own, self._context.selection
        wires = [wire for wire in chosen.wires if wire.source not in own and wire.target not in own]
        edits: list[Edit] = cut_edits(wires)
        edits += [RemoveNodes(own, rejoin)] if own else []
        edits += [RemoveFrames(chosen.frames)] if chosen.frames else []
        if edits:
            context.do(*edits, label=tr("Delete and reconnect") if rejoin else tr("Delete"))
        elif chosen.nodes:
            context.message.emit(tr("Inputs can't be removed here."))

    def copy(self) -> bool:
        """Put the selected nodes on the clipboard; return whether there were any."""
        if self.own:
            clipboard.put(self._context.document.copy(self.own, self._context.scope))
        return bool(self.own)

    def cut(self) -> None:
        """Put the selected nodes on the clipboard and remove them."""
        if self.copy():
            self._context.do(RemoveNodes(self.own), label=tr("Cut"))

    def paste(self, at: QPointF | None = None) -> None:
        """Add the nodes on the clipboard, their upper left corner at `at`, or beside where they were copied."""
        text = clipboard.take()
        if text.strip():
            self._paste(text, at, tr("Paste"))
        else:
            self._context.message.emit(tr("The clipboard contains nothing that can be pasted."))

    def duplicate(self) -> None:
        """Add the selected nodes once more, reading what they read; the clipboard stays as it is."""
        if self.own:
            self._paste(self._context.document.copy(self.own, self._context.scope), None, tr("Duplicate"))

    def _paste(self, text: str, at: QPointF | None, label: str) -> None:
        context, before = self._context, set(self._context.graph.nodes)
        offset = self._offset(_places(text), at)
        if context.do(*context.pins(), Paste(text, offset), label=label):
            context.select(Selection(tuple(node for node in context.graph.nodes if node not in before)))

    def _offset(self, places: Mapping[str, Point], at: QPointF | None) -> Point:
        """Return how far to move pasted nodes, so that none lies exactly on another."""
        x, y = STEP, STEP
        if at is not None and places:
            x = snap(at.x() - min(place[0] for place in places.values()))
            y = snap(at.y() - min(place[1] for place in places.values()))
        taken = {(round(box.x), round(box.y)) for box in self._context.boxes().values()}
        while any((round(place[0] + x), round(place[1] + y)) in taken for place in places.values()):
            x, y = x + STEP, y + STEP
        return x, y

    # ------------------------------------------------------------------ places

    def align(self, how: Align) -> None:
        """Bring edges or centres of the selected nodes into line."""
        self._move(align(self._context.boxes(self._context.selection.nodes), how), tr("Align"))

    def distribute(self, direction: Direction) -> None:
        """Make the gaps between the selected nodes equal."""
        self._move(distribute(self._context.boxes(self._context.selection.nodes), direction), tr("Distribute"))

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected nodes a little."""
        boxes = self._context.boxes(self._context.selection.nodes)
        self._move({node: (box.x + dx, box.y + dy) for node, box in boxes.items()}, tr("Move"))

    def auto_layout(self) -> None:
        """Arrange the selected nodes, or all when fewer than two are selected; frames stay around their nodes."""
        context = self._context
        chosen = context.selection.nodes if len(context.selection.nodes) > 1 else tuple(context.graph.nodes)
        boxes = context.boxes(chosen)
        if not boxes:
            return
        members = {frame: self._inside(frame, boxes) for frame in context.graph.frames}
        sizes = {node: (box.width, box.height) for node, box in boxes.items()}
        places, areas = framed(part(context.graph, chosen), sizes, {frame: on for frame, on in members.items() if on})
        left, top = snap(min(box.x for box in boxes.values())), snap(min(box.y for box in boxes.values()))
        moved = {node: (x + left, y + top) for node, (x, y) in places.items()}
        frames = [self._frame_at(frame, area, left, top) for frame, area in areas.items()]
        self._move(moved, tr("Arrange"), *frames)

    def _inside(self, frame: str, boxes: Mapping[str, NodeBox]) -> list[str]:
        """Return the nodes whose middle is on a frame."""
        area = self._context.scene.frames[frame].body()
        middles = {node: QPointF(box.x + box.width / 2, box.y + box.height / 2) for node, box in boxes.items()}
        return [node for node, middle in middles.items() if area.contains(middle)]

    def _frame_at(self, frame: str, area: NodeBox, left: float, top: float) -> SetFrame:
        view = self._context.graph.frames[frame]
        return SetFrame(frame, view.text, area.x + left, area.y + top, area.width, area.height, view.color)

    def _move(self, places: Mapping[str, Point], label: str, *more: Edit) -> None:
        context = self._context
        moved = {node: place for node, place in places.items() if (context.box(node).x, context.box(node).y) != place}
        if moved:
            context.do(*context.pins(*moved), MoveNodes(moved), *more, label=label)

    # ------------------------------------------------------------------ nodes

    def select_along(self, *, forward: bool) -> None:
        """Select all that is downstream (or upstream) of the selection too."""
        self._context.select(
            Selection(tuple(reach(self._context.graph, self._context.selection.nodes, forward=forward)))
        )

    def toggle(self, flag: str) -> None:
        """Bypass or mute the selected nodes; if all are already, end that."""
        nodes = [self._context.graph.nodes[node] for node in self.own]
        if not nodes:
            return
        if flag == "bypass":
            on = not all(node.bypass for node in nodes)
            self._context.do(SetFlags(self.own, bypass=on), label=tr("Bypass") if on else tr("Turn off bypass"))
        else:
            on = not all(node.mute for node in nodes)
            self._context.do(SetFlags(self.own, mute=on), label=tr("Mute") if on else tr("Unmute"))

    def group(self, name: str) -> bool:
        """Move the selected nodes into a new block; return whether it was possible."""
        context, before = self._context, set(self._context.graph.nodes)
        if any(context.document.catalog.component(role, name) is not None for role in Role):
            context.message.emit(tr("A component named '{name}' already exists. Choose another name.", name=name))
            return False
        if not context.do(GroupIntoBlock(self.own, name), label=tr("Group into a block")):
            return False
        context.select(Selection(tuple(node for node in context.graph.nodes if node not in before)))
        return True

    def add_frame(self, at: QPointF) -> str | None:
        """Add a frame around the selected nodes, or an empty one at a place; return its id."""
        context = self._context
        boxes = context.boxes(context.selection.nodes)
        area = around(boxes.values()) if boxes else NodeBox(snap(at.x()), snap(at.y()), *EMPTY_FRAME)
        number = 1
        while f"frame{number}" in context.graph.frames:
            number += 1
        frame = f"frame{number}"
        if not context.do(
            *context.pins(),
            SetFrame(frame, tr("Comment"), area.x, area.y, area.width, area.height),
            label=tr("Add a frame"),
        ):
            return None
        context.select(Selection(frames=(frame,)))
        return frame


def _places(fragment: str) -> dict[str, Point]:
    """Return the places that a fragment gives; none for a text that is no fragment."""
    try:
        layout: Any = StrategyFile.loads(fragment).value.get("layout")
    except SpecError:
        return {}
    if not isinstance(layout, dict):
        return {}
    pairs = {node: place for node, place in layout.items() if isinstance(place, list) and len(place) == len("xy")}
    return {
        node: (float(place[0]), float(place[1]))
        for node, place in pairs.items()
        if all(isinstance(part, (int, float)) for part in place)
    }
