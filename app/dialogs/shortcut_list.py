"""The list of actions and their keys, as the shortcut editor changes it. No Qt: keys are portable text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quantcrafter.app.services.keys import normal_keys


@dataclass(frozen=True, slots=True)
class Command:
    """An action that may have keys: its id, its title, the keys it comes with and those it has ("" for none)."""

    id: str
    title: str
    default: str = ""
    current: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the user gave it other keys."""
        return normal_keys(self.current) != normal_keys(self.default)


class ShortcutList:
    """The commands with the keys as edited so far."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands = {command.id: command for command in commands}
        self._keys = {command.id: command.current for command in self._commands.values()}

    def commands(self, query: str = "") -> tuple[Command, ...]:
        """Return the commands, with their keys as edited, in whose title or keys every word of the query occurs."""
        words = query.casefold().split()
        found = (Command(c.id, c.title, c.default, self._keys[c.id]) for c in self._commands.values())
        return tuple(c for c in found if all(word in f"{c.title} {c.current}".casefold() for word in words))

    def command(self, command_id: str) -> Command:
        """Return a command with its keys as edited."""
        made = self._commands[command_id]
        return Command(made.id, made.title, made.default, self._keys[command_id])

    def set_keys(self, command_id: str, keys: str) -> None:
        """Give a command other keys; "" takes them away."""
        self._keys[command_id] = keys

    def reset(self, command_id: str) -> None:
        """Give a command the keys that it comes with."""
        self._keys[command_id] = self._commands[command_id].default

    def reset_all(self) -> None:
        """Give every command the keys that it comes with."""
        for command_id in self._commands:
            self.reset(command_id)

    def conflicts(self, command_id: str) -> tuple[Command, ...]:
        """Return the other commands that have the same keys, or keys that begin with them or that they begin with."""
        keys = self._keys[command_id]
        return tuple(
            self.command(other) for other, taken in self._keys.items() if other != command_id and _clash(keys, taken)
        )

    @property
    def has_conflicts(self) -> bool:
        """Whether two commands want the same keys."""
        return any(self.conflicts(command_id) for command_id in self._commands)

    def overrides(self) -> dict[str, str]:
        """Return the keys that differ from those that the commands come with, by action id."""
        return {command_id: keys for command_id, keys in self._keys.items() if self.command(command_id).is_changed}


def _clash(one: str, other: str) -> bool:
    if not one or not other:
        return False
    first, second = normal_keys(one).split(","), normal_keys(other).split(",")
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]
