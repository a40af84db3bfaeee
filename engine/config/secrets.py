"""Secrets by their name: from the environment, else from the system's keyring, and from nowhere else."""

from __future__ import annotations

import os

SERVICE = "quantcrafter"
"""The name of the service in the keyring."""


def secret_named(name: str) -> str | None:
    """Return a secret: of the environment variable `name`, else of the keyring's user `name`; None if there is none."""
    return os.environ.get(name) or kept_in_keyring(name)


def kept_in_keyring(name: str) -> str | None:
    """Return what the keyring has under a name; None if it has nothing, is locked, or is not installed."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password(SERVICE, name)
    except keyring.errors.KeyringError:
        return None
    return found
