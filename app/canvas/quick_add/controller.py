"""Quick-add on a canvas: its candidates, its place, and the handling of the choice."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QTimer

from quantcrafter.app.canvas.adding import Adding, block_offers
from quantcrafter.app.canvas.candidates import Offer, OfferIndex, references
from quantcrafter.app.canvas.edit_context import EditContext, LooseEnd
from quantcrafter.app.canvas.quick_add.search_box import QuickAdd
from quantcrafter.engine.api import Role

PER_TURN = 4
TURN_MS = 15


class QuickAddController(QObject):
    """Opens quick-add over a stage's view and adds what is chosen there.

    The catalog is read a few components at a time while nothing else happens, so that the first opening does not wait.
    """

    def __init__(self, context: EditContext, adding: Adding) -> None:
        super().__init__(context)
        self._context = context
        self._adding = adding
        self._index = OfferIndex(context.document.catalog)
        self._at = QPoint()
        self._loose: LooseEnd | None = None
        self.popup = QuickAdd(context.view)
        self.popup.chosen.connect(self._take)
        self.popup.dismissed.connect(self._leave)
        context.quick_add_wanted.connect(self.open)
        self._timer = QTimer(self)
        self._timer.setInterval(TURN_MS)
        self._timer.timeout.connect(self._read)
        self._timer.start()

    def reload(self) -> None:
        """Read the catalog again: it has other components."""
        self._index = OfferIndex(self._context.document.catalog)
        self._timer.start()

    def _read(self) -> None:
        if not self._index.read(PER_TURN):
            self._timer.stop()

    def open(self, loose: LooseEnd | None, at: QPoint) -> None:
        """Ask what to add at a place of the view, and what to wire to a loose end if there is one."""
        context = self._context
        if context.locked:
            context.message.emit(context.locked)
            return
        self._loose, self._at = loose, at
        offers: list[Offer] = [*block_offers(context), *self._index.all()]
        if context.scope:
            offers = [offer for offer in offers if offer.role is not Role.EXECUTION]
        if loose is not None:
            there = (node for node in context.graph.nodes.values() if node.id != loose.fixed.node)
            offers += references(there, loose.wanted)
        self.popup.open(offers, context.settings.quick_add_counts, at, loose.wanted if loose is not None else None)

    def _take(self, offer: Offer) -> None:
        self._context.scene.clear_drag_wire()
        self._context.view.setFocus()
        self._adding.take(offer, self._context.view.mapToScene(self._at), self._loose)
        self._loose = None

    def _leave(self) -> None:
        self._context.scene.clear_drag_wire()
        self._loose = None
