"""The libraries of the extra `download`, imported when they are needed."""

from __future__ import annotations

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message

INSTALL = "pip install 'quantcrafter[download]'"


def not_installed(library: str) -> DataError:
    """Return the error that a library is missing."""
    return DataError(
        Message(
            "Downloads need the library '{library}', which is not installed. Install it with: {command}",
            library=library,
            command=INSTALL,
        )
    )
