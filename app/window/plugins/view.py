"""PluginView: the desktop as plugins see it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from quantcrafter.app.services.problems import error_text
from quantcrafter.app.window.plugins.calls import call_plugin
from quantcrafter.engine.api import PluginError, RunError

if TYPE_CHECKING:
    from quantcrafter.app.window.files.pending_input import TypedText
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.refresher import Refresher
    from quantcrafter.app.window.tabs.tabs import Tabs


class PluginView:
    """What one plugin sees of the window; it is a `DesktopView`.

    Args:
        plugin: the plugin's name.
        tabs: the open strategies.
        typed: input that is not applied yet.
        messages: shows messages to the user.
        refresher: says when something changed.
    """

    def __init__(self, plugin: str, tabs: Tabs, typed: TypedText, messages: Messages, refresher: Refresher) -> None:
        self._plugin = plugin
        self._tabs = tabs
        self._typed = typed
        self._messages = messages
        self._listeners: list[Callable[[], object]] = []
        refresher.refreshed.connect(self._notify)
        self._stop = partial(refresher.refreshed.disconnect, self._notify)

    @property
    def text(self) -> str | None:
        """The YAML of the current strategy."""
        tab = self._tabs.current()
        return None if tab is None else tab.document.text

    @property
    def path(self) -> Path | None:
        """The file of the current strategy."""
        tab = self._tabs.current()
        return None if tab is None else tab.path

    @property
    def selection(self) -> tuple[str, ...]:
        """The ids of the selected nodes."""
        tab = self._tabs.current()
        return () if tab is None else tab.selection

    @property
    def run_folder(self) -> Path | None:
        """The folder of the run that is shown."""
        tab = self._tabs.current()
        return None if tab is None or tab.session.run is None else tab.session.run.folder

    def set_text(self, text: str, label: str) -> None:
        """Give the current strategy another text, as one step that can be undone.

        Raises:
            RunError: no strategy is open.
        """
        tab = self._tabs.current()
        if tab is None:
            raise RunError("No strategy is open. Open one first.")
        self._typed.finish(tab)
        tab.document.set_text(text, label=label)

    def say(self, message: str) -> None:
        """Show a message in the status bar."""
        self._messages.say(message)

    def subscribe(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call a function whenever something may have changed; return a function that unsubscribes."""
        self._listeners.append(listener)
        return partial(self._forget, listener)

    def close(self) -> None:
        """Tell the plugin of nothing any more."""
        self._listeners.clear()
        self._stop()

    def _forget(self, listener: Callable[[], object]) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _notify(self) -> None:
        for listener in tuple(self._listeners):
            try:
                call_plugin(self._plugin, "", listener)
            except PluginError as error:
                self._forget(listener)  # it would fail at each change
                self._messages.complain(error_text(error))
