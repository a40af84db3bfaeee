"""Catalog: lookup of installed components by name."""

from __future__ import annotations

from typing import Protocol

from quantcrafter.engine.api.component import Component, Role
from quantcrafter.engine.api.market import Market
from quantcrafter.engine.api.provider import DataProvider


class Catalog(Protocol):
    """Components and providers by the names that a strategy file uses."""

    def component(self, role: Role, name: str) -> type[Component] | None:
        """Return the component of that name in that section, or None."""
        ...

    def component_names(self, role: Role) -> tuple[str, ...]:
        """Return the names that are allowed for `use:` in that section."""
        ...

    def provider(self, name: str) -> type[DataProvider] | None:
        """Return the data provider of that name, or None."""
        ...

    def provider_names(self) -> tuple[str, ...]:
        """Return the names that are allowed for `data:`."""
        ...

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets that `market:` may name."""
        ...

    def why_absent(self, use: str) -> tuple[str, str] | None:
        """Return why a component isn't available and what to do, if a node file that was left out may define it."""
        ...

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of plugins that are installed but not in use: not allowed, disabled, or failed."""
        ...
