"""Commands of the chart: for the buttons above it and the actions of the menu."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox

from quantcrafter.app.charts.model.chart_state import PANELS
from quantcrafter.app.charts.model.outputs import ChartOutput
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.engine.api import QuantCrafterError

if TYPE_CHECKING:
    from quantcrafter.app.charts.pane import ChartPane

ZOOM_STEP = 1.4


class ChartCommands:
    """The commands of a pane."""

    def __init__(self, pane: ChartPane) -> None:
        self._pane = pane

    def do(self, command: ChartCommand) -> None:
        """Run a command; our errors are shown as text."""
        try:
            command(self)
        except QuantCrafterError as error:
            QMessageBox.warning(self._pane, "QuantCrafter", error_text(error))

    def toggle_node(self, node: str) -> None:
        """Show all outputs of a node of the graph, or hide them."""
        if self._pane.choice.can_show(node):
            self._pane.choice.toggle(node)
        else:
            self._pane.message.emit(tr("The last run has no values of '{node}' to show.", node=node))

    def show_instrument(self, index: int) -> None:
        """Show another instrument of the run."""
        if self._pane.session is not None and index != self._pane.session.instrument:
            self._pane.session.go_to(None, instrument=index)

    def fit(self) -> None:
        """Show all bars."""
        self._pane.view.fit()

    def zoom_in(self) -> None:
        """Show fewer bars."""
        self._pane.view.zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        """Show more bars."""
        self._pane.view.zoom(1 / ZOOM_STEP)

    def zoom_to_trade(self) -> None:
        """Show the selected trade from entry to exit."""
        if self._pane.state is not None and self._pane.state.trade is not None:
            self._pane.view.show_trade(self._pane.state.trade)

    def next_trade(self) -> None:
        """Point at the entry of the next trade."""
        state = self._pane.state
        if state is not None:
            after = state.selected if state.selected is not None else int(state.window.left) - 1
            self._go_to_trade(state.model.trades.row_after(after))

    def previous_trade(self) -> None:
        """Point at the entry of the trade before."""
        state = self._pane.state
        if state is not None:
            before = state.selected if state.selected is not None else int(state.window.right) + 1
            self._go_to_trade(state.model.trades.row_of_entry(before - 1))

    def _go_to_trade(self, row: int | None) -> None:
        session = self._pane.session
        if row is None or session is None or session.run is None:
            self._pane.message.emit(tr("There are no more trades."))
            return
        with session.reading() as run:
            if run is not None:
                session.go_to(int(run.ledger.trades["entry_bar"][row]), trade=row)

    def ask_date(self) -> None:
        """Put the cursor where a date is typed."""
        self._pane.toolbar.date.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._pane.toolbar.date.selectAll()

    def go_to_date(self, moment: datetime) -> None:
        """Point at the first bar at a date or after it, in the exchange's time zone."""
        if self._pane.state is not None:
            bar = self._pane.state.model.clock.bar_at(moment)
            self._pane.view.go_to(bar)
            self._pane.point(bar, None)
            self._pane.view.setFocus()

    def set_style(self, style: str) -> None:
        """Draw prices as `candles`, `heikin_ashi` or `line`."""
        self._pane.settings.chart_style = style
        state = self._pane.state
        if state is not None and style == "heikin_ashi" and state.model.heikin_ashi is None:
            self._pane.load(state.model.run, state.model.instrument, state.model)
        elif state is not None:
            state.style = style
            self._pane.view.refresh()
        self._pane.mark_choices()

    def set_colors(self, colors: str) -> None:
        """Set the colours for rising and falling prices."""
        self._pane.settings.chart_colors = colors
        self._pane.recolor()

    def set_log(self, log: bool) -> None:  # noqa: FBT001 - a switch
        """Use logarithmic scales for prices and equity, or even ones."""
        self._pane.settings.chart_log = log
        if self._pane.state is not None:
            self._pane.state.log = log
            self._pane.state.scales.clear()
            self._pane.view.refresh()
        self._pane.mark_choices()

    def toggle_log(self) -> None:
        """Use logarithmic scales, or no longer."""
        self.set_log(not self._pane.settings.chart_log)

    def toggle_rolls(self) -> None:
        """Mark the rolls of futures, or no longer."""
        shown = not self._pane.settings.chart_rolls
        self._pane.settings.chart_rolls = shown
        if self._pane.state is not None:
            self._pane.state.rolls = shown
            self._pane.view.refresh()

    def set_auto(self, auto: bool) -> None:  # noqa: FBT001 - a switch
        """Fit the scales to the visible part automatically, or keep them."""
        self._pane.view.set_auto(auto=auto)

    def toggle_panel(self, name: str) -> None:
        """Show or hide `volume`, `equity`, `drawdown` or `exposure`."""
        shown = set(self._pane.settings.chart_panels) ^ {name}
        self._pane.settings.chart_panels = [each for each in PANELS if each in shown]
        if self._pane.state is not None:
            self._pane.state.panels = frozenset(shown)
            self._pane.view.refresh()
        self._pane.mark_choices()

    def toggle_output(self, output: ChartOutput) -> None:
        """Show or hide an output of the graph."""
        self._pane.choice.toggle(output.node, output.output)

    def reset_outputs(self) -> None:
        """Restore the default selection of outputs."""
        self._pane.choice.reset()

    def copy(self) -> None:
        """Put the drawing on the clipboard as a picture."""
        from quantcrafter.app.charts.export import picture

        if self._pane.state is not None:
            QGuiApplication.clipboard().setImage(picture(self._pane.view))
            self._pane.message.emit(tr("Copied"))

    def export(self, kind: str) -> None:
        """Ask for a file and write the drawing there, as `png` or `svg`."""
        state = self._pane.state
        if state is None:
            return
        names = tr("Images (*.png)") if kind == "png" else tr("Vector images (*.svg)")
        run = state.model.run
        folder = Path(run.file).parent if run.file else Path.home()
        start = folder / f"{Path(run.file).stem or 'chart'}-{state.model.job.symbol}.{kind}".replace("/", "-")
        name, _ = QFileDialog.getSaveFileName(self._pane, tr("Save the drawing"), str(start), names)
        if name:
            path = Path(name)
            self.export_to(path if path.suffix else path.with_suffix(f".{kind}"), kind)

    def export_to(self, path: Path, kind: str) -> None:
        """Write the drawing to a file, as `png` or `svg`.

        Raises:
            RunError: the file cannot be written.
        """
        from quantcrafter.app.charts.export import export_png, export_svg

        (export_png if kind == "png" else export_svg)(self._pane.view, path)
        self._pane.message.emit(tr("Exported to {path}", path=path))


ChartCommand = Callable[[ChartCommands], object]
"""Something that the chart can do."""
