"""Shell: composes what the first paint of the window needs: menus, toolbar, status bar, welcome page.

The program is put together in two steps, here and in `Desktop`, and nowhere else; every part gets what it needs by its
constructor. The second step imports what strategies are shown with: it waits until the window is on the screen, or
until an action needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from quantcrafter.app import theme
from quantcrafter.app.actions.all_actions import all_actions
from quantcrafter.app.actions.qt import ActionSet
from quantcrafter.app.actions.spec import ActionSpec
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.problems import error_text
from quantcrafter.app.services.recent_files import RecentFiles
from quantcrafter.app.window.command_palette import CommandPalette
from quantcrafter.app.window.files.recent_list import RecentList
from quantcrafter.app.window.layout.geometry import remember_frame, restore_frame
from quantcrafter.app.window.layout.pane_host import PaneHost
from quantcrafter.app.window.main_window import MainWindow
from quantcrafter.app.window.messages import Messages
from quantcrafter.app.window.refresher import Refresher
from quantcrafter.app.window.status import StatusLine
from quantcrafter.app.window.tabs.tabs import Tabs
from quantcrafter.app.window.welcome import Welcome
from quantcrafter.app.window.window_front import WindowFront
from quantcrafter.engine.api import QuantCrafterError

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas
    from quantcrafter.app.charts.chart_commands import ChartCommands
    from quantcrafter.app.document.document import Document
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.app.window.desktop import Desktop
    from quantcrafter.app.window.tabs.tab import StrategyTab


class Shell:
    """The window before any strategy is open, and the way to all else.

    Args:
        settings: the user's settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._desktop: Desktop | None = None
        self.settings = settings
        self.tabs = Tabs()
        self.status = StatusLine()
        self.window = MainWindow(self.tabs, self.status, self._may_close, self.shut)
        self.messages = Messages(self.window, self.status)
        self.panes = PaneHost(self.window, settings, lambda: self.desktop.store.pane)
        self.front = WindowFront(self.window, settings, self.tabs, self.panes, self._is_busy, self._is_checking)
        self.actions = ActionSet(self.window, all_actions(settings, self._targets()), self.front, self._run)
        self.refresher = Refresher(self.window, self.tabs, self.actions)
        self.command_palette = CommandPalette(
            self.actions.registry, self.actions.is_usable, self.actions.trigger, self.window
        )
        self.welcome = Welcome([self.actions.actions[name] for name in ("file.new", "file.open", "file.gallery")])
        self.window.set_welcome(self.welcome)
        self.recent = RecentList(
            RecentFiles.of(settings),
            self.welcome,
            self.actions,
            lambda path: self._open_all([path]),
            self.window,
        )
        self._connect()
        self.recent.show()
        self.refresher.now()
        restore_frame(self.window, settings)

    def _connect(self) -> None:
        self.window.files_dropped.connect(self._open_all)
        self.window.bars_dropped.connect(self._import_bars)
        QApplication.clipboard().dataChanged.connect(self.refresher.soon)
        theme.changed.connect(self.welcome.retheme)

    def _open_all(self, paths: Sequence[Path]) -> None:
        self.desktop.file_controller.open_all(paths)

    def _import_bars(self, paths: Sequence[Path]) -> None:
        self.desktop.store.import_files(paths)

    @property
    def desktop(self) -> Desktop:
        """All parts of the program, composed when they are first needed."""
        if self._desktop is None:
            from quantcrafter.app.window.desktop import Desktop

            self._desktop = Desktop(self)
        return self._desktop

    def show_command_palette(self) -> None:
        """Show the list of all actions."""
        self.command_palette.open()

    def quit(self) -> None:
        """Close the window, asking about unsaved changes first."""
        self.window.close()

    def shut(self, *, keep_drafts: bool = False) -> None:
        """Remember the layout, and release everything; `keep_drafts` leaves unsaved work in its recovery files."""
        remember_frame(self.window, self.settings)
        if self._desktop is not None:
            self._desktop.close(keep_drafts=keep_drafts)

    # ------------------------------------------------------------------ what actions act on

    def _targets(self) -> Targets:
        return Targets(
            canvas=self._canvas,
            document=self._document,
            chart=self._chart,
            files=lambda: self.desktop.file_controller,
            dialogs=lambda: self.desktop.dialogs,
            node_files=lambda: self.desktop.node_files,
            tour=lambda: self.desktop.tour,
            looks=lambda: self.desktop.looks,
            panes=lambda: self.desktop.pane_focus,
            tabs=lambda: self.tabs,
            navigation=lambda: self.desktop.wiring,
            runs=lambda: self.desktop.runs,
            research=lambda: self.desktop.research,
            reports=lambda: self.desktop.reports,
            engines=lambda: self.desktop.engines,
            check=lambda: self.desktop.lookahead,
            data=lambda: self.desktop.data_controller,
            store=lambda: self.desktop.store,
            window=lambda: self,
        )

    def _canvas(self) -> Canvas | None:
        tab = self.tabs.current()
        return None if tab is None else tab.canvas

    def _document(self) -> Document | None:
        """Return the current strategy, after pending input was applied."""
        tab = self.tabs.current()
        if tab is None:
            return None
        self.desktop.typed.finish(tab)
        return tab.document

    def _chart(self) -> ChartCommands | None:
        """Return what the chart can do, after it was brought to the front."""
        if not self.panes.is_there:
            return None
        self.panes.docks.show("chart")
        return self.panes.docks.chart.commands

    def _run(self, spec: ActionSpec) -> None:
        """Run an action; our errors are shown as text."""
        try:
            spec.callback()
        except QuantCrafterError as error:
            self.messages.complain(error_text(error))
        self.refresher.soon()

    def _is_busy(self, tab: StrategyTab) -> bool:
        return self._desktop is not None and self._desktop.runs.is_busy(tab)

    def _is_checking(self) -> bool:
        return self._desktop is not None and self._desktop.lookahead.is_busy

    def _may_close(self) -> bool:
        return not self.tabs.count() or self.desktop.file_controller.may_close(self.tabs.all())
