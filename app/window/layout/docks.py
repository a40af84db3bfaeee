"""The panes around the canvas, as docks: components left, inspector and outline right, problems and results below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QCoreApplication, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from quantcrafter.app.inspector.inspector import Inspector
from quantcrafter.app.panes.help import HelpPane
from quantcrafter.app.panes.outline import Outline
from quantcrafter.app.panes.palette import Palette
from quantcrafter.app.panes.problems import Problems
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.window.layout.dock_titles import SlimTitles
from quantcrafter.app.window.layout.pane_frame import PaneFrame

if TYPE_CHECKING:
    from quantcrafter.app.charts.model.choice import ChartChoice
    from quantcrafter.app.charts.pane import ChartPane
    from quantcrafter.app.document.document import Document

LAYOUT_VERSION = 6
"""Raised when docks come or go, so that a layout of other docks is not restored."""

_LEFT, _RIGHT, _BELOW = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)


BELOW_HEIGHT = 112
"""How high the place below the canvas is at first, with its tabs: room for two problems."""
LEAST_HEIGHT = 180
"""What a pane of the run side gets at least when it is first looked at, in pixels."""
RESULT_HEIGHT = 280
"""What the panes of the run side get at least when the first run is finished, in pixels."""


class Docks(QObject):
    """The docks of a window. They are shown once a strategy is open, and remember their places.

    Args:
        window: gets the docks.
        document: the strategy to show first; panes need one.
        settings: remembers the layout.
        make_data: makes the pane of the user's bars.
        extra: panes of plugins by name: their titles, and what makes them.
    """

    run_asked = Signal()
    compared = Signal(object)
    """Carries the `Comparison` of two runs that is to be shown."""
    reopen_asked = Signal(object)
    """Carries the `RunRecord` whose strategy is to be opened as it was."""
    engines_asked = Signal()
    """The engines are to be compared."""
    engines_cancelled = Signal()
    message = Signal(str)
    """Something to tell in the status bar."""
    node_asked = Signal(str)
    """A node of the run is to be shown, by its name there."""
    chart_shown = Signal()
    """What the chart shows changed."""

    def __init__(
        self,
        window: QMainWindow,
        document: Document,
        settings: Settings,
        make_data: Callable[[], QWidget],
        extra: Mapping[str, tuple[str, Callable[[], QWidget]]],
    ) -> None:
        super().__init__(window)
        self._make_data = make_data
        self._window = window
        self._settings = settings
        self.palette = Palette(document)
        self.inspector = Inspector(document)
        self.outline = Outline(document)
        self.help = HelpPane(document)
        self.problems = Problems(document)
        self.docks: dict[str, QDockWidget] = {
            "palette": self._dock("palette", tr("Components"), self.palette),
            "inspector": self._dock("inspector", tr("Inspector"), self.inspector),
            "outline": self._dock("outline", tr("Outline"), self.outline),
            "help": self._dock("help", tr("Node help"), self.help),
            "problems": self._dock("problems", tr("Problems"), self.problems),
        }
        self.frames: dict[str, PaneFrame] = {}
        self._no_session = RunSession(self)
        self._roomy: set[str] = set()
        self._is_settled = False
        self._add_run_panes()
        for name, (title, make) in extra.items():
            self.add_pane(name, title, make, needs_run=False, can_be_stale=False)
        self._titles = SlimTitles(window, self.docks.values())
        self.reset()
        self._restore()
        self._titles.refresh()
        QTimer.singleShot(0, self, self._settle)

    def _add_run_panes(self) -> None:
        """Add what shows runs, from left to right; a pane is imported and made when it is first seen."""
        self.add_pane("chart", tr("Chart"), self._chart)
        self.add_pane("results", tr("Results"), _results)
        self.add_pane("why", tr("Why"), self._why)
        self.add_pane("history", tr("History"), self._history, needs_run=False, can_be_stale=False)
        self.add_pane("parity", tr("Engines"), self._parity, needs_run=False, can_be_stale=False)
        self.add_pane("log", tr("Log"), _log, needs_run=False, can_be_stale=False)
        self.add_pane("data", tr("My data"), self._make_data, needs_run=False, can_be_stale=False)

    def _chart(self) -> QWidget:
        from quantcrafter.app.charts.pane import ChartPane

        pane = ChartPane(self._settings)
        pane.why_asked.connect(lambda: self.show("why"))
        pane.run_asked.connect(self.run_asked)
        pane.message.connect(self.message)
        pane.shown.connect(self.chart_shown)
        return pane

    def _history(self) -> QWidget:
        from quantcrafter.app.panes.history import HistoryPane

        pane = HistoryPane()
        pane.compared.connect(self.compared)
        pane.reopen_asked.connect(self.reopen_asked)
        pane.message.connect(self.message)
        return pane

    def _parity(self) -> QWidget:
        from quantcrafter.app.panes.parity import ParityPane

        pane = ParityPane()
        pane.asked.connect(self.engines_asked)
        pane.cancel_asked.connect(self.engines_cancelled)
        pane.node_asked.connect(self.node_asked)
        return pane

    def add_pane(
        self,
        name: str,
        title: str,
        make: Callable[[], QWidget],
        *,
        needs_run: bool = True,
        can_be_stale: bool = True,
    ) -> None:
        """Add a pane of the run side below the canvas; see `PaneFrame`."""
        frame = PaneFrame(make, needs_run=needs_run, can_be_stale=can_be_stale)
        frame.run_asked.connect(self.run_asked)
        self.frames[name] = frame
        self.docks[name] = self._dock(name, title, frame)
        self.docks[name].visibilityChanged.connect(frame.set_seen)
        self.docks[name].visibilityChanged.connect(lambda seen: self._give_room(name) if seen else None)

    def add_extra(self, name: str, title: str, make: Callable[[], QWidget]) -> None:
        """Add a pane of a plugin while the window is on the screen, behind the others below the canvas."""
        self.add_pane(name, title, make, needs_run=False, can_be_stale=False)
        self._titles.add(self.docks[name])
        self._window.addDockWidget(_BELOW, self.docks[name])
        self._window.tabifyDockWidget(self.docks["problems"], self.docks[name])

    def remove_pane(self, name: str) -> None:
        """Take a pane away for good."""
        dock = self.docks.pop(name)
        self._titles.remove(dock)
        self._roomy.discard(name)
        self.frames.pop(name).close()
        self._window.removeDockWidget(dock)
        dock.deleteLater()

    def _why(self) -> QWidget:
        from quantcrafter.app.panes.why import WhyPane

        pane = WhyPane()
        pane.node_asked.connect(self.node_asked)
        return pane

    @property
    def chart(self) -> ChartPane:
        """The chart, made now if it was not yet."""
        return cast("ChartPane", self.frames["chart"].pane)

    @property
    def chart_choice(self) -> ChartChoice | None:
        """What the chart shows of the current strategy, None before there is a chart."""
        return self.chart.choice if self.frames["chart"].has_pane else None

    def _give_room(self, name: str) -> None:
        """Make a pane that is looked at for the first time high enough to be of use; later its height is the user's."""
        dock = self.docks[name]
        if not self._is_settled or name in self._roomy:
            return
        self._roomy.add(name)
        if dock.height() < LEAST_HEIGHT and not dock.isFloating():
            self._window.resizeDocks([dock], [LEAST_HEIGHT], Qt.Orientation.Vertical)

    def _settle(self) -> None:
        self._is_settled = True

    def set_session(self, session: RunSession) -> None:
        """Let the panes of the run side show another strategy's run."""
        for frame in self.frames.values():
            frame.set_session(session)

    def let_go(self) -> None:
        """Let the panes hold nothing of a strategy that is closed while no other is open."""
        self.set_session(self._no_session)

    def show_stale(self, *, stale: bool) -> None:
        """Say in the panes of the run side that what they show is out of date, or no longer."""
        for frame in self.frames.values():
            frame.set_stale(stale=stale)

    def show_results(self, *, first: bool) -> None:
        """Show the panes of the run side; the chart comes to the front after the `first` run, with enough height."""
        shown = next((name for name in self.frames if self.is_shown(name)), None)
        front = next(iter(self.frames), None) if first or shown is None else shown
        if front is not None and (front is not shown or front not in self._roomy):
            self.show_roomy(front)

    def show_roomy(self, name: str) -> None:
        """Show a pane of the run side with enough height to be read."""
        self.show(name)
        dock = self.docks[name]
        if dock.height() < RESULT_HEIGHT and not dock.isFloating():
            self._window.resizeDocks([dock], [RESULT_HEIGHT], Qt.Orientation.Vertical)

    def set_document(self, document: Document) -> None:
        """Let every pane show another strategy."""
        for pane in (self.palette, self.inspector, self.outline, self.help, self.problems):
            pane.set_document(document)

    def show(self, name: str) -> None:
        """Show a pane in front of those it shares its place with."""
        self.docks[name].show()
        self.docks[name].raise_()

    def is_shown(self, name: str) -> bool:
        """Return whether a pane can be seen; one behind a tab cannot."""
        dock = self.docks[name]
        sharing = [other for other in self._window.tabifiedDockWidgets(dock) if not other.isHidden()]
        return not dock.isHidden() and (not sharing or not dock.visibleRegion().isEmpty())

    def title_problems(self, counts: str) -> None:
        """Put the number of problems into the title of their pane."""
        title = tr("Problems")
        self.docks["problems"].setWindowTitle(f"{title}   {counts}" if counts else title)

    def reset(self) -> None:
        """Put every pane back in its original place."""
        for dock in self.docks.values():
            dock.setFloating(False)
        self._arrange()
        for dock in self.docks.values():
            dock.show()
        self.docks["outline"].raise_()
        self.docks["problems"].raise_()
        self._roomy.clear()
        QTimer.singleShot(0, self, self._size)  # Qt gives docks that came back sizes of its own first

    def remember(self) -> None:
        """Keep the layout for the next start."""
        state = self._window.saveState(LAYOUT_VERSION)
        self._settings.window_state = bytes(state.toBase64().data()).decode("ascii")

    def set_shown(self, *, shown: bool) -> None:
        """Take all docks away for the welcome page, keeping the layout; or bring it back."""
        if not shown:
            self.remember()
            for dock in self.docks.values():
                dock.hide()
        else:
            for dock in self.docks.values():
                dock.show()
            self._restore()

    def close(self) -> None:
        """Let the panes release the document."""
        for pane in (self.palette, self.inspector, self.outline, self.help, self.problems):
            pane.close()
        for frame in self.frames.values():
            frame.close()

    def _restore(self) -> None:
        state = QByteArray.fromBase64(self._settings.window_state.encode("ascii", "ignore"))
        if not state.isEmpty():
            self._window.restoreState(state, LAYOUT_VERSION)

    def _dock(self, name: str, title: str, pane: QWidget) -> QDockWidget:
        dock = _Dock(title, self._window)
        dock.setObjectName(f"dock.{name}")
        dock.setWidget(pane)
        return dock

    def _arrange(self) -> None:
        """Place the docks as at the first start: the canvas gets at least half of 1280 x 720."""
        window, docks = self._window, self.docks
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, _LEFT),
            (Qt.Corner.BottomRightCorner, _RIGHT),
        ):
            window.setCorner(corner, area)
        window.addDockWidget(_LEFT, docks["palette"])
        window.addDockWidget(_RIGHT, docks["inspector"])
        window.splitDockWidget(docks["inspector"], docks["outline"], Qt.Orientation.Vertical)
        window.tabifyDockWidget(docks["outline"], docks["help"])
        window.addDockWidget(_BELOW, docks["problems"])
        for name in self.frames:
            window.addDockWidget(_BELOW, docks[name])
            window.tabifyDockWidget(docks["problems"], docks[name])
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, window.tabPosition(_LEFT).North)
        self._size()

    def _size(self) -> None:
        """Give the docks the sizes of the first start."""
        window, docks = self._window, self.docks
        window.resizeDocks([docks["palette"], docks["inspector"]], [216, 304], Qt.Orientation.Horizontal)
        window.resizeDocks([docks["inspector"], docks["outline"]], [380, 240], Qt.Orientation.Vertical)
        window.resizeDocks([docks["problems"]], [BELOW_HEIGHT], Qt.Orientation.Vertical)


class _Dock(QDockWidget):
    """A dock whose window hears its keys, though it floats."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        super().keyPressEvent(event)
        window = self.parentWidget()
        if self.isFloating() and not event.isAccepted() and window is not None:
            QCoreApplication.sendEvent(window, event)


def _results() -> QWidget:
    from quantcrafter.app.panes.results import ResultsPane

    return ResultsPane()


def _log() -> QWidget:
    from quantcrafter.app.panes.log import LogPane

    return LogPane()
