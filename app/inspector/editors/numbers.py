"""The editor of numbers: typed freely, stepped by arrows and wheel."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFocusEvent, QPalette, QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QHBoxLayout, QLabel, QWidget

from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.editors.base import guard_wheel
from quantcrafter.app.inspector.editors.texts import TextEditor
from quantcrafter.app.inspector.fields import Field, FieldKind
from quantcrafter.app.services.i18n import translated

_SETTLE_MS = 350


class _Spin(QAbstractSpinBox):
    """A spin box that lets anything be typed: what is wrong is said next to it, not swallowed."""

    def __init__(self, editor: NumberEditor, field: Field) -> None:
        super().__init__(editor)
        self._editor = editor
        self._field = field
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
        guard_wheel(self)

    def validate(self, text: str, place: int) -> object:
        return QValidator.State.Acceptable, text, place

    def fixup(self, text: str) -> str:
        return text

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:  # noqa: N802 - Qt's
        return QAbstractSpinBox.StepEnabledFlag.StepUpEnabled | QAbstractSpinBox.StepEnabledFlag.StepDownEnabled

    def stepBy(self, steps: int) -> None:  # noqa: N802 - Qt's
        self._editor.step(steps)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's
        super().focusOutEvent(event)
        self._editor.finish()


class NumberEditor(TextEditor):
    """A number with arrows; a burst of steps is taken over as one, a moment after the last."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field = field
        self._default: Any = field.default
        self.spin = _Spin(self, field)
        self.spin.setLineEdit(self.line)
        self.spin.editingFinished.connect(self.finish)  # Enter goes to the box, which keeps it from the line
        self._show_unit(translated(field.unit) if field.has_short_unit else "")
        self.box.addWidget(self.spin)
        self.setFocusProxy(self.spin)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.finish)
        self.listen()

    def finish(self) -> None:
        self._settle.stop()
        super().finish()

    def _show_unit(self, unit: str) -> None:
        """Write the unit into the right end of the line."""
        if not unit:
            return
        label = QLabel(unit, self.line)
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        width = label.sizeHint().width() + 4
        self.line.setTextMargins(0, 0, width, 0)
        inside = QHBoxLayout(self.line)
        inside.setContentsMargins(0, 0, 4, 0)
        inside.addStretch(1)
        inside.addWidget(label)

    def step(self, steps: int) -> None:
        """Go up or down by steps that suit the number's size, within the range."""
        try:
            value = typed_values.parse(self._field, self.line.text())
        except ValueError:
            return
        start = value if value is not UNSET else self._field.low or 0
        self.line.setText(typed_values.show(stepped(self._field, start, steps)))
        self.line.selectAll()
        self._settle.start()


def stepped(field: Field, value: float, steps: int) -> int | float:
    """Return a number some steps further, kept inside the field's range."""
    if field.kind is FieldKind.INTEGER:
        moved: float = int(value) + steps
    else:
        size = step_size(field, value)
        moved = float((Decimal(repr(float(value))) + Decimal(repr(size)) * steps).quantize(Decimal(repr(size / 10))))
    if field.low is not None and (moved < field.low or (moved == field.low and not field.low_in)):
        moved = field.low if field.low_in else value
    if field.high is not None and (moved > field.high or (moved == field.high and not field.high_in)):
        moved = field.high if field.high_in else value
    return int(moved) if float(moved).is_integer() else moved


def step_size(field: Field, value: float) -> float:
    """Return a tenth of the number's own magnitude: 0.1 for 2.0, 1 for 15, 10000 for 250000."""
    size = abs(value) or min(field.high or 1.0, 1.0)
    return float(10.0 ** (math.floor(math.log10(size)) - 1))
