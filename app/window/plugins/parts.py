"""PluginParts: puts the actions and panes of plugins into the window, and takes them out when a plugin is disabled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from quantcrafter.app.actions.conditions import has_tab, is_pane_shown
from quantcrafter.app.actions.spec import ActionCall, ActionSpec
from quantcrafter.app.window.plugins.calls import call_plugin
from quantcrafter.app.window.plugins.pane import PluginPane
from quantcrafter.engine.api import PluginError
from quantcrafter.engine.plugins import PluginStatus, installed_plugins

if TYPE_CHECKING:
    from quantcrafter.app.actions.front import Front
    from quantcrafter.app.actions.registry import ActionRegistry
    from quantcrafter.app.actions.targets import PaneCommands
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.plugins.view import PluginView
    from quantcrafter.engine.api import DesktopAction, DesktopPane
    from quantcrafter.engine.plugins import Registry

log = logging.getLogger(__name__)

PANES_MENU = "view/panes"


class PluginParts:
    """Has what each plugin added, and what takes it out again.

    Args:
        catalog: the installed components.
        actions: get the actions of plugins.
        panes: get their panes.
        focus: shows a pane when its entry of the menu is chosen.
        view: makes what a plugin sees of the desktop, from its name.
    """

    def __init__(
        self,
        catalog: Registry,
        actions: ActionRegistry,
        panes: PaneHost,
        focus: PaneCommands,
        view: Callable[[str], PluginView],
    ) -> None:
        self._catalog = catalog
        self._actions = actions
        self._panes = panes
        self._focus = focus
        self._view = view
        self._disposers: dict[str, list[Callable[[], None]]] = {}
        self._show(info.name for info in catalog.plugins)

    def sync(self) -> None:
        """Take out what plugins that are disabled now had added, and put in again what of those that are not."""
        disabled = {info.name for info in installed_plugins() if info.status is PluginStatus.DISABLED}
        for plugin in [name for name in self._disposers if name in disabled]:
            self._hide(plugin)
        self._show(info.name for info in self._catalog.plugins if info.name not in disabled)

    def renew(self, plugins: Iterable[str]) -> None:
        """Take out what these plugins had added, and put in what they add now."""
        for plugin in plugins:
            if plugin in self._disposers:
                self._hide(plugin)
        self.sync()

    def _show(self, plugins: Iterable[str]) -> None:
        for plugin in plugins:
            actions = [each for each in self._catalog.actions if self._catalog.owner("actions", each.name) == plugin]
            panes = [each for each in self._catalog.panes if self._catalog.owner("panes", each.name) == plugin]
            if plugin not in self._disposers and (actions or panes):
                self._disposers[plugin] = self._add(plugin, actions, panes)

    def _hide(self, plugin: str) -> None:
        for dispose in reversed(self._disposers.pop(plugin)):
            dispose()

    def _add(
        self, plugin: str, actions: Iterable[DesktopAction], panes: Iterable[DesktopPane]
    ) -> list[Callable[[], None]]:
        view = self._view(plugin)
        disposers = [view.close]
        for pane in panes:
            disposers.append(self._panes.add_pane(pane.name, pane.title, partial(PluginPane, plugin, pane, view)))
            disposers.append(self._actions.register([self._pane_spec(pane)]))
        disposers += [self._actions.register([self._spec(plugin, action, view)]) for action in actions]
        return disposers

    def _pane_spec(self, pane: DesktopPane) -> ActionSpec:
        return ActionSpec(
            f"view.{pane.name}",
            pane.title,
            PANES_MENU,
            ActionCall(lambda: self._focus, lambda focus: focus.toggle(pane.name)),
            enabled=has_tab,
            checked=is_pane_shown(pane.name),
        )

    def _spec(self, plugin: str, action: DesktopAction, view: PluginView) -> ActionSpec:
        action_id = f"plugin.{action.name}"
        taken = self._actions.conflicts(action_id, action.shortcut)
        if taken:
            log.warning("plugin '%s' asks for the keys %s of '%s'", plugin, action.shortcut, taken[0].id)
        enabled = action.enabled
        return ActionSpec(
            action_id,
            action.title,
            action.menu,
            lambda: call_plugin(plugin, action.title, partial(action.run, view)),
            "" if taken else action.shortcut,
            enabled=None if enabled is None else _Condition(plugin, action.title, partial(enabled, view)),
        )


class _Condition:
    """Asks a plugin whether its action can be used now; one that fails is not asked again."""

    def __init__(self, plugin: str, title: str, ask: Callable[[], bool]) -> None:
        self._plugin = plugin
        self._title = title
        self._ask = ask
        self._failed = False

    def __call__(self, _front: Front) -> bool:
        """Return what the plugin says; False once it failed."""
        if self._failed:
            return False
        try:
            return bool(call_plugin(self._plugin, self._title, self._ask))
        except PluginError:
            self._failed = True
            return False
