"""One row of a form: label, editor, unit, reset, help, and what is wrong with the value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QMenu, QToolButton, QWidget

from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.editors import (
    AskLimits,
    ChoiceEditor,
    ChoicesEditor,
    DateEditor,
    Editor,
    FlagEditor,
    LineEditor,
    LongTextEditor,
    NumberEditor,
    Offers,
    PathEditor,
    ReferenceEditor,
    ReferencesEditor,
    SuggestEditor,
)
from quantcrafter.app.inspector.editors.scrub import ScrubLabel
from quantcrafter.app.inspector.editors.texts import TextEditor
from quantcrafter.app.inspector.fields import Field, FieldKind
from quantcrafter.app.inspector.form import VARIOUS, Form
from quantcrafter.app.inspector.label_colors import tint
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.problems import problem_text
from quantcrafter.app.services.type_names import port_type_name
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import Severity

LABEL_WIDTH = 86
_MARK_WIDTH = 3


@dataclass(frozen=True)
class RowContext:
    """What editors need to know beyond their field: what fits a port, the strategy's folder, how far data reach."""

    offers: Callable[[Field], Offers]
    folder: Path | None = None
    limits: Callable[[Field], AskLimits | None] = lambda _field: None
    join: Callable[[bool], None] = lambda _on: None
    """Makes one undo step of the edits between a call with True and one with False."""


def make_editor(field: Field, context: RowContext, parent: QWidget) -> Editor:
    """Return the editor that suits a field."""
    made = _EDITORS.get(field.kind)
    if made is not None:
        return made(field, context, parent)
    if field.suggestions:
        return SuggestEditor(field.suggestions, _hint(field), parent)
    return LineEditor(_hint(field), parent)


_EDITORS: dict[FieldKind, Callable[[Field, RowContext, QWidget], Editor]] = {
    FieldKind.REFERENCE: lambda field, context, parent: ReferenceEditor(
        context.offers(field), numbers=field.numbers, parent=parent
    ),
    FieldKind.REFERENCES: lambda field, context, parent: ReferencesEditor(context.offers(field), parent),
    FieldKind.CHOICE: lambda field, _context, parent: ChoiceEditor(
        field.choices, parent, unavailable=field.unavailable, barred=field.barred
    ),
    FieldKind.CHOICES: lambda field, _context, parent: ChoicesEditor(field.choices, parent),
    FieldKind.FLAG: lambda _field, _context, parent: FlagEditor(parent),
    FieldKind.INTEGER: lambda field, _context, parent: NumberEditor(field, parent),
    FieldKind.NUMBER: lambda field, _context, parent: NumberEditor(field, parent),
    FieldKind.PATH: lambda _field, context, parent: PathEditor(context.folder, parent),
    FieldKind.DATE: lambda field, context, parent: DateEditor(_hint(field), context.limits(field), parent),
    FieldKind.LONG_TEXT: lambda _field, _context, parent: LongTextEditor(parent),
}


def _hint(field: Field) -> str:
    if field.kind is FieldKind.DATE:
        return tr("YYYY-MM-DD")
    if field.kind is FieldKind.MAPPING:
        return tr("time: Date, close: Last")
    return tr("Not set") if field.optional else ""


