"""Help pane: what the selected node is for, with ports, parameters, formula source and example."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.document.view import Scope
from quantcrafter.app.inspector.content import block_body
from quantcrafter.app.panes.help_text import component_html, node_html
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.engine.api import Component
from quantcrafter.engine.plugins import Registry

_SETTLE_MS = 200


class HelpPane(QWidget):
    """Shows the help of a node, or of a component on the palette. The Qt signal `shown` carries its name."""

    shown = Signal(str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Help"))
        self.browser = QTextBrowser(self)
        self.browser.setAccessibleName(tr("Help text"))
        self.browser.setOpenExternalLinks(True)
        self.browser.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.browser.document().setDocumentMargin(10)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.browser)
        self._subject: type[Component] | tuple[str, Scope] | None = None
        self._html = ""
        self._unsubscribe: Callable[[], None] = lambda: None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.refresh)
        theme_changed.connect(self.refresh)
        self.set_document(document)

    def set_document(self, document: Document) -> None:
        """Show the help of another document's nodes, from the next selection on."""
        self._unsubscribe()
        self.document = document
        self._unsubscribe = document.subscribe(self._on_change)
        self._subject = None
        self.refresh()

    def show_node(self, node_id: str, scope: Scope = ()) -> None:
        """Show the help of a node."""
        self._subject = (node_id, scope)
        self.refresh()
        self.shown.emit(node_id)

    def show_component(self, cls: type[Component] | None) -> None:
        """Show the help of a component that is not (or not yet) in the graph; None is nobody's."""
        self._subject = cls
        self.refresh()
        if cls is not None:
            self.shown.emit(cls.name)

    def clear(self) -> None:
        """Show how to get help."""
        self._subject = None
        self.refresh()

    def refresh(self) -> None:
        """Show the help as it is now, and stay where it was scrolled to while it is the same."""
        self._settle.stop()
        theme = current()
        style = (
            f"<style>body {{ color: {theme.text}; }} .dim {{ color: {theme.text_dim}; }}"
            f" code {{ background: {theme.hover}; }}</style>"
        )
        html = style + self._text()
        if html != self._html:
            self._html = html
            self.browser.setHtml(html)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's
        """Let the document go."""
        self._settle.stop()
        self._unsubscribe()
        super().closeEvent(event)

    def _text(self) -> str:
        if isinstance(self._subject, tuple):
            return self._node_text(*self._subject)
        if self._subject is not None:
            return self._component_text(self._subject)
        hint = tr("Select a node, or point to a component in the list, to see its help.")
        return f'<p class="dim">{hint}</p>'

    def _node_text(self, node_id: str, scope: Scope) -> str:
        node = self.document.graph(scope).nodes.get(node_id)
        if node is None:
            return ""
        cls = self.document.component(node_id, scope)
        if cls is not None:
            return self._component_text(cls)
        described = block_body(self.document, node.use).get("description") if node.block else ""
        return node_html(node, current(), str(described or ""))

    def _component_text(self, cls: type[Component]) -> str:
        catalog = self.document.catalog
        plugin = catalog.owner(cls.role.value, cls.name) if isinstance(catalog, Registry) else ""
        return component_html(cls, current(), plugin)

    def _on_change(self, change: DocumentChange) -> None:
        del change
        if isinstance(self._subject, tuple):
            self._settle.start()
