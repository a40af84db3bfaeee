"""The one directory that holds all of a user's data."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the user's directory: `QUANTCRAFTER_HOME` if set, else the platform's place for application data.

    The directory need not exist yet.
    """
    override = os.environ.get("QUANTCRAFTER_HOME")
    return (
        Path(override).expanduser() if override else Path(platformdirs.user_data_dir("quantcrafter", appauthor=False))
    )
