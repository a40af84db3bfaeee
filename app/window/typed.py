"""What must be done with what is typed before a strategy is run or saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow
    from app.window.tab import StrategyTab


def refused_of(window: MainWindow, tab: StrategyTab) -> str:
    """Take over what is typed; return what of it is refused and why, '' where all that is shown is used."""
    window.finish_typing(tab)
    return window.docks.inspector.refused() if tab is window.tab and window.has_panes() else ""


def is_typed_well(window: MainWindow, tab: StrategyTab, *, saving: bool = False) -> bool:
    """Take over what is typed; return False where some of it is refused, which is shown and said.

    Args:
        window: whose inspector it is typed in.
        tab: the strategy that is to be run or saved.
        saving: whether it is to be saved, for the words.
    """
    refused = refused_of(window, tab)
    if refused:
        window.docks.show("inspector")
        window.docks.inspector.show_refused()
        window.say(
            tr("Not saved. {refused} Correct it, or press Esc to keep the value in use.", refused=refused)
            if saving
            else tr("Not run. {refused} Correct it, or press Esc to keep the value in use.", refused=refused)
        )
    return not refused
