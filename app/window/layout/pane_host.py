"""PaneHost: has the panes, which come with the first strategy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMainWindow, QWidget

from quantcrafter.app.services.settings import Settings

if TYPE_CHECKING:
    from quantcrafter.app.document.document import Document
    from quantcrafter.app.window.layout.docks import Docks


class PaneHost(QObject):
    """Makes the panes once there is a strategy to show: they need one, and starting stays fast.

    Args:
        window: gets the docks.
        settings: remembers the layout.
        make_data: makes the pane of the user's bars.
    """

    made = Signal(object)
    """Carries the `Docks`, once."""

    def __init__(self, window: QMainWindow, settings: Settings, make_data: Callable[[], QWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._make_data = make_data
        self._docks: Docks | None = None
        self._extra: dict[str, tuple[str, Callable[[], QWidget]]] = {}
        self._is_shown = False

    @property
    def docks(self) -> Docks:
        """The panes."""
        if self._docks is None:
            raise RuntimeError("The panes come with the first strategy.")
        return self._docks

    @property
    def is_made(self) -> bool:
        """Whether the panes were made."""
        return self._docks is not None

    @property
    def is_there(self) -> bool:
        """Whether the panes are on the screen: some strategy is open."""
        return self._docks is not None and self._is_shown

    def add_pane(self, name: str, title: str, make: Callable[[], QWidget]) -> Callable[[], None]:
        """Add a pane that a plugin makes; return a function that removes it again."""
        self._extra[name] = (title, make)
        if self._docks is not None:
            self._docks.add_extra(name, title, make)
        return partial(self._remove_pane, name)

    def _remove_pane(self, name: str) -> None:
        del self._extra[name]
        if self._docks is not None:
            self._docks.remove_pane(name)

    def show_all(self, document: Document) -> None:
        """Bring the panes onto the screen for a strategy."""
        if self._docks is None:
            from quantcrafter.app.window.layout.docks import Docks

            self._docks = Docks(self._window, document, self._settings, self._make_data, self._extra)
            self._is_shown = True
            self.made.emit(self._docks)
        elif not self._is_shown:
            self._is_shown = True
            self._docks.set_shown(shown=True)

    def hide_all(self) -> None:
        """Take the panes away: no strategy is open."""
        if self._docks is not None:
            self._docks.set_shown(shown=False)
        self._is_shown = False

    def close(self) -> None:
        """Let the panes release what they show."""
        if self._docks is not None:
            self._docks.close()
