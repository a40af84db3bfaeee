"""The registry: every action of the program, with the keys that the user has given it. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from app.actions.keys import is_typing, normal_keys
from app.actions.spec import ActionSpec, MenuSpec


class ShortcutStore(Protocol):
    """Where the user's own key sequences are kept; `Settings` is one."""

    shortcuts: dict[str, str]


class ActionRegistry:
    """All actions by id, in menu order.

    Args:
        menus: the menus, in order; a menu inside another comes after it.
        specs: the actions, in order.
        store: where the user's own key sequences are kept.
        toolbar: the ids of the actions that have a button, in groups.

    Raises:
        ValueError: two actions have the same id, or one stands in a menu that is not there.
    """

    def __init__(
        self,
        menus: Iterable[MenuSpec],
        specs: Iterable[ActionSpec],
        store: ShortcutStore,
        toolbar: Sequence[Sequence[str]] = (),
    ) -> None:
        self.menus = tuple(menus)
        self.toolbar = tuple(tuple(group) for group in toolbar)
        self.specs: Mapping[str, ActionSpec] = _by_id(specs, {menu.id for menu in self.menus})
        self._store = store

    def in_menu(self, menu: str) -> tuple[ActionSpec, ...]:
        """Return the actions of one menu, in order."""
        return tuple(spec for spec in self.specs.values() if spec.menu == menu)

    def path(self, spec: ActionSpec) -> str:
        """Return where an action stands, such as "File > Export"."""
        titles = {menu.id: menu.title.replace("&", "") for menu in self.menus}
        parts = spec.menu.split("/")
        return " > ".join(titles["/".join(parts[: depth + 1])] for depth in range(len(parts)))

    def keys(self, action_id: str) -> tuple[str, ...]:
        """Return the key sequences that run an action: the user's own, or the default ones; the first is shown."""
        chosen = self._store.shortcuts.get(action_id)
        if chosen is not None:
            return (chosen,) if chosen else ()
        spec = self.specs[action_id]
        taken = {normal_keys(keys) for keys in self._store.shortcuts.values() if keys}
        return tuple(keys for keys in default_keys(spec) if keys and normal_keys(keys) not in taken)

    def window_keys(self, action_id: str) -> tuple[str, ...]:
        """Return those that run it wherever the focus is in the window."""
        own = self.specs[action_id]
        return tuple(keys for keys in self.keys(action_id) if not self._for_canvas(own, keys))

    def on_canvas(self, keys: str) -> ActionSpec | None:
        """Return what a key sequence does while the canvas has the focus, None when that is nothing of its own."""
        wanted = normal_keys(keys)
        found = (spec for spec in self.specs.values() if spec.canvas and wanted in map(normal_keys, self.keys(spec.id)))
        return next(found, None) if wanted else None

    def shortcut(self, action_id: str) -> str:
        """Return the key sequence to show for an action, "" for none."""
        return next(iter(self.keys(action_id)), "")

    def conflicts(self, action_id: str, keys: str) -> tuple[ActionSpec, ...]:
        """Return the other actions that a key sequence runs now."""
        wanted = normal_keys(keys)
        return tuple(
            spec
            for spec in self.specs.values()
            if wanted and spec.id != action_id and wanted in map(normal_keys, self.keys(spec.id))
        )

    def _for_canvas(self, spec: ActionSpec, keys: str) -> bool:
        """Return whether keys run an action only while the canvas has the focus."""
        if spec.id in self._store.shortcuts:
            return spec.canvas is not None and is_typing(keys)
        return keys in spec.canvas_keys


def default_keys(spec: ActionSpec) -> tuple[str, ...]:
    """Return the key sequences that an action comes with; the first is shown."""
    return tuple(keys for keys in (spec.shortcut, *spec.also, *spec.canvas_keys) if keys)


def _by_id(specs: Iterable[ActionSpec], menus: set[str]) -> dict[str, ActionSpec]:
    found: dict[str, ActionSpec] = {}
    for spec in specs:
        if spec.id in found:
            raise ValueError(f"Two actions have the id '{spec.id}'.")
        if spec.menu not in menus:
            raise ValueError(f"The action '{spec.id}' stands in the menu '{spec.menu}', which is not there.")
        found[spec.id] = spec
    return found
