"""SweepDialog: run the strategy over the values of one or two parameters, and take the best ones over."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.dialogs.frame import DialogFrame
from quantcrafter.app.dialogs.heatmap import Heatmap, HeatmapData
from quantcrafter.app.dialogs.sweep_form import (
    MOST_CELLS,
    ValueRange,
    Variable,
    axes_of,
    suggested,
    taking_over,
    variables,
)
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.panes.results.columns import metric_name
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.problems import failure_text
from quantcrafter.app.services.value_texts import number_text
from quantcrafter.engine.runtime.compute_process.jobs.sweep import SweepRequest
from quantcrafter.engine.stats.metric_catalog import METRICS, Metric

if TYPE_CHECKING:
    from quantcrafter.app.document.document import Document
    from quantcrafter.app.document.view import Scope
    from quantcrafter.app.services.engine import Engine, Job
    from quantcrafter.engine.runtime.compute_process.job_messages import Progressed
    from quantcrafter.engine.runtime.compute_process.jobs import Failure
    from quantcrafter.engine.runtime.research.sweep import Sweep, SweepCell

FIRST_METRIC = "sharpe"
LARGEST = 1e12


class _Number(QDoubleSpinBox):
    """A number without needless zeros."""

    def textFromValue(self, value: float) -> str:  # noqa: N802 - Qt's
        return f"{value:.10g}"


class AxisChoice(QWidget):
    """Picks a parameter and the values to try: from, to, step."""

    def __init__(self, title: str, *, optional: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._optional = optional
        self._variables: tuple[Variable, ...] = ()
        self.pick = QComboBox()
        self.pick.setAccessibleName(title)
        self.pick.setMaxVisibleItems(24)
        self.ends = {name: self._spin(name) for name in (tr("From"), tr("To"), tr("Step"))}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(QLabel(title), 0, 0, 1, 3)
        grid.addWidget(self.pick, 1, 0, 1, 3)
        for column, (name, spin) in enumerate(self.ends.items()):
            grid.addWidget(QLabel(name), 2, column)
            grid.addWidget(spin, 3, column)
        self.pick.currentIndexChanged.connect(self._picked)

    @staticmethod
    def _spin(name: str) -> QDoubleSpinBox:
        spin = _Number()
        spin.setRange(-LARGEST, LARGEST)
        spin.setDecimals(6)
        spin.setLocale(QLocale.c())  # textFromValue writes a point whatever the language is
        spin.setAccessibleName(name)
        spin.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        spin.setMinimumWidth(64)
        return spin

    def offer(self, offered: tuple[Variable, ...], first: Variable | None) -> None:
        """List parameters, and pick one."""
        self._variables = offered
        self.pick.clear()
        if self._optional:
            self.pick.addItem(tr("None"))
        self.pick.addItems([variable.title for variable in offered])
        if first in offered:
            self.pick.setCurrentIndex(offered.index(first) + self._optional)
        self._picked()

    @property
    def variable(self) -> Variable | None:
        """The parameter that is picked."""
        number = self.pick.currentIndex() - self._optional
        return self._variables[number] if 0 <= number < len(self._variables) else None

    @property
    def span(self) -> ValueRange:
        """The values to try."""
        first, last, step = (spin.value() for spin in self.ends.values())
        return ValueRange(first, last, step)

    def set_span(self, span: ValueRange) -> None:
        """Show other values to try."""
        for spin, value in zip(self.ends.values(), (span.first, span.last, span.step), strict=True):
            whole = self.variable is not None and self.variable.whole
            spin.setDecimals(0 if whole else 6)
            spin.setValue(value)

    def _picked(self) -> None:
        variable = self.variable
        for spin in self.ends.values():
            spin.setEnabled(variable is not None)
        if variable is not None:
            self.set_span(suggested(variable))


class SweepDialog(DialogFrame):
    """Asks for one or two parameters, has the engine process run every combination, and shows a metric of each.

    A click on a cell writes its values into the strategy as one undo step. The dialog may stay open beside the window.

    Args:
        parent: the window.
        document: the strategy.
        engine: carries the sweep out.
        scope: the level whose parameters can be varied.
        first: node and field to vary, as picked in the inspector.
        say: shows a message in the window.
    """

    def __init__(
        self,
        parent: QWidget | None,
        document: Document,
        engine: Engine,
        *,
        scope: Scope = (),
        first: tuple[str, str] | None = None,
        say: Callable[[str], object] = lambda _text: None,
    ) -> None:
        title = tr("Vary parameters")
        intro = tr("Runs the strategy for every combination. Click a cell to apply its values.")
        super().__init__(parent, title=title, intro=intro)
        self._document = document
        self._engine = engine
        self._scope = scope
        self._say = say
        self._job: Job | None = None
        self._chosen: tuple[Variable, ...] = ()
        self.sweep: Sweep | None = None
        self.across = AxisChoice(tr("Across"), optional=False)
        self.down = AxisChoice(tr("Down"), optional=True)
        self.metric_box = QComboBox()
        self.count = QLabel()
        self.progress = QProgressBar()
        self.heatmap = Heatmap()
        self.result_text = QLabel()
        self._compose()
        self._offer(first)
        self.resize(860, 560)

    def _compose(self) -> None:
        self.metric_box.setAccessibleName(tr("Metric"))
        self._metrics = tuple(metric for metric in METRICS if metric.unit != "time" and metric.key != "initial_equity")
        self.metric_box.addItems([metric_name(metric) for metric in self._metrics])
        self.metric_box.setCurrentIndex(next(i for i, each in enumerate(self._metrics) if each.key == FIRST_METRIC))
        self.progress.hide()
        self.result_text.setWordWrap(True)
        self.result_text.setMinimumHeight(self.result_text.fontMetrics().height() * 2 + 4)
        self.result_text.setAlignment(Qt.AlignmentFlag.AlignTop)
        side = QVBoxLayout()
        side.setSpacing(12)
        shown = QVBoxLayout()
        shown.setSpacing(6)
        shown.addWidget(QLabel(tr("Metric")))
        shown.addWidget(self.metric_box)
        side.addWidget(self.across)
        side.addWidget(self.down)
        side.addLayout(shown)
        side.addWidget(self.count)
        side.addStretch(1)
        side.addWidget(self.progress)
        left = QWidget()
        left.setLayout(side)
        left.setFixedWidth(236)
        side.setContentsMargins(0, 0, 8, 0)
        right = QVBoxLayout()
        right.addWidget(self.heatmap, 1)
        right.addWidget(self.result_text)
        row = QHBoxLayout()
        row.addWidget(left)
        row.addLayout(right, 1)
        self.body.addLayout(row)
        role = QDialogButtonBox.ButtonRole
        self.run_button = self.add_button(tr("Run the sweep"), role.ActionRole, self.start_or_stop, default=True)
        self.add_button(tr("Close"), role.RejectRole, self.close)
        for axis in (self.across, self.down):
            axis.pick.currentIndexChanged.connect(self._recount)
            for spin in axis.ends.values():
                spin.valueChanged.connect(self._recount)
        self.metric_box.currentIndexChanged.connect(self._show)
        self.heatmap.pointed.connect(self._point)
        self.heatmap.chosen.connect(self._take)

    def _offer(self, first: tuple[str, str] | None) -> None:
        offered = variables(self._document, self._scope)
        node, field = first or ("", "")
        picked = next((each for each in offered if each.node == node and field in ("", each.field)), None)
        self.across.offer(offered, picked)
        rest = [each for each in offered if each is not self.across.variable]
        near = next((each for each in rest if each.whole and picked is not None and each.whole == picked.whole), None)
        self.down.offer(offered, near or (rest[0] if rest else None))
        self._recount()

    # ------------------------------------------------------------------ running

    def choice(self) -> tuple[tuple[Variable, ValueRange], ...]:
        """Return the parameters and values as they are set now; those going down come first."""
        found = [(axis.variable, axis.span) for axis in (self.down, self.across)]
        return tuple((variable, span) for variable, span in found if variable is not None)

    def _problem(self) -> str:
        chosen = self.choice()
        paths = [variable.path for variable, _ in chosen]
        if not paths:
            return tr("The strategy has no numeric parameter to vary.")
        if len(set(paths)) < len(paths):
            return tr("Choose two different parameters.")
        counts = [len(axis.values) for axis in axes_of(chosen)]
        if not all(counts):
            return tr("'To' must not be below 'From', and the step must be above 0.")
        if math.prod(counts) > MOST_CELLS:
            return tr("Too many combinations: the maximum is {most}. Use larger steps.", most=f"{MOST_CELLS:,}")
        return ""

    def _recount(self) -> None:
        problem = self._problem()
        if not problem:
            total = math.prod(len(axis.values) for axis in axes_of(self.choice()))
            self.count.setText(tr("{count} runs", count=f"{total:,}"))
        else:
            self.count.setText(problem)
        self.count.setWordWrap(True)
        self.run_button.setEnabled(not problem or self._job is not None)

    def start_or_stop(self) -> None:
        """Begin the sweep; while one is in progress, end it."""
        if self._job is not None:
            self._engine.cancel(self._job)
            return
        if self._problem():
            return
        chosen = self.choice()
        document = self._document
        request = SweepRequest(
            document.text, axes_of(chosen), file=str(document.path or ""), base_dir=str(document.folder.absolute())
        )
        self._chosen = tuple(variable for variable, _ in chosen)
        job = self._job = self._engine.submit(request)
        job.progressed.connect(self._progressed)
        job.finished.connect(self._finished)
        job.failed.connect(self._failed)
        job.ended.connect(self._ended)
        self.progress.setRange(0, 0)
        self.progress.show()
        self.run_button.setText(tr("Cancel the sweep"))
        self.result_text.setText("")

    def _progressed(self, progress: Progressed) -> None:
        self.progress.setRange(0, max(progress.total, 1))
        self.progress.setValue(progress.done)

    def _finished(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self._show()

    def _failed(self, failure: Failure) -> None:
        if failure.is_cancelled:
            self.result_text.setText(tr("The sweep was cancelled."))
        else:
            self.result_text.setText(failure_text(failure))

    def _ended(self) -> None:
        self._job = None
        self.progress.hide()
        self.run_button.setText(tr("Run the sweep"))
        self._recount()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's
        if self._job is not None:
            self._engine.cancel(self._job)
        super().closeEvent(event)

    # ------------------------------------------------------------------ showing

    @property
    def shown_metric(self) -> Metric:
        """The metric that the colours stand for."""
        return self._metrics[self.metric_box.currentIndex()]

    def _show(self) -> None:
        sweep, metric = self.sweep, self.shown_metric
        if sweep is None:
            return
        across = sweep.axes[-1]
        rows = sweep.axes[0].values if len(sweep.axes) > 1 else ("",)
        width = len(across.values)
        table = [sweep.cells[start : start + width] for start in range(0, len(sweep.cells), width)]
        self.heatmap.show_data(
            HeatmapData(
                columns=tuple(_label(value) for value in across.values),
                rows=tuple(_label(value) for value in rows),
                values=tuple(tuple(_number(cell, metric) for cell in line) for line in table),
                texts=tuple(tuple(_text(cell, metric) for cell in line) for line in table),
                column_title=self._chosen[-1].title,
                row_title=self._chosen[0].title if len(sweep.axes) > 1 else "",
                now=self._present(),
                low_is_better=metric.better == "low",
            )
        )
        failed = [cell for cell in sweep.cells if cell.metrics is None]
        if failed:
            self.result_text.setText(tr("{count} of {total} couldn't run.", count=len(failed), total=len(sweep.cells)))

    def _present(self) -> tuple[int, int] | None:
        """Return row and column of what the strategy has now, if that was tried."""
        sweep = self.sweep
        if sweep is None:
            return None
        now = {each.path: each.now for each in variables(self._document, self._scope)}
        places = []
        for axis in sweep.axes:
            value = now.get(axis.path)
            if value not in axis.values:
                return None
            places.append(axis.values.index(value))
        return (places[0], places[1]) if len(places) > 1 else (0, places[0])

    def _cell(self, row: int, column: int) -> SweepCell | None:
        return None if self.sweep is None else self.sweep.cells[row * len(self.sweep.axes[-1].values) + column]

    def _point(self, place: tuple[int, int] | None) -> None:
        cell = None if place is None else self._cell(*place)
        if cell is None:
            self.result_text.setText("")
            return
        what = self._values_text(cell)
        if cell.metrics is None:
            self.result_text.setText(f"{what}\n{translated(cell.error)}")
            return
        parts = [f"{metric_name(self.shown_metric)} {_text(cell, self.shown_metric)}"]
        for key in ("total_return_pct", "max_drawdown_pct", "trades"):
            metric = next((each for each in METRICS if each.key == key), None)
            if metric is not None and metric is not self.shown_metric:
                parts.append(f"{metric_name(metric)} {_text(cell, metric)}")
        self.result_text.setText(f"{what}\n{' · '.join(parts)}")

    def _values_text(self, cell: SweepCell) -> str:
        pairs = zip(self._chosen, cell.values, strict=True)
        return ", ".join(f"{variable.title} = {_label(value)}" for variable, value in pairs)

    def _take(self, row: int, column: int) -> None:
        """Write a cell's values into the strategy."""
        cell = self._cell(row, column)
        if cell is None:
            return
        try:
            label = tr("Apply swept values")
            self._document.do(*taking_over(self._chosen, cell.values), label=label, scope=self._scope)
        except EditError as error:
            self.result_text.setText(str(error))
            return
        self._show()
        done = tr("Applied: {values}. Use Undo to restore the previous values.", values=self._values_text(cell))
        self.result_text.setText(done)
        self._say(done)


def _label(value: object) -> str:
    return number_text(float(value)) if isinstance(value, (int, float)) else str(value)


def _number(cell: SweepCell, metric: Metric) -> float:
    value = cell.metrics.get(metric.key) if cell.metrics is not None else None
    return math.nan if value is None else float(value)


def _text(cell: SweepCell, metric: Metric) -> str:
    return metric.text(cell.metrics.get(metric.key)) if cell.metrics is not None else ""
