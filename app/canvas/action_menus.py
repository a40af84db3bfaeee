"""The actions that the keys of the canvas run, and that its context menus show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas


@dataclass(frozen=True, slots=True)
class OfferedAction:
    """An action as a context menu shows it.

    Args:
        title: its text.
        keys: its key sequence in portable text, "" for none.
        icon: name of an icon of the theme, "" for none.
        usable: whether the program can do it now.
        mark: whether its check mark is set, None for an action without one.
    """

    title: str
    keys: str = ""
    icon: str = ""
    usable: bool = True
    mark: bool | None = None


class CanvasActions(Protocol):
    """The actions of the program, as a canvas sees them."""

    def press(self, canvas: Canvas, keys: str) -> bool:
        """Do what a key sequence in portable text stands for on a canvas; return whether there is anything."""
        ...

    def offered(self, action_id: str) -> OfferedAction:
        """Return how an action is to be shown now."""
        ...

    def run(self, canvas: Canvas, action_id: str) -> None:
        """Run an action that was chosen on a canvas."""
