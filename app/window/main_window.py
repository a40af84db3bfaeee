"""The main window: puts menus, tabs, docks and status bar together, and is what actions act on."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMessageBox, QPushButton, QStackedWidget, QToolButton

from app import theme
from app.actions.catalogue import all_actions
from app.actions.qt import ActionSet
from app.actions.spec import ActionSpec
from app.services.problems import error_text
from app.services.recent import RecentFiles
from app.window.command_palette import CommandPalette
from app.window.drops import dropped_bars, dropped_files
from app.window.frame import remember_frame, restore_frame
from app.window.looks import Looks
from app.window.recent_look import RecentLook
from app.window.status import StatusLine
from app.window.tabs import Tabs
from app.window.welcome import Welcome
from engine.api import QuantCrafterError

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.view import Scope
    from app.services.engine import Engine
    from app.services.settings import Settings
    from app.window.data_desk import DataDesk
    from app.window.desk import FileDesk
    from app.window.dialogs import Dialogs
    from app.window.docks import Docks
    from app.window.folders import FolderQuestions
    from app.window.pane_focus import PaneFocus
    from app.window.rescue import Rescue
    from app.window.runs.comparing import EngineDesk
    from app.window.runs.desk import RunDesk
    from app.window.runs.lookahead import LookAheadDesk
    from app.window.runs.report import ReportDesk
    from app.window.tab import StrategyTab
    from app.window.wiring import Wiring
    from engine.plugins import Registry

MIN_SIZE = (860, 520)
"""In pixels."""


class MainWindow(QMainWindow):
    """A window with tabs of strategies.

    Its parts have one concern each: `desk` files, `tabs` pages, `docks` panes, `wiring` what passes between them,
    `rescue` recovery files, `dialogs` questions, `action_set` menus and keys, `looks` theme and layout. What is not
    needed for the first paint is imported and made when it is first used.

    Args:
        settings: what is remembered between starts.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.setObjectName("main")
        self.setAcceptDrops(True)
        self.setMinimumSize(*MIN_SIZE)
        self._docks: Docks | None = None
        self.tabs = Tabs()
        self.recent = RecentFiles.of(settings)
        self._recent_look = RecentLook(self._found_missing, self)
        self.looks = Looks(self)
        self.status = StatusLine(self)
        self.setStatusBar(self.status)
        self.action_set = ActionSet(self, all_actions(settings), self.run_action)
        actions = self.action_set
        self.command_palette = CommandPalette(actions.registry, actions.is_usable, actions.trigger, self)
        self.welcome = Welcome([actions.actions[name] for name in ("file.new", "file.open", "file.gallery")])
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.tabs)
        self.setCentralWidget(self.pages)
        self._refresh_soon = QTimer(self, singleShot=True, interval=0)
        self._refresh_soon.timeout.connect(self._refresh)
        self._connect()
        self.show_recent()
        self._refresh()
        restore_frame(self, settings)

    def _connect(self) -> None:
        self.tabs.current_changed.connect(self._switched)
        self.tabs.close_asked.connect(self._close_asked)
        self.welcome.chosen.connect(lambda path: self.desk.open_all([path]))
        self.status.problems_clicked.connect(lambda: self.docks.show("problems"))
        self.status.zoom_clicked.connect(lambda: self.on_canvas("fit_all"))
        QApplication.clipboard().dataChanged.connect(self.refresh_actions)
        theme.changed.connect(self._rethemed)
        self.action_set.menus["file"].aboutToShow.connect(self.show_recent)

    # ------------------------------------------------------------------ what is here

    @cached_property
    def catalog(self) -> Registry:
        """What is installed."""
        from engine.plugins import load_registry

        return load_registry()

    @cached_property
    def desk(self) -> FileDesk:
        """What opens, saves and closes files."""
        from app.window.desk import FileDesk

        return FileDesk(self)

    @cached_property
    def data_desk(self) -> DataDesk:
        """What chooses, imports and keeps data."""
        from app.window.data_desk import DataDesk

        return DataDesk(self)

    @cached_property
    def folders(self) -> FolderQuestions:
        """What asks about folders beyond a strategy's own."""
        from app.window.folders import FolderQuestions

        return FolderQuestions(self)

    @cached_property
    def dialogs(self) -> Dialogs:
        """What opens dialogs."""
        from app.window.dialogs import Dialogs

        return Dialogs(self)

    @cached_property
    def rescue(self) -> Rescue:
        """What looks after recovery files."""
        from app.window.rescue import Rescue

        return Rescue(self)

    @cached_property
    def engine(self) -> Engine:
        """What runs strategies, in a process of its own."""
        from app.services.engine import Engine

        return Engine(self)

    @cached_property
    def data_engine(self) -> Engine:
        """What loads and keeps bars, in a process beside that of the runs, so that neither waits for the other."""
        from app.services.engine import Engine

        return Engine(self, compiles=False)

    @cached_property
    def reports(self) -> ReportDesk:
        """What makes reports of runs."""
        from app.window.runs.report import ReportDesk

        return ReportDesk(self)

    @cached_property
    def lookahead(self) -> LookAheadDesk:
        """What checks strategies for look-ahead."""
        from app.window.runs.lookahead import LookAheadDesk

        return LookAheadDesk(self)

    @cached_property
    def runs(self) -> RunDesk:
        """What runs strategies, and shows how far they are."""
        from app.window.runs.desk import RunDesk

        return RunDesk(self)

    @cached_property
    def engines(self) -> EngineDesk:
        """What compares engines."""
        from app.window.runs.comparing import EngineDesk

        return EngineDesk(self)

    @cached_property
    def pane_focus(self) -> PaneFocus:
        """What takes the keyboard from pane to pane."""
        from app.window.pane_focus import PaneFocus

        return PaneFocus(self)

    @cached_property
    def wiring(self) -> Wiring:
        """What passes between the parts."""
        from app.window.wiring import Wiring

        return Wiring(self)

    @property
    def docks(self) -> Docks:
        """The panes; there are none before the first strategy is open."""
        if self._docks is None:
            raise RuntimeError("The panes come with the first strategy.")
        return self._docks

    @property
    def tab(self) -> StrategyTab | None:
        """The strategy in front."""
        return self.tabs.current()

    @property
    def selection(self) -> tuple[str, ...]:
        """The ids of the selected nodes."""
        return self.tab.selection if self.tab else ()

    @property
    def scope(self) -> Scope:
        """The level that the canvas shows."""
        scope: Scope = self.tab.canvas.scope if self.tab else ()
        return scope

    def has_panes(self) -> bool:
        """Return whether the panes are on the screen."""
        return self.tab is not None and self._docks is not None

    # ------------------------------------------------------------------ tabs

    def add_tab(self, document: Document, name: str) -> StrategyTab:
        """Put a document into a tab of its own, in front."""
        from app.window.docks import Docks
        from app.window.tab import StrategyTab

        tab = StrategyTab(document, name, self.settings, self.action_set.registry, self.tabs)
        if self._docks is None:
            self._docks = Docks(self, document, self.settings, lambda: self.data_desk.store.pane)
            self.wiring.connect_docks(self._docks)
        elif not self.tabs.count():
            self._docks.set_shown(shown=True)
        self.pages.setCurrentWidget(self.tabs)
        self.wiring.connect_tab(tab)
        self.rescue.follow(tab)
        self.runs.follow(tab)
        self.folders.follow(tab)
        self.tabs.add(tab)
        tab.place_yaml(self.settings.yaml_place)
        QTimer.singleShot(0, tab, tab.canvas.fit_all)  # once everything has its size
        return tab

    def remove_tab(self, tab: StrategyTab) -> None:
        """Take a tab out, without asking."""
        self.rescue.forget(tab)
        self.runs.forget(tab)
        self.folders.forget(tab)
        self.engines.forget(tab)
        self.settings.yaml_share = tab.yaml_share
        if self.tabs.count() == 1 and self._docks is not None:
            self._docks.set_shown(shown=False)
        self.tabs.remove(tab)

    def _close_asked(self, tab: StrategyTab) -> None:
        self.desk.close(tab)

    def tab_changed(self, tab: StrategyTab) -> None:
        """Bring a tab's title, and what else depends on its document, up to date."""
        self.tabs.refresh(tab)
        self.refresh_actions()

    def finish_typing(self, tab: StrategyTab) -> None:
        """Take over what is typed in the text, on the canvas or in the inspector but not yet finished."""
        tab.canvas.naming.finish()
        tab.yaml.flush()
        if tab is self.tab and self._docks is not None:
            self._docks.inspector.finish()

    def _switched(self, tab: StrategyTab | None) -> None:
        self.pages.setCurrentWidget(self.tabs if tab else self.welcome)
        if tab is not None and self._docks is not None:
            self.wiring.show_tab(tab)
            tab.canvas.setFocus()
        elif tab is None:
            self.status.clear_document()
            if self._docks is not None:
                self._docks.let_go()
        self.refresh_actions()

    # ------------------------------------------------------------------ what actions call

    def run_action(self, spec: ActionSpec) -> None:
        """Run an action; an error of ours is told in words."""
        try:
            spec.callback(self)
        except QuantCrafterError as error:
            self.complain(error_text(error))
        self.refresh_actions()

    def on_canvas(self, method: str, *arguments: Any, **options: Any) -> None:
        """Call a method of the canvas in front; nothing happens if there is none."""
        if self.tab is not None:
            getattr(self.tab.canvas, method)(*arguments, **options)

    def on_document(self, method: str) -> None:
        """Call a method of the document in front, after what is being typed was taken over."""
        if self.tab is not None:
            self.finish_typing(self.tab)
            getattr(self.tab.document, method)()

    def show_node_help(self) -> None:
        """Show the help pane, on the selected node."""
        if self.tab is not None and len(self.selection) == 1:
            self.docks.help.show_node(self.selection[0], self.scope)
            self.docks.show("help")

    def open_dialog(self, name: str) -> None:
        """Open one of the dialogs."""
        self.dialogs.open(name)

    def show_command_palette(self) -> None:
        """Show the list of all actions."""
        self.command_palette.open()

    def quit(self) -> None:
        """Close the window, asking about unsaved changes first."""
        self.close()

    # ------------------------------------------------------------------ telling

    def say(self, message: str) -> None:
        """Show a message in the status bar."""
        self.status.say(message)

    def complain(self, message: str) -> None:
        """Tell of something that could not be done, and wait until it was read."""
        QMessageBox.warning(self, "QuantCrafter", message)

    def show_recent(self) -> None:
        """Bring the lists of recent files up to date, and find out which of them are gone."""
        self._list_recent()
        self._recent_look.look(self.recent.paths())

    def _found_missing(self, missing: frozenset[str]) -> None:
        if self.recent.show_missing(missing):
            self._list_recent()

    def _list_recent(self) -> None:
        files = self.recent.files()
        self.welcome.show_recent(files)
        self.action_set.show_recent(files, lambda path: self.desk.open_all([path]))

    def refresh_actions(self) -> None:
        """Bring menus, toolbar and title up to date once the present event is dealt with."""
        self._refresh_soon.start()

    def _refresh(self) -> None:
        self.action_set.refresh()
        tab = self.tab
        self.setWindowTitle(f"{tab.title}[*] \N{EN DASH} QuantCrafter" if tab else "QuantCrafter")
        self.setWindowFilePath(str(tab.path) if tab and tab.path else "")
        self.setWindowModified(tab is not None and tab.needs_saving)

    def _rethemed(self) -> None:
        self.welcome.retheme()
        if self.tab is not None and self._docks is not None:
            self.wiring.show_tab(self.tab)

    # ------------------------------------------------------------------ events

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Press the button that has the focus on Enter, and go back to the canvas on Escape, where nobody else does."""
        focused = QApplication.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, (QPushButton, QToolButton)):
            focused.click()
        elif event.key() == Qt.Key.Key_Escape and not event.modifiers() and self.has_panes():
            self.pane_focus.leave()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take files that could be strategies."""
        if dropped_files(event) or dropped_bars(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Open the dropped files."""
        paths = dropped_files(event)
        if paths:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.desk.open_all(paths))
            return
        bars = dropped_bars(event)
        if bars:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.data_desk.store.import_files(bars))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask about unsaved changes; then remember the layout and go. Should asking fail, the window stays."""
        event.ignore()
        if self.tabs.count() and not self.desk.may_close(self.tabs.all()):
            return
        event.accept()
        self.shut()

    def shut(self, *, keep_drafts: bool = False) -> None:
        """Remember the layout, and let go of everything; `keep_drafts` leaves unsaved work in its recovery files."""
        remember_frame(self, self.settings)
        if self.tab is not None and self._docks is not None:
            self._docks.remember()
            self.settings.yaml_share = self.tab.yaml_share
        for name in ("engine", "data_engine"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "runs" in self.__dict__:
            self.runs.close()
        for tab in self.tabs.all():
            tab.dispose()
        if self._docks is not None:
            self.rescue.settle()
            if not keep_drafts:
                self.rescue.close()
            self.desk.watch.close()
            self._docks.close()
