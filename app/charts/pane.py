"""ChartPane: the run of the open strategy as a chart, beside the canvas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app import theme
from app.charts.empty import EmptyChart
from app.charts.loader import ChartLoader, ChartRequest
from app.charts.model.chart import ChartModel
from app.charts.model.choice import ChartChoice
from app.charts.model.outputs import ChartOutput
from app.charts.model.scales import Window
from app.charts.model.state import PANELS, ChartState
from app.charts.toolbar import ChartToolbar
from app.charts.view import ChartView
from app.services.i18n import tr
from app.services.run_session import RunSession
from app.services.settings import Settings
from engine.runtime.saved import SavedRun

ZOOM_STEP = 1.4


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
    shown = Signal()
    """Another run or instrument is drawn, or what is drawn of it changed."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._session: RunSession | None = None
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
        self._connect()
        self._show_nothing()

    def _connect(self) -> None:
        self._loader.ready.connect(self._drawn)
        self._loader.failed.connect(self._failed)
        self.toolbar.wanted.connect(self._do)
        self.view.pointed.connect(self._point)
        self.view.dismissed.connect(lambda: self._session.clear() if self._session else None)
        self.view.output_clicked.connect(self.toggle_output)
        self.view.changed.connect(self._mark_auto)
        self.empty.run_asked.connect(self.run_asked)
        theme.changed.connect(self._rethemed)

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
        if self._session is not None:
            self._session.run_changed.disconnect(self._run_changed)
            self._session.moved.disconnect(self._moved)
        self._session = session
        session.run_changed.connect(self._run_changed)
        session.moved.connect(self._moved)
        self._run_changed()

    def close(self) -> bool:
        """Let go of the run."""
        self._loader.close()
        self._unsubscribe()
        theme.changed.disconnect(self._rethemed)
        return super().close()

    def _run_changed(self) -> None:
        session = self._session
        run = session.run if session is not None else None
        if session is None or run is None:
            self._loader.drop()
            self._show_nothing()
            return
        key = run.file or run.strategy
        if key != self.choice.key:
            self._unsubscribe()
            self.choice = ChartChoice(self._settings, key)
            self._unsubscribe = self.choice.subscribe(self._choice_changed)
        if self.state is None:
            self.empty.say(tr("Drawing..."), may_run=False)
        self._load(run, session.instrument)

    def _load(self, run: SavedRun, instrument: int, model: ChartModel | None = None) -> None:
        chosen = dict(self._settings.chart_shown.get(self.choice.key, {}))
        heikin_ashi = self._settings.chart_style == "heikin_ashi"
        self._loader.ask(ChartRequest(run, instrument, chosen, heikin_ashi, model))

    def _drawn(self, model: ChartModel) -> None:
        """Show a model that is ready now: another run or instrument, or more lines of the one that is shown."""
        session = self._session
        if session is None or model.run is not session.run:
            return
        if not len(model):
            self.empty.say(tr("The run has no bars."), may_run=True)
            self._stack.setCurrentWidget(self.empty)
            return
        before = self.state
        if before is not None and before.model is model:
            before.shown = self.choice.shown()
            before.style = self._settings.chart_style
            self.view.refresh()
        else:
            self._show_model(model, before)
        self._mark_choices()
        self.shown.emit()

    def _show_model(self, model: ChartModel, before: ChartState | None) -> None:
        settings = self._settings
        state = ChartState(
            model,
            Window.whole(len(model)),
            style=settings.chart_style,
            log=settings.chart_log,
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
        self._show_nothing(tr("The run cannot be drawn: {reason}", reason=reason))

    def _show_nothing(self, text: str = "") -> None:
        self.view.show_state(None)
        self.toolbar.setEnabled(False)
        self.toolbar.show_instruments((), -1)
        self.toolbar.show_choices(self._settings.chart_style, self._settings.chart_panels, auto=True, log=False)
        self.empty.say(
            text or tr("Prices, indicators and trades are drawn here once the strategy was run."), may_run=True
        )
        self._stack.setCurrentWidget(self.empty)
        self.shown.emit()

    # ------------------------------------------------------------------ where it points

    def _moved(self) -> None:
        session, state = self._session, self.state
        if session is None or session.run is None:
            return
        if state is None or state.model.instrument != session.instrument:
            self._load(session.run, session.instrument)
            return
        self._select()

    def _select(self) -> None:
        session = self._session
        if session is not None:
            self.view.select(session.bar, session.trade)

    def _point(self, bar: int, trade: int | None) -> None:
        if self._session is not None:
            self._session.go_to(bar, trade=trade)

    # ------------------------------------------------------------------ what can be done

    def _do(self, name: str, argument: Any) -> None:
        method = getattr(self, name)
        if argument is None:
            method()
        else:
            method(argument)

    def show_instrument(self, index: int) -> None:
        """Show another instrument of the run."""
        if self._session is not None and index != self._session.instrument:
            self._session.go_to(None, instrument=index)

    def fit(self) -> None:
        """Show all bars."""
        self.view.fit()

    def zoom_in(self) -> None:
        """Show fewer bars."""
        self.view.zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        """Show more bars."""
        self.view.zoom(1 / ZOOM_STEP)

    def zoom_to_trade(self) -> None:
        """Show the selected trade from entry to exit."""
        if self.state is not None and self.state.trade is not None:
            self.view.show_trade(self.state.trade)

    def next_trade(self) -> None:
        """Point at the entry of the next trade."""
        state = self.state
        if state is not None:
            after = state.selected if state.selected is not None else int(state.window.left) - 1
            self._go_to_trade(state.model.trades.row_after(after))

    def previous_trade(self) -> None:
        """Point at the entry of the trade before."""
        state = self.state
        if state is not None:
            before = state.selected if state.selected is not None else int(state.window.right) + 1
            self._go_to_trade(state.model.trades.row_of_entry(before - 1))

    def _go_to_trade(self, row: int | None) -> None:
        if row is None or self._session is None or self._session.run is None:
            self.message.emit(tr("There is no further trade."))
            return
        bar = int(self._session.run.ledger.trades["entry_bar"][row])
        self._session.go_to(bar, trade=row)

    def ask_date(self) -> None:
        """Put the cursor where a date is typed."""
        self.toolbar.date.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.toolbar.date.selectAll()

    def go_to_date(self, moment: datetime) -> None:
        """Point at the first bar at a date or after it, in the exchange's time zone."""
        if self.state is not None:
            bar = self.state.model.clock.bar_at(moment)
            self.view.go_to(bar)
            self._point(bar, None)
            self.view.setFocus()

    def set_style(self, style: str) -> None:
        """Draw prices as `candles`, `heikin_ashi` or `line`."""
        self._settings.chart_style = style
        state = self.state
        if state is not None and style == "heikin_ashi" and state.model.heikin_ashi is None:
            self._load(state.model.run, state.model.instrument, state.model)
        elif state is not None:
            state.style = style
            self.view.refresh()
        self._mark_choices()

    def set_colors(self, colors: str) -> None:
        """Draw what rises and what falls in other colours."""
        self._settings.chart_colors = colors
        self._rethemed()

    def set_log(self, log: bool) -> None:  # noqa: FBT001 - a switch
        """Use logarithmic scales for prices and equity, or even ones."""
        self._settings.chart_log = log
        if self.state is not None:
            self.state.log = log
            self.state.scales.clear()
            self.view.refresh()
        self._mark_choices()

    def set_auto(self, auto: bool) -> None:  # noqa: FBT001 - a switch
        """Let the scales follow what is visible, or keep them as they are."""
        self.view.set_auto(auto=auto)

    def toggle_panel(self, name: str) -> None:
        """Show or hide `volume`, `equity`, `drawdown` or `exposure`."""
        shown = set(self._settings.chart_panels) ^ {name}
        self._settings.chart_panels = [each for each in PANELS if each in shown]
        if self.state is not None:
            self.state.panels = frozenset(shown)
            self.view.refresh()
        self._mark_choices()

    def toggle_output(self, output: ChartOutput) -> None:
        """Show or hide an output of the graph."""
        self.choice.toggle(output.node, output.output)

    def reset_outputs(self) -> None:
        """Show what is shown at first again."""
        self.choice.reset()

    def export(self, kind: str) -> None:
        """Ask for a file and write the drawing there, as `png` or `svg`."""
        state = self.state
        if state is None:
            return
        names = tr("Pictures (*.png)") if kind == "png" else tr("Drawings (*.svg)")
        run = state.model.run
        folder = Path(run.file).parent if run.file else Path.home()
        start = folder / f"{Path(run.file).stem or 'chart'}-{state.model.job.symbol}.{kind}".replace("/", "-")
        name, _ = QFileDialog.getSaveFileName(self, tr("Save the drawing"), str(start), names)
        if name:
            path = Path(name)
            self.export_to(path if path.suffix else path.with_suffix(f".{kind}"), kind)

    def export_to(self, path: Path, kind: str) -> None:
        """Write the drawing to a file, as `png` or `svg`.

        Raises:
            RunError: the file cannot be written.
        """
        from app.charts.export import export_png, export_svg

        (export_png if kind == "png" else export_svg)(self.view, path)
        self.message.emit(tr("Exported to {path}", path=path))

    # ------------------------------------------------------------------ following

    def _choice_changed(self) -> None:
        state = self.state
        if state is None:
            return
        state.shown = self.choice.shown()
        if len(state.drawn) < len(state.shown):
            self._load(state.model.run, state.model.instrument, state.model)
        self.view.refresh()
        self._mark_choices()
        self.shown.emit()

    def _mark_choices(self) -> None:
        state = self.state
        self.toolbar.show_choices(
            self._settings.chart_style,
            self._settings.chart_panels,
            auto=state is None or not state.scales,
            log=self._settings.chart_log,
        )
        self.toolbar.show_outputs(self.choice, self.view.look)

    def _mark_auto(self) -> None:
        state = self.state
        self.toolbar.auto.setChecked(state is None or not state.scales)

    def _rethemed(self) -> None:
        self.view.recolor(self._settings.chart_colors)
        self.toolbar.show_outputs(self.choice, self.view.look)


def _same_bars(before: ChartModel, after: ChartModel) -> bool:
    """Return whether two models show the same instrument over the same bars, so that the view can stay."""
    first, second = before.job, after.job
    if first.symbol != second.symbol or len(first.bars) != len(second.bars) or not len(first.bars):
        return False
    ends = (0, -1)
    return all(first.bars.open_ns[end] == second.bars.open_ns[end] for end in ends)
