"""Desktop: creates and connects all parts that open, show, run and store strategies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from quantcrafter.app import theme
from quantcrafter.app.actions.canvas_binding import CanvasBinding
from quantcrafter.app.services.engine import Engine
from quantcrafter.app.window.data.bar_store_controller import BarStoreController
from quantcrafter.app.window.data.data_controller import DataController
from quantcrafter.app.window.dialogs import Dialogs
from quantcrafter.app.window.files.file_controller import FileController
from quantcrafter.app.window.files.folder_questions import FolderQuestions
from quantcrafter.app.window.files.migration import Migrations
from quantcrafter.app.window.files.pending_input import TypedText
from quantcrafter.app.window.looks import WindowLooks
from quantcrafter.app.window.open_strategies import Strategies
from quantcrafter.app.window.pane_focus import PaneFocus
from quantcrafter.app.window.plugins.node_files import NodeFiles
from quantcrafter.app.window.plugins.parts import PluginParts
from quantcrafter.app.window.plugins.view import PluginView
from quantcrafter.app.window.readiness import Readiness
from quantcrafter.app.window.recovery.controller import RecoveryController
from quantcrafter.app.window.research import Research
from quantcrafter.app.window.runs.engine_controller import EngineController
from quantcrafter.app.window.runs.indicators import RunIndicators
from quantcrafter.app.window.runs.lookahead import LookAheadController
from quantcrafter.app.window.runs.report import ReportController
from quantcrafter.app.window.runs.run_controller import RunController
from quantcrafter.app.window.tour import TourGuide
from quantcrafter.app.window.wiring import Wiring
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.run_store.trace_folders import forget_trials

if TYPE_CHECKING:
    from quantcrafter.app.window.layout.docks import Docks
    from quantcrafter.app.window.shell import Shell
    from quantcrafter.app.window.tabs.tab import StrategyTab


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
        self.download_engine = Engine(window, compiles=False)  # downloads take long, and wait for servers
        self.typed = typed = TypedText(tabs, panes, messages)
        binding = CanvasBinding(shell.actions.registry, shell.actions.state, shell.actions.trigger)
        self.strategies = Strategies(window, tabs, panes, settings, binding)
        self.folders = FolderQuestions(tabs, messages)
        self.migrations = Migrations(messages)
        self.wiring = Wiring(catalog, tabs, panes, shell.status, shell.refresher, self.folders, messages)
        self.file_controller = FileController(window, catalog, tabs, self.strategies, typed, shell.recent, messages)
        self.recovery_controller = RecoveryController(
            window, settings, catalog, tabs, self.strategies, self.file_controller, messages
        )
        self._compose_runs()
        self.data_controller = DataController(window, tabs, self.data_engine, typed, messages)
        self.store = BarStoreController(
            window,
            catalog,
            tabs,
            (self.data_engine, self.download_engine),
            self.data_controller.offer_use,
            messages,
        )
        self.pane_focus = PaneFocus(tabs, panes)
        self.looks = WindowLooks(window, settings, tabs, panes, self.pane_focus, messages)
        self.plugins = PluginParts(catalog, shell.actions.registry, panes, self.pane_focus, self._plugin_view)
        self.node_files = NodeFiles(
            window, catalog, tabs, (self.engine, self.data_engine), self.plugins, self.runs, messages
        )
        self.dialogs = Dialogs(
            window,
            settings,
            catalog,
            shell.actions,
            self.file_controller,
            self.looks,
            self.node_files,
            messages,
        )
        self.tour = TourGuide(window, settings, tabs, panes, shell.actions, self.file_controller)
        self._connect()

    def _compose_runs(self) -> None:
        """Make what runs strategies, and what looks at runs."""
        tabs, panes, engine, typed, messages = self.tabs, self.panes, self.engine, self.typed, self.shell.messages
        readiness = Readiness(tabs, panes, self.wiring, self.folders, messages)
        self.runs = RunController(tabs, engine, self.settings, panes, typed, readiness, messages)
        self.indicators = RunIndicators(self.runs, engine, tabs, panes, self.shell.status.run, self.shell.refresher)
        self.engines = EngineController(tabs, engine, panes, typed, readiness)
        self.lookahead = LookAheadController(tabs, engine, typed, self.wiring, self.shell.refresher, messages)
        self.reports = ReportController(self.window, tabs, engine, messages)
        self.research = Research(self.window, tabs, engine, typed, messages)

    def _plugin_view(self, plugin: str) -> PluginView:
        return PluginView(plugin, self.tabs, self.typed, self.shell.messages, self.shell.refresher)

    def _connect(self) -> None:
        self.strategies.tell(
            self.wiring,
            self.recovery_controller,
            self.runs,
            self.folders,
            self.engines,
            self.migrations,
            self.node_files,
        )
        self.panes.made.connect(self._connect_docks)
        self.tabs.current_changed.connect(self._switched)
        self.tabs.close_asked.connect(self.file_controller.close)
        self.window.escaped.connect(self.pane_focus.leave)
        self.shell.status.problems_clicked.connect(lambda: self.docks.show("problems"))
        self.shell.status.zoom_clicked.connect(self._fit_all)
        theme.changed.connect(self._rethemed)

    def _connect_docks(self, docks: Docks) -> None:
        self.wiring.connect_docks(docks)
        docks.run_asked.connect(self.runs.run)
        docks.compared.connect(self.research.compare)
        docks.reopen_asked.connect(self.file_controller.reopen)
        docks.engines_asked.connect(self.engines.compare)
        docks.engines_cancelled.connect(self.engines.cancel)
        docks.inspector.vary_asked.connect(lambda node, field: self.research.sweep((node, field)))
        docks.inspector.source_asked.connect(self.data_controller.choose)
        docks.inspector.limits_asked.connect(self.data_controller.show_limits)
        docks.inspector.values_asked.connect(self.data_controller.show_values)

    # ------------------------------------------------------------------ what is in front

    @property
    def docks(self) -> Docks:
        """The panes; there are none before the first strategy is open."""
        return self.panes.docks

    @property
    def tab(self) -> StrategyTab | None:
        """The current strategy."""
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
        """Release everything; `keep_drafts` leaves unsaved work in its recovery files."""
        if self.tab is not None:
            self.docks.remember()
            self.settings.yaml_share = self.tab.yaml_share
        self.node_files.close()
        self.engine.close()
        self.data_engine.close()
        self.download_engine.close()
        forget_trials(str(os.getpid()))
        for tab in self.tabs.all():
            tab.dispose()
        self.recovery_controller.settle()
        if not keep_drafts:
            self.recovery_controller.close()
        self.file_controller.watch.close()
        self.panes.close()
