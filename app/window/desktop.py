"""Desktop: composes all that opens, shows, runs and keeps strategies, and says who listens to whom."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app import theme
from app.actions.canvas_binding import CanvasBinding
from app.services.engine import Engine
from app.window.data_desk import DataDesk
from app.window.desk import FileDesk
from app.window.dialogs import Dialogs
from app.window.folders import FolderQuestions
from app.window.looks import Looks
from app.window.migration import Migrations
from app.window.pane_focus import PaneFocus
from app.window.plugins.parts import PluginParts
from app.window.plugins.view import PluginView
from app.window.readiness import Readiness
from app.window.rescue import Rescue
from app.window.research import Research
from app.window.runs.comparing import EngineDesk
from app.window.runs.desk import RunDesk
from app.window.runs.indicators import RunIndicators
from app.window.runs.lookahead import LookAheadDesk
from app.window.runs.report import ReportDesk
from app.window.store_desk import StoreDesk
from app.window.strategies import Strategies
from app.window.tour import TourGuide
from app.window.typed import TypedText
from app.window.wiring import Wiring
from engine.plugins import load_registry
from engine.runtime.traces import forget_trials

if TYPE_CHECKING:
    from app.window.docks import Docks
    from app.window.shell import Shell
    from app.window.tab import StrategyTab


class Desktop:
    """All parts of the program; it makes them, connects them, and ends them. No part knows it.

    Args:
        shell: the window that they fill.
    """

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.settings = settings = shell.settings
        self.window = window = shell.window
        self.tabs = tabs = shell.tabs
        self.panes = panes = shell.panes
        messages = shell.messages
        self.catalog = catalog = load_registry()
        self.engine = Engine(window)
        self.data_engine = Engine(window, compiles=False)  # beside that of the runs, so that neither waits
        self.typed = typed = TypedText(tabs, panes, messages)
        binding = CanvasBinding(shell.actions.registry, shell.actions.state, shell.actions.trigger)
        self.strategies = Strategies(window, tabs, panes, settings, binding)
        self.folders = FolderQuestions(tabs, messages)
        self.migrations = Migrations(messages)
        self.wiring = Wiring(catalog, tabs, panes, shell.status, shell.refresher, self.folders, messages)
        self.desk = FileDesk(window, catalog, tabs, self.strategies, typed, shell.recent, messages)
        self.rescue = Rescue(window, settings, catalog, tabs, self.strategies, self.desk, messages)
        self._compose_runs()
        self.data_desk = DataDesk(window, tabs, self.data_engine, typed, messages)
        self.store = StoreDesk(window, catalog, tabs, self.data_engine, self.data_desk.offer_use, messages)
        self.pane_focus = PaneFocus(tabs, panes)
        self.looks = Looks(window, settings, tabs, panes, self.pane_focus, messages)
        self.plugins = PluginParts(catalog, shell.actions.registry, panes, self.pane_focus, self._plugin_view)
        self.dialogs = Dialogs(window, settings, catalog, shell.actions, self.desk, self.looks, self.plugins, messages)
        self.tour = TourGuide(window, settings, tabs, panes, shell.actions, self.desk)
        self._connect()

    def _compose_runs(self) -> None:
        """Make what runs strategies, and what looks at runs."""
        tabs, panes, engine, typed, messages = self.tabs, self.panes, self.engine, self.typed, self.shell.messages
        readiness = Readiness(tabs, panes, self.wiring, self.folders)
        self.runs = RunDesk(tabs, engine, self.settings, panes, typed, readiness, messages)
        self.indicators = RunIndicators(self.runs, engine, tabs, panes, self.shell.status.run, self.shell.refresher)
        self.engines = EngineDesk(tabs, engine, panes, typed, readiness, messages)
        self.lookahead = LookAheadDesk(tabs, engine, typed, self.wiring, self.shell.refresher, messages)
        self.reports = ReportDesk(self.window, tabs, engine, messages)
        self.research = Research(self.window, tabs, engine, typed, messages)

    def _plugin_view(self, plugin: str) -> PluginView:
        return PluginView(plugin, self.tabs, self.typed, self.shell.messages, self.shell.refresher)

    def _connect(self) -> None:
        self.strategies.tell(self.wiring, self.rescue, self.runs, self.folders, self.engines, self.migrations)
        self.panes.made.connect(self._connect_docks)
        self.tabs.current_changed.connect(self._switched)
        self.tabs.close_asked.connect(self.desk.close)
        self.window.escaped.connect(self.pane_focus.leave)
        self.shell.status.problems_clicked.connect(lambda: self.docks.show("problems"))
        self.shell.status.zoom_clicked.connect(self._fit_all)
        theme.changed.connect(self._rethemed)

    def _connect_docks(self, docks: Docks) -> None:
        self.wiring.connect_docks(docks)
        docks.run_asked.connect(self.runs.run)
        docks.compared.connect(self.research.compare)
        docks.reopen_asked.connect(self.desk.reopen)
        docks.engines_asked.connect(self.engines.compare)
        docks.engines_cancelled.connect(self.engines.cancel)
        docks.inspector.vary_asked.connect(lambda node, field: self.research.sweep((node, field)))
        docks.inspector.source_asked.connect(self.data_desk.choose)
        docks.inspector.limits_asked.connect(self.data_desk.tell_limits)

    # ------------------------------------------------------------------ what is in front

    @property
    def docks(self) -> Docks:
        """The panes; there are none before the first strategy is open."""
        return self.panes.docks

    @property
    def tab(self) -> StrategyTab | None:
        """The strategy in front."""
        return self.tabs.current()

    def _switched(self, tab: StrategyTab | None) -> None:
        if tab is not None:
            self.window.show_strategies()
            self._show(tab)
            tab.canvas.setFocus()
        else:
            self.window.show_welcome()
            self.shell.status.clear_document()
            if self.panes.is_made:
                self.docks.let_go()
        self.shell.refresher.soon()

    def _show(self, tab: StrategyTab) -> None:
        self.wiring.show_tab(tab)
        self.runs.show_tab()
        self.indicators.show()

    def _rethemed(self) -> None:
        if self.tab is not None:
            self._show(self.tab)

    def _fit_all(self) -> None:
        if self.tab is not None:
            self.tab.canvas.fit_all()

    # ------------------------------------------------------------------ the end

    def close(self, *, keep_drafts: bool) -> None:
        """Let go of everything; `keep_drafts` leaves unsaved work in its recovery files."""
        if self.tab is not None:
            self.docks.remember()
            self.settings.yaml_share = self.tab.yaml_share
        self.engine.close()
        self.data_engine.close()
        forget_trials(str(os.getpid()))
        for tab in self.tabs.all():
            tab.dispose()
        self.rescue.settle()
        if not keep_drafts:
            self.rescue.close()
        self.desk.watch.close()
        self.panes.close()
