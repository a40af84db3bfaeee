"""SourceForm: choose a provider, and fill its form; made from the provider's schema alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QFrame, QScrollArea, QVBoxLayout, QWidget

from quantcrafter.app.data.draft import SourceDraft, provider_help, provider_names
from quantcrafter.app.dialogs.frame import note
from quantcrafter.app.document.edits import Edit, SetField
from quantcrafter.app.inspector.form_view import Drafts, FormView
from quantcrafter.app.inspector.row import RowContext
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview


class SourceForm(QWidget):
    """Edits a SourceDraft. The Qt signal `changed` is emitted when it changes.

    Args:
        draft: what is edited.
        folder: the strategy's folder, below which paths are relative; None while it has none.
        names: the providers to choose from; all that are installed if left out.
        fixed: the provider is settled and not shown.
    """

    changed = Signal()

    def __init__(
        self,
        draft: SourceDraft,
        folder: Path | None = None,
        names: Sequence[str] = (),
        *,
        fixed: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.draft = draft
        self._rows = RowContext(lambda _field: list, folder)
        self._seen: Preview | None = None
        self._drafts: Drafts = {}
        self.provider = QComboBox(self)
        self.provider.setAccessibleName(tr("Source"))
        for name in names or provider_names(draft.catalog):
            self.provider.addItem(name, name)
        self.about = note("")
        self.view: FormView | None = None
        self._holder = QWidget(self)
        self._place = QVBoxLayout(self._holder)
        self._place.setContentsMargins(0, 0, 0, 0)
        self._lay_out(fixed=fixed)
        self._show_provider()
        self._rebuild()
        self.provider.activated.connect(self._choose)

    def _lay_out(self, *, fixed: bool) -> None:
        scroller = QScrollArea(self)
        scroller.setWidgetResizable(True)
        scroller.setFrameShape(QFrame.Shape.NoFrame)
        scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroller.setWidget(self._holder)
        self._place.addStretch(1)
        head = QFormLayout()
        head.setContentsMargins(10, 0, 8, 0)
        head.addRow(tr("Source"), self.provider)
        head.setRowVisible(0, not fixed)
        self.about.setContentsMargins(10, 0, 8, 4)
        self.about.setVisible(not fixed)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addLayout(head)
        box.addWidget(self.about)
        box.addWidget(scroller, 1)

    def finish(self) -> None:
        """Apply pending input."""
        if self.view is not None:
            self.view.finish()

    @property
    def is_valid(self) -> bool:
        """Whether nothing is typed that was refused."""
        return not self._drafts

    def show_preview(self, seen: Preview) -> None:
        """Offer what the source has, and mark the field that is wrong."""
        self._seen = seen
        self.refresh()

    def refresh(self) -> None:
        """Show the draft as it is now, leaving alone what is being typed."""
        form = self.draft.form(self._seen)
        if self.view is not None and self.view.form.key == form.key:
            self.view.refresh(form)
        else:
            self._rebuild()

    def _show_provider(self) -> None:
        place = self.provider.findData(self.draft.provider)
        if place < 0 and self.draft.provider:
            self.provider.addItem(tr("{use} (not installed)", use=self.draft.provider), self.draft.provider)
            place = self.provider.count() - 1
        self.provider.setCurrentIndex(place)
        self.about.setText(provider_help(self.draft.catalog, self.draft.provider))

    def _choose(self, index: int) -> None:
        name = self.provider.itemData(index)
        if name != self.draft.provider:
            self._drafts.clear()
            self._seen = None
            self.draft.choose(name)
            self._show_provider()
            self._rebuild()
            self.changed.emit()

    def _rebuild(self) -> None:
        focused = self.view.focused() if self.view is not None else None
        view = FormView(self.draft.form(self._seen), self._rows, self._drafts, self._holder)
        view.edit_asked.connect(self._take)
        if self.view is not None:
            self._place.removeWidget(self.view)
            self.view.hide()
            self.view.deleteLater()
        self.view = view
        self._place.insertWidget(0, view)
        if focused is not None:
            view.focus(focused)

    def _take(self, edits: tuple[Edit, ...], _label: str) -> None:
        for edit in edits:
            if isinstance(edit, SetField):
                self.draft.set(tuple(str(step) for step in edit.path), edit.value)
        self.refresh()
        self.changed.emit()
