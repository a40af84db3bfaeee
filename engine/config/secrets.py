"""Secrets by their name: from the environment, else from the system's keyring, and from nowhere else."""

from __future__ import annotations

import os

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.config.errors import ConfigError

SERVICE = "quantcrafter"
"""The name of the service in the keyring."""
_BACKEND = "PYTHON_KEYRING_BACKEND"


def secret_named(name: str) -> str | None:
    """Return a secret: of the environment variable `name`, else of the keyring's user `name`; None if there is none."""
    return os.environ.get(name) or kept_in_keyring(name)


def kept_in_keyring(name: str) -> str | None:
    """Return what the keyring has under a name; None if it has nothing, is locked, or is not installed.

    Raises:
        ConfigError: the environment names a backend of the keyring that can't be loaded.
    """
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password(SERVICE, name)
    except keyring.errors.KeyringError:
        return None
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        backend = os.environ.get(_BACKEND)
        if not backend:
            raise
        raise ConfigError(
            Message(
                "The variable {name} names a backend of the keyring, '{backend}', that can't be loaded. Install it, "
                "or remove the variable.",
                name=_BACKEND,
                backend=backend,
            )
        ) from error
    return found
