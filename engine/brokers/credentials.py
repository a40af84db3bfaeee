"""Keys of brokers: from the environment or the system's keyring, and from nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.config.secrets import SERVICE, secret_named


def variable(*parts: str) -> str:
    """Return the environment variable of a secret, such as QUANTCRAFTER_BINANCE_APIKEY."""
    return "_".join(re.sub(r"[^A-Za-z0-9]+", "_", part).upper() for part in (SERVICE, *parts) if part)


def secrets_of(place: str, account: str, names: Sequence[str]) -> Mapping[str, str]:
    """Return the secrets of an account by name: from the environment, else from the keyring.

    In the keyring the service is `quantcrafter`, and the user name that of the environment variable.

    Raises:
        RunError: some are missing; it names them, and no value.
    """
    found = {name: secret_named(variable(place, account, name)) for name in names}
    missing = [variable(place, account, name) for name, value in found.items() if not value]
    if missing:
        raise RunError(
            Message(
                "The keys of '{place}' are missing: {names}. Set them in the environment, or in the keyring under the "
                "service '{service}'.",
                place=place,
                names=", ".join(missing),
                service=SERVICE,
            )
        )
    return {name: value for name, value in found.items() if value}
