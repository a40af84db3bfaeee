"""What is known of an installed plugin, and the plugin object on its way into the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from quantcrafter.engine.api import PluginError, Problem, Severity
from quantcrafter.engine.api.message import Message, without_stop


class PluginStatus(StrEnum):
    """The status of a plugin."""

    LOADED = "loaded"
    DISABLED = "disabled"
    FAILED = "failed"
    NOT_ALLOWED = "not allowed"


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One installed plugin.

    `name` is that of its entry point. `error` says in a sentence why it was left out, `traceback` where it raised.
    `provides` maps a role (`indicators`, `data_providers`, ...) to the names that the plugin adds to it. `file` is the
    path of a node file, else ''. `may_provide` has the names that a node file which was left out may define.
    """

    name: str
    version: str = ""
    distribution: str = ""
    builtin: bool = False
    status: PluginStatus = PluginStatus.LOADED
    error: str = ""
    traceback: str = ""
    provides: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    file: str = ""
    may_provide: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """How many things the plugin adds."""
        return sum(len(names) for names in self.provides.values())

    def why_absent(self, use: str) -> tuple[str, str] | None:
        """Return why a component isn't available and what to do, if this is the file that may define it."""
        if use not in self.may_provide:
            return None
        name = Path(self.file).name
        if self.status is PluginStatus.FAILED:
            return (
                Message(
                    "'{use}' is not available: the node file '{file}' was not loaded: {error}.",
                    use=use,
                    file=name,
                    error=without_stop(self.error),
                ),
                Message("Fix the file '{file}'.", file=self.file),
            )
        if self.status is PluginStatus.NOT_ALLOWED:
            return (
                Message(
                    "'{use}' is not available: you have not allowed the node file '{file}' yet.", use=use, file=name
                ),
                Message(
                    "Read it and allow it with 'quantcrafter plugins allow {name}', or move it away.", name=self.name
                ),
            )
        return (
            Message("'{use}' is not available: the node file '{file}' is disabled.", use=use, file=name),
            Message("Enable it with 'quantcrafter plugins enable {name}'.", name=self.name),
        )

    def problem(self) -> Problem | None:
        """Return the finding that says why the plugin was left out, or None when it was not."""
        if self.status is PluginStatus.NOT_ALLOWED:
            return Problem(
                code="plugin_not_allowed",
                message=Message(
                    "The node file '{file}' is not used: you have not allowed it yet. It runs with all your "
                    "permissions.",
                    file=self.file,
                ),
                remedy=Message(
                    "Read it and allow it with 'quantcrafter plugins allow {name}', or move it away.", name=self.name
                ),
                path=f"plugins.{self.name}",
                severity=Severity.WARNING,
            )
        if self.status is not PluginStatus.FAILED:
            return None
        return Problem(
            code="plugin",
            message=Message("Plugin '{name}' was not loaded: {error}.", name=self.name, error=without_stop(self.error)),
            remedy=Message("Fix the file '{file}'.", file=self.file)
            if self.file
            else Message(
                "Upgrade or repair it, or disable it with 'quantcrafter plugins disable {name}'.", name=self.name
            )
            if not self.builtin
            else Message("QuantCrafter's own parts are damaged; install it again."),
            path=f"plugins.{self.name}",
            severity=Severity.ERROR,
        )


class PluginRefusedError(PluginError):
    """A plugin breaks the contract; the message goes on after "Plugin 'name' was not loaded: "."""

    code = "plugin_refused"

    def __init__(self, message: str, *, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback
