"""The one directory that holds all of a user's data."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from engine.api.errors import RunError


def home() -> Path:
    """Return the user's directory: `QUANTCRAFTER_HOME` if set, else the platform's place for application data.

    The directory need not exist yet.

    Raises:
        RunError: it cannot be told: `QUANTCRAFTER_HOME` begins with the home of a user that there is not.
    """
    override = os.environ.get("QUANTCRAFTER_HOME")
    try:
        if override:
            return Path(override).expanduser()
        return Path(platformdirs.user_data_dir("quantcrafter", appauthor=False))
    except (RuntimeError, KeyError) as error:
        was = f"was '{override}'" if override else "is not set, and your home directory is not known"
        raise RunError(
            f"QUANTCRAFTER_HOME must be a folder, {was}: {str(error).rstrip('.')}. Set it to a folder of your own."
        ) from error
