"""Editors of wires: a node's output or a number, and lists of them. Only outputs that fit are offered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.editors.base import Editor, guard_wheel
from quantcrafter.app.inspector.editors.texts import TextEditor
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon

Offers = Callable[[], Sequence[tuple[str, QIcon]]]
"""What fits, asked for when a list is opened."""

_OPENERS = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_F4, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_Space)


class OfferCombo(QComboBox):
    """A drop-down list that is filled when it is opened."""

    def __init__(self, offers: Offers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offers = offers
        guard_wheel(self)
        self.setMinimumContentsLength(1)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMaxVisibleItems(16)

    def fill(self) -> None:
        """Ask what fits, and keep the value that is shown."""
        text = self.currentText()
        self.clear()
        for name, sign in self._offers():
            self.addItem(sign, name)
        if not self.count() and not self.isEditable():
            self.addItem(tr("Nothing here is compatible yet"))
            self.setItemData(0, 0, Qt.ItemDataRole.UserRole - 1)
        self.setCurrentIndex(self.findText(text) if text else -1)
        if self.isEditable():
            self.setEditText(text)
        elif text and self.currentIndex() < 0:
            self.insertItem(0, text)
            self.setCurrentIndex(0)

    def show_text(self, text: str) -> None:
        """Show one value without asking what else fits."""
        self.clear()
        if text:
            self.addItem(text)
        self.setCurrentIndex(0 if text else -1)

    def showPopup(self) -> None:  # noqa: N802 - Qt's
        self.fill()
        super().showPopup()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        if not self.isEditable() and event.key() in _OPENERS:
            self.showPopup()
            return
        if self.isEditable() and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_F4):
            self.showPopup()
            return
        super().keyPressEvent(event)


class ReferenceEditor(TextEditor):
    """One wire: picked from what fits, or typed where numbers are allowed too."""

    def __init__(self, offers: Offers, *, numbers: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers = numbers
        self.combo = OfferCombo(offers, self)
        if numbers:
            self.combo.setEditable(True)
            self.combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            self.combo.setLineEdit(self.line)
            self.combo.setCompleter(None)  # type: ignore[arg-type] # Qt takes None for "no completer"
            self.listen()
        else:
            self.line.hide()
            self.combo.setPlaceholderText(self.hint())
        self.combo.activated.connect(self._picked)
        self.box.addWidget(self.combo)
        self.setFocusProxy(self.combo)

    def hint(self) -> str:
        return tr("Node or number") if self._numbers else tr("Choose a node…")

    def show_value(self, value: Any, *, various: bool) -> None:
        if self._numbers:
            super().show_value(value, various=various)
            return
        self.combo.setPlaceholderText(tr("(multiple values)") if various else self.hint())
        self.combo.show_text("" if various else typed_values.show(value))

    def draft(self) -> str | None:
        return super().draft() if self._numbers else None

    def _picked(self, index: int) -> None:
        text = self.combo.itemText(index)
        if self._numbers:
            self.finish()
        else:
            self.chosen.emit(text)

    def _put(self, text: str) -> None:
        self.combo.setEditText(text)


class ReferencesEditor(Editor):
    """A list of wires, in an order that can be changed."""

    def __init__(self, offers: Offers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offers = offers
        self._items: list[Any] = []
        self.rows: list[QWidget] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(3)
        self.add = OfferCombo(self._unused, self)
        self.add.setPlaceholderText(tr("Add…"))
        self.add.setAccessibleName(tr("Add a wire"))
        self.add.activated.connect(lambda index: self.chosen.emit([*self._items, self.add.itemText(index)]))
        self._box.addWidget(self.add)
        self.setFocusProxy(self.add)

    def show_value(self, value: Any, *, various: bool) -> None:
        items = list(value) if isinstance(value, (list, tuple)) and not various else []
        if isinstance(value, (str, int, float)) and value is not UNSET:
            items = [value]
        self.add.show_text("")
        if items == self._items and len(self.rows) == len(items):
            return
        self._items = items
        for row in self.rows:
            self._box.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = [self._row(place, item) for place, item in enumerate(items)]
        for place, row in enumerate(self.rows):
            self._box.insertWidget(place, row)

    def _unused(self) -> Sequence[tuple[str, QIcon]]:
        return [offer for offer in self._offers() if offer[0] not in self._items]

    def _row(self, place: int, item: Any) -> QWidget:
        row = QWidget(self)
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        combo = OfferCombo(self._unused, row)
        combo.show_text(typed_values.show(item))
        combo.setAccessibleName(tr("Wire {number}", number=place + 1))
        combo.activated.connect(lambda index: self._replace(place, combo.itemText(index)))
        box.addWidget(combo, 1)
        self._button(row, "chevron-up", tr("Move up"), enabled=place > 0, act=lambda: self._swap(place - 1))
        self._button(
            row, "chevron-down", tr("Move down"), enabled=place + 1 < len(self._items), act=lambda: self._swap(place)
        )
        self._button(row, "close", tr("Remove this wire"), enabled=True, act=lambda: self._take_off(place))
        return row

    def _button(self, row: QWidget, name: str, text: str, *, enabled: bool, act: Callable[[], None]) -> None:
        button = QToolButton(row)
        button.setIcon(icon(name))
        button.setAutoRaise(True)
        button.setFixedSize(QSize(20, 22))
        button.setIconSize(QSize(12, 12))
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setEnabled(enabled)
        button.clicked.connect(act)
        layout = row.layout()
        if layout is not None:
            layout.addWidget(button)

    def _replace(self, place: int, text: str) -> None:
        self.chosen.emit([*self._items[:place], text, *self._items[place + 1 :]])

    def _swap(self, place: int) -> None:
        items = list(self._items)
        items[place], items[place + 1] = items[place + 1], items[place]
        self.chosen.emit(items)

    def _take_off(self, place: int) -> None:
        self.chosen.emit([*self._items[:place], *self._items[place + 1 :]])
