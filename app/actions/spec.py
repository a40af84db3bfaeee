"""Actions as frozen data: title, menu and function. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from quantcrafter.app.actions.front import Front
    from quantcrafter.app.canvas.canvas import Canvas

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ActionCall(Generic[T]):
    """The call of an action: a function, and how to find its target.

    Args:
        target: returns the object that the action acts on, or None, in which case nothing happens.
        function: gets the target.
    """

    target: Callable[[], T | None]
    function: Callable[[T], object]

    def __call__(self) -> None:
        """Call the function with its target."""
        found = self.target()
        if found is not None:
            self.function(found)


@dataclass(frozen=True, slots=True)
class CanvasCall:
    """What an action does to a canvas: keys and context menus call it on the one that they are of.

    Args:
        target: returns the canvas in front, None while there is none.
        function: gets the canvas.
    """

    target: Callable[[], Canvas | None]
    function: Callable[[Canvas], object]

    def __call__(self) -> None:
        """Call the function with the canvas in front."""
        ActionCall(self.target, self.function)()


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
        canvas_keys: further ones that work only while the canvas has the focus, since elsewhere they are typing. Keys
            of that sort that the user chooses for something done on the canvas are for the canvas alone too.
        icon: name of an icon of the theme; "" for none.
        enabled: whether it can be used now; None means always.
        checked: whether its mark is set now; None means it has no mark.
        label: the text to show now, where it changes (undo names the step); None means `title`.
        separated: a line above it in the menu.
        listed: it is found in the command palette.
    """

    id: str
    title: str
    menu: str
    callback: Callable[[], object]
    shortcut: str = ""
    also: tuple[str, ...] = ()
    canvas_keys: tuple[str, ...] = ()
    icon: str = ""
    enabled: Callable[[Front], bool] | None = None
    checked: Callable[[Front], bool] | None = None
    label: Callable[[Front], str] | None = None
    separated: bool = False
    listed: bool = True

    @property
    def canvas(self) -> CanvasCall | None:
        """What it does to the canvas, None when it is about something else."""
        return self.callback if isinstance(self.callback, CanvasCall) else None


@dataclass(frozen=True, slots=True)
class MenuSpec:
    """A menu or, with a slash in its id, a menu inside one; an optional one is not shown while it is empty."""

    id: str
    title: str
    is_optional: bool = False

    @property
    def parent(self) -> str:
        """The id of the menu it stands in, "" for the menu bar."""
        return self.id.rpartition("/")[0]
