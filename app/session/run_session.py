"""RunSession: the run that a strategy's panes look at, and the bar and trade that they point to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Signal

from quantcrafter.app.services.problems import error_text
from quantcrafter.app.session.engine_comparison import EngineComparison
from quantcrafter.app.session.log_lines import RunLog
from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder


class RunSession(QObject):
    """What chart, tables, canvas and log show of one open strategy.

    Each of them calls `go_to` when the user points at something and follows `moved`; none knows another.
    `instrument` is an index in file order, `bar` an index into that instrument's own bars (None: nothing is pointed
    at), `trade` a row of `run.trades` (None: no trade). `log` holds what the strategy's runs had to say, `engines` how
    engines compare on it. `lost` says why the run that was shown cannot be read any more, empty where none was lost.
    """

    run_changed = Signal()
    """There is another run, or none; instrument, bar and trade were set again before."""
    moved = Signal()
    """Instrument, bar or trade changed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run: RunFolder | None = None
        self.lost = ""
        self.log = RunLog()
        self.engines = EngineComparison(self)
        self.instrument = 0
        self.bar: int | None = None
        self.trade: int | None = None

    def show_run(self, run: RunFolder | None) -> None:
        """Show another run, or none. The place stays where the new run has the same bar of the same instrument."""
        try:
            place = self._place_in(run)
        except RunError:  # the folder of one of them is gone; who reads the new one says so
            place = None
        self._show(run, place)

    def _show(self, run: RunFolder | None, place: tuple[int, int] | None, lost: str = "") -> None:
        self.run, self.lost = run, lost
        self.instrument, self.bar = (0, None) if place is None else place
        self.trade = None
        self.run_changed.emit()

    def go_to(self, bar: int | None, *, instrument: int | None = None, trade: int | None = None) -> None:
        """Point at a bar, and at a trade if it is one's entry or exit that is meant.

        A bar beyond the data means the nearest one; nothing happens without a run.
        """
        with self.reading() as run:
            if run is None:
                return
            number = self.instrument if instrument is None else instrument
            number = min(max(number, 0), len(run.instruments) - 1)
            if bar is not None:
                bar = min(max(bar, 0), len(run.instruments[number].bars) - 1)
        if run is not self.run:
            return
        wanted = (number, bar, trade)
        if wanted != (self.instrument, self.bar, self.trade):
            self.instrument, self.bar, self.trade = wanted
            self.moved.emit()

    @contextmanager
    def reading(self) -> Iterator[RunFolder | None]:
        """Give the run that is shown; where it cannot be read any more, it is shown no longer, and `lost` says why."""
        try:
            yield self.run
        except RunError as error:
            self._show(None, None, error_text(error))

    def clear(self) -> None:
        """Point at nothing."""
        self.go_to(None)

    def _place_in(self, run: RunFolder | None) -> tuple[int, int] | None:
        if self.run is None or run is None or self.bar is None:
            return None
        before = self.run.instruments[self.instrument]
        for number, after in enumerate(run.instruments):
            same = after.symbol == before.symbol and self.bar < len(after.bars)
            if same and after.bars.close_ns[self.bar] == before.bars.close_ns[self.bar]:
                return number, self.bar
        return None
