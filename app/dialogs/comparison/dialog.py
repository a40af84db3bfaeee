"""The comparison of two runs: figures, curves, trades, the file and everything else that differs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFontDatabase
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QTextEdit,
    QWidget,
)

from quantcrafter.app.dialogs.comparison.curves import Curve, CurvesView
from quantcrafter.app.dialogs.frame import DialogFrame
from quantcrafter.app.panes.cells import RoomyCells
from quantcrafter.app.panes.results.columns import metric_name, text_of, value_text
from quantcrafter.app.services.i18n import known, tr
from quantcrafter.app.theme import current
from quantcrafter.engine.data.labels import common_zone
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.runtime.run_store.comparison import MetricChange, RunComparison
from quantcrafter.engine.stats.tables import Row

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ENTRY = int(Qt.ItemDataRole.UserRole)


class ComparisonDialog(DialogFrame):
    """Shows what became different; stays open beside the window.

    The Qt signal `trade_chosen` carries a trade's row as a dict, of the run in which it is.
    """

    trade_chosen = Signal(object)

    def __init__(self, comparison: RunComparison, parent: QWidget | None = None) -> None:
        super().__init__(parent, title=tr("Comparison of two runs"), intro=_summary(comparison))
        self.comparison = comparison
        self.zone = common_zone((comparison.a.times.zone, comparison.b.times.zone))
        self.setModal(False)
        self.resize(860, 560)
        a, b = comparison.a, comparison.b
        self.names = (_name(a, b), _name(b, a))
        self.figures = self._figures()
        self.curves = CurvesView(
            tuple(
                Curve(name, run.equity["ts_ns"], run.equity["value"])
                for name, run in zip(self.names, (a, b), strict=True)
                if run.kept != "figures"
            ),
            self.zone,
        )
        self.trades = self._trades()
        self.file = _diff(comparison.file_diff)
        self.others = self._others()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for page, title in (
            (self.figures, tr("Figures")),
            (self.curves, tr("Curves")),
            (self.trades, tr("Trades")),
            (self.file, tr("File")),
            (self.others, tr("Settings and data")),
        ):
            self.tabs.addTab(page, title)
        self.body.addWidget(self.tabs, 1)
        self.add_button(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole, self.reject)

    def _figures(self) -> QTableWidget:
        changes = self.comparison.shown_metrics
        table = _table((tr("Figure"), *self.names, tr("Change")), len(changes))
        colors = {"better": QColor(current().done), "worse": QColor(current().error)}
        for row, change in enumerate(changes):
            texts = (
                metric_name(change.metric, self.zone),
                value_text(change.metric, change.a, self.zone),
                value_text(change.metric, change.b, self.zone),
                _delta(change),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(change.metric.formula)
                if column:
                    item.setTextAlignment(_RIGHT)
                if column == len(texts) - 1 and texts[1] != texts[2] and change.verdict in colors:
                    item.setForeground(colors[change.verdict])
                table.setItem(row, column, item)
        return _fitted(table)

    def _trades(self) -> QWidget:
        comparison = self.comparison
        if comparison.added is None or comparison.removed is None or comparison.changed is None:
            return _sentence(tr("Fills, trades and equity of these runs are no longer stored."))
        if comparison.same_trades:
            return _sentence(tr("Both runs made exactly the same trades."))
        rows: list[tuple[str, Row, Row]] = [(tr("removed"), each, each) for each in comparison.removed]
        rows += [(tr("added"), each, each) for each in comparison.added]
        rows += [(tr("changed"), each.a, each.b) for each in comparison.changed]
        rows.sort(key=lambda each: each[1]["entry_ts_ns"])
        heads = (tr("Trade"), tr("Instrument"), tr("Side"), *self._time_heads(), tr("Profit"))
        table = _table(heads, len(rows))
        for number, (what, before, after) in enumerate(rows):
            texts = (
                what,
                str(after["instrument"]),
                known(str(after["side"])),
                _time(comparison.b, after, "entry"),
                _both(_time(comparison.a, before, "exit"), _time(comparison.b, after, "exit")),
                _both(text_of("amount", before["pnl"]), text_of("amount", after["pnl"])),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setData(_ENTRY, after)
                table.setItem(number, column, item)
        table.itemClicked.connect(lambda item: self.trade_chosen.emit(item.data(_ENTRY)))
        return _fitted(table)

    def _time_heads(self) -> tuple[str, str]:
        times = self.comparison.b.times
        return times.head(tr("Entry time")), times.head(tr("Exit time"))

    def _others(self) -> QWidget:
        differences = self.comparison.differences
        if not differences:
            return _sentence(tr("Settings and data are the same."))
        table = _table((tr("What"), *self.names), len(differences))
        for row, each in enumerate(differences):
            for column, text in enumerate((known(each.what), each.a, each.b)):
                table.setItem(row, column, QTableWidgetItem(text))
        return _fitted(table)


def _summary(comparison: RunComparison) -> str:
    if comparison.added is None or comparison.removed is None or comparison.changed is None:
        return ""
    return tr(
        "{removed} trades removed, {added} added, {changed} changed; {lines} lines of the file differ.",
        removed=len(comparison.removed),
        added=len(comparison.added),
        changed=len(comparison.changed),
        lines=sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in comparison.file_diff),
    )


def _name(run: RunView, other: RunView) -> str:
    when = run.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return when if run.strategy == other.strategy else f"{run.strategy}, {when}"


def _delta(change: MetricChange) -> str:
    if change.delta is None or change.verdict == "same" or change.metric.unit == "time":
        return ""
    text = value_text(change.metric, change.delta)
    return text if text.startswith("-") or text == value_text(change.metric, 0) else f"+{text}"


def _time(run: RunView, trade: Row, end: str) -> str:
    """Return when a trade began or ended. A trade of the other run is not at the bars of this one."""
    return run.times.text(trade[f"{end}_ts_ns"], trade["instrument"])


def _both(before: str, after: str) -> str:
    return after if before == after else f"{before} \N{RIGHTWARDS ARROW} {after}"


def _table(heads: Sequence[str], rows: int) -> QTableWidget:
    table = QTableWidget(rows, len(heads))
    table.setItemDelegate(RoomyCells(table))
    table.setHorizontalHeaderLabels(list(heads))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setFrameShape(QTableWidget.Shape.NoFrame)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().lineSpacing() + 8)
    table.horizontalHeader().setHighlightSections(False)
    return table


def _fitted(table: QTableWidget) -> QTableWidget:
    table.resizeColumnsToContents()
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in range(table.columnCount()):  # a head stands over its values
        value, head = table.item(0, column), table.horizontalHeaderItem(column)
        if value is not None and head is not None:
            head.setTextAlignment(Qt.AlignmentFlag(value.textAlignment() or _LEFT))
    return table


def _sentence(text: str) -> QLabel:
    label = QLabel(text, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label


def _diff(lines: Sequence[str]) -> QWidget:
    """Return the differing lines of the file, what went in one colour and what came in another."""
    if not lines:
        return _sentence(tr("The file is the same."))
    view = QPlainTextEdit("\n".join(lines), readOnly=True)
    view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    view.setAccessibleName(tr("File"))
    theme = current()
    marks = []
    for number, line in enumerate(lines):
        color = {"+": theme.done, "-": theme.error, "@": theme.text_dim}.get(line[:1])
        if color is not None:
            mark = QTextEdit.ExtraSelection()
            cursor = view.textCursor()
            cursor.setPosition(view.document().findBlockByNumber(number).position())
            cursor.movePosition(cursor.MoveOperation.EndOfBlock, cursor.MoveMode.KeepAnchor)
            mark.cursor = cursor  # type: ignore[attr-defined] # missing in the stubs
            mark.format.setForeground(QColor(color))  # type: ignore[attr-defined] # missing in the stubs
            marks.append(mark)
    view.setExtraSelections(marks)
    return view
