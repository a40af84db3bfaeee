"""What a plugin's actions and panes must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from quantcrafter.engine.api import MENUS, DesktopAction, DesktopPane
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.plugins.checks import check_name, shown
from quantcrafter.engine.plugins.info import PluginRefusedError


def check_action(entry: object) -> str:
    """Return the name of an action that is complete.

    Raises:
        PluginRefusedError: it is not; the message says what is wrong.
    """
    if not isinstance(entry, DesktopAction):
        raise PluginRefusedError(
            Message("register_actions returned {entry}, which is not a DesktopAction.", entry=shown(entry))
        )
    _check_texts("DesktopAction", entry.name, entry.title)
    if entry.menu not in MENUS:
        raise PluginRefusedError(
            Message(
                "DesktopAction '{name}' names the menu {menu}. The menus are {menus}.",
                name=entry.name,
                menu=repr(entry.menu),
                menus=", ".join(MENUS),
            )
        )
    if not callable(entry.run) or not (entry.enabled is None or callable(entry.enabled)):
        raise PluginRefusedError(
            Message("DesktopAction '{name}' must have functions as `run` and `enabled`.", name=entry.name)
        )
    if not isinstance(entry.shortcut, str):
        raise PluginRefusedError(
            Message(
                "DesktopAction '{name}' must have a text such as 'Ctrl+Alt+N' as `shortcut`, was {shortcut}.",
                name=entry.name,
                shortcut=repr(entry.shortcut),
            )
        )
    return entry.name


def check_pane(entry: object) -> str:
    """Return the name of a pane that is complete.

    Raises:
        PluginRefusedError: it is not; the message says what is wrong.
    """
    if not isinstance(entry, DesktopPane):
        raise PluginRefusedError(
            Message("register_panes returned {entry}, which is not a DesktopPane.", entry=shown(entry))
        )
    _check_texts("DesktopPane", entry.name, entry.title)
    if not callable(entry.make):
        raise PluginRefusedError(Message("DesktopPane '{name}' must have a function as `make`.", name=entry.name))
    return entry.name


DESKTOP_HOOKS: Mapping[str, tuple[str, Callable[[object], str]]] = MappingProxyType(
    {"register_actions": ("actions", check_action), "register_panes": ("panes", check_pane)}
)
"""The kind of thing that each hook brings, and its check."""


def _check_texts(kind: str, name: object, title: object) -> None:
    check_name(name, f"a {kind}")
    if "." not in str(name):
        raise PluginRefusedError(
            Message(
                "{kind} '{name}' must begin with a word of your own and a dot, such as 'mine.{name}'. Rename it.",
                kind=kind,
                name=name,
            )
        )
    if not isinstance(title, str) or not title.strip():
        raise PluginRefusedError(
            Message("{kind} '{name}' has no title, which is what the user sees. Write one.", kind=kind, name=name)
        )
