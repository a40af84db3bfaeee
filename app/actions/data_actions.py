"""The Data menu."""

from __future__ import annotations

from quantcrafter.app.actions.conditions import has_tab, is_pane_shown
from quantcrafter.app.actions.spec import ActionCall, ActionSpec
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr


def data_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions for the strategy's data and the user's bars."""
    return (
        ActionSpec(
            "data.source",
            tr("Choose the data..."),
            "data",
            ActionCall(to.data, lambda data: data.choose_source()),
            "Ctrl+Alt+D",
            icon="bars",
            enabled=has_tab,
        ),
        ActionSpec(
            "data.import",
            tr("Import bars..."),
            "data",
            ActionCall(to.store, lambda store: store.import_files()),
            "Ctrl+Alt+I",
            icon="import",
            separated=True,
        ),
        ActionSpec(
            "data.download",
            tr("Download bars..."),
            "data",
            ActionCall(to.store, lambda store: store.download()),
            icon="download",
        ),
        ActionSpec(
            "data.update",
            tr("Update downloaded bars"),
            "data",
            ActionCall(to.store, lambda store: store.update()),
            icon="reset",
        ),
        ActionSpec(
            "data.pane",
            tr("My data"),
            "data",
            ActionCall(to.panes, lambda panes: panes.toggle("data")),
            "Ctrl+Alt+B",
            enabled=has_tab,
            checked=is_pane_shown("data"),
        ),
    )
