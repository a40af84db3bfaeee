"""Registry: what is installed, by the names that strategy files and commands use."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from quantcrafter.engine.api import (
    Broker,
    Component,
    ComponentFamily,
    DataProvider,
    DesktopAction,
    DesktopPane,
    DownloadProvider,
    EngineAdapter,
    Feed,
    Market,
    PluginError,
    Problem,
    Role,
    StrategyTemplate,
)
from quantcrafter.engine.api.foreign import claim, foreign, reason_of, text_of
from quantcrafter.engine.api.message import Message, without_stop
from quantcrafter.engine.plugins.checks import check_built, is_family
from quantcrafter.engine.plugins.info import PluginInfo, PluginStatus


class Registry:
    """The catalog of components and providers, with the engines and templates next to it.

    Built by `load_registry`; only `take_over` changes it later. Classes of a `ComponentFamily` are built on first use.
    `problems` holds the findings about plugins that were left out, in the order of `plugins`.
    """

    def __init__(
        self,
        components: Mapping[tuple[Role, str], type[Component] | ComponentFamily],
        others: Mapping[tuple[str, str], Any],
        plugins: tuple[PluginInfo, ...],
        problems: tuple[Problem, ...],
    ) -> None:
        self._lock = threading.RLock()
        self._fill(components, others, plugins, problems)

    def _fill(
        self,
        components: Mapping[tuple[Role, str], type[Component] | ComponentFamily],
        others: Mapping[tuple[str, str], Any],
        plugins: tuple[PluginInfo, ...],
        problems: tuple[Problem, ...],
    ) -> None:
        self.plugins = plugins
        self.problems = problems
        by_role: dict[Role, dict[str, type[Component] | ComponentFamily]] = {role: {} for role in Role}
        for (role, name), entry in components.items():
            by_role[role][name] = entry
        by_kind: dict[str, dict[str, Any]] = {}
        for (kind, name), entry in others.items():
            by_kind.setdefault(kind, {})[name] = entry
        self._components = by_role
        self._others = by_kind
        self._owners = {
            (section, name): info.name for info in plugins for section, names in info.provides.items() for name in names
        }

    def take_over(self, other: Registry) -> None:
        """Have the contents of another registry from now on, as after the user's node files changed.

        Whoever holds this one sees the new contents. Classes that were built for installed plugins stay the same.
        """
        with self._lock:
            files = {info.name for info in (*self.plugins, *other.plugins) if info.file}
            components = {
                (role, name): entry for role, named in other._components.items() for name, entry in named.items()
            }
            for (role, name), entry in components.items():
                before = self._components[role].get(name)
                owner = other.owner(role, name)
                if before is not None and is_family(entry) and owner == self.owner(role, name) and owner not in files:
                    components[role, name] = before
            others = {(kind, name): entry for kind, named in other._others.items() for name, entry in named.items()}
            self._fill(components, others, other.plugins, other.problems)

    def component(self, role: Role, name: str) -> type[Component] | None:
        """Return the component of that name in that section, or None.

        Raises:
            PluginError: the plugin that promised the name cannot build it.
        """
        entry = self._components[role].get(name)
        if entry is None or not is_family(entry):
            return entry  # type: ignore[return-value] # not a family, so a class or None
        with self._lock:
            built = self._build(entry, role, name)
            self._components[role][name] = built
        return built

    def component_names(self, role: Role) -> tuple[str, ...]:
        """Return the names that `use:` may say in that section, in the order of registration."""
        return tuple(self._components[role])

    def provider(self, name: str) -> type[DataProvider] | None:
        """Return the data provider of that name, or None."""
        return self._others.get("data_providers", {}).get(name)

    def provider_names(self) -> tuple[str, ...]:
        """Return the names that `data:` may say."""
        return self._names("data_providers")

    def download_provider(self, name: str) -> type[DownloadProvider] | None:
        """Return the download provider of that name, or None."""
        return self._others.get("download_providers", {}).get(name)

    def download_provider_names(self) -> tuple[str, ...]:
        """Return the names that `data download --from` may say."""
        return self._names("download_providers")

    def engine(self, name: str) -> type[EngineAdapter] | None:
        """Return the engine of that name, or None."""
        return self._others.get("engines", {}).get(name)

    def engine_names(self) -> tuple[str, ...]:
        """Return the names that `engine:` may say."""
        return self._names("engines")

    def feed(self, name: str) -> type[Feed] | None:
        """Return the feed of that name, or None."""
        return self._others.get("feeds", {}).get(name)

    def feed_names(self) -> tuple[str, ...]:
        """Return the names that `start --feed` may say."""
        return self._names("feeds")

    def broker(self, name: str) -> type[Broker] | None:
        """Return the broker of that name, or None."""
        return self._others.get("brokers", {}).get(name)

    def broker_names(self) -> tuple[str, ...]:
        """Return the names that `start --broker` may say."""
        return self._names("brokers")

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets that `market:` may name."""
        return tuple(self._others.get("markets", {}).values())

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of plugins that are installed but not in use: not allowed, disabled, or failed."""
        return tuple(info.name for info in self.plugins if info.status is not PluginStatus.LOADED)

    def why_absent(self, use: str) -> tuple[str, str] | None:
        """Return why a component isn't available and what to do, if a node file that was left out may define it."""
        return next((found for info in self.plugins if (found := info.why_absent(use)) is not None), None)

    @property
    def strategies(self) -> tuple[StrategyTemplate, ...]:
        """The ready-made strategy files."""
        return tuple(self._others.get("strategies", {}).values())

    @property
    def actions(self) -> tuple[DesktopAction, ...]:
        """What plugins add to the menus of the desktop."""
        return tuple(self._others.get("actions", {}).values())

    @property
    def panes(self) -> tuple[DesktopPane, ...]:
        """What plugins add to the panes of the desktop."""
        return tuple(self._others.get("panes", {}).values())

    def owner(self, section: str, name: str) -> str:
        """Return the name of the plugin that added a component or thing; '' when nobody did.

        `section` is a role or one of `data_providers`, `download_providers`, `markets`, `engines`, `feeds`, `brokers`,
        `strategies`, `actions`, `panes`.
        """
        return self._owners.get((section, name), "")

    def _names(self, kind: str) -> tuple[str, ...]:
        return tuple(self._others.get(kind, {}))

    def _build(self, family: ComponentFamily, role: Role, name: str) -> type[Component]:
        owner = self.owner(role, name)
        builtin = any(info.builtin for info in self.plugins if info.name == owner)
        try:
            with foreign(Message("Plugin '{name}'", name=owner), Message("building '{name}'", name=name)):
                built = check_built(family.build(name), name, role)
        except Exception as error:
            text = without_stop(text_of(error)) if isinstance(error, PluginError) else reason_of(error)
            raise PluginError(
                Message(
                    "Plugin '{owner}' promised '{name}' in {role} but can't build it: {text}. Upgrade or repair "
                    "the plugin.",
                    owner=owner,
                    name=name,
                    role=role,
                    text=text,
                )
            ) from error
        claim(built, owner, builtin=builtin)
        return built
