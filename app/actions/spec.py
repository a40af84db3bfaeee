"""What an action is: frozen data that says what it is called, where it stands and what it calls. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action of the program.

    Args:
        id: what settings know it by, such as `file.save`.
        title: the text in the menu, in the language in use, with an ellipsis when it asks for more.
        menu: the id of the menu it stands in, such as `file` or `file/export`.
        callback: what it does.
        shortcut: the default key sequence in portable text, such as "Ctrl+Shift+P"; "" for none.
        also: further key sequences that work as well, as long as the user has not chosen others.
        icon: name of an icon of the theme; "" for none.
        enabled: whether it can be used now; None means always.
        checked: whether its mark is set now; None means it has no mark.
        label: the text to show now, where it changes (undo names the step); None means `title`.
        separated: a line above it in the menu.
        toolbar: it has a button in the toolbar.
        listed: it is found in the command palette.
    """

    id: str
    title: str
    menu: str
    callback: Callable[[MainWindow], object]
    shortcut: str = ""
    also: tuple[str, ...] = ()
    icon: str = ""
    enabled: Callable[[MainWindow], bool] | None = None
    checked: Callable[[MainWindow], bool] | None = None
    label: Callable[[MainWindow], str] | None = None
    separated: bool = False
    toolbar: bool = False
    listed: bool = True


@dataclass(frozen=True, slots=True)
class MenuSpec:
    """A menu or, with a slash in its id, a menu inside one."""

    id: str
    title: str

    @property
    def parent(self) -> str:
        """The id of the menu it stands in, "" for the menu bar."""
        return self.id.rpartition("/")[0]
