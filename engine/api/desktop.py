"""What a plugin may add to the desktop: actions and panes, and what they see of it. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MENUS = ("file", "edit", "view", "node", "arrange", "data", "run", "chart", "plugins", "help")
"""The menus that an action can stand in."""


class DesktopView(Protocol):
    """The desktop as actions and panes of plugins see it. Use it on the thread that called you."""

    @property
    def text(self) -> str | None:
        """The YAML of the strategy in front, as it is now; None while none is open."""
        ...

    @property
    def path(self) -> Path | None:
        """The file of the strategy in front; None while it has none."""
        ...

    @property
    def selection(self) -> tuple[str, ...]:
        """The ids of the selected nodes."""
        ...

    @property
    def run_folder(self) -> Path | None:
        """The folder of the run that is shown of the strategy in front; None while there is no run."""
        ...

    def set_text(self, text: str, label: str) -> None:
        """Give the strategy in front another text, as one step that can be undone; `label` names the step.

        Raises:
            RunError: no strategy is open.
        """

    def say(self, message: str) -> None:
        """Show a message in the status bar for some seconds."""

    def subscribe(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call a function whenever any of this may have changed; return what ends that."""
        ...


@dataclass(frozen=True, slots=True)
class DesktopAction:
    """Something that the user can do, from a menu, by its keys and from the list of all actions.

    Args:
        name: what settings know it by, such as `mine.count`; begin it with a word of your own.
        title: the text in the menu, with an ellipsis when it asks for more.
        run: does it. It runs on the thread of the window, which waits for it: give long work to a thread of your own.
        menu: one of `MENUS`.
        shortcut: the key sequence in portable text, such as "Ctrl+Alt+N"; "" for none. Keys that are taken are left
            to who has them.
        enabled: whether it can be used now; None for always. It is asked often: it must be quick.
    """

    name: str
    title: str
    run: Callable[[DesktopView], object]
    menu: str = "plugins"
    shortcut: str = ""
    enabled: Callable[[DesktopView], bool] | None = None


@dataclass(frozen=True, slots=True)
class DesktopPane:
    """A pane below the canvas, beside the chart and the results.

    Args:
        name: what the layout knows it by, such as `mine.notes`; begin it with a word of your own.
        title: the text on its tab.
        make: returns the QWidget to show; called once, when the pane is first seen. Import Qt within it: a plugin is
            loaded by the command line too, where Qt may be missing.
    """

    name: str
    title: str
    make: Callable[[DesktopView], object]