class FieldRow(QWidget):
    """A field of the form. A value that is refused stays in the editor, marked, and is not written.

    The Qt signal `accepted` carries the value to write (UNSET to leave it out); `drafted` tells that a text was kept
    (str) or given up (None); `vary_asked` that the user wants to try other values.
    """

    accepted = Signal(object)
    drafted = Signal(object)
    vary_asked = Signal()

    def __init__(self, field: Field, form: Form, context: RowContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._form = form
        self._context = context
        label = field.label if field.has_short_unit else f"{field.label} ({translated(field.unit)})"
        is_number = field.kind in (FieldKind.INTEGER, FieldKind.NUMBER)
        self.label = ScrubLabel(label, self) if is_number else QLabel(label, self)
        self.editor = make_editor(field, context, self)
        self.reset = self._button("reset", tr("Reset to the default"))
        self.about = self._button("help", tr("Explain"))
        self.help = QLabel(explanation(field), self)
        self.reason = QLabel(self)
        self._severity = ""
        self._lay_out()
        self._wire()
        self.refresh(form)

    def _lay_out(self) -> None:
        self.label.setBuddy(self.editor)
        self.label.setFixedWidth(LABEL_WIDTH)
        self.label.setWordWrap(True)
        self.label.setToolTip(explanation(self.field))
        self.editor.setToolTip(explanation(self.field))
        name = f"{self.field.label}, {translated(self.field.unit)}" if self.field.unit else self.field.label
        for part in (self.editor, self.editor.focusProxy()):
            if part is not None:
                part.setAccessibleName(name)
                part.setAccessibleDescription(explanation(self.field))
        for text in (self.help, self.reason):
            text.setWordWrap(True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.hide()
        high = self.field.kind in (FieldKind.REFERENCES, FieldKind.LONG_TEXT, FieldKind.CHOICES)
        self.label.setContentsMargins(0, 4 if high else 0, 0, 0)
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 2, 2, 2)
        grid.setHorizontalSpacing(2)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        place = Qt.AlignmentFlag.AlignTop if high else Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(self.label, 0, 0, place)
        if self.field.kind is FieldKind.REFERENCES:  # a list gets the whole width
            grid.addWidget(self.editor, 1, 0, 1, 4)
        else:
            grid.addWidget(self.editor, 0, 1)
        grid.addWidget(self.reset, 0, 2, place)
        grid.addWidget(self.about, 0, 3, place)
        grid.addWidget(self.reason, 2, 1, 1, 3)
        grid.addWidget(self.help, 3, 1, 1, 3)

    def _wire(self) -> None:
        self.editor.chosen.connect(self._offer)
        self.editor.typed.connect(self._read)
        self.reset.clicked.connect(self._reset)
        if isinstance(self.label, ScrubLabel):
            self.label.drive(self.field, lambda: self._form.value(self.field), self._offer, self._context.join)
        self.about.setCheckable(True)
        self.about.toggled.connect(self.help.setVisible)
        if isinstance(self.editor, TextEditor):
            line = self.editor.line
            line.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            line.customContextMenuRequested.connect(partial(self._line_menu, line))

    def _line_menu(self, line: QLineEdit, at: QPoint) -> None:
        self._show_menu(line.createStandardContextMenu(), line.mapToGlobal(at))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 - Qt's
        """Offer what can be done with the field."""
        self._show_menu(QMenu(self), event.globalPos())
        event.accept()

    def _show_menu(self, menu: QMenu, at: QPoint) -> None:
        if menu.actions():
            menu.addSeparator()
        if self.can_vary:
            vary = menu.addAction(tr("Vary this parameter..."))
            vary.setObjectName("vary")
            vary.triggered.connect(self.vary_asked)
        back = menu.addAction(self.reset.icon(), tr("Reset to the default"))
        back.setEnabled(self._form.is_changed(self.field))
        back.triggered.connect(self._reset)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    @property
    def can_vary(self) -> bool:
        """Whether the value is a number, and so can be varied."""
        value = self._form.value(self.field)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return self.field.kind in (FieldKind.INTEGER, FieldKind.NUMBER) or (self.field.is_port and is_number)

    def refresh(self, form: Form) -> None:
        """Show the form's value, unless something is being typed, and say what is wrong with it."""
        self._form = form
        value = form.value(self.field)
        various = value is VARIOUS
        if self.editor.draft() is None:
            shown = self.field.default if value is UNSET and not self.field.required else value
            self.editor.show_value(shown, various=various)
            finding = form.finding(self.field)
            if finding is not None:
                text = problem_text(finding)
                self._say(text, "error" if finding.severity is Severity.ERROR else "warning")
            else:
                self._say("", "")
        font = self.label.font()
        font.setBold(form.is_changed(self.field))
        self.label.setFont(font)
        self._show_reset()

    def restore(self, text: str) -> None:
        """Restore a text that was kept because it is refused, with the reason."""
        self.editor.set_draft(text)
        self._read(text)

    def _show_reset(self) -> None:
        self.reset.setVisible(self._form.is_changed(self.field) or self.editor.draft() is not None)

    def _read(self, text: str) -> None:
        try:
            value = typed_values.parse(self.field, text)
        except ValueError as error:
            self._keep(text, str(error))
            return
        if self.field.is_port and isinstance(value, str) and self.field.numbers:
            value = _number_or_text(value)
        self._offer(value, text)

    def _offer(self, value: Any, text: str | None = None) -> None:
        reason = self._form.refusal(self.field, value)
        if reason:
            self._keep(text, reason)
            return
        self._say("", "")
        self.drafted.emit(None)
        written = self._form.value(self.field)
        if value is written or (value is not UNSET and type(value) is type(written) and value == written):
            self._take(value)
            self.refresh(self._form)
            return
        self._take(value)
        self.accepted.emit(value)

    def _take(self, value: Any) -> None:
        """Let the editor show a value that is about to be written, so that it is no draft any more."""
        self.editor.show_value(self.field.default if value is UNSET else value, various=False)

    def _keep(self, text: str | None, reason: str) -> None:
        if text is None:  # picked, not typed: there is nothing to keep
            self.refresh(self._form)
        self._say(reason, "error")
        self.drafted.emit(text)
        self._show_reset()

    def give_up(self) -> str:
        """Show the value that is used in place of a text that was refused; return the reason, as text."""
        refused = self.editor.draft() or ""
        value = self._form.value(self.field)
        self.editor.show_value(self.field.default if value is UNSET else value, various=value is VARIOUS)
        self.drafted.emit(None)
        self.refresh(self._form)
        return tr("{field}: '{text}' was not accepted and is not used.", field=self.field.label, text=refused)

    def _reset(self) -> None:
        if self.editor.draft() is not None:
            self.give_up()
        elif self._form.is_changed(self.field):
            self.accepted.emit(UNSET)

    def _say(self, text: str, severity: str) -> None:
        self.reason.setText(text)
        self.reason.setVisible(bool(text))
        if text:
            theme = current()
            tint(self.reason, theme.error if severity == "error" else theme.warning)
        self.editor.setAccessibleDescription(text or explanation(self.field))
        if severity != self._severity:
            self._severity = severity
            self.editor.mark(severity)
            self.update()

    @property
    def severity(self) -> str:
        """How the value is marked: `error`, `warning` or ''."""
        return self._severity

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        super().paintEvent(event)
        if self._severity:
            theme = current()
            color = theme.error if self._severity == "error" else theme.warning
            painter = QPainter(self)
            painter.fillRect(0, 2, _MARK_WIDTH, self.height() - 4, QColor(color))

    def _button(self, name: str, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(name, current().text_dim))
        button.setIconSize(QSize(14, 14))
        button.setFixedSize(QSize(22, 22))
        policy = button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        button.setSizePolicy(policy)
        button.setAutoRaise(True)
        button.setToolTip(text)
        button.setAccessibleName(tr("{action}: {field}", action=text, field=self.field.label))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button


def _number_or_text(text: str) -> Any:
    try:
        return typed_values.number(text)
    except ValueError:
        return text


def explanation(field: Field) -> str:
    """Return a field's help: what it is, its range, its default and its name in the file."""
    parts = [translated(field.help)]
    if field.is_port:
        parts.append(tr("Accepts: {type}.", type=port_type_name(field.port)))
    if typed_values.limits(field):
        parts.append(tr("Range: {limits}.", limits=typed_values.limits(field)))
    if not field.required and field.default not in (None, [], {}, ""):
        parts.append(tr("Default: {value}.", value=typed_values.show(field.default)))
    return " ".join(part for part in parts if part)
