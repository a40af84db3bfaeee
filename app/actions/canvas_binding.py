"""CanvasBinding: what a canvas offers of the registry's actions, under its keys and in its context menus. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from quantcrafter.app.canvas.action_menus import OfferedAction

if TYPE_CHECKING:
    from quantcrafter.app.actions.registry import ActionRegistry
    from quantcrafter.app.canvas.canvas import Canvas


class CanvasBinding:
    """Gives canvases the actions of a registry; it is a `CanvasActions`.

    What acts on a canvas is called on the one that it was chosen on, all else is asked of the window.

    Args:
        registry: all actions.
        state: returns whether an action can be used now, and whether its mark is set.
        trigger: runs an action of the window by its id.
    """

    def __init__(
        self, registry: ActionRegistry, state: Callable[[str], tuple[bool, bool]], trigger: Callable[[str], None]
    ) -> None:
        self._registry = registry
        self._state = state
        self._trigger = trigger

    def press(self, canvas: Canvas, keys: str) -> bool:
        """Do what a key sequence stands for on a canvas; return whether there is anything."""
        spec = self._registry.on_canvas(keys)
        if spec is not None and spec.canvas is not None:
            spec.canvas.function(canvas)
        return spec is not None

    def offered(self, action_id: str) -> OfferedAction:
        """Return how an action is to be shown now."""
        spec = self._registry.specs[action_id]
        icon = spec.icon if spec.checked is None else ""  # it would stand in the place of the check mark
        keys = self._registry.shortcut(action_id)
        if spec.canvas is not None:  # whether it can be used depends on what is under the mouse
            return OfferedAction(spec.title, keys, icon)
        usable, marked = self._state(action_id)
        return OfferedAction(spec.title, keys, icon, usable, None if spec.checked is None else marked)

    def run(self, canvas: Canvas, action_id: str) -> None:
        """Run an action that was chosen on a canvas."""
        call = self._registry.specs[action_id].canvas
        if call is not None:
            call.function(canvas)
        else:
            self._trigger(action_id)
