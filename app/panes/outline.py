"""Outline: the nodes of the graph as a tree; the view that a screen reader can walk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QToolTip, QVBoxLayout, QWidget

from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.document.edits import RemoveNodes, RenameNode
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.ports import reference_to
from quantcrafter.app.document.view import BARS, GraphView, NodeView, Scope
from quantcrafter.app.inspector.form import node_of
from quantcrafter.app.panes.rows import ASIDE, BADGE, COUNT, SECOND, RowTree
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import problem_text
from quantcrafter.app.services.type_names import family_member, family_name
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current, family_of
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import Problem, Role, Severity

NODE = int(Qt.ItemDataRole.UserRole)
_SETTLE_MS = 120


class Outline(QWidget):
    """Lists sections, nodes and what they read.

    The Qt signal `selected` carries the ids picked here; `activated` the node that was double-clicked or entered;
    `message` what went wrong, for the status bar.
    """

    selected = Signal(object)
    activated = Signal(str)
    message = Signal(str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Outline"))
        self.scope: Scope = ()
        self._shown: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self._items: dict[str, QStandardItem] = {}
        self._facts: dict[str, Mapping[int, Any]] = {}
        self._selecting = False
        self._unsubscribe: Callable[[], None] = lambda: None
        self.model = _Model(self)
        self.view = _View(self)
        self.view.setModel(self.model)
        self.view.selectionModel().selectionChanged.connect(self._on_selection)
        self.view.activated.connect(lambda index: self.activated.emit(index.data(NODE)) if index.data(NODE) else None)
        self.view.remove_asked.connect(self._remove)
        self.model.rename_asked.connect(self._rename)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 2, 0, 0)
        box.addWidget(self.view)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.refresh)
        theme_changed.connect(self._rebuild)
        self.set_document(document)

    def set_document(self, document: Document) -> None:
        """List another document's nodes."""
        self._unsubscribe()
        self.document = document
        self._unsubscribe = document.subscribe(self._on_change)
        self.scope = ()
        self._rebuild()

    def set_scope(self, scope: Scope) -> None:
        """List the nodes of another level of the document."""
        if scope != self.scope:
            self.scope = scope
            self._rebuild()

    def set_selection(self, ids: Sequence[str], scope: Scope | None = None) -> None:
        """Select these nodes, without saying so by `selected`."""
        if scope is not None:
            self.set_scope(scope)
        self._select(ids)

    def selection(self) -> tuple[str, ...]:
        """Return the ids of the selected nodes, in the order of the list."""
        picked = self.view.selectionModel().selectedRows()
        chosen = {index.data(NODE) for index in picked}
        return tuple(node for node in self._items if node in chosen)

    def refresh(self) -> None:
        """Show the document as it is now."""
        self._settle.stop()
        graph = self.document.graph(self.scope)
        if _structure(graph) != self._shown:
            self._rebuild()
            return
        self._fill(graph)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's
        """Let the document go."""
        self._settle.stop()
        self._unsubscribe()
        super().closeEvent(event)

    # ------------------------------------------------------------------ filling

    def _rebuild(self) -> None:
        kept = self.selection()
        folded = {row for row in range(self.model.rowCount()) if not self.view.isExpanded(self.model.index(row, 0))}
        closed = {self.model.index(row, 0).data() for row in folded} if self._shown else set()
        graph = self.document.graph(self.scope)
        self._shown = _structure(graph)
        self._selecting = True
        self.model.clear()
        self._items, self._facts = {}, {}
        for family, ids in self._shown:
            self.model.appendRow(self._section(family, ids))
        self._fill(graph)
        for row in range(self.model.rowCount()):
            index = self.model.index(row, 0)
            self.view.setExpanded(index, index.data() not in closed)
        self._selecting = False
        self._select(kept)

    def _section(self, family: str, ids: Iterable[str]) -> QStandardItem:
        role = Role(family) if family else None
        section = QStandardItem(family_name(role))
        font = section.font()
        font.setBold(True)
        section.setFont(font)
        section.setFlags(Qt.ItemFlag.ItemIsEnabled)
        nodes = list(ids)
        section.setData(len(nodes), COUNT)
        spoken = tr("{name}, {count} items", name=family_name(role), count=len(nodes))
        section.setData(spoken, Qt.ItemDataRole.AccessibleTextRole)
        for node in nodes:
            item = QStandardItem(node)
            item.setData(node, NODE)
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            item.setFlags(flags | Qt.ItemFlag.ItemIsEditable if role is not None else flags)
            self._items[node] = item
            section.appendRow(item)
        return section

    def _fill(self, graph: GraphView) -> None:
        reads: dict[str, list[tuple[str, str]]] = {}
        for wire in graph.wires:
            source = reference_to(graph.nodes[wire.source], wire.output)
            reads.setdefault(wire.target, []).append((wire.port, source))
        problems: dict[str, list[Problem]] = {}
        for problem in self.document.problems:
            problems.setdefault(node_of(problem, self.scope), []).append(problem)
        for node_id, item in self._items.items():
            node = graph.nodes[node_id]
            facts = _roles(node, reads.get(node_id, ()), problems.get(node_id, ()))
            if facts == self._facts.get(node_id):
                continue
            self._facts[node_id] = facts
            for role, value in facts.items():
                if item.data(role) != value:
                    item.setData(value, role)
            family = family_of(node.role, node_id)
            item.setIcon(icon("block" if node.block else family, current().family(family)))

    # ------------------------------------------------------------------ input

    def _select(self, ids: Sequence[str]) -> None:
        wanted = [self._items[node] for node in ids if node in self._items]
        if tuple(item.data(NODE) for item in wanted) == self.selection():
            return
        picked = QItemSelection()
        for item in wanted:
            picked.select(item.index(), item.index())
        self._selecting = True
        model = self.view.selectionModel()
        model.select(picked, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if wanted:
            model.setCurrentIndex(wanted[0].index(), QItemSelectionModel.SelectionFlag.NoUpdate)
            self.view.scrollTo(wanted[0].index())
        self._selecting = False

    def _on_selection(self) -> None:
        if not self._selecting:
            self.selected.emit(self.selection())

    def _remove(self) -> None:
        ids = tuple(node for node in self.selection() if self.document.graph(self.scope).nodes[node].role is not None)
        if ids:
            label = tr("Delete {name}", name=ids[0]) if len(ids) == 1 else tr("Delete {count} nodes", count=len(ids))
            self._do(RemoveNodes(ids), label)

    def _rename(self, node: str, name: str) -> None:
        if name and name != node and self._do(RenameNode(node, name), tr("Rename")):
            self.refresh()
            self._select((name,))
            self.selected.emit((name,))

    def _do(self, edit: RemoveNodes | RenameNode, label: str) -> bool:
        try:
            self.document.do(edit, label=label, scope=self.scope, origin=self)
        except EditError as error:
            place = self.view.visualRect(self.view.currentIndex()).bottomLeft()
            QToolTip.showText(self.view.viewport().mapToGlobal(place), str(error), self.view)
            self.message.emit(str(error))
            return False
        return True

    def _on_change(self, change: DocumentChange) -> None:
        if change.origin is self:
            self.refresh()
        elif not self._settle.isActive():
            self._settle.start()


class _Model(QStandardItemModel):
    """Asks for a rename instead of changing a name by itself."""

    rename_asked = Signal(str, str)

    def setData(  # noqa: N802 - Qt's
        self, index: QModelIndex | QPersistentModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        if role == Qt.ItemDataRole.EditRole and index.data(NODE):
            node, name = str(index.data(NODE)), str(value).strip()
            QTimer.singleShot(0, self, lambda: self.rename_asked.emit(node, name))
            return False
        return super().setData(index, value, role)


class _View(RowTree):
    """The tree. The Qt signal `remove_asked` says that Delete was pressed."""

    remove_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Outline of the strategy"))
        self.setAccessibleDescription(tr("All nodes with their components, inputs and problems."))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_asked.emit()
            return
        super().keyPressEvent(event)


def _structure(graph: GraphView) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the node ids by section, `` for bars and a block's inputs."""
    found: dict[str, list[str]] = {"": [], **{role.value: [] for role in Role}}
    for node in graph.nodes.values():
        found[node.role.value if node.role is not None else ""].append(node.id)
    return tuple((family, tuple(ids)) for family, ids in found.items() if ids)


def _roles(node: NodeView, wires: Sequence[tuple[str, str]], problems: Sequence[Problem]) -> Mapping[int, Any]:
    """Return what a node's row shows and says; `wires` are pairs of a port and what it reads."""
    reads = ", ".join(f"{port} ← {source}" for port, source in wires)
    worst = min((problem.severity for problem in problems), default=None)
    state = tr("bypassed") if node.bypass else tr("muted") if node.mute else ""
    aside = node.use if node.known else tr("{use} (not installed)", use=node.use)
    if node.id == BARS:
        aside = node.subtitle
    faults = "\n".join(problem_text(problem) for problem in problems)
    return {
        int(Qt.ItemDataRole.DisplayRole): node.id,
        ASIDE: " · ".join(part for part in (aside, state) if part),
        SECOND: reads or (None if node.role is None else node.subtitle or tr("reads nothing")),
        BADGE: None if worst is None else "error" if worst is Severity.ERROR else "warning",
        int(Qt.ItemDataRole.ToolTipRole): "\n".join(part for part in (reads, faults) if part),
        int(Qt.ItemDataRole.AccessibleTextRole): _spoken(node, wires, problems, state),
    }


def _spoken(node: NodeView, wires: Sequence[tuple[str, str]], problems: Sequence[Problem], state: str) -> str:
    parts = [f"{node.id}, {family_member(node.role)} {node.use}".strip(), state]
    parts += [tr("{port} reads {source}", port=port, source=source) for port, source in wires]
    for problem in problems:
        kind = tr("Error: {text}") if problem.severity is Severity.ERROR else tr("Warning: {text}")
        parts.append(kind.format(text=problem_text(problem)))
    return ". ".join(part.rstrip(".") for part in parts if part) + "."
