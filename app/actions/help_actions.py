"""The Help menu."""

from __future__ import annotations

from quantcrafter.app.actions.spec import ActionCall, ActionSpec
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr


def help_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions of the help menu."""
    return (
        ActionSpec(
            "help.tour", tr("Show the tour"), "help", ActionCall(to.tour, lambda tour: tour.start()), icon="help"
        ),
        ActionSpec(
            "help.shortcuts",
            tr("Keyboard shortcuts..."),
            "help",
            ActionCall(to.dialogs, lambda dialogs: dialogs.shortcuts()),
            "Ctrl+Alt+K",
        ),
        ActionSpec(
            "help.plugins",
            tr("Plugins..."),
            "help",
            ActionCall(to.dialogs, lambda dialogs: dialogs.plugins()),
            icon="plugin",
        ),
        ActionSpec(
            "help.about",
            tr("About QuantCrafter"),
            "help",
            ActionCall(to.dialogs, lambda dialogs: dialogs.about()),
            separated=True,
        ),
    )
