"""The dialog that imports files into the bar store: what each is taken for, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSplitter,
    QStackedWidget,
    QTreeWidgetItem,
    QWidget,
)

from quantcrafter.app.data.import_model import FileDraft, file_draft
from quantcrafter.app.data.preview_view import PreviewView
from quantcrafter.app.data.raw_rows import RawRows
from quantcrafter.app.data.source_form import SourceForm
from quantcrafter.app.dialogs.frame import DialogFrame, table
from quantcrafter.app.services.engine import Engine, Job
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import Catalog
from quantcrafter.engine.runtime.compute_process.jobs import Failure
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview
from quantcrafter.engine.runtime.compute_process.jobs.store import StoreImportRequest

_SIZE = (1080, 760)
_RAW_HEIGHT = 190
_ROWS = 4
_FORM_WIDTH = 300
_BOX = 52
"""What the box to tick and the margins take of the column of names, in pixels."""
_WIDEST_NAME = 320
_FILE, _SYMBOL, _FRAME, _BARS, _SPAN, _STATE = range(6)


class ImportDialog(DialogFrame):
    """Lists files with what they hold; `request` is the order to import those that are ticked and fit.

    Args:
        paths: the files.
        catalog: the installed components.
        engine: the process that reads them.
        parent: the window.
    """

    def __init__(self, paths: Sequence[Path], catalog: Catalog, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent, title=tr("Import bars"))
        self._engine = engine
        self._jobs: dict[int, Job] = {}
        self.files = [file_draft(catalog, path) for path in paths]
        columns = [tr("File"), tr("Symbol"), tr("Timeframe"), tr("Bars"), tr("First and last bar"), tr("State")]
        self.list = table(columns, tr("Files to import"))
        self.forms = QStackedWidget(self)
        self.raw = RawRows(self)
        self.view = PreviewView(self)
        self.overlap = QComboBox(self)
        self._form_of: dict[int, SourceForm] = {}
        self._lay_out()
        for number, file in enumerate(self.files):
            self.list.addTopLevelItem(self._item(file))
            self._look(number)
        self.list.itemChanged.connect(self._ticked)
        self.list.currentItemChanged.connect(lambda *_: self._show_current())
        self.view.repair_asked.connect(self._repair)
        self.raw.picked.connect(self._pick)
        self.list.setCurrentItem(self.list.topLevelItem(0))
        self.resize(*_SIZE)
        self._enable()

    @property
    def request(self) -> StoreImportRequest:
        """What to import, and how to treat stored bars that overlap."""
        chosen = tuple(file.as_import() for file in self.files if file.wanted and file.is_ready)
        how = self.overlap.currentData()
        return StoreImportRequest(chosen, keep=how == "keep", fresh=how == "fresh")

    def _lay_out(self) -> None:
        row = self.list.fontMetrics().lineSpacing() + 10
        self.list.setFixedHeight(row * (min(max(len(self.files), 1), _ROWS) + 1) + 10)
        self.list.setIconSize(QSize(14, 14))
        header = self.list.header()
        header.setSectionResizeMode(_FILE, QHeaderView.ResizeMode.Interactive)
        widest = max((self.list.fontMetrics().horizontalAdvance(file.path.name) for file in self.files), default=0)
        header.resizeSection(_FILE, min(widest + _BOX, _WIDEST_NAME))
        header.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.Stretch)
        self.list.headerItem().setTextAlignment(_BARS, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        halves = QSplitter(Qt.Orientation.Horizontal, self)
        halves.setChildrenCollapsible(False)
        self.forms.setMinimumWidth(_FORM_WIDTH)
        halves.addWidget(self.forms)
        right = QSplitter(Qt.Orientation.Vertical, self)
        right.setChildrenCollapsible(False)
        right.addWidget(self.raw)
        right.addWidget(self.view)
        right.setStretchFactor(1, 1)
        right.setSizes([_RAW_HEIGHT, _SIZE[1] - _RAW_HEIGHT])
        halves.addWidget(right)
        halves.setStretchFactor(1, 1)
        halves.setSizes([_FORM_WIDTH, _SIZE[0] - _FORM_WIDTH])
        for key, text in (
            ("replace", tr("Replace stored bars with new ones")),
            ("keep", tr("Keep stored bars")),
            ("fresh", tr("Replace the stored series")),
        ):
            self.overlap.addItem(text, key)
        self.overlap.setAccessibleName(tr("Overlapping bars"))
        below = QHBoxLayout()
        below.addWidget(QLabel(tr("Overlapping bars")))
        below.addWidget(self.overlap)
        below.addStretch(1)
        self.body.addWidget(self.list)
        self.body.addWidget(halves, 1)
        self.body.addLayout(below)
        roles = QDialogButtonBox.ButtonRole
        self.ok_button = self.add_button(tr("Import"), roles.AcceptRole, self.accept, default=True)
        self.cancel_button = self.add_button(tr("Cancel"), roles.RejectRole, self.reject)

    def _item(self, file: FileDraft) -> QTreeWidgetItem:
        item = QTreeWidgetItem()
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(_FILE, Qt.CheckState.Checked)
        item.setToolTip(_FILE, str(file.path))
        item.setTextAlignment(_BARS, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        _write(item, file)
        return item

    # ------------------------------------------------------------------ looking at files

    def _look(self, number: int, *, first: bool = False) -> None:
        before = self._jobs.pop(number, None)
        if before is not None and not before.is_over:
            self._engine.cancel(before)
        file = self.files[number]
        file.waiting = True
        job = self._jobs[number] = self._engine.submit(file.request(), first=first)
        job.finished.connect(lambda seen: self._seen(number, job, seen))
        job.failed.connect(lambda failure: self._failed(number, job, failure))
        self._refresh(number)

    def _seen(self, number: int, job: Job, seen: Preview) -> None:
        if self._jobs.get(number) is not job:
            return
        del self._jobs[number]
        file = self.files[number]
        file.waiting = False
        if file.take(seen):
            self._look(number, first=True)
        self._refresh(number)

    def _failed(self, number: int, job: Job, failure: Failure) -> None:
        if not failure.is_cancelled:
            self._seen(number, job, Preview(error=failure.message))

    def _refresh(self, number: int) -> None:
        item = self.list.topLevelItem(number)
        if item is not None:
            _write(item, self.files[number])
        if self.list.currentItem() is not None and self._current() == number:
            self._show_current()
        self._enable()

    # ------------------------------------------------------------------ the file in front

    def _current(self) -> int:
        return self.list.indexOfTopLevelItem(self.list.currentItem())

    def _show_current(self) -> None:
        number = self._current()
        if number < 0:
            return
        file = self.files[number]
        form = self._form(number)
        if file.seen is not None:
            form.show_preview(file.seen)
        self.forms.setCurrentWidget(form)
        if not file.waiting or file.glance != self.raw.glance:
            self.raw.show_glance(file.glance)
        self.view.show_preview(None if file.waiting else file.seen, repairs=file.repair)

    def _form(self, number: int) -> SourceForm:
        form = self._form_of.get(number)
        if form is None:
            form = self._form_of[number] = SourceForm(self.files[number].draft, fixed=True, parent=self.forms)
            form.changed.connect(lambda: self._look(number, first=True))
            self.forms.addWidget(form)
        return form

    def _pick(self, column: int, role: str) -> None:
        number = self._current()
        self.files[number].pick(column, role)
        self._form(number).refresh()
        self._look(number, first=True)

    def _repair(self) -> None:
        number = self._current()
        self.files[number].repair = True
        self._refresh(number)

    def _ticked(self, item: QTreeWidgetItem, column: int) -> None:
        if column == _FILE:
            number = self.list.indexOfTopLevelItem(item)
            self.files[number].wanted = item.checkState(_FILE) == Qt.CheckState.Checked
            self._enable()

    def _enable(self) -> None:
        count = sum(file.wanted and file.is_ready for file in self.files)
        self.ok_button.setEnabled(count > 0)
        left = sum(file.wanted for file in self.files) - count
        total = len(self.files)
        some = tr("Import {count} of {total} files", count=count, total=total)
        self.ok_button.setText(some if total > 1 and left else tr("Import"))

    # ------------------------------------------------------------------ ending

    def accept(self) -> None:
        """Apply pending input, after a check of what it changes."""
        for form in self._form_of.values():
            form.finish()
        if self.ok_button.isEnabled() and all(form.is_valid for form in self._form_of.values()):
            super().accept()

    def done(self, result: int) -> None:
        """Let the files that are still being read go."""
        for job in self._jobs.values():
            self._engine.cancel(job)
        self._jobs.clear()
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Let Enter in a field finish that field."""
        focused = self.focusWidget()
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and focused is not None and self.forms.isAncestorOf(focused):
            return
        super().keyPressEvent(event)


def _write(item: QTreeWidgetItem, file: FileDraft) -> None:
    """Write what is known of a file into its row."""
    seen, theme = file.seen, current()
    there = seen is not None and seen.count > 0 and not file.waiting
    item.setText(_FILE, file.path.name)
    item.setText(_SYMBOL, ", ".join(file.symbols))
    item.setText(_FRAME, seen.timeframe if seen is not None and there else "")
    item.setText(_BARS, f"{seen.count:,}" if seen is not None and there else "")
    item.setText(_SPAN, file.span if there else "")
    item.setText(_STATE, file.state)
    item.setToolTip(_STATE, file.state)
    if file.waiting:
        sign = icon("running", theme.running)
    elif file.is_ready:
        sign = icon("warning", theme.warning) if seen is not None and seen.findings else icon("done", theme.done)
    else:
        sign = icon("error", theme.error)
    item.setIcon(_STATE, sign)


def choose_imports(dialog: ImportDialog) -> StoreImportRequest | None:
    """Let the user look at files; return the order to import them, None when it was cancelled."""
    accepted = dialog.exec() == ImportDialog.DialogCode.Accepted
    request = dialog.request
    dialog.deleteLater()
    return request if accepted and request.files else None
