"""Quick-add on a canvas: what it offers, where it opens, and what becomes of the choice."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QTimer

from quantcrafter.app.canvas.adding import Adding, block_offers
from quantcrafter.app.canvas.edit_context import LooseEnd, Stage
from quantcrafter.app.canvas.quick_add.candidates import Offer, OfferIndex, references
from quantcrafter.app.canvas.quick_add.search_box import QuickAdd
from quantcrafter.engine.api import Role

PER_TURN = 4
TURN_MS = 15


class QuickAddController(QObject):
    """Opens quick-add over a stage's view and adds what is chosen there.

    The catalog is read a few components at a time while nothing else happens, so that the first opening does not wait.
    """

    def __init__(self, stage: Stage, adding: Adding) -> None:
        super().__init__(stage)
        self._stage = stage
        self._adding = adding
        self._index = OfferIndex(stage.document.catalog)
        self._at = QPoint()
        self._loose: LooseEnd | None = None
        self.popup = QuickAdd(stage.view)
        self.popup.chosen.connect(self._take)
        self.popup.dismissed.connect(self._leave)
        stage.quick_add_wanted.connect(self.open)
        self._timer = QTimer(self)
        self._timer.setInterval(TURN_MS)
        self._timer.timeout.connect(self._read)
        self._timer.start()

    def _read(self) -> None:
        if not self._index.read(PER_TURN):
            self._timer.stop()

    def open(self, loose: LooseEnd | None, at: QPoint) -> None:
        """Ask what to add at a place of the view, and what to wire to a loose end if there is one."""
        stage = self._stage
        if stage.locked:
            stage.message.emit(stage.locked)
            return
        self._loose, self._at = loose, at
        offers: list[Offer] = [*block_offers(stage), *self._index.all()]
        if stage.scope:
            offers = [offer for offer in offers if offer.role is not Role.EXECUTION]
        if loose is not None:
            there = (node for node in stage.graph.nodes.values() if node.id != loose.fixed.node)
            offers += references(there, loose.wanted)
        self.popup.open(offers, stage.settings.quick_add_counts, at, loose.wanted if loose is not None else None)

    def _take(self, offer: Offer) -> None:
        self._stage.scene.clear_drag_wire()
        self._stage.view.setFocus()
        self._adding.take(offer, self._stage.view.mapToScene(self._at), self._loose)
        self._loose = None

    def _leave(self) -> None:
        self._stage.scene.clear_drag_wire()
        self._loose = None
