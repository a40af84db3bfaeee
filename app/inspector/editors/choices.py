"""Editors of what is picked: one of several, some of several, yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent, QStandardItemModel
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QWidget

from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.editors.base import Editor, guard_wheel
from quantcrafter.app.services.i18n import tr

_COLUMNS = 4
_GAP = 6


class ChoiceEditor(Editor):
    """One of a few values, in a drop-down list.

    Args:
        choices: the values.
        parent: the widget that it belongs to.
        unavailable: further values that are listed and cannot be chosen, each with the command that brings it.
        barred: those that cannot be chosen for another reason, each with that.
    """

    def __init__(
        self,
        choices: Sequence[Any],
        parent: QWidget | None = None,
        *,
        unavailable: Sequence[tuple[str, str]] = (),
        barred: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(parent)
        self.combo = QComboBox(self)
        guard_wheel(self.combo)
        for choice in choices:
            self.combo.addItem(choice_text(choice), choice)
        for choice, command in unavailable:
            hint = tr("Not installed. Install with: {command}", command=command)
            self._add_greyed(tr("{name} (not installed)", name=choice), choice, hint)
        for choice, why in barred:
            self._add_greyed(tr("{name} (not possible)", name=choice_text(choice)), choice, why)
        self.combo.setMinimumContentsLength(2)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.activated.connect(lambda index: self.chosen.emit(self.combo.itemData(index)))
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.combo)
        self.setFocusProxy(self.combo)

    def _add_greyed(self, text: str, choice: str, hint: str) -> None:
        row = self.combo.count()
        self.combo.addItem(text, choice)
        self.combo.setItemData(row, hint, Qt.ItemDataRole.ToolTipRole)
        model = self.combo.model()
        if isinstance(model, QStandardItemModel):
            model.item(row).setEnabled(False)

    def show_value(self, value: Any, *, various: bool) -> None:
        self.combo.setPlaceholderText(tr("(multiple values)") if various else tr("Choose…"))
        index = -1
        if not various:
            data = (self.combo.itemData(row) for row in range(self.combo.count()))
            index = next((row for row, item in enumerate(data) if item == value and type(item) is type(value)), -1)
        self.combo.setCurrentIndex(index)
        self.combo.setToolTip(str(self.combo.itemData(index, Qt.ItemDataRole.ToolTipRole) or ""))


class ChoicesEditor(Editor):
    """Some of a few values, each with a box to tick."""

    def __init__(self, choices: Sequence[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.boxes = {choice: QCheckBox(choice_text(choice), self) for choice in choices}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 2)
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(2)
        self._columns = 0
        for box in self.boxes.values():
            box.clicked.connect(self._send)
        self._place(_COLUMNS // 2)
        if self.boxes:
            self.setFocusProxy(next(iter(self.boxes.values())))

    def show_value(self, value: Any, *, various: bool) -> None:
        picked = value if isinstance(value, (list, tuple)) and not various else ()
        for choice, box in self.boxes.items():
            box.setCheckState(Qt.CheckState.Checked if choice in picked else Qt.CheckState.Unchecked)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Put as many boxes into a row as there is room for."""
        super().resizeEvent(event)
        widest = max((box.sizeHint().width() for box in self.boxes.values()), default=1)
        self._place(max(1, min(_COLUMNS, (self.width() + _GAP) // (widest + _GAP))))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """Return the room that the boxes need below each other in width, and as they are in height."""
        widest = max((box.sizeHint().width() for box in self.boxes.values()), default=1)
        return QSize(widest, super().minimumSizeHint().height())

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for place, box in enumerate(self.boxes.values()):
            self._grid.addWidget(box, place // columns, place % columns)
        self.updateGeometry()

    def _send(self) -> None:
        self.chosen.emit([choice for choice, box in self.boxes.items() if box.isChecked()])


class FlagEditor(Editor):
    """Yes or no."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = QCheckBox(self)
        self.box.clicked.connect(lambda: self.chosen.emit(self.box.checkState() == Qt.CheckState.Checked))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(self.box)
        layout.addStretch(1)
        self.setFocusProxy(self.box)

    def show_value(self, value: Any, *, various: bool) -> None:
        self.box.setTristate(various)
        states = Qt.CheckState
        self.box.setCheckState(
            states.PartiallyChecked if various else states.Checked if value is True else states.Unchecked
        )


def choice_text(choice: Any) -> str:
    """Return what a choice is called in a list."""
    return tr("tab") if choice == "\t" else typed_values.show(choice)
