"""What the inspector shows for each kind of selection: one page, made for it and kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFormLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.document.document import Document
from app.document.edits import UNSET, SetField
from app.document.view import NodeView, Scope
from app.inspector import subjects, values
from app.inspector.content import content
from app.inspector.fields import Field
from app.inspector.form import Form
from app.inspector.form_view import Drafts, FormView
from app.inspector.look import tint
from app.inspector.offers import fitting_outputs
from app.inspector.row import RowContext
from app.inspector.sections import Section
from app.services.i18n import tr
from app.services.problems import problem_text
from app.theme import current, family_of
from app.theme.icons import icon
from engine.api import FeedNode, Problem, Severity

_OPEN_INSTRUMENTS = 2


@dataclass
class PageContext:
    """What all pages share: the document, unfinished input, and who tells how far the data reach."""

    document: Document
    drafts: Drafts = field(default_factory=dict)
    ask_limits: Callable[[Callable[[date, date], None]], None] | None = None

    def rows(self, ids: tuple[str, ...] = (), scope: Scope = ()) -> RowContext:
        """Return what the rows of a form about these nodes need."""

        def offers(port: Field) -> Callable[[], list[tuple[str, QIcon]]]:
            return lambda: self._offers(ids[0], port.path[0], scope) if ids else []

        folder = self.document.folder if self.document.path is not None else None
        return RowContext(
            offers,
            folder,
            lambda entry: self.ask_limits if entry.path[0] == "run" else None,
            lambda on: self.document.join(on=on),
        )

    def _offers(self, node: str, port: str, scope: Scope) -> list[tuple[str, QIcon]]:
        found = []
        for fit in fitting_outputs(self.document, node, port, scope):
            family = family_of(fit.role, fit.node)
            found.append((fit.reference, icon(family, current().family(family))))
        return found


class Page(QWidget):
    """Base of the pages.

    The Qt signal `edit_asked` carries edits and the undo step's name; `vary_asked` the name of a field to be varied;
    `source_asked` whose data are to be chosen: the place of an instrument, or the id of a feed node.
    """

    edit_asked = Signal(object, str)
    vary_asked = Signal(str)
    source_asked = Signal(object)

    def __init__(self, context: PageContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.views: list[FormView] = []
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(0, 2, 0, 8)
        self.box.setSpacing(2)

    def refresh(self) -> bool:
        """Show the document as it is now; return False when the page no longer suits and must be made anew."""
        return True

    def finish(self) -> None:
        """Take over what is typed but not yet finished."""
        for view in tuple(self.views):
            view.finish()

    def show_form(self, form: Form, rows: RowContext, section: Section | None = None) -> FormView:
        """Add a form to the page, or to a section of it."""
        view = FormView(form, rows, self.context.drafts, self if section is None else section.body)
        view.edit_asked.connect(self.edit_asked)
        view.vary_asked.connect(self.vary_asked)
        self.views.append(view)
        if section is None:
            self.box.addWidget(view)
        else:
            section.add(view)
        return view


class NodesPage(Page):
    """The form of one node, or of what several nodes have in common."""

    def __init__(self, context: PageContext, ids: tuple[str, ...], scope: Scope, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._ids = ids
        self._scope = scope
        form = self._form()
        self.findings = QLabel(self)
        self.findings.setWordWrap(True)
        self.findings.setContentsMargins(10, 6, 8, 6)
        self.findings.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.box.addWidget(self.findings)
        self._tell(form.other_findings())
        self.view = self.show_form(form, context.rows(ids, scope))
        self._offer_source(context.document)
        self.box.addStretch(1)

    def refresh(self) -> bool:
        form = self._form()
        if form.key != self.view.form.key:
            return False
        self.view.refresh(form)
        self._tell(form.other_findings())
        return True

    def _offer_source(self, document: Document) -> None:
        """Offer the dialog of a data source for a feed."""
        cls = document.component(self._ids[0], self._scope) if len(self._ids) == 1 else None
        if cls is not None and issubclass(cls, FeedNode):
            button = QPushButton(icon("bars"), tr("Look at the data..."), self)
            button.setAutoDefault(False)
            button.clicked.connect(lambda: self.source_asked.emit(self._ids[0]))
            self.source_button = button
            self.box.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)

    def _tell(self, problems: Sequence[Problem]) -> None:
        """Say what is wrong with the nodes as wholes."""
        theme = current()
        wrong = any(problem.severity is Severity.ERROR for problem in problems)
        back, front = (theme.error_soft, theme.error) if wrong else (theme.warning_soft, theme.warning)
        self.findings.setText("\n".join(problem_text(problem) for problem in problems))
        tint(self.findings, front, back)
        self.findings.setVisible(bool(problems))

    def _form(self) -> Form:
        return subjects.node_form(self.context.document, self._ids, self._scope)


class RawPage(Page):
    """What the file says about a node whose component is not installed; nothing of it can be changed here."""

    def __init__(self, context: PageContext, node: NodeView, text: str, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._node = node
        about = QLabel(text, self)
        about.setWordWrap(True)
        about.setContentsMargins(10, 6, 10, 6)
        self.box.addWidget(about)
        listed = QWidget(self)
        form = QFormLayout(listed)
        form.setContentsMargins(10, 2, 10, 2)
        for name, value in node.values.items():
            shown = QLabel(values.show(value), listed)
            shown.setWordWrap(True)
            form.addRow(name, shown)
        self.box.addWidget(listed)
        self.box.addStretch(1)

    def refresh(self) -> bool:
        return False


class InstrumentsPage(Page):
    """Every instrument with its data provider's own fields."""

    def __init__(self, context: PageContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._count = subjects.instrument_count(context.document)
        self.add_instruments()
        self.box.addStretch(1)

    def add_instruments(self) -> None:
        """Put the forms of all instruments on the page, and a button for one more."""
        document = self.context.document
        self.instruments: list[FormView] = []
        self.source_buttons: list[QToolButton] = []
        for index in range(self._count):
            form = subjects.instrument_form(document, index)
            section = Section(_instrument_title(form), self, foldable=True, is_open=self._count <= _OPEN_INSTRUMENTS)
            self.instruments.append(self.show_form(form, self.context.rows(), section))
            section.head.addWidget(self._source_button(index, section.title))
            section.head.addWidget(self._remove_button(index, section.title))
            self.box.addWidget(section)
        add = QPushButton(icon("add"), tr("Add an instrument"), self)
        add.setAutoDefault(False)
        add.clicked.connect(self._add)
        self.add_button = add
        self.box.addWidget(add, alignment=Qt.AlignmentFlag.AlignHCenter)

    def refresh(self) -> bool:
        document = self.context.document
        if subjects.instrument_count(document) != self._count:
            return False
        forms = [subjects.instrument_form(document, index) for index in range(self._count)]
        if any(form.key != view.form.key for form, view in zip(forms, self.instruments, strict=True)):
            return False
        for form, view in zip(forms, self.instruments, strict=True):
            view.refresh(form)
        return True

    def _source_button(self, index: int, title: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon("bars"))
        button.setIconSize(QSize(14, 14))
        button.setText(tr("Data..."))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAutoRaise(True)
        button.setToolTip(tr("Choose the data, with the bars in view"))
        button.setAccessibleName(tr("Data of {name}", name=title))
        button.clicked.connect(lambda: self.source_asked.emit(index))
        self.source_buttons.append(button)
        return button

    def _remove_button(self, index: int, title: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon("close"))
        button.setIconSize(QSize(14, 14))
        button.setAutoRaise(True)
        button.setToolTip(tr("Remove this instrument"))
        button.setAccessibleName(tr("Remove {name}", name=title))
        button.setEnabled(self._count > 1)
        button.clicked.connect(lambda: self._ask(SetField(("instruments", index), UNSET), tr("Remove an instrument")))
        return button

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


def _instrument_title(form: Form) -> str:
    written: dict[str, Any] = {
        entry.name: form.value(entry) for entry in form.fields if entry.name in ("symbol", "timeframe")
    }
    symbol = written.get("symbol", UNSET)
    return values.show(symbol) or tr("Instrument")
