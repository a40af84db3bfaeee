"""The registry: every action of the program, with the keys that the user has given it. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Protocol

from quantcrafter.app.actions.spec import ActionSpec, MenuSpec
from quantcrafter.app.services.keys import is_typing, normal_keys


class ShortcutStore(Protocol):
    """Storage of the user's key sequences; `Settings` is one."""

    shortcuts: dict[str, str]


class ActionRegistry:
    """All actions by id, in the order in which they were registered.

    Args:
        menus: the menus, in order; a menu inside another comes after it.
        store: the storage of the user's key sequences.
        toolbar: the ids of the actions that have a button, in groups.
    """

    def __init__(self, menus: Iterable[MenuSpec], store: ShortcutStore, toolbar: Sequence[Sequence[str]] = ()) -> None:
        self.menus = tuple(menus)
        self.toolbar = tuple(tuple(group) for group in toolbar)
        self._specs: dict[str, ActionSpec] = {}
        self._menu_ids = {menu.id for menu in self.menus}
        self._store = store
        self._listeners: list[Callable[[], object]] = []

    @property
    def specs(self) -> Mapping[str, ActionSpec]:
        """The actions by id."""
        return MappingProxyType(self._specs)

    def register(self, specs: Iterable[ActionSpec]) -> Callable[[], None]:
        """Add all of the actions or none; return a function that removes them again.

        Raises:
            ValueError: two actions have the same id, or one stands in a menu that doesn't exist.
        """
        added: dict[str, ActionSpec] = {}
        for spec in specs:
            if spec.id in self._specs or spec.id in added:
                raise ValueError(f"Two actions have the id '{spec.id}'.")
            if spec.menu not in self._menu_ids:
                raise ValueError(f"The action '{spec.id}' stands in the menu '{spec.menu}', which is not there.")
            added[spec.id] = spec
        self._specs.update(added)
        self._notify()
        return partial(self._take_out, tuple(added.values()))

    def subscribe(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call a function whenever actions were added or removed; return a function that unsubscribes."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    def _take_out(self, specs: tuple[ActionSpec, ...]) -> None:
        here = [spec for spec in specs if self._specs.get(spec.id) is spec]
        for spec in here:
            del self._specs[spec.id]
        if here:
            self._notify()

    def _notify(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def in_menu(self, menu: str) -> tuple[ActionSpec, ...]:
        """Return the actions of one menu, in order."""
        return tuple(spec for spec in self.specs.values() if spec.menu == menu)

    def path(self, spec: ActionSpec) -> str:
        """Return the menu path of an action, such as "File > Export"."""
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
