"""What the inspector shows for each kind of selection: one page, made for it and kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.view import NodeView, Scope
from quantcrafter.app.inspector import subjects, typed_values
from quantcrafter.app.inspector.fields import Field
from quantcrafter.app.inspector.form import Form
from quantcrafter.app.inspector.form_view import Drafts, FormView
from quantcrafter.app.inspector.label_colors import tint
from quantcrafter.app.inspector.offers import fitting_outputs
from quantcrafter.app.inspector.row import RowContext
from quantcrafter.app.inspector.sections import Section
from quantcrafter.app.inspector.values_in_use import AskValues
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import problem_text
from quantcrafter.app.theme import current, family_of
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import FeedNode, Problem, Severity

_OPEN_INSTRUMENTS = 2


@dataclass
class PageContext:
    """State shared by all pages: the document, unfinished input, and the source of the data's period."""

    document: Document
    drafts: Drafts = field(default_factory=dict)
    ask_limits: Callable[[Callable[[date, date], None]], None] | None = None
    ask_values: AskValues | None = None

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
        """Show the document as it is now; return False when the page no longer suits and must be made again."""
        return True

    def finish(self) -> None:
        """Apply pending input."""
        for view in tuple(self.views):
            view.finish()

    def refused(self) -> FormView | None:
        """Return the form with a text that was refused, None where there is none."""
        return next((view for view in self.views if view.refused() is not None), None)

    def give_up(self) -> list[str]:
        """Show what is used in place of texts that were refused; return the reason for each, as text."""
        return [told for view in self.views for told in view.give_up()]

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
        self._show_problems(form.other_findings())
        self.view = self.show_form(form, context.rows(ids, scope))
        self._offer_source(context.document)
        self.box.addStretch(1)

    def refresh(self) -> bool:
        form = self._form()
        if form.key != self.view.form.key:
            return False
        self.view.refresh(form)
        self._show_problems(form.other_findings())
        return True

    def _offer_source(self, document: Document) -> None:
        """Offer the dialog of a data source for a feed."""
        cls = document.component(self._ids[0], self._scope) if len(self._ids) == 1 else None
        if cls is not None and issubclass(cls, FeedNode):
            button = QPushButton(icon("bars"), tr("View the data..."), self)
            button.setAutoDefault(False)
            button.clicked.connect(lambda: self.source_asked.emit(self._ids[0]))
            self.source_button = button
            self.box.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)

    def _show_problems(self, problems: Sequence[Problem]) -> None:
        """Show the problems of whole nodes."""
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
            shown = QLabel(typed_values.show(value), listed)
            shown.setWordWrap(True)
            form.addRow(name, shown)
        self.box.addWidget(listed)
        self.box.addStretch(1)

    def refresh(self) -> bool:
        return False
