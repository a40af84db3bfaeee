"""What an action is: frozen data that says what it is called, where it stands and what it calls. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.canvas.canvas import Canvas
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
    callback: Callable[[MainWindow], object]
    shortcut: str = ""
    also: tuple[str, ...] = ()
    canvas_keys: tuple[str, ...] = ()
    icon: str = ""
    enabled: Callable[[MainWindow], bool] | None = None
    checked: Callable[[MainWindow], bool] | None = None
    label: Callable[[MainWindow], str] | None = None
    separated: bool = False
    listed: bool = True

    @property
    def canvas(self) -> CanvasCall | None:
        """What it does to the canvas, None when it is about something else."""
        return self.callback if isinstance(self.callback, CanvasCall) else None


@dataclass(frozen=True, slots=True)
class CanvasCall:
    """A method of the canvas with what to pass to it; as an action's callback it calls that of the canvas in front."""

    method: str
    arguments: tuple[object, ...] = ()
    options: tuple[tuple[str, object], ...] = ()

    def __call__(self, window: MainWindow) -> None:
        """Call the method of the canvas in front; nothing happens if there is none."""
        if window.tab is not None:
            self.on(window.tab.canvas)

    def on(self, canvas: Canvas) -> None:
        """Call the method of a canvas."""
        getattr(canvas, self.method)(*self.arguments, **dict(self.options))


def on_canvas(method: str, *arguments: object, **options: object) -> CanvasCall:
    """Return the call of a method of the canvas."""
    return CanvasCall(method, arguments, tuple(options.items()))


@dataclass(frozen=True, slots=True)
class MenuSpec:
    """A menu or, with a slash in its id, a menu inside one."""

    id: str
    title: str

    @property
    def parent(self) -> str:
        """The id of the menu it stands in, "" for the menu bar."""
        return self.id.rpartition("/")[0]
