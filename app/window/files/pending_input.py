"""TypedText: applies pending input before a strategy is run or saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantcrafter.app.services.i18n import tr

if TYPE_CHECKING:
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs


class TypedText:
    """Applies pending input in the text, on the canvas or in the inspector.

    Args:
        tabs: the open strategies.
        panes: have the inspector.
        messages: shows messages to the user.
    """

    def __init__(self, tabs: Tabs, panes: PaneHost, messages: Messages) -> None:
        self._tabs = tabs
        self._panes = panes
        self._messages = messages

    def finish(self, tab: StrategyTab) -> None:
        """Apply pending input."""
        tab.canvas.naming.finish()
        tab.yaml.flush()
        if self._is_inspected(tab):
            self._panes.docks.inspector.finish()

    def refused_in(self, tab: StrategyTab) -> str:
        """Return what the inspector shows and does not use, and why; '' where all that is shown is used."""
        return self._panes.docks.inspector.refused() if self._is_inspected(tab) else ""

    def refused_of(self, tab: StrategyTab) -> str:
        """Apply pending input; return the rejected input with the reason, or ''."""
        self.finish(tab)
        return self.refused_in(tab)

    def is_well(self, tab: StrategyTab, *, saving: bool = False) -> bool:
        """Apply pending input; return False if some of it is rejected, which is shown and reported.

        Args:
            tab: the strategy that is to be run or saved.
            saving: whether it is to be saved, for the words.
        """
        refused = self.refused_of(tab)
        if refused:
            self._panes.docks.show("inspector")
            self._panes.docks.inspector.show_refused()
            self._messages.say(
                tr("Not saved. {refused} Correct the value, or press Esc to restore the current one.", refused=refused)
                if saving
                else tr(
                    "Not run. {refused} Correct the value, or press Esc to restore the current one.", refused=refused
                )
            )
        return not refused

    def _is_inspected(self, tab: StrategyTab) -> bool:
        return tab is self._tabs.current() and self._panes.is_there
