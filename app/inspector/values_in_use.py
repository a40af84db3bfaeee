"""ValuesInUse: the values of an instrument that a run would use, and the source of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from shiboken6 import isValid

from quantcrafter.app.document.document import Document
from quantcrafter.app.inspector.content import content
from quantcrafter.app.inspector.label_colors import tint
from quantcrafter.app.inspector.sections import Section
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.theme import current

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.running.instrument_values import InstrumentValues

_LEAST = (62, 84, 44)
"""Widths of the columns in pixels below which words break: together they fit the narrowest inspector."""

_SHARES = (4, 5, 2)

AskValues = Callable[[int, Callable[["InstrumentValues | str"], None]], None]
"""Asks for the values of the instrument at a place; the function is called with them, or with why there are none."""


class ValuesInUse(Section):
    """A folded list of values and sources, asked for when it is first opened and again after each change.

    Args:
        document: the strategy.
        place: the instrument's place in it, from 0.
        ask: asks for the values.
        parent: the card.
    """

    def __init__(self, document: Document, place: int, ask: AskValues, parent: QWidget | None = None) -> None:
        self._document = document
        self._place = place
        self._ask = ask
        self._asked: object = None
        super().__init__(tr("Values in use"), parent, foldable=True, is_open=False)
        self.setToolTip(tr("The values that a run uses, and where each comes from"))
        self._grid_holder = QWidget(self.body)
        self._grid = QGridLayout(self._grid_holder)
        self._grid.setContentsMargins(10, 2, 8, 2)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(3)
        for column, share in enumerate(_SHARES):
            self._grid.setColumnStretch(column, share)
        self.note = QLabel(self.body)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(10, 2, 8, 4)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.add(self._grid_holder)
        self.add(self.note)
        self._say(tr("Loading the data…"))

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """Label, value and source of each row."""
        cells = [[self._text(row, column) for column in range(3)] for row in range(self._grid.rowCount())]
        return [(name, value, source) for name, value, source in cells if name]

    def refresh(self) -> None:
        """Ask again if the instrument, or what all instruments share, is not as it was."""
        wanted = self._wanted()
        if self.is_open and wanted != self._asked:
            self._asked = wanted
            self._ask(self._place, lambda found: self._take(wanted, found))

    def show_values(self, found: InstrumentValues | str) -> None:
        """Show values, or why there are none."""
        self._clear()
        if isinstance(found, str):
            self._say(translated(found), is_error=True)
            return
        labels, sources = _labels(), _sources()
        for row, each in enumerate(found.values):
            percent = each.name.endswith("_percent")
            cells = (
                labels.get(each.name, each.name.replace("_", " ")),
                f"{each.value} %" if percent else each.value,
                sources.get(each.source, each.source),
            )
            for column, text in enumerate(cells):
                self._grid.addWidget(_cell(text, column, self._grid_holder), row, column)
        self._grid_holder.setVisible(bool(found.values))
        self._say(
            translated(found.error) if found.error else "\n".join(map(translated, found.notes)),
            is_error=bool(found.error),
        )

    def _take(self, wanted: object, found: InstrumentValues | str) -> None:
        if isValid(self) and wanted == self._asked:
            self.show_values(found)

    def _wanted(self) -> object:
        """Return everything that the values depend on."""
        written = content(self._document)
        listed = written.get("instruments")
        entry: Any = listed[self._place] if isinstance(listed, list) and self._place < len(listed) else None
        run = written.get("run")
        shared = {name: run.get(name) for name in ("currency", "rates")} if isinstance(run, Mapping) else {}
        return repr((entry, shared, self._document.folder))

    def _fold(self, is_open: bool) -> None:  # noqa: FBT001 - connected to a Qt signal
        super()._fold(is_open)
        if is_open:
            self.refresh()

    def _say(self, text: str, *, is_error: bool = False) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))
        tint(self.note, current().error if is_error else current().text_dim)

    def _clear(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _text(self, row: int, column: int) -> str:
        item = self._grid.itemAtPosition(row, column)
        label = item.widget() if item is not None else None
        return label.text() if isinstance(label, QLabel) else ""


def _cell(text: str, column: int, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setWordWrap(True)
    label.setMinimumWidth(_LEAST[column])
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    if column == 1:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    else:
        tint(label, current().text_dim)
    return label


def _labels() -> dict[str, str]:
    return {
        "market": tr("Market"),
        "session": tr("Trading hours"),
        "calendar": tr("Holidays"),
        "tick_size": tr("Tick size"),
        "tick_table": tr("Tick table"),
        "lot_size": tr("Lot size"),
        "pip_size": tr("Pip size"),
        "multiplier": tr("Multiplier"),
        "kind": tr("Kind"),
        "currency": tr("Currency"),
        "buy_duty_percent": tr("Tax on purchases"),
        "sell_duty_percent": tr("Tax on sales"),
        "settlement": tr("Settlement"),
        "price_limit_percent": tr("Price limit"),
        "price_limit_amounts": tr("Price limit"),
        "trading_days": tr("Trading days a year"),
    }


def _sources() -> dict[str, str]:
    return {
        "file": tr("file"),
        "market": tr("market"),
        "suffix": tr("suffix"),
        "symbol": tr("symbol"),
        "data": tr("data"),
        "guess": tr("guess"),
        "account": tr("account"),
        "default": tr("default"),
    }
