"""ChartPane: the run of the open strategy as a chart, beside the canvas."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from quantcrafter.app import theme
from quantcrafter.app.charts.chart_commands import ChartCommands
from quantcrafter.app.charts.empty import EmptyChart
from quantcrafter.app.charts.loader import ChartLoader, ChartRequest
from quantcrafter.app.charts.menu import chart_menu
from quantcrafter.app.charts.model.chart import ChartModel
from quantcrafter.app.charts.model.chart_state import PANELS, ChartState
from quantcrafter.app.charts.model.choice import ChartChoice
from quantcrafter.app.charts.model.scales import Window
from quantcrafter.app.charts.toolbar import ChartToolbar
from quantcrafter.app.charts.view import ChartView
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.runtime.results.run_view import RunView


class ChartPane(QWidget):
    """Shows the run of a session, follows where it points, and points itself.

    Args:
        settings: remembers what is shown, and how.
        parent: the dock.
    """

    run_asked = Signal()
    """The user wants the strategy to be run."""
    message = Signal(str)
    """Something to tell in the status bar."""
    why_asked = Signal()
    """The user wants to know why the strategy traded at the bar pointed at, or why not."""
    shown = Signal()
    """Another run or instrument is drawn, or what is drawn of it changed."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.session: RunSession | None = None
        self._closed = False
        self._unsubscribe: Callable[[], None] = lambda: None
        self.choice = ChartChoice(settings, "")
        self.toolbar = ChartToolbar()
        self.view = ChartView(settings.chart_colors)
        self.empty = EmptyChart()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addWidget(self._stack, 1)
        self._loader = ChartLoader(self)
        self.commands = ChartCommands(self)
        self._connect()
        self._show_nothing()

    def _connect(self) -> None:
        self._loader.ready.connect(self._drawn)
        self._loader.failed.connect(self._failed)
        self.toolbar.wanted.connect(self.commands.do)
        self.view.pointed.connect(self.point)
        self.view.dismissed.connect(lambda: self.session.clear() if self.session else None)
        self.view.output_clicked.connect(self.commands.toggle_output)
        self.view.changed.connect(self._mark_auto)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.empty.run_asked.connect(self.run_asked)
        theme.changed.connect(self.recolor)

    # ------------------------------------------------------------------ the run

    @property
    def state(self) -> ChartState | None:
        """What is drawn, None while nothing is."""
        return self.view.state

    @property
    def is_ready(self) -> bool:
        """Whether all that is to be shown is drawn."""
        return not self._loader.is_busy

    def set_session(self, session: RunSession) -> None:
        """Show another strategy's run from now on, and follow it."""
        if self.session is not None:
            self.session.run_changed.disconnect(self._run_changed)
            self.session.moved.disconnect(self._moved)
        self.session = session
        session.run_changed.connect(self._run_changed)
        session.moved.connect(self._moved)
        self._run_changed()

    def close(self) -> bool:
        """Release the run; the pane is of no use afterwards."""
        if not self._closed:
            self._closed = True
            self._loader.close()
            self._unsubscribe()
            theme.changed.disconnect(self.recolor)
        return super().close()

    def _run_changed(self) -> None:
        session = self.session
        run = session.run if session is not None else None
        if session is None or run is None:
            self._loader.drop()
            self._show_nothing(session.lost if session is not None else "")
            return
        key = run.file or run.strategy
        if key != self.choice.key:
            self._unsubscribe()
            self.choice = ChartChoice(self.settings, key)
            self._unsubscribe = self.choice.subscribe(self._choice_changed)
        if self.state is None:
            self.empty.say(tr("Drawing..."), may_run=False)
        self.load(run, session.instrument)

    def load(self, run: RunView, instrument: int, model: ChartModel | None = None) -> None:
        """Make an instrument of a run ready, or what is missing of a model; it is drawn when it is."""
        chosen = dict(self.settings.chart_shown.get(self.choice.key, {}))
        heikin_ashi = self.settings.chart_style == "heikin_ashi"
        self._loader.ask(ChartRequest(run, instrument, chosen, heikin_ashi, model))

    def _drawn(self, model: ChartModel) -> None:
        """Show a model that is ready now: another run or instrument, or more lines of the one that is shown."""
        session = self.session
        if session is None or model.run is not session.run:
            return
        if not len(model):
            self.empty.say(tr("The run has no bars."), may_run=True)
            self._stack.setCurrentWidget(self.empty)
            return
        before = self.state
        if before is not None and before.model is model:
            before.shown = self.choice.shown()
            before.style = self.settings.chart_style
            self.view.refresh()
        else:
            self._show_model(model, before)
        self.mark_choices()
        self.shown.emit()

    def _show_model(self, model: ChartModel, before: ChartState | None) -> None:
        settings = self.settings
        state = ChartState(
            model,
            Window.whole(len(model)),
            style=settings.chart_style,
            log=settings.chart_log,
            rolls=settings.chart_rolls,
            panels=frozenset(settings.chart_panels) & frozenset(PANELS),
        )
        if before is not None and _same_bars(before.model, model):
            state.window, state.scales, state.weights = before.window, before.scales, before.weights
        self.view.show_state(state)
        self._stack.setCurrentWidget(self.view)
        self.choice.offer(model.outputs)  # takes up what is shown of them
        state.shown = self.choice.shown()
        self.view.refresh()
        symbols = (job.symbol for job in model.run.instruments)
        self.toolbar.show_instruments(symbols, model.instrument)
        self.toolbar.setEnabled(True)
        self._select()

    def _failed(self, reason: str) -> None:
        self._show_nothing(tr("The run can't be shown: {reason}", reason=reason))

    def _show_nothing(self, text: str = "") -> None:
        self.view.show_state(None)
        self.toolbar.setEnabled(False)
        self.toolbar.show_instruments((), -1)
        self.toolbar.show_choices(self.settings.chart_style, self.settings.chart_panels, auto=True, log=False)
        self.empty.say(text or tr("Run the strategy to see prices, indicators and trades here."), may_run=True)
        self._stack.setCurrentWidget(self.empty)
        self.shown.emit()

    # ------------------------------------------------------------------ where it points

    def _moved(self) -> None:
        session, state = self.session, self.state
        if session is None or session.run is None:
            return
        if state is None or state.model.instrument != session.instrument:
            self.load(session.run, session.instrument)
            return
        self._select()

    def _select(self) -> None:
        session = self.session
        if session is not None:
            self.view.select(session.bar, session.trade)

    def point(self, bar: int, trade: int | None) -> None:
        """Point the session at a bar, and at a trade if one is meant."""
        if self.session is not None:
            self.session.go_to(bar, trade=trade)

    # ------------------------------------------------------------------ following

    def _choice_changed(self) -> None:
        state = self.state
        if state is None:
            return
        state.shown = self.choice.shown()
        if len(state.drawn) < len(state.shown):
            self.load(state.model.run, state.model.instrument, state.model)
        self.view.refresh()
        self.mark_choices()
        self.shown.emit()

    def mark_choices(self) -> None:
        """Let the toolbar say what is chosen."""
        state = self.state
        self.toolbar.show_choices(
            self.settings.chart_style,
            self.settings.chart_panels,
            auto=state is None or not state.scales,
            log=self.settings.chart_log,
        )
        self.toolbar.show_outputs(self.choice, self.view.look)

    def _mark_auto(self) -> None:
        state = self.state
        self.toolbar.auto.setChecked(state is None or not state.scales)

    def _open_menu(self, at: QPoint) -> None:
        if self.state is not None:
            menu = chart_menu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.view.mapToGlobal(at))

    def recolor(self) -> None:
        """Draw in the colours of the theme in use, and those chosen for candles."""
        self.view.recolor(self.settings.chart_colors)
        self.toolbar.show_outputs(self.choice, self.view.look)


def _same_bars(before: ChartModel, after: ChartModel) -> bool:
    """Return whether two models show the same instrument over the same bars, so that the view can stay."""
    first, second = before.job, after.job
    if first.symbol != second.symbol or len(first.bars) != len(second.bars) or not len(first.bars):
        return False
    ends = (0, -1)
    return all(first.bars.open_ns[end] == second.bars.open_ns[end] for end in ends)
