"""The program's actions without a window: what they act on is missing, and a canvas has the real ones."""

from __future__ import annotations

from dataclasses import fields

from quantcrafter.app.actions.all_actions import all_actions
from quantcrafter.app.actions.canvas_binding import CanvasBinding
from quantcrafter.app.actions.registry import ActionRegistry
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.canvas.canvas import Canvas
from quantcrafter.app.document.document import Document
from quantcrafter.app.services.settings import Settings


def no_targets() -> Targets:
    """Return targets of which there is none."""
    return Targets(**{field.name: lambda: None for field in fields(Targets)})


def registry_of(settings: Settings | None = None) -> ActionRegistry:
    """Return every action, with the keys of these settings."""
    return all_actions(settings or Settings(), no_targets())


def make_canvas(document: Document) -> Canvas:
    """Return a canvas whose keys and menus work; what they ask of a window goes nowhere."""
    settings = Settings()
    binding = CanvasBinding(registry_of(settings), lambda _action: (False, False), lambda _action: None)
    return Canvas(document, settings, binding)
