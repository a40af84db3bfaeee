"""RecentList: the recent files, on the welcome page and in the File menu."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from quantcrafter.app.services.recent_files import RecentFiles
from quantcrafter.app.window.files.recent_files_check import RecentLook

if TYPE_CHECKING:
    from quantcrafter.app.actions.qt import ActionSet
    from quantcrafter.app.window.welcome import Welcome


class RecentList(QObject):
    """Shows the recent files in both places.

    Args:
        files: the recent files.
        welcome: the welcome page.
        actions: have the menu.
        opened: called with the file that the user picked.
        parent: the window.
    """

    def __init__(
        self,
        files: RecentFiles,
        welcome: Welcome,
        actions: ActionSet,
        opened: Callable[[Path], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.files = files
        self._welcome = welcome
        self._actions = actions
        self._opened = opened
        self._look = RecentLook(self._found_missing, self)
        welcome.chosen.connect(opened)
        actions.menus["file"].aboutToShow.connect(self.show)

    @property
    def is_looking(self) -> bool:
        """Whether it is still unknown which files are gone."""
        return self._look.is_looking

    def add(self, path: Path) -> None:
        """Put a file in front of the others."""
        self.files.add(path)
        self.show()

    def show(self) -> None:
        """Bring the lists up to date, and find out which of the files are gone."""
        self._list()
        self._look.look(self.files.paths())

    def _found_missing(self, missing: frozenset[str]) -> None:
        if self.files.show_missing(missing):
            self._list()

    def _list(self) -> None:
        files = self.files.files()
        self._welcome.show_recent(files)
        self._actions.show_recent(files, self._opened)
