"""What must be done with what is typed before anything is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow
    from app.window.tab import StrategyTab


def is_typed_well(window: MainWindow, tab: StrategyTab) -> bool:
    """Take over what is typed; return False where some of it is refused, which is shown and said."""
    window.finish_typing(tab)
    inspector = window.docks.inspector
    refused = inspector.refused()
    if refused:
        window.docks.show("inspector")
        inspector.show_refused()
        window.say(tr("Not run. {refused} Correct it, or press Esc to keep the value in use.", refused=refused))
    return not refused
