"""PreviewView: the bars of a source at a glance, and what is wrong in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.data.price_line import PriceLine
from quantcrafter.app.data.texts import price_text, span_text, volume_text
from quantcrafter.app.inspector.label_colors import tint
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import Timeframe
from quantcrafter.engine.api.message import joined
from quantcrafter.engine.data.labels import bar_head, bar_label
from quantcrafter.engine.runtime.compute_process.jobs.preview import FaultyBar, FindingView, Preview, Row

_FEW = 4
"""Columns of the table of findings; that of prices has more, and numbers."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PreviewView(QWidget):
    """Shows a Preview: a summary, the course of the price, the first and last bars, and the findings by row.

    The Qt signal `repair_asked` tells that bad bars are to be repaired.
    """

    repair_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.preview: Preview | None = None
        self.repairs = False
        self.summary = QLabel(self)
        self.summary.setWordWrap(True)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.banner = QLabel(self)
        self.banner.setWordWrap(True)
        self.banner.setMargin(7)
        self.banner.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.repair = QPushButton(tr("Repair bars"), self)
        self.repair.setAutoDefault(False)
        self.repair.clicked.connect(self.repair_asked)
        self.line = PriceLine(self)
        self.bars = _tree([tr("Bar"), *_names(), ""], tr("First and last bars"))
        self.findings = _tree(
            [tr("Row"), tr("Bar"), tr("Original: open, high, low, close, volume"), tr("After repair")], tr("Findings")
        )
        self.findings.setRootIsDecorated(True)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.bars, tr("Bars"))
        self.tabs.addTab(self.findings, tr("Findings"))
        self._lay_out()
        theme_changed.connect(self._again)
        self.show_preview(None)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.banner, 1)
        row.addWidget(self.repair)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.summary)
        box.addLayout(row)
        box.addWidget(self.line, 2)
        box.addWidget(self.tabs, 3)

    def show_preview(self, preview: Preview | None, *, repairs: bool = False) -> None:
        """Show what a source has; None while that is not known. `repairs` says that bad bars are going to be mended."""
        self.preview, self.repairs = preview, repairs
        seen = preview or Preview()
        self.summary.setText(_summary(preview))
        self._tell(seen)
        self.line.show_line(seen.line, seen.timeframe, seen.session)
        self._fill_bars(seen)
        self._fill_findings(seen)

    def _again(self) -> None:
        self.show_preview(self.preview, repairs=self.repairs)

    def _tell(self, seen: Preview) -> None:
        """Say what stands in the way, or what is going to be repaired."""
        theme = current()
        bad = sum(finding.count for finding in seen.findings if finding.is_error)
        text, front, back = "", theme.warning, theme.warning_soft
        if seen.error:
            text, front, back = translated(seen.error), theme.error, theme.error_soft
        elif bad and not self.repairs:
            text = tr("These bars would be rejected. Errors: {count}.", count=f"{bad:,}")
            front, back = theme.error, theme.error_soft
        elif bad:
            text = tr("Errors to repair: {count}. The repairs are shown below.", count=f"{bad:,}")
        elif seen.synthetic:
            text = tr("These bars are generated. They show how a strategy works, not what it earns.")
        self.banner.setText(text)
        self.banner.setVisible(bool(text))
        tint(self.banner, front, back)
        self.repair.setVisible(bool(bad) and not self.repairs and not seen.error)

    def _fill_bars(self, seen: Preview) -> None:
        self.bars.clear()
        frame = Timeframe.parse(seen.timeframe or "1d")
        heads = [bar_head(tr("Bar"), frame, seen.session), *_names(), *seen.further, ""]
        self.bars.setColumnCount(len(heads))
        self.bars.setHeaderLabels(heads)
        for column in range(1, len(heads)):
            self.bars.headerItem().setTextAlignment(column, _RIGHT)
        for row in seen.head:
            self.bars.addTopLevelItem(_bar_item(row, seen))
        left = seen.count - len(seen.head) - len(seen.tail)
        if left > 0:
            more = QTreeWidgetItem([tr("{count} more", count=f"{left:,}")])
            more.setForeground(0, QColor(current().text_dim))
            self.bars.addTopLevelItem(more)
        for row in seen.tail:
            self.bars.addTopLevelItem(_bar_item(row, seen))
        _fit(self.bars)

    def _fill_findings(self, seen: Preview) -> None:
        self.findings.clear()
        for note in seen.notes:
            self._add_finding(translated(note), "info", current().text_dim, ())
        for finding in seen.findings:
            wrong = finding.is_error and not self.repairs
            text = translated(joined([finding.message, finding.repair if self.repairs else ""]))
            color = current().error if wrong else current().warning
            self._add_finding(text, "error" if wrong else "warning", color, _fault_items(finding, seen))
        if not self.findings.topLevelItemCount() and seen.count:
            self._add_finding(tr("No problems found in these bars."), "done", current().done, ())
        self.findings.expandAll()
        _fit(self.findings)
        count = len(seen.findings) + len(seen.notes)
        self.tabs.setTabText(1, tr("Findings ({count})", count=count) if count else tr("Findings"))

    def _add_finding(self, text: str, sign: str, color: str, items: Sequence[QTreeWidgetItem]) -> None:
        top = QTreeWidgetItem([text])
        top.setIcon(0, icon(sign, color))
        top.setToolTip(0, text)
        top.addChildren(list(items))
        self.findings.addTopLevelItem(top)
        top.setFirstColumnSpanned(True)


