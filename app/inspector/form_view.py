"""A form as rows in sections: inputs, parameters by group, and what is seldom needed folded away."""

from __future__ import annotations

from collections.abc import MutableMapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from quantcrafter.app.inspector.fields import Field
from quantcrafter.app.inspector.form import Form
from quantcrafter.app.inspector.row import FieldRow, RowContext
from quantcrafter.app.inspector.sections import Section
from quantcrafter.app.services.i18n import tr

Drafts = MutableMapping[tuple[object, ...], str]
"""Texts that are refused and so not written, by subject and field, to be kept when the form is made again."""


class FormView(QWidget):
    """The rows of one form.

    The Qt signal `edit_asked` carries the edits and the undo step's name; `vary_asked` the name of a field in the file.
    """

    edit_asked = Signal(object, str)
    vary_asked = Signal(str)

    def __init__(self, form: Form, context: RowContext, drafts: Drafts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = form
        self.rows: dict[tuple[str, ...], FieldRow] = {}
        self.sections: list[Section] = []
        self._drafts = drafts
        self._context = context
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        for title, fields, foldable in _parts(form):
            self._section(title, fields, foldable=foldable)
        if not form.fields:
            self._box.addWidget(_empty(self))
        for path, row in self.rows.items():
            kept = drafts.get((*form.subject, *path))
            if kept is not None:
                row.restore(kept)

    def refresh(self, form: Form) -> None:
        """Show the values of a form with the same key; what is being typed stays."""
        self.form = form
        for row in self.rows.values():
            row.refresh(form)

    def finish(self) -> None:
        """Apply pending input."""
        for row in tuple(self.rows.values()):
            row.editor.finish()

    def refused(self) -> FieldRow | None:
        """Return the first field with a text that was refused, and so is not what is used; call `finish` before."""
        return next((row for row in self.rows.values() if row.editor.draft() is not None), None)

    def show_refused(self) -> None:
        """Put the focus into the field with a refused text, and select the text."""
        row = self.refused()
        if row is not None:
            self.focus(row.field.path)
            line = row.editor.findChild(QLineEdit)
            if line is not None:
                line.selectAll()

    def give_up(self) -> list[str]:
        """Show what is used in place of texts that were refused; return the reason for each, as text."""
        return [row.give_up() for row in self.rows.values() if row.editor.draft() is not None]

    def focused(self) -> tuple[str, ...] | None:
        """Return the path of the field that has the focus, None where none has."""
        inside = self.focusWidget()
        for path, row in self.rows.items():
            if inside is not None and row.isAncestorOf(inside) and inside.hasFocus():
                return path
        return None

    def focus(self, path: tuple[str, ...]) -> bool:
        """Put the focus into a field, and unfold its section; return whether there is one."""
        row = self.rows.get(path)
        if row is None:
            return False
        for section in self.sections:
            if section.isAncestorOf(row):
                section.open()
        row.editor.setFocus()
        return True

    def _section(self, title: str, fields: list[Field], *, foldable: bool) -> None:
        needs_care = any(self.form.is_changed(field) or self.form.finding(field) for field in fields)
        section = Section(title, self, foldable=foldable, is_open=needs_care)
        for field in fields:
            row = FieldRow(field, self.form, self._context, section.body)
            row.accepted.connect(lambda value, row=row: self._write(row, value))
            row.drafted.connect(lambda text, row=row: self._keep(row, text))
            row.vary_asked.connect(lambda row=row: self.vary_asked.emit(".".join(row.field.path)))
            self.rows[field.path] = row
            section.add(row)
        self.sections.append(section)
        self._box.addWidget(section)

    def _write(self, row: FieldRow, value: object) -> None:
        self._keep(row, None)
        self.edit_asked.emit(self.form.edits(row.field, value), self.form.label(row.field))

    def _keep(self, row: FieldRow, text: str | None) -> None:
        key = (*self.form.subject, *row.field.path)
        if text is None:
            self._drafts.pop(key, None)
        else:
            self._drafts[key] = text


def _parts(form: Form) -> list[tuple[str, list[Field], bool]]:
    basic = [field for field in form.fields if not field.advanced]
    parts: list[tuple[str, list[Field], bool]] = []
    inputs = [field for field in basic if field.is_port]
    if inputs:
        parts.append((tr("Inputs"), inputs, False))
    own = [field for field in basic if not field.is_port]
    for group in dict.fromkeys(field.group for field in own):
        fields = [field for field in own if field.group == group]
        parts.append((group or (tr("Parameters") if inputs else ""), fields, bool(group)))
    advanced = [field for field in form.fields if field.advanced]
    if advanced:
        parts.append((tr("Advanced ({count})", count=len(advanced)), advanced, True))
    return parts


def _empty(parent: QWidget) -> QLabel:
    label = QLabel(tr("Nothing to configure."), parent)
    label.setContentsMargins(10, 8, 10, 8)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label
