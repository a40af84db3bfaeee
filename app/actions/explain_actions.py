"""What explains a run on the graph; it stands in the menus View, Node and Run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.actions.conditions import has_tab
from app.actions.spec import ActionSpec, on_canvas
from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def explain_actions() -> tuple[ActionSpec, ...]:
    """Return what shows on the graph what a run did, and checks it for look-ahead."""
    return (
        ActionSpec(
            "explain.next_firing",
            tr("Next firing of the node"),
            "node",
            on_canvas("go_to_firing", forward=True),
            "F9",
            enabled=has_run,
            separated=True,
        ),
        ActionSpec(
            "explain.previous_firing",
            tr("Previous firing of the node"),
            "node",
            on_canvas("go_to_firing", forward=False),
            "Shift+F9",
            enabled=has_run,
        ),
        ActionSpec(
            "explain.marks",
            tr("Show the run on the graph"),
            "view",
            on_canvas("toggle_marks"),
            "Ctrl+Shift+R",
            enabled=has_run,
            checked=shows_marks,
            separated=True,
        ),
        ActionSpec(
            "explain.leave",
            tr("Point at no bar"),
            "view",
            on_canvas("leave"),
            canvas_keys=("Esc",),
            enabled=has_run,
        ),
        ActionSpec(
            "explain.sweep",
            tr("Vary parameters..."),
            "run",
            lambda window: window.dialogs.sweep(),
            "Ctrl+Shift+V",
            icon="sweep",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "explain.lookahead",
            tr("Check for look-ahead"),
            "run",
            lambda window: window.lookahead.toggle(),
            icon="lookahead",
            enabled=has_tab,
            checked=_is_checking,
        ),
    )


def has_run(window: MainWindow) -> bool:
    """Return whether the strategy in front was run."""
    return has_tab(window) and window.tab is not None and window.tab.canvas.has_run


def _is_checking(window: MainWindow) -> bool:
    """Return whether a check is under way; there is nothing to ask before the first."""
    return "lookahead" in vars(window) and window.lookahead.is_busy


def shows_marks(window: MainWindow) -> bool:
    """Return whether the canvas shows what the run did."""
    return window.tab is not None and window.tab.canvas.shows_marks
