"""NodeFiles: loads the user's node files again when they were saved, and says what is wrong with them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.node_watch import NodeFolderWatch
from quantcrafter.app.services.problems import error_text
from quantcrafter.app.services.text_editor import open_in_editor
from quantcrafter.app.window.plugins.node_notice import NodeFileNotice
from quantcrafter.engine.api import PluginError
from quantcrafter.engine.plugins import PluginInfo, PluginStatus, Registry, allow_file, create_node_file, fresh_registry

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Engine
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.plugins.parts import PluginParts
    from quantcrafter.app.window.runs.run_controller import RunController
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs

log = logging.getLogger(__name__)

ABOUT = "node file"
COLLECT_MS = 20
PATIENCE_MS = 40_000
"""A file that waits for the system for so long is left alone, in its thread."""


class NodeFiles(QObject):
    """Keeps the catalog as the node files are.

    1. A change starts a thread that loads everything again, with the time limits of plugins; changes meanwhile start
       another one afterwards.
    2. The catalog takes the new contents over, and the engine processes are replaced as soon as they have no job: a
       run in progress ends with the code that it began with.
    3. Documents are checked again; undo history and selection stay. Runs that used a changed component are out of date.

    Args:
        window: the parent of dialogs.
        catalog: the installed components.
        tabs: the open strategies.
        engines: run the code of nodes.
        parts: have the actions and panes of plugins.
        runs: have the runs that are shown.
        messages: shows messages to the user.
    """

    loaded = Signal()
    """The catalog has been brought up to date."""

    def __init__(
        self,
        window: QWidget,
        catalog: Registry,
        tabs: Tabs,
        engines: Sequence[Engine],
        parts: PluginParts,
        runs: RunController,
        messages: Messages,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._catalog = catalog
        self._tabs = tabs
        self._engines = tuple(engines)
        self._parts = parts
        self._runs = runs
        self._messages = messages
        self._closed: set[tuple[str, str]] = set()
        self._changed: set[str] = set()
        self._loading: set[str] = set()
        self._number = 0
        self._is_loading = False
        self._answers: SimpleQueue[tuple[int, Registry | None]] = SimpleQueue()
        self._collect = QTimer(self, interval=COLLECT_MS)
        self._collect.timeout.connect(self._take_answers)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._give_up)
        self.watch = NodeFolderWatch(self)
        self.watch.changed.connect(self._files_changed)

    # ------------------------------------------------------------------ what others call

    def follow(self, tab: StrategyTab) -> None:
        """Show over a strategy which node file is not used."""
        self._show_notice(tab)

    def forget(self, tab: StrategyTab) -> None:
        """Do nothing: the notice ends with the tab."""

    def allow(self, name: str) -> None:
        """Allow a node file and load it.

        Raises:
            PluginError: it is gone, or the permission can't be stored.
        """
        info = allow_file(name, forget=False)
        self._load({info.file})

    def sync_parts(self) -> None:
        """Take out the actions and panes of plugins that are disabled now."""
        self._parts.sync()

    def new(self) -> None:
        """Ask for a name, write a node file with a small indicator, allow it and open it in an editor."""
        from quantcrafter.app.dialogs.node_file import ask_for_new_file

        path = ask_for_new_file(self._window, create_node_file)
        if path is None:
            return
        self.allow(path.stem)
        self._open(path)

    def close(self) -> None:
        """Stop watching."""
        self.watch.close()
        self._collect.stop()
        self._patience.stop()

    # ------------------------------------------------------------------ loading

    def _files_changed(self, paths: set[Path]) -> None:
        self._load({str(path) for path in paths})

    def _load(self, files: set[str]) -> None:
        self._changed |= files
        if self._is_loading or not self._changed:
            return
        self._loading, self._changed = self._changed, set()
        self._is_loading = True
        self._number += 1
        work = threading.Thread(
            target=_load_in_thread, args=(self._number, self._answers), name="node-files", daemon=True
        )
        work.start()
        self._collect.start()
        self._patience.start()

    def _take_answers(self) -> None:
        try:
            number, fresh = self._answers.get_nowait()
        except Empty:
            return
        if number == self._number and self._is_loading:
            self._end_loading()
            if fresh is not None:
                self._take_over(fresh)
            self._load(set())

    def _give_up(self) -> None:
        """Leave a thread alone that waits for something that the time limit can't end."""
        names = ", ".join(sorted(Path(file).name for file in self._loading))
        self._end_loading()
        self._messages.say(tr("{names} could not be loaded: loading takes too long.", names=names))
        self._load(set())

    def _end_loading(self) -> None:
        self._is_loading = False
        self._collect.stop()
        self._patience.stop()

    def _take_over(self, fresh: Registry) -> None:
        files = self._loading
        names = _names(self._catalog, files) | _names(fresh, files)
        self._catalog.take_over(fresh)
        for engine in self._engines:
            engine.renew()
        self._parts.renew({Path(file).stem for file in files})
        for tab in self._tabs.all():
            if any(name in tab.document.text for name in names):
                self._runs.of(tab).outdate()
            tab.document.recheck(kind="components")
            self._show_notice(tab)
        self._report(files)
        self.loaded.emit()

    def _report(self, files: set[str]) -> None:
        of_files = [info for info in self._catalog.plugins if info.file in files]
        failed = next((info for info in of_files if info.status is PluginStatus.FAILED), None)
        loaded = [Path(info.file).name for info in of_files if info.status is PluginStatus.LOADED]
        if failed is not None:
            log.warning("node file %s: %s\n%s", failed.file, failed.error, failed.traceback)
            text = tr(
                "The node file “{name}” was not loaded: {error}",
                name=Path(failed.file).name,
                error=translated(failed.error),
            )
            self._messages.say(text)
        elif loaded:
            self._messages.say(tr("Node files loaded: {names}", names=", ".join(loaded)))

    # ------------------------------------------------------------------ the bar above the canvas

    def _show_notice(self, tab: StrategyTab) -> None:
        tab.end_notice(ABOUT)
        unused = (PluginStatus.NOT_ALLOWED, PluginStatus.FAILED)
        info = next(
            (
                each
                for each in self._catalog.plugins
                if each.file and each.status in unused and (each.file, each.error) not in self._closed
            ),
            None,
        )
        if info is None:
            return
        notice = NodeFileNotice(info, tab)
        notice.shown.connect(lambda: self._show_file(info))
        notice.allowed.connect(lambda: self._allow(info))
        notice.closed.connect(lambda: self._close(info))
        tab.show_notice(notice, ABOUT)

    def _show_file(self, info: PluginInfo) -> None:
        from quantcrafter.app.dialogs.node_file import asks_to_allow

        if info.status is PluginStatus.FAILED:
            self._open(Path(info.file))
        elif asks_to_allow(self._window, Path(info.file)):
            self._allow(info)

    def _open(self, path: Path) -> None:
        if not open_in_editor(path):
            self._messages.say(tr("No editor could be started. The file is {path}", path=path))

    def _allow(self, info: PluginInfo) -> None:
        try:
            self.allow(info.name)
        except PluginError as error:
            self._messages.complain(error_text(error))

    def _close(self, info: PluginInfo) -> None:
        self._closed.add((info.file, info.error))
        for tab in self._tabs.all():
            self._show_notice(tab)


def _load_in_thread(number: int, answers: SimpleQueue[tuple[int, Registry | None]]) -> None:
    """Load everything. The thread knows no QObject: it must not be the last to hold one."""
    try:
        answers.put((number, fresh_registry()))
    except Exception:
        log.exception("The node files can't be loaded")
        answers.put((number, None))


def _names(registry: Registry, files: set[str]) -> set[str]:
    """Return the names of all that some node files bring."""
    infos = [info for info in registry.plugins if info.file in files]
    return {name for info in infos for names in info.provides.values() for name in names}
