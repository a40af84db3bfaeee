"""The dialog that fills the gaps of a stored series from another source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QHeaderView,
    QProgressBar,
    QSplitter,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.data.draft import SourceDraft, provider_names
from quantcrafter.app.data.preview_view import PreviewView
from quantcrafter.app.data.previewer import Previewer
from quantcrafter.app.data.source_form import SourceForm
from quantcrafter.app.dialogs.frame import DialogFrame, table
from quantcrafter.app.inspector.fields import Field, FieldKind
from quantcrafter.app.inspector.subjects import InstrumentFields
from quantcrafter.app.services.engine import Engine
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import failure_text
from quantcrafter.engine.api import Catalog
from quantcrafter.engine.data.labels import bar_head, bar_label
from quantcrafter.engine.data.store import Gap, Series
from quantcrafter.engine.runtime.compute_process.jobs import Failure
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview, PreviewRequest
from quantcrafter.engine.runtime.compute_process.jobs.store import GapsRequest, StoreFillRequest

_SIZE = (1040, 620)
_FORM_WIDTH = 320
_MOST = 200
_STORE = "store"


class FillDialog(DialogFrame):
    """Chooses where to take missing bars from; `request` is the order to do it.

    Args:
        series: the series with gaps.
        catalog: the installed components.
        engine: the process that loads bars.
        folder: where relative paths are meant from.
        parent: the window.
    """

    def __init__(
        self,
        series: Series,
        catalog: Catalog,
        engine: Engine,
        folder: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        name = f"{series.symbol} {series.timeframe}"
        intro = tr(
            "Missing bars: {missing}, gaps: {gaps}. Only missing bars are added; stored bars are not changed.",
            missing=f"{series.missing:,}",
            gaps=f"{series.gaps:,}",
        )
        super().__init__(parent, title=tr("Fill the gaps of {name}", name=name), intro=intro)
        self.series = series
        self._engine = engine
        self._folder = "" if folder is None else str(folder)
        names = tuple(other for other in provider_names(catalog) if other != _STORE)
        base = Field(
            "symbol",
            ("symbol",),
            InstrumentFields,
            FieldKind.TEXT,
            help=tr("The symbol's name at the source."),
            required=True,
        )
        first = "csv" if "csv" in names else next(iter(names), "")
        self.draft = SourceDraft(catalog, (base,), {"symbol": series.symbol, "data": first})
        self.form = SourceForm(self.draft, folder, names, parent=self)
        heads = (bar_head(text, series.timeframe, series.session) for text in (tr("Gap from"), tr("To")))
        self.gaps = table([*heads, tr("Missing")], tr("Gaps"))
        self.view = PreviewView(self)
        self.previewer = Previewer(engine, self)
        self.working = QProgressBar(self)
        self.repair = False
        self._lay_out()
        self._connect()
        self.resize(*_SIZE)
        self._look(at_once=True)
        job = self._gaps_job = engine.submit(GapsRequest(series.symbol, str(series.timeframe)))
        job.finished.connect(self._show_gaps)
        job.failed.connect(self._no_gaps)

    @property
    def request(self) -> StoreFillRequest:
        """What to do."""
        options = self.draft.options
        symbol = self.draft.symbol if self.draft.symbol != self.series.symbol else ""
        frame = str(self.series.timeframe)
        return StoreFillRequest(
            self.series.symbol, frame, self.draft.provider, options, symbol, self._folder, self.repair
        )

    def _lay_out(self) -> None:
        self.working.setRange(0, 0)
        self.working.setTextVisible(False)
        self.working.setFixedHeight(4)
        policy = self.working.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.working.setSizePolicy(policy)
        self.gaps.setMaximumHeight(130)
        self.gaps.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.gaps.header().setStretchLastSection(True)
        right = QWidget(self)
        box = QVBoxLayout(right)
        box.setContentsMargins(8, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.gaps)
        box.addWidget(self.working)
        box.addWidget(self.view, 1)
        halves = QSplitter(Qt.Orientation.Horizontal, self)
        halves.setChildrenCollapsible(False)
        self.form.setMinimumWidth(_FORM_WIDTH)
        halves.addWidget(self.form)
        halves.addWidget(right)
        halves.setStretchFactor(1, 1)
        self.body.addWidget(halves, 1)
        roles = QDialogButtonBox.ButtonRole
        self.ok_button = self.add_button(tr("Fill"), roles.AcceptRole, self.accept, default=True)
        self.cancel_button = self.add_button(tr("Cancel"), roles.RejectRole, self.reject)
        self.ok_button.setEnabled(False)

    def _connect(self) -> None:
        self.form.changed.connect(self._look)
        self.previewer.seen.connect(self._show)
        self.previewer.busy.connect(self.working.setVisible)
        self.view.repair_asked.connect(self._repair)

    def _look(self, *, at_once: bool = False) -> None:
        self.ok_button.setEnabled(False)
        frame = str(self.series.timeframe)
        request = PreviewRequest(self.draft.provider, self.draft.options, self.draft.symbol, frame, self._folder)
        self.previewer.request(request, at_once=at_once)

    def _show(self, seen: Preview) -> None:
        self.form.show_preview(seen)
        self.view.show_preview(seen, repairs=self.repair)
        self.ok_button.setEnabled(bool(seen.count) and (self.repair or not seen.is_refused))

    def _repair(self) -> None:
        self.repair = True
        if self.view.preview is not None:
            self._show(self.view.preview)

    def _show_gaps(self, gaps: Sequence[Gap]) -> None:
        self.gaps.clear()
        for gap in sorted(gaps, key=lambda gap: -gap.missing)[:_MOST]:
            times = (bar_label(ts_ns, self.series.timeframe, self.series.session) for ts_ns in (gap[0], gap[1]))
            item = QTreeWidgetItem([*times, f"{gap.missing:,}"])
            self.gaps.addTopLevelItem(item)

    def _no_gaps(self, failure: Failure) -> None:
        if not failure.is_cancelled:
            self.gaps.addTopLevelItem(QTreeWidgetItem([failure_text(failure)]))

    def accept(self) -> None:
        """Apply pending input, after a check of what it changes."""
        self.form.finish()
        if self.form.is_valid and self.ok_button.isEnabled():
            super().accept()

    def done(self, result: int) -> None:
        """Cancel the current request."""
        self.previewer.stop()
        if not self._gaps_job.is_over:
            self._engine.cancel(self._gaps_job)
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Let Enter in a field finish that field."""
        focused = self.focusWidget()
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and focused is not None and self.form.isAncestorOf(focused):
            return
        super().keyPressEvent(event)
