"""A channel as the configuration has it: `NAME SEVERITY ADDRESS`, with an address of apprise or a secret's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.config.secrets import secret_named
from quantcrafter.engine.notices.notice import NoticeSeverity

KEYRING = "keyring:"
"""Before the name of a secret, which is read from the environment, else from the keyring."""


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """Where notices are sent. `least` is the least severity that is sent; the address is a secret."""

    name: str
    least: NoticeSeverity
    address: str = field(repr=False)


def channels_of(texts: Sequence[str]) -> list[ChannelSpec]:
    """Return the channels of a configuration; no error shows an address.

    Raises:
        RunError: one is not as it must be, a name is used twice, or a secret doesn't exist.
    """
    found = [_channel(number, text) for number, text in enumerate(texts, 1)]
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RunError(
            Message("The setting 'notices.channels' has two channels '{name}'. Rename one of them.", name=twice)
        )
    return found


def _channel(number: int, text: str) -> ChannelSpec:
    parts = text.split(None, 2)
    if len(parts) != 3 or parts[1] not in tuple(NoticeSeverity):  # noqa: PLR2004 - the parts that the message names
        raise RunError(
            Message(
                "The setting 'notices.channels': entry {number} must be NAME SEVERITY ADDRESS, such as "
                "'phone alarm keyring:PHONE'; the severities are {known}.",
                number=number,
                known=", ".join(NoticeSeverity),
            )
        )
    name, least, address = parts
    return ChannelSpec(name, NoticeSeverity(least), secret_of(address, f"notices.channels: {name}"))


def secret_of(text: str, where: str) -> str:
    """Return an address, read from where it is kept if it is `keyring:NAME`.

    Raises:
        RunError: there is no such secret.
    """
    if not text.startswith(KEYRING):
        return text
    name = text.removeprefix(KEYRING)
    found = secret_named(name)
    if found is None:
        raise RunError(
            Message(
                "{where}: there is no secret '{name}'. Set the variable, or put it into the keyring under the service "
                "'quantcrafter'.",
                where=where,
                name=name,
            )
        )
    return found
