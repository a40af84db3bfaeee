"""The figures of a run: cards for those that everybody looks at first, then all of them by group."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QToolTip, QVBoxLayout, QWidget

from quantcrafter.app.panes.results.columns import metric_name, value_text
from quantcrafter.app.services.i18n import known, tr, translated
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.engine.runtime.explain import why_no_trade
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.metric_catalog import METRICS, Metric, Value, shown_groups

HEADLINES = (
    "net_profit",
    "total_return_pct",
    "cagr_pct",
    "buy_and_hold_pct",
    "max_drawdown_pct",
    "sharpe",
    "profit_factor",
    "win_rate_pct",
    "trades",
    "exposure_pct",
)
_SIGNED = ("net_profit", "total_return_pct", "cagr_pct", "buy_and_hold_pct")
_CARD = QSize(138, 58)
_BIG, _SMALL = 15, 9
_GAP = 8
_EDGE = 10
_SIDE_BY_SIDE = (4, 2, 1)
"""In how many columns the groups may stand."""


class Overview(QScrollArea):
    """Shows a run's figures, wrapped to the width there is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.cards = _Cards()
        self.groups = QGridLayout()
        self._groups: list[QWidget] = []
        self.facts = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self.no_trades = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self.no_trades.setObjectName("results.no_trades")
        bold = self.no_trades.font()
        bold.setBold(True)
        self.no_trades.setFont(bold)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(_EDGE, 8, _EDGE, 10)
        column.setSpacing(10)
        column.addWidget(self.facts)
        column.addWidget(self.no_trades)
        column.addWidget(self.cards)
        column.addLayout(self.groups)
        column.addStretch(1)
        self.setWidget(inside)

    def show_run(self, run: RunView) -> None:
        """Show the figures of a run."""
        self.facts.setText(" · ".join(_facts(run)))
        why = why_no_trade(run)
        self.no_trades.setText(translated(why))
        self.no_trades.setVisible(bool(why))
        self.cards.show_metrics(run.metrics)
        for old in self._groups:
            self.groups.removeWidget(old)
            old.deleteLater()
        self._groups = [_group(group, metrics, run) for group, metrics in shown_groups(run.metrics).items()]
        self._place_groups()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Put as many groups side by side as there is room for."""
        super().resizeEvent(event)
        self._place_groups()

    def _place_groups(self) -> None:
        room = self.viewport().width() - 2 * _EDGE
        columns = next((count for count in _SIDE_BY_SIDE if self._width_of(count) <= room), 1)
        for column in range(max(_SIDE_BY_SIDE)):
            self.groups.setColumnStretch(column, 1 if column < columns else 0)
        for place, group in enumerate(self._groups):
            self.groups.addWidget(group, *divmod(place, columns), Qt.AlignmentFlag.AlignTop)

    def _width_of(self, columns: int) -> int:
        """Return how wide the groups are in so many columns."""
        widths = [group.minimumSizeHint().width() for group in self._groups]
        gaps = (columns - 1) * max(self.groups.horizontalSpacing(), 0)
        return sum(max(widths[column::columns], default=0) for column in range(columns)) + gaps


class _Cards(QWidget):
    """The headline figures, each a box; painted in one go."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = tuple(next(each for each in METRICS if each.key == key) for key in HEADLINES)
        self.values: dict[str, Value] = {}
        theme_changed.connect(self.update)

    def show_metrics(self, values: object) -> None:
        self.values = dict(values) if isinstance(values, dict) else {}
        self.setAccessibleName("; ".join(f"{known(each.label)}: {self.text(each)}" for each in self.metrics))
        self.update()

    def text(self, metric: Metric) -> str:
        """Return what a card says."""
        return value_text(metric, self.values.get(metric.key))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Take the height that the rows need: a scroll area's layout does not ask for it."""
        rows = -(-len(self.metrics) // self._columns(event.size().width()))
        self.setFixedHeight(rows * (_CARD.height() + _GAP) - _GAP)

    def _columns(self, width: int) -> int:
        fitting = max(1, min((width + _GAP) // (_CARD.width() + _GAP), len(self.metrics)))
        rows = -(-len(self.metrics) // fitting)
        return -(-len(self.metrics) // rows)

    def box(self, place: int) -> QRect:
        """Return where a card is."""
        columns = self._columns(self.width())
        width = (self.width() + _GAP) // columns - _GAP
        row, column = divmod(place, columns)
        return QRect(column * (width + _GAP), row * (_CARD.height() + _GAP), width, _CARD.height())

    def event(self, event: QEvent) -> bool:
        """Say in a tooltip what a card is, whole, and how it comes about."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = (each for place, each in enumerate(self.metrics) if self.box(place).contains(event.pos()))
            metric = next(found, None)
            text = f"{known(metric.label)}: {self.text(metric)}\n{metric.formula}" if metric is not None else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        del event
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, metric in enumerate(self.metrics):
            box, text = self.box(place), self.text(metric)
            painter.setPen(QColor(theme.border))
            painter.setBrush(QColor(theme.raised))
            painter.drawRoundedRect(box.adjusted(0, 0, -1, -1), 6, 6)
            inner = box.adjusted(10, 7, -8, -7)
            font = self.font()
            font.setPointSize(_SMALL)
            painter.setFont(font)
            painter.setPen(QColor(theme.text_dim))
            label = painter.fontMetrics().elidedText(known(metric.label), Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, label)
            font.setPointSize(_BIG)
            font.setBold(True)
            painter.setFont(font)
            value = self.values.get(metric.key)
            color = theme.text if metric.key not in _SIGNED or not value else theme.done if value > 0 else theme.error
            painter.setPen(QColor(color))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, shown)
        painter.end()


def _group(group: str, metrics: Sequence[Metric], run: RunView) -> QWidget:
    """Return one group of figures, each with its formula as tooltip."""
    shown = QWidget()
    grid = QGridLayout(shown)
    grid.setContentsMargins(0, 0, 12, 0)
    grid.setVerticalSpacing(3)
    grid.setColumnStretch(0, 1)
    title = QLabel(known(group))
    font = title.font()
    font.setBold(True)
    title.setFont(font)
    grid.addWidget(title, 0, 0, 1, 2)
    for row, metric in enumerate(metrics, start=1):
        name = QLabel(metric_name(metric, run.times.zone))
        name.setForegroundRole(name.palette().ColorRole.PlaceholderText)
        text = value_text(metric, run.metrics.get(metric.key), run.times.zone)
        value = QLabel(text, alignment=Qt.AlignmentFlag.AlignRight)
        for label in (name, value):
            label.setToolTip(f"{metric.formula}\n{metric.source}")
        grid.addWidget(name, row, 0)
        grid.addWidget(value, row, 1)
    return shown


def _facts(run: RunView) -> list[str]:
    feeds = ", ".join(f"{job.symbol} {job.bars.timeframe}" for job in run.instruments[:4])
    more = len(run.instruments) - 4
    facts = [f"{feeds} (+{more})" if more > 0 else feeds, tr("{count} bars", count=f"{run.bars:,}"), run.engine]
    if run.synthetic:
        facts.insert(0, tr("SYNTHETIC DATA"))
    if run.warmup:
        facts.append(tr("warm-up {count}", count=run.warmup))
    return [*facts, *(translated(finding) for finding in run.findings)]
