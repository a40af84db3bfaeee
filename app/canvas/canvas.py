"""Canvas: displays and edits one document's graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QTimer, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from quantcrafter.app.canvas.action_menus import CanvasActions
from quantcrafter.app.canvas.adding import Adding
from quantcrafter.app.canvas.arrange import Align, Direction
from quantcrafter.app.canvas.badges import badges
from quantcrafter.app.canvas.block_levels import file_block_graph, has_block, is_file
from quantcrafter.app.canvas.breadcrumbs import Breadcrumbs
from quantcrafter.app.canvas.edit_context import EditContext, Selection
from quantcrafter.app.canvas.editing.naming import Naming
from quantcrafter.app.canvas.editing.selection_commands import Commands
from quantcrafter.app.canvas.export import export_png, export_svg
from quantcrafter.app.canvas.gestures.frame import FrameResize
from quantcrafter.app.canvas.gestures.move import MoveNodesDrag
from quantcrafter.app.canvas.gestures.open import OpenByDoubleClick
from quantcrafter.app.canvas.gestures.select import BoxSelect, WireSelect
from quantcrafter.app.canvas.gestures.slice import SliceWires
from quantcrafter.app.canvas.gestures.wire import WireDrag
from quantcrafter.app.canvas.input import CanvasInput
from quantcrafter.app.canvas.items.node import Badge
from quantcrafter.app.canvas.minimap import Minimap
from quantcrafter.app.canvas.navigation import Way, step
from quantcrafter.app.canvas.plot_toggles import EyeClick
from quantcrafter.app.canvas.quick_add.controller import QuickAddController
from quantcrafter.app.canvas.run.run_names import prefix_of
from quantcrafter.app.canvas.run_overlay import RunOverlay
from quantcrafter.app.canvas.scene import GraphScene
from quantcrafter.app.canvas.view import CanvasView
from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.document.view import GraphView, Scope
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.api import Problem

BADGE_DELAY_MS = 150


class Canvas(QWidget):
    """Shows one level of a document and executes what the user does to it.

    Close the canvas when it is done with, so that it listens to the document no more.

    Args:
        document: the strategy.
        settings: remember what the user connects to what.
        actions: which keys do what, and what the context menus offer.
        parent: the tab.
    """

    selection_changed = Signal(object)
    """The ids of the selected nodes."""
    message = Signal(str)
    """A sentence for the status bar."""
    scope_changed = Signal(object)
    eye_clicked = Signal(str)
    """The eye of a node was clicked: its name in the run."""

    def __init__(
        self,
        document: Document,
        settings: Settings,
        actions: CanvasActions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.offers = actions
        self.setAccessibleName(tr("Graph of the strategy"))
        self.setAccessibleDescription(tr("The outline lists the same nodes as a tree."))
        self.document = document
        self.scene = GraphScene(self)
        self.view = CanvasView(self.scene, self)
        self.context = EditContext(document, self.scene, self.view, settings)
        self.commands = Commands(self.context)
        self.adding = Adding(self.context)
        self.quick_add_controller = QuickAddController(self.context, self.adding)
        self.breadcrumbs = Breadcrumbs(self)
        self.naming = Naming(self.context)
        self.minimap = Minimap(self.view)
        self._input = CanvasInput(self)
        self.run: RunOverlay | None = None
        self._file = ""
        self._eyes: Mapping[str, str] = {}
        self._run_badges: Mapping[str, tuple[Badge, str]] = {}
        self._check_badges: Mapping[str, tuple[Badge, str]] = {}
        self._badge_timer = QTimer(self)
        self._badge_timer.setSingleShot(True)
        self._badge_timer.setInterval(BADGE_DELAY_MS)
        self._badge_timer.timeout.connect(lambda: self.set_badges(self.document.problems))
        self._compose()
        self._unsubscribe = document.subscribe(self._changed)
        self._refresh()

    def _compose(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.breadcrumbs)
        layout.addWidget(self.view, 1)
        self.setFocusProxy(self.view)
        context = self.context
        self.view.gestures = [
            EyeClick(self.scene, self._eye_clicked),
            OpenByDoubleClick(self._input.open),
            SliceWires(context),
            FrameResize(context),
            WireDrag(context),
            MoveNodesDrag(context),
            WireSelect(context),
            BoxSelect(context),
        ]
        self.breadcrumbs.back.connect(self.close_block)
        self.scene.selectionChanged.connect(self._selected)
        context.message.connect(self.message)

    # ------------------------------------------------------------------ in step with the document

    @property
    def scope(self) -> Scope:
        """The level shown; that of the strategy while a block file is looked at."""
        return self.context.scope

    @property
    def graph(self) -> GraphView:
        """The graph shown."""
        return self.context.graph

    @property
    def locked(self) -> str:
        """Why nothing can be changed here, '' when it can."""
        return self.context.locked

    @property
    def inside_block(self) -> bool:
        """Whether the inside of a block is shown."""
        return bool(self.scope or self._file)

    def _changed(self, change: DocumentChange) -> None:
        if change.kind == "saved":
            return
        self._check_badges = {}
        if change.kind == "components":
            self.quick_add_controller.reload()
        if not has_block(self.document, self.scope):
            self._show_level(())
        self._refresh()

    def _refresh(self) -> None:
        graph = file_block_graph(self.document, self._file) if self._file else self.document.graph(self.scope)
        self.context.graph = graph if graph is not None else GraphView()
        self.scene.set_graph(self.context.graph)
        self._show_eyes()
        self._badge_timer.start()

    def _show_level(self, scope: Scope, file: str = "") -> None:
        self.context.scope, self._file = scope, file
        note = tr("Read-only: this block is in a separate file.") if file else ""
        self.context.locked = (
            tr("'{name}' is in a separate file. Open that file to change it.", name=file) if file else ""
        )
        self.scene.set_graph(GraphView())
        self._refresh()
        self.breadcrumbs.show_scope((file,) if file else scope, note)
        self.scope_changed.emit(scope)
        self._selected()
        self.fit_all()

    def _selected(self) -> None:
        self.selection_changed.emit(() if self._file else self.context.selection.nodes)

    def set_badges(self, problems: Iterable[Problem]) -> None:
        """Mark the nodes that findings of validation are about, with the reasons."""
        of_run = {**self._run_badges, **self._check_badges} if not self.inside_block else {}
        self.scene.set_badges({} if self._file else {**of_run, **badges(problems, self.scope)})

    def set_run_badges(self, badges: Mapping[str, tuple[Badge, str]]) -> None:
        """Show the results of nodes in a run, if validation has no findings about them."""
        if badges != self._run_badges:
            self._run_badges = badges
            self._badge_timer.start()

    def set_check_badges(self, badges: Mapping[str, tuple[Badge, str]]) -> None:
        """Show what a check found about nodes, until the strategy is changed."""
        self._check_badges = badges
        self._badge_timer.start()

    def set_eyes(self, eyes: Mapping[str, str]) -> None:
        """Show which nodes the chart shows: by name in the run, the colour there, or '' for one that it could show."""
        self._eyes = eyes
        self._show_eyes()

    def _show_eyes(self) -> None:
        prefix = prefix_of(self.document, self.scope) if self._eyes and not self._file else None
        known = self.scene.nodes
        names = {} if prefix is None else {f"{prefix}{node}": node for node in known}
        self.scene.set_eyes({names[name]: color for name, color in self._eyes.items() if name in names})

    def _eye_clicked(self, node: str) -> None:
        self.eye_clicked.emit(f"{prefix_of(self.document, self.scope) or ''}{node}")

    def follow(self, session: RunSession) -> None:
        """Show what the strategy's run did at the place that a session points at."""
        self.run = RunOverlay(self, session)

    def show_stale(self, *, stale: bool) -> None:
        """Say with the bar that is shown that its run is out of date, or no longer."""
        if self.run is not None:
            self.run.set_stale(stale)

    @property
    def has_run(self) -> bool:
        """Whether there is a run to show."""
        return self.run is not None and self.run.session.run is not None

    @property
    def shows_marks(self) -> bool:
        """Whether the run is shown on the graph."""
        return self.run is not None and self.run.is_on

    def toggle_marks(self) -> None:
        """Show or hide the run on the graph."""
        if self.run is not None:
            self.run.set_on(not self.run.is_on)

    def leave(self) -> None:
        """End the current gesture; without one, clear the selected bar of the run."""
        if not self.view.cancel_gesture() and self.run is not None:
            self.run.session.clear()

    def go_to_firing(self, *, forward: bool) -> None:
        """Point at the next (or previous) bar at which the selected node fired."""
        chosen = self.context.selection.nodes
        if len(chosen) != 1 or self.run is None or not self.has_run:
            self.message.emit(tr("Run the strategy, then select one node to step through its firings."))
        elif not self.run.go_to_firing(chosen[0], forward=forward):
            after = tr("'{name}' doesn't fire after this bar.", name=chosen[0])
            self.message.emit(after if forward else tr("'{name}' didn't fire before this bar.", name=chosen[0]))

    def closeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        self._badge_timer.stop()
        self._unsubscribe()
        super().closeEvent(event)  # type: ignore[arg-type]

    # ------------------------------------------------------------------ looking

    def fit_all(self) -> None:
        """Show the whole graph."""
        self.view.fit(None)

    def fit_selection(self) -> None:
        """Show the selected nodes at a suitable size; all when none is selected."""
        self.view.fit(self.context.selection.nodes or None)

    def zoom_in(self) -> None:
        """Zoom in by a quarter."""
        self.view.zoom_by(1.25)

    def zoom_out(self) -> None:
        """Zoom out by a fifth."""
        self.view.zoom_by(0.8)

    def zoom_reset(self) -> None:
        """Show the graph at its natural size."""
        self.view.set_zoom(1.0)

    def reveal(self, node_id: str) -> None:
        """Select a node and scroll to it."""
        if node_id in self.scene.nodes:
            self.select((node_id,))
            self.view.reveal(node_id)

    def select(self, ids: Iterable[str]) -> None:
        """Select exactly these nodes."""
        self.context.select(Selection(tuple(ids)))

    def select_all(self) -> None:
        """Select all nodes and frames."""
        self.context.select(Selection(tuple(self.scene.nodes), tuple(self.scene.frames)))

    def select_upstream(self) -> None:
        """Select all that the selection depends on, too."""
        self.commands.select_along(forward=False)

    def select_downstream(self) -> None:
        """Select all that depends on the selection, too."""
        self.commands.select_along(forward=True)

    def walk(self, direction: Way) -> None:
        """Go along a wire, or to the node above or below, from the one that is selected; begin at the first."""
        chosen = self.context.selection.nodes
        places = {node: (box.x + box.width / 2, box.y + box.height / 2) for node, box in self.context.boxes().items()}
        first = min(places, key=lambda node: places[node], default=None)
        found = step(self.graph, chosen[0], direction, places) if len(chosen) == 1 else first if not chosen else None
        if found is not None:
            self.reveal(found)

    def reveal_source(self) -> None:
        """Go to the node that the selected wire comes from."""
        for wire in self.context.selection.wires[:1]:
            self.reveal(wire.source)

    def reveal_target(self) -> None:
        """Go to the node that the selected wire leads to."""
        for wire in self.context.selection.wires[:1]:
            self.reveal(wire.target)

    def export_png(self, path: Path) -> None:
        """Write a picture of the graph; raise RunError when it cannot be written."""
        export_png(self.scene, path)

    def export_svg(self, path: Path) -> None:
        """Write a drawing of the graph; raise RunError when it cannot be written."""
        export_svg(self.scene, path)

    # ------------------------------------------------------------------ changing

    def delete_selection(self, *, rejoin: bool = False) -> None:
        """Remove the selection; with `rejoin`, reconnect the wires through it."""
        self.commands.delete(rejoin=rejoin)

    def cut(self) -> None:
        """Move the selected nodes to the clipboard."""
        self.commands.cut()

    def copy(self) -> None:
        """Copy the selected nodes to the clipboard."""
        self.commands.copy()

    def paste(self, at: QPoint | None = None) -> None:
        """Add the nodes on the clipboard: at a place of the view, at the mouse over it, or beside the originals."""
        mouse = self.view.mapFromGlobal(QCursor.pos())
        place = at or (mouse if self.view.rect().contains(mouse) else None)
        self.commands.paste(None if place is None else self.view.mapToScene(place))

    def duplicate(self) -> None:
        """Add the selected nodes once more."""
        self.commands.duplicate()

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected nodes by scene units."""
        self.commands.nudge(dx, dy)

    def align(self, how: Align) -> None:
        """Align the selected nodes: left, center, right, top, middle, bottom."""
        self.commands.align(how)

    def distribute(self, how: Direction) -> None:
        """Make the gaps between the selected nodes equal: horizontal or vertical."""
        self.commands.distribute(how)

    def auto_layout(self) -> None:
        """Arrange the selected nodes, or all, in layers."""
        self.commands.auto_layout()

    def toggle_bypass(self) -> None:
        """Let the inputs of the selected nodes through, or end that."""
        self.commands.toggle("bypass")

    def toggle_mute(self) -> None:
        """Mute or unmute the selected nodes."""
        self.commands.toggle("mute")

    def quick_add(self, at: QPoint | None = None) -> None:
        """Open quick-add at a place of the view or in its middle."""
        self.quick_add_controller.open(None, at or self.view.viewport().rect().center() - QPoint(190, 180))

    def add_frame(self, at: QPoint | None = None) -> None:
        """Add a frame around the selected nodes, or an empty one, and edit its text."""
        place = at or self.view.viewport().rect().center() - QPoint(160, 100)
        frame = self.commands.add_frame(self.view.mapToScene(place))
        if frame is not None:
            self.naming.edit_frame(frame)

    def edit_frame(self, frame: str) -> None:
        """Edit the text of a frame."""
        self.naming.edit_frame(frame)

    def rename(self) -> None:
        """Edit the name of the selected node, or the text of the selected frame, in place."""
        chosen = self.context.selection
        if len(chosen.frames) == 1 and not chosen.nodes:
            self.edit_frame(chosen.frames[0])
        else:
            self.naming.rename()

    # ------------------------------------------------------------------ blocks

    def group_into_block(self, name: str | None = None) -> None:
        """Move the selected nodes into a new block; its name is asked for when none is given."""
        if not self.commands.own:
            self.message.emit(tr("Select the nodes to group into a block."))
        elif name is None:
            self.naming.ask_block_name(self.commands.group)
        else:
            self.commands.group(name)

    def open_block(self, node_id: str | None = None) -> None:
        """Show the inside of a block: of a node, or of the selected one. A block file is shown, and not changed."""
        chosen = self.context.selection.nodes
        node = self.graph.nodes.get(node_id or (chosen[0] if len(chosen) == 1 else ""))
        if node is None or not node.block:
            self.message.emit(tr("Select one block to open."))
        elif not is_file(node.use):
            self._show_level(("blocks", node.use))
        elif file_block_graph(self.document, node.use) is None:
            self.message.emit(tr("The block file '{name}' can't be read.", name=node.use))
        else:
            self._show_level(self.scope, node.use)
            self.message.emit(self.locked)

    def close_block(self) -> None:
        """Show the level around the block again, with the block selected."""
        if not self.inside_block:
            return
        left = self._file or self.scope[-1]
        self._show_level(self.scope if self._file else ())
        self.select([node.id for node in self.graph.nodes.values() if node.block and node.use == left][:1])
