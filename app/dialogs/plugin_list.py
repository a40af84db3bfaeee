"""The plugins as the dialog lists and switches them. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.type_names import family_name
from quantcrafter.engine.api import Role
from quantcrafter.engine.plugins import PluginInfo, PluginStatus, Registry, installed_plugins, set_enabled


@dataclass(frozen=True, slots=True)
class PluginRow:
    """One plugin: how it stands in this run of the program, and whether it is switched on for the next."""

    info: PluginInfo
    enabled: bool

    @property
    def name(self) -> str:
        """Its name."""
        return self.info.name

    @property
    def waits(self) -> bool:
        """Whether the switch differs from how the plugin stands now, so that a restart is due."""
        return self.enabled == (self.info.status is PluginStatus.DISABLED)

    @property
    def status(self) -> str:
        """How it stands, as text."""
        if self.info.status is PluginStatus.NOT_ALLOWED:
            return tr("Not allowed yet")
        if self.waits:
            return tr("On after a restart") if self.enabled else tr("Off after a restart")
        if self.info.status is PluginStatus.FAILED:
            return tr("Not loaded: it has an error")
        return tr("On") if self.enabled else tr("Off")

    def brings(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return what it adds: the title of each kind and the names."""
        return tuple((kind_name(kind), names) for kind, names in self.info.provides.items())


class PluginList:
    """The installed plugins and the user's switches; a switch is written at once and holds from the next start.

    Args:
        registry: what is loaded.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._rows: dict[str, PluginRow] = {}
        self.refresh()

    def refresh(self) -> None:
        """List them as they are now."""
        loaded = {info.name: info for info in self._registry.plugins}
        listed = {info.name: info for info in installed_plugins()}
        self._rows = {
            name: PluginRow(loaded.get(name, info), info.status is not PluginStatus.DISABLED)
            for name, info in listed.items()
        }

    @property
    def rows(self) -> tuple[PluginRow, ...]:
        """The plugins, QuantCrafter's own parts first."""
        return tuple(self._rows.values())

    @property
    def needs_restart(self) -> bool:
        """Whether a switch waits for a restart."""
        return any(row.waits for row in self.rows)

    def row(self, name: str) -> PluginRow:
        """Return one plugin."""
        return self._rows[name]

    def switch(self, name: str, *, enabled: bool) -> PluginRow:
        """Switch a plugin on or off for the next start and return it.

        Raises:
            PluginError: it is one of QuantCrafter's own parts, or the list cannot be written.
        """
        set_enabled(name, enabled=enabled, forget=False)
        self._rows[name] = replace(self._rows[name], enabled=enabled)
        return self._rows[name]


def kind_name(kind: str) -> str:
    """Return the title of a kind of thing that plugins bring."""
    if kind in {role.value for role in Role}:
        return family_name(Role(kind))
    names = {
        "data_providers": tr("Data providers"),
        "download_providers": tr("Download providers"),
        "markets": tr("Markets"),
        "engines": tr("Engines"),
        "feeds": tr("Feeds"),
        "brokers": tr("Brokers"),
        "strategies": tr("Strategies"),
        "actions": tr("Actions"),
        "panes": tr("Panes"),
    }
    return names.get(kind, kind)
