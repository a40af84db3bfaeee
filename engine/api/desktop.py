"""Actions and panes that plugins can add to the desktop, and their view of it. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MENUS = ("file", "edit", "view", "node", "arrange", "data", "run", "chart", "plugins", "help")
"""The menus that can contain an action."""


class DesktopView(Protocol):
    """The interface to the desktop for actions and panes of plugins. Use it on the calling thread."""

    @property
    def text(self) -> str | None:
        """The current YAML text of the current strategy; None if none is open."""
        ...

    @property
    def path(self) -> Path | None:
        """The file of the current strategy; None if it has none."""
        ...

    @property
    def selection(self) -> tuple[str, ...]:
        """The ids of the selected nodes."""
        ...

    @property
    def run_folder(self) -> Path | None:
        """The folder of the displayed run of the current strategy; None without a run."""
        ...

    def set_text(self, text: str, label: str) -> None:
        """Replace the text of the current strategy as one undo step with the name `label`.

        Raises:
            RunError: no strategy is open.
        """

    def say(self, message: str) -> None:
        """Show a message in the status bar for some seconds."""

    def subscribe(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call a function whenever any of this may have changed; return a function that unsubscribes."""
        ...


@dataclass(frozen=True, slots=True)
class DesktopAction:
    """An action for a menu, a shortcut and the command palette.

    Args:
        name: its name in the settings, such as `mine.count`; start it with your own prefix.
        title: the text in the menu, with an ellipsis if it needs further input.
        run: performs the action on the user interface thread, which is blocked meanwhile: use your own thread for long
            operations.
        menu: one of `MENUS`.
        shortcut: the key sequence in portable text, such as "Ctrl+Alt+N"; "" for none. A shortcut that another action
            already has is ignored.
        enabled: whether it can be used now; None for always. It is called often and must be fast.
    """

    name: str
    title: str
    run: Callable[[DesktopView], object]
    menu: str = "plugins"
    shortcut: str = ""
    enabled: Callable[[DesktopView], bool] | None = None


@dataclass(frozen=True, slots=True)
class DesktopPane:
    """A pane below the canvas, next to the chart and the results.

    Args:
        name: its name in the layout, such as `mine.notes`; start it with your own prefix.
        title: the text on its tab.
        make: returns the QWidget to show; called once, when the pane is first shown. Import Qt inside it: the command
            line also loads plugins, and Qt may not be installed there.
    """

    name: str
    title: str
    make: Callable[[DesktopView], object]
