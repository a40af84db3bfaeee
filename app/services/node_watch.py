"""Detects changes of the user's node files, saved by any program."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QFileSystemWatcher, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from quantcrafter.app.services.background import Background
from quantcrafter.engine.plugins import node_folder
from quantcrafter.engine.plugins.node_files import node_files

SETTLE_MS = 200
"""An editor saves in several steps: look after it has been quiet for so long."""


class NodeFolderWatch(QObject):
    """Watches the folder of node files, and emits the Qt signal `changed(paths)` when files are not what they were.

    A file counts as changed when its content did, or when it came or went; touching it is no change. An editor that
    renames a new file over the old one is noticed, and so is a folder that is made later. The files are read in a
    thread. When the user returns to the program, they are looked at even if the system told nothing.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None, *, settle_ms: int = SETTLE_MS) -> None:
        super().__init__(parent)
        self._known = contents()
        self._is_again = False
        self._background = Background(self)
        self._system = QFileSystemWatcher(self)
        self._settle = QTimer(self, singleShot=True, interval=settle_ms)
        self._settle.timeout.connect(self._look)
        self._system.fileChanged.connect(self._settle.start)
        self._system.directoryChanged.connect(self._settle.start)
        application = QCoreApplication.instance()
        if isinstance(application, QGuiApplication):
            application.applicationStateChanged.connect(self._returned)
        self._listen()

    def close(self) -> None:
        """Stop watching, for good."""
        self._settle.stop()
        self._system.blockSignals(True)
        self.blockSignals(True)

    def _returned(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self._settle.start()

    def _look(self) -> None:
        if self._background.busy:
            self._is_again = True
            return
        self._background.run(contents, self._compare, lambda _message: None)

    def _compare(self, found: Mapping[Path, str]) -> None:
        before, self._known = self._known, found
        self._listen()
        if self._is_again:
            self._is_again = False
            self._settle.start()
        changed = {path for path in {*before, *found} if before.get(path) != found.get(path)}
        if changed:
            self.changed.emit(changed)

    def _listen(self) -> None:
        """Ask the system for news of the folder and its files; while there is none, of the folder it will be in."""
        folder = node_folder().absolute()
        place = next((each for each in (folder, *folder.parents) if each.is_dir()), folder)
        wanted = {str(place), *(str(path) for path in self._known)}
        heard = {*self._system.files(), *self._system.directories()}
        if heard - wanted:
            self._system.removePaths(list(heard - wanted))
        if wanted - heard:
            self._system.addPaths(list(wanted - heard))


def contents() -> Mapping[Path, str]:
    """Return the node files with the digests of their contents; '' for one that can't be read."""
    return {path: _digest(path) for path in node_files()}


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