def _summary(seen: Preview | None) -> str:
    if seen is None:
        return tr("Reading the bars…")
    if not seen.count:
        return tr("There are no bars to show.")
    span = span_text(seen.first_ns, seen.last_ns, seen.timeframe, seen.session)
    text = tr("{count} bars of {timeframe}", count=f"{seen.count:,}", timeframe=seen.timeframe)
    if seen.source_timeframe and seen.source_timeframe != seen.timeframe:
        text += " " + tr("(made from {timeframe})", timeframe=seen.source_timeframe)
    return f"<b>{text}</b>   {span}"


def _bar_item(row: Row, seen: Preview) -> QTreeWidgetItem:
    label = bar_label(row.ts_ns, Timeframe.parse(seen.timeframe), seen.session)
    further = ("" if math.isnan(value) else f"{value:,.10g}" for value in row.further)
    made = QTreeWidgetItem(
        [label, *(price_text(value) for value in row.values[:4]), volume_text(row.values[4]), *further]
    )
    for column in range(1, made.columnCount()):
        made.setTextAlignment(column, _RIGHT)
    return made


def _fault_items(finding: FindingView, seen: Preview) -> list[QTreeWidgetItem]:
    frame = Timeframe.parse(seen.source_timeframe or seen.timeframe or "1d")
    items = [_fault_item(fault, frame, seen) for fault in finding.faults]
    if items and finding.count > len(items):
        more = QTreeWidgetItem(["", tr("{count} more", count=f"{finding.count - len(items):,}")])
        more.setForeground(1, QColor(current().text_dim))
        items.append(more)
    return items


def _fault_item(fault: FaultyBar, frame: Timeframe, seen: Preview) -> QTreeWidgetItem:
    after = tr("removed") if fault.repaired is None else _changed(fault.found, fault.repaired)
    cells = [
        f"{fault.row:,}",
        bar_label(fault.found.ts_ns, frame, seen.session, named=True),
        _values(fault.found),
        after,
    ]
    return QTreeWidgetItem(cells)


def _values(row: Row) -> str:
    return "  ".join((*(price_text(value) for value in row.values[:4]), volume_text(row.values[4])))


def _names() -> tuple[str, ...]:
    return tr("Open price"), tr("High"), tr("Low"), tr("Close price"), tr("Volume")


def _changed(found: Row, repaired: Row) -> str:
    """Return the values that repair changes, by name."""
    texts = (*(price_text(value) for value in repaired.values[:4]), volume_text(repaired.values[4]))
    pairs = zip(_names(), texts, found.values, repaired.values, strict=True)
    return "  ".join(f"{name} {text}" for name, text, before, after in pairs if before != after)


def _tree(columns: list[str], name: str) -> QTreeWidget:
    made = QTreeWidget()
    made.setAccessibleName(name)
    made.setHeaderLabels(columns)
    made.setRootIsDecorated(False)
    made.setUniformRowHeights(True)
    made.setSelectionMode(QTreeWidget.SelectionMode.SingleSelection)
    made.setIconSize(QSize(14, 14))
    made.setIndentation(16)
    made.setStyleSheet("QTreeView::item { padding: 2px 4px; }")
    made.header().setStretchLastSection(True)
    for column in range(1, len(columns)):
        if len(columns) > _FEW:
            made.headerItem().setTextAlignment(column, _RIGHT)
    return made


def _fit(tree: QTreeWidget) -> None:
    for column in range(tree.columnCount() - 1):
        tree.resizeColumnToContents(column)
        tree.setColumnWidth(column, tree.columnWidth(column) + 8)
