"""The Data menu."""

from __future__ import annotations

from app.actions.conditions import has_tab
from app.actions.spec import ActionSpec
from app.services.i18n import tr


def data_actions() -> tuple[ActionSpec, ...]:
    """Return what chooses the data of the strategy, and keeps bars of one's own."""
    return (
        ActionSpec(
            "data.source",
            tr("Choose the data..."),
            "data",
            lambda window: window.data_desk.choose_source(),
            "Ctrl+Alt+D",
            icon="bars",
            enabled=has_tab,
        ),
        ActionSpec(
            "data.import",
            tr("Import bars..."),
            "data",
            lambda window: window.data_desk.store.import_files(),
            "Ctrl+Alt+I",
            icon="import",
            separated=True,
        ),
        ActionSpec(
            "data.pane",
            tr("My data"),
            "data",
            lambda window: window.pane_focus.toggle("data"),
            "Ctrl+Alt+B",
            enabled=has_tab,
            checked=lambda window: window.has_panes() and window.docks.is_shown("data"),
        ),
    )
