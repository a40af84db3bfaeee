"""The Help menu."""

from __future__ import annotations

from app.actions.spec import ActionSpec
from app.services.i18n import tr


def help_actions() -> tuple[ActionSpec, ...]:
    """Return what explains the program."""
    return (
        ActionSpec("help.tour", tr("Show me around"), "help", lambda window: window.open_dialog("tour"), icon="help"),
        ActionSpec(
            "help.shortcuts",
            tr("Keyboard shortcuts..."),
            "help",
            lambda window: window.open_dialog("shortcuts"),
            "Ctrl+Alt+K",
        ),
        ActionSpec(
            "help.plugins", tr("Plugins..."), "help", lambda window: window.open_dialog("plugins"), icon="plugin"
        ),
        ActionSpec(
            "help.about", tr("About QuantCrafter"), "help", lambda window: window.open_dialog("about"), separated=True
        ),
    )
