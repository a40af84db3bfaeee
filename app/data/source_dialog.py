"""The dialog of a data source: provider and options beside what they bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialogButtonBox, QProgressBar, QSplitter, QVBoxLayout, QWidget

from quantcrafter.app.data.draft import SourceDraft
from quantcrafter.app.data.period import PeriodRow
from quantcrafter.app.data.preview_view import PreviewView
from quantcrafter.app.data.previewer import Previewer
from quantcrafter.app.data.source_form import SourceForm
from quantcrafter.app.dialogs.frame import DialogFrame
from quantcrafter.app.services.engine import Engine
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview

_SIZE = (1040, 600)
_FORM_WIDTH = 330
REPAIR = "on_bad_bars"


@dataclass(frozen=True)
class SourceChoice:
    """What the user chose: the changed fields of the entry, and of the `run` section; UNSET takes a field out."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)


class SourceDialog(DialogFrame):
    """Edits a SourceDraft with its bars in view; `choice` is what was chosen.

    Args:
        draft: the entry.
        engine: the process that loads bars.
        title: what the dialog is about.
        folder: the strategy's folder, None while it has none.
        run: the `run` section, where a period can be chosen; None where it cannot.
        parent: the window.
    """

    def __init__(
        self,
        draft: SourceDraft,
        engine: Engine,
        *,
        title: str,
        folder: Path | None = None,
        run: Mapping[str, Any] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, title=title)
        self._folder = "" if folder is None else str(folder)
        self.draft = draft
        self.previewer = Previewer(engine, self)
        self.form = SourceForm(draft, folder, parent=self)
        self.view = PreviewView(self)
        self.period = PeriodRow(run or {}, self)
        self.period.setVisible(run is not None)
        self.working = QProgressBar(self)
        self._lay_out()
        self._connect()
        self.resize(*_SIZE)
        self._look(at_once=True)

    def _lay_out(self) -> None:
        self.working.setRange(0, 0)
        self.working.setTextVisible(False)
        self.working.setFixedHeight(4)
        policy = self.working.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.working.setSizePolicy(policy)
        right = QWidget(self)
        box = QVBoxLayout(right)
        box.setContentsMargins(8, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.working)
        box.addWidget(self.view, 1)
        box.addWidget(self.period)
        halves = QSplitter(Qt.Orientation.Horizontal, self)
        halves.setChildrenCollapsible(False)
        halves.addWidget(self.form)
        halves.addWidget(right)
        halves.setStretchFactor(1, 1)
        self.form.setMinimumWidth(_FORM_WIDTH)
        halves.setSizes([_FORM_WIDTH, _SIZE[0] - _FORM_WIDTH])
        self.body.addWidget(halves, 1)
        roles = QDialogButtonBox.ButtonRole
        self.ok_button = self.add_button(tr("OK"), roles.AcceptRole, self.accept, default=True)
        self.cancel_button = self.add_button(tr("Cancel"), roles.RejectRole, self.reject)

    def _connect(self) -> None:
        self.form.changed.connect(self._look)
        self.previewer.seen.connect(self._show)
        self.previewer.busy.connect(self.working.setVisible)
        self.view.repair_asked.connect(self._repair)
        self.period.changed.connect(self._show_period)

    @property
    def choice(self) -> SourceChoice:
        """What is chosen now."""
        return SourceChoice(self.draft.changes(), self.period.changes())

    def accept(self) -> None:
        """Apply pending input, if none of it was refused."""
        self.form.finish()
        if self.form.is_valid:
            super().accept()

    def done(self, result: int) -> None:
        """Cancel the current preview when the dialog ends in any way."""
        self.previewer.stop()
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Let Enter in a field finish that field; the dialog closes by its button."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.form.isAncestorOf(self.focusWidget() or self):
            return
        super().keyPressEvent(event)

    def _look(self, *, at_once: bool = False) -> None:
        self.previewer.request(self.draft.request(self._folder), at_once=at_once)

    def _show(self, seen: Preview) -> None:
        self.form.show_preview(seen)
        self.view.show_preview(seen, repairs=self.draft.values.get(REPAIR) == "repair")
        if seen.count:
            self.period.show_limits(seen.first_ns, seen.last_ns)
        self._show_period()

    def _show_period(self) -> None:
        self.view.line.show_period(*self.period.span_ns)

    def _repair(self) -> None:
        self.draft.set((REPAIR,), "repair")
        self.form.refresh()
        self._look(at_once=True)


def choose_source(dialog: SourceDialog) -> SourceChoice | None:
    """Let the user choose; None when it was cancelled or nothing was changed."""
    accepted = dialog.exec() == SourceDialog.DialogCode.Accepted
    choice = dialog.choice
    dialog.deleteLater()
    return choice if accepted and (choice.changes or choice.run) else None
