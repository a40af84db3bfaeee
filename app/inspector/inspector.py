"""Inspector: the form of what is selected, made from schemas alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.document.edits import Edit, RenameNode, SetFlags
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.view import BARS, NodeView, Scope
from quantcrafter.app.inspector.header import NodeHeader, TitleHeader
from quantcrafter.app.inspector.instrument_pages import InstrumentsPage, StrategyPage
from quantcrafter.app.inspector.label_colors import tint
from quantcrafter.app.inspector.pages import NodesPage, Page, PageContext, RawPage
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.engine.api.message import joined

_SETTLE_MS = 60


class Inspector(QWidget):
    """Shows the settings of the selected nodes; with nothing selected, those of the strategy.

    Each field that is finished is one undo step. The Qt signal `message` carries what went wrong, for the status bar;
    `renamed` carries the old and the new id after the inspector renamed a node.
    """

    message = Signal(str)
    renamed = Signal(str, str)
    vary_asked = Signal(str, str)
    """A node and the field of it that is to be varied."""
    source_asked = Signal(object)
    """The data of an instrument (its place, an int) or of a feed node (its id) are to be chosen."""
    limits_asked = Signal(object)
    """Carries a function to call with the first and the last day that the strategy's data have."""
    values_asked = Signal(int, object)
    """Carries the place of an instrument, and a function to call with its InstrumentValues or the reason for none."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Inspector"))
        self.setMinimumWidth(260)
        self.ids: tuple[str, ...] = ()
        self.scope: Scope = ()
        self.header: QWidget = QWidget(self)
        self.page: Page | None = None
        self.fault = QLabel(self)
        self.fault.setWordWrap(True)
        self.fault.setContentsMargins(12, 6, 8, 6)
        self.fault.hide()
        self.scroller = QScrollArea(self)
        self.scroller.setWidgetResizable(True)
        self.scroller.setFrameShape(QFrame.Shape.NoFrame)
        self.scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self._box.addWidget(self.header)
        self._box.addWidget(self.fault)
        self._box.addWidget(self.scroller, 1)
        self._holder = QWidget(self.scroller.viewport())
        self._pages = QVBoxLayout(self._holder)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self.scroller.setWidget(self._holder)
        self._strategy: StrategyPage | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.refresh)
        self._unsubscribe: Callable[[], None] = lambda: None
        theme_changed.connect(self._restyle)
        self.set_document(document)

    def set_document(self, document: Document) -> None:
        """Show another document, with nothing selected."""
        self._leave()
        self._unsubscribe()
        self.document = document
        self._context = PageContext(document, {}, self._limits, self.values_asked.emit)
        self._unsubscribe = document.subscribe(self._on_change)
        self.ids, self.scope = (), ()
        self._forget_strategy()
        self._rebuild()

    def set_selection(self, ids: Sequence[str], scope: Scope = ()) -> None:
        """Show the form of these nodes; what was typed for others is taken over first, or given up if it is refused."""
        wanted = tuple(ids)
        if (wanted, scope) == (self.ids, self.scope):
            return
        self._leave()
        self.ids, self.scope = wanted, scope
        self._rebuild()

    def _limits(self, take: Callable[[date, date], None]) -> None:
        """Ask how far the data of the strategy reach."""
        self.limits_asked.emit(take)

    def finish(self) -> None:
        """Apply pending input."""
        if isinstance(self.header, NodeHeader):
            self.header.finish()
        if self.page is not None:
            self.page.finish()

    def refused(self) -> str:
        """Return what is shown but was refused, and why, '' where all that is shown is used; call `finish` before."""
        if isinstance(self.header, NodeHeader) and self.header.is_refused:
            return tr("The node name was not accepted: {reason}", reason=self.header.reason.text())
        view = self.page.refused() if self.page is not None else None
        row = view.refused() if view is not None else None
        if row is None:
            return ""
        return tr("{field} was not accepted: {reason}", field=row.field.label, reason=row.reason.text())

    def show_refused(self) -> None:
        """Put the focus into the field whose text was refused."""
        if isinstance(self.header, NodeHeader) and self.header.is_refused:
            self.header.name.setFocus()
            self.header.name.selectAll()
            return
        view = self.page.refused() if self.page is not None else None
        row = view.refused() if view is not None else None
        if view is not None and row is not None:
            view.show_refused()
            self.scroller.ensureWidgetVisible(row)

    def _leave(self) -> None:
        """Apply pending input; rejected input is discarded, so that the shown values are the used ones."""
        self.finish()
        if self.page is not None:
            for told in self.page.give_up():
                self.message.emit(told)

    def refresh(self) -> None:
        """Show the document as it is now, leaving alone what is being typed."""
        self._settle.stop()
        nodes = self.document.graph(self.scope).nodes
        kept = tuple(node for node in self.ids if node in nodes)
        if kept != self.ids or self.page is None or self._kind() != self._built or not self.page.refresh():
            self.ids = kept
            self._rebuild()
        if isinstance(self.header, NodeHeader) and len(self.ids) == 1:
            self.header.show_node(nodes[self.ids[0]])

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's
        """Take over what is pending, and let the document go."""
        self.finish()
        self._settle.stop()
        self._unsubscribe()
        super().closeEvent(event)

    # ------------------------------------------------------------------ making pages

    def _kind(self) -> tuple[object, ...]:
        """Return what decides which page there is."""
        nodes = self.document.graph(self.scope).nodes
        shown = [nodes[node] for node in self.ids if node in nodes]
        return tuple(
            (node.id, node.role, node.use, node.known, node.block, self.document.component(node.id, self.scope))
            for node in shown
        )

    def _restyle(self) -> None:
        self._forget_strategy()
        self._rebuild()

    def _rebuild(self) -> None:
        focused = next((path for view in self.page.views if (path := view.focused())), None) if self.page else None
        nodes = self.document.graph(self.scope).nodes
        self.ids = tuple(node for node in self.ids if node in nodes)
        self._built = self._kind()
        header, page = self._make([nodes[node] for node in self.ids])
        self._box.replaceWidget(self.header, header)
        self.header.hide()
        self.header.deleteLater()
        self.header, self.page = header, page
        self._put(page)
        self._say("")
        if focused is not None:
            any(view.focus(focused) for view in page.views)

    def _put(self, page: Page) -> None:
        """Show a page in the place of the one before; the strategy's is kept, as it is the longest and comes often."""
        for index in reversed(range(self._pages.count())):
            item = self._pages.itemAt(index)
            other = item.widget() if item is not None else None
            if other is not None and other is not page:
                other.hide()
                if other is not self._strategy:
                    self._pages.removeWidget(other)
                    other.deleteLater()
        if self._pages.indexOf(page) < 0:
            page.edit_asked.connect(self._do)
            page.vary_asked.connect(self._vary)
            page.source_asked.connect(self.source_asked)
            self._pages.addWidget(page)
        page.show()
        self.scroller.verticalScrollBar().setValue(0)

    def _strategy_page(self) -> StrategyPage:
        if self._strategy is None or self._strategy is self.page or not self._strategy.refresh():
            self._forget_strategy()
            self._strategy = StrategyPage(self._context, self._holder)
        return self._strategy

    def _forget_strategy(self) -> None:
        if self._strategy is not None:
            self._pages.removeWidget(self._strategy)
            self._strategy.hide()
            self._strategy.deleteLater()
            self._strategy = None

    def _make(self, nodes: Sequence[NodeView]) -> tuple[QWidget, Page]:
        if not nodes:
            about = tr("Nothing is selected. These settings apply to the whole strategy.")
            return TitleHeader("settings", tr("Strategy"), about, self), self._strategy_page()
        if len(nodes) > 1:
            title = tr("{count} nodes", count=len(nodes))
            about = tr("Settings that the selected nodes share. A change applies to all of them.")
            page = NodesPage(self._context, self.ids, self.scope, self._holder)
            return TitleHeader("inspector", title, about, self), page
        node = nodes[0]
        if node.id == BARS:
            about = tr("The bars that the strategy runs on.")
            return TitleHeader("bars", tr("Instruments"), about, self), InstrumentsPage(self._context, self._holder)
        return self._node_header(node), self._node_page(node)

    def _node_page(self, node: NodeView) -> Page:
        if node.role is None:
            text = tr("An input of the block. It receives what is wired to the block from outside.")
            return RawPage(self._context, node, text, self._holder)
        if not node.known:
            absent = self.document.catalog.why_absent(node.use)
            if absent is not None:
                return RawPage(self._context, node, translated(joined(absent)), self._holder)
            text = tr(
                "'{use}' is not installed, so its values are read-only. The file keeps them. To "
                "edit them, install the plugin that provides this component, or replace the node.",
                use=node.use,
            )
            return RawPage(self._context, node, text, self._holder)
        return NodesPage(self._context, self.ids, self.scope, self._holder)

    def _node_header(self, node: NodeView) -> NodeHeader:
        header = NodeHeader(self)
        header.show_node(node)
        header.renamed.connect(self._rename)
        header.bypassed.connect(lambda on: self._do((SetFlags(self.ids, bypass=on),), tr("Bypass")))
        header.muted.connect(lambda on: self._do((SetFlags(self.ids, mute=on),), tr("Mute")))
        return header

    # ------------------------------------------------------------------ editing

    def _do(self, edits: Sequence[Edit], label: str) -> None:
        try:
            self.document.do(*edits, label=label, scope=self.scope, origin=self)
        except EditError as error:
            self._say(str(error))
            self.refresh()
        else:
            self._say("")

    def _vary(self, field: str) -> None:
        if len(self.ids) == 1:
            self.vary_asked.emit(self.ids[0], field)

    def _rename(self, name: str) -> None:
        old = self.ids[0]
        header = self.header
        self.ids = (name,)
        try:
            self.document.do(RenameNode(old, name), label=tr("Rename"), scope=self.scope, origin=self)
        except EditError as error:
            self.ids = (old,)
            if isinstance(header, NodeHeader):
                header.say(str(error))
        else:
            self.renamed.emit(old, name)

    def _on_change(self, change: DocumentChange) -> None:
        if change.origin is self:
            self.refresh()
            return
        if self.fault.text():  # it was refused of another text
            self._say("")
        if not self._settle.isActive():
            self._settle.start()

    def _say(self, text: str) -> None:
        theme = current()
        self.fault.setText(text)
        tint(self.fault, theme.error, theme.error_soft)
        self.fault.setVisible(bool(text))
        if text:
            self.message.emit(text)
