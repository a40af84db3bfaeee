"""The pages of the instruments, and of the strategy, which has them in its middle."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from quantcrafter.app.document.edits import UNSET, SetField
from quantcrafter.app.document.instrument_names import entry_name
from quantcrafter.app.inspector import subjects
from quantcrafter.app.inspector.content import content
from quantcrafter.app.inspector.form import Form
from quantcrafter.app.inspector.form_view import FormView
from quantcrafter.app.inspector.instrument_card import InstrumentCard
from quantcrafter.app.inspector.instrument_list import InstrumentList
from quantcrafter.app.inspector.pages import Page, PageContext
from quantcrafter.app.inspector.sections import Section
from quantcrafter.app.inspector.values_in_use import ValuesInUse
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon

_OPEN_INSTRUMENTS = 2
MOST_CARDS = 8
"""With more instruments there is a list of them, and the form of the one that is chosen there."""


class InstrumentsPage(Page):
    """Every instrument with its data provider's own fields; forms are made when they are first seen.

    `cards` holds an instrument each, by its place; with many instruments there is `listed`, and only the card of the
    instrument that is chosen in it.
    """

    def __init__(self, context: PageContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._count = subjects.instrument_count(context.document)
        self.listed: InstrumentList | None = None
        self.cards: dict[int, InstrumentCard] = {}
        self.add_instruments()
        self.box.addStretch(1)

    @property
    def instruments(self) -> dict[int, FormView]:
        """The forms that were made, by the place of their instrument."""
        return {place: card.view for place, card in self.cards.items() if card.view is not None}

    def add_instruments(self) -> None:
        """Put the instruments on the page, and a button for one more."""
        if self._count <= MOST_CARDS:
            for place in range(self._count):
                self._add_card(place, is_open=self._count <= _OPEN_INSTRUMENTS)
        else:
            self.listed = InstrumentList(self.context.document, self)
            self.box.addWidget(self.listed)
            self._card_at = self.box.count()
            self._choose(self.listed.current)
            self.listed.chosen.connect(self._choose)
        self.add_button = QPushButton(icon("add"), tr("Add an instrument"), self)
        self.add_button.setAutoDefault(False)
        self.add_button.clicked.connect(self._add)
        self.box.addWidget(self.add_button, alignment=Qt.AlignmentFlag.AlignHCenter)

    def refresh(self) -> bool:
        count = subjects.instrument_count(self.context.document)
        if (count > MOST_CARDS) != (self.listed is not None) or (self.listed is None and count != self._count):
            return False
        self._count = count
        if self.listed is not None:
            self.listed.refresh()
            self._choose(self.listed.current)
        return all(self._refresh_card(place, card) for place, card in self.cards.items())

    def _refresh_card(self, place: int, card: InstrumentCard) -> bool:
        form = subjects.instrument_form(self.context.document, place)
        card.name(_title(form))
        if card.view is not None:
            if form.key != card.view.form.key:
                return False
            card.view.refresh(form)
        if card.values is not None:
            card.values.refresh()
        return True

    def _choose(self, place: int) -> None:
        """Show the form of one instrument in the place of another's."""
        shown = next(iter(self.cards), -1)
        view = self.cards[shown].view if shown in self.cards else None
        if shown == place and (view is None or view.form.key == self._form(place).key):
            return
        if view is not None:
            view.finish()
            view.give_up()
            self.views.remove(view)
        for card in self.cards.values():
            self.box.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards.clear()
        if place >= 0:
            self._add_card(place, is_open=True, at=self._card_at)

    def _form(self, place: int) -> Form:
        return subjects.instrument_form(self.context.document, place)

    def _add_card(self, place: int, *, is_open: bool, at: int = -1) -> None:
        def make(card: InstrumentCard) -> FormView:
            view = self.show_form(self._form(place), self.context.rows(), card)
            if self.context.ask_values is not None:
                card.values = ValuesInUse(self.context.document, place, self.context.ask_values, card.body)
                card.add(card.values)
            return view

        card = InstrumentCard(_title(self._form(place)), make, self, is_open=is_open, removable=self._count > 1)
        card.source_asked.connect(lambda: self.source_asked.emit(place))
        remove = SetField(("instruments", place), UNSET)
        card.remove_asked.connect(lambda: self._ask(remove, tr("Remove an instrument")))
        self.cards[place] = card
        self.box.insertWidget(at, card)

    def _add(self) -> None:
        document = self.context.document
        entry = subjects.new_instrument(document)
        listed = content(document).get("instruments")
        if isinstance(listed, list):
            self._ask(SetField(("instruments", len(listed)), entry), tr("Add an instrument"))
        else:
            self._ask(SetField(("instruments",), [entry]), tr("Add an instrument"))

    def _ask(self, edit: SetField, label: str) -> None:
        self.edit_asked.emit((edit,), label)


class StrategyPage(InstrumentsPage):
    """The strategy's name, instruments and run settings."""

    def add_instruments(self) -> None:
        self.head = self.show_form(subjects.head_form(self.context.document), self.context.rows())
        self.box.addWidget(Section(tr("Instruments"), self))
        super().add_instruments()
        section = Section(tr("Run"), self)
        self.run = self.show_form(subjects.run_form(self.context.document), self.context.rows(), section)
        self.box.addWidget(section)

    def refresh(self) -> bool:
        if not super().refresh():
            return False
        self.head.refresh(subjects.head_form(self.context.document))
        self.run.refresh(subjects.run_form(self.context.document))
        return True


def _title(form: Form) -> str:
    written = {entry.path[0]: form.value(entry) for entry in form.fields if entry.name == "symbol"}
    universe = {entry.path[-1]: form.value(entry) for entry in form.fields if entry.path[0] == "universe"}
    given = {name: value for name, value in universe.items() if value is not UNSET}
    entry = {"universe": given.get("universe", given)} if given else written
    name = entry_name(entry)
    return tr("Instrument") if entry.get("symbol") is UNSET or not name else name
