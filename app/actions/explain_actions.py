"""Actions that explain a run on the graph, in the menus View, Node and Run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantcrafter.app.actions.conditions import has_run, has_tab
from quantcrafter.app.actions.spec import ActionCall, ActionSpec, CanvasCall
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr

if TYPE_CHECKING:
    from quantcrafter.app.actions.front import Front


def explain_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that explain a run on the graph, and check for look-ahead."""
    return (
        ActionSpec(
            "explain.next_firing",
            tr("Next firing of the node"),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.go_to_firing(forward=True)),
            "F9",
            enabled=has_run,
            separated=True,
        ),
        ActionSpec(
            "explain.previous_firing",
            tr("Previous firing of the node"),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.go_to_firing(forward=False)),
            "Shift+F9",
            enabled=has_run,
        ),
        ActionSpec(
            "explain.marks",
            tr("Show the run on the graph"),
            "view",
            CanvasCall(to.canvas, lambda canvas: canvas.toggle_marks()),
            "Ctrl+Shift+R",
            enabled=has_run,
            checked=shows_marks,
            separated=True,
        ),
        ActionSpec(
            "explain.leave",
            tr("Clear the selected bar"),
            "view",
            CanvasCall(to.canvas, lambda canvas: canvas.leave()),
            canvas_keys=("Esc",),
            enabled=has_run,
        ),
        ActionSpec(
            "explain.sweep",
            tr("Vary parameters..."),
            "run",
            ActionCall(to.research, lambda research: research.sweep()),
            "Ctrl+Shift+V",
            icon="sweep",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "explain.lookahead",
            tr("Check for look-ahead"),
            "run",
            ActionCall(to.check, lambda check: check.toggle()),
            icon="lookahead",
            enabled=has_tab,
            checked=lambda front: front.is_checking,
        ),
    )


def shows_marks(front: Front) -> bool:
    """Return whether the canvas shows the run."""
    return front.canvas is not None and front.canvas.shows_marks
