"""Old versions of the format: one pure function dict -> dict a version, applied in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.spec.model import FORMAT_VERSION

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: Mapping[int, Migration] = {}
"""By the version a migration starts from; version 1 is the first, so there is none yet."""


def migrate(
    data: dict[str, Any],
    *,
    migrations: Mapping[int, Migration] = MIGRATIONS,
    current: int = FORMAT_VERSION,
) -> dict[str, Any]:
    """Return the plain values of a file in the current format; the argument is left as it was.

    Raises:
        ValueError: the version is missing, unknown, or newer than this program.
    """
    version = data.get("quantcrafter")
    if isinstance(version, bool) or not isinstance(version, int):
        raise ValueError("the version of the format must be a whole number")  # noqa: TRY004 - a file's content
    if version > current:
        raise ValueError(f"this file needs a newer QuantCrafter: its format is {version}, this one reads {current}")
    while version < current:
        if version not in migrations:
            raise ValueError(f"the format {version} is unknown, this QuantCrafter reads {current}")
        version += 1
        data = {**migrations[version - 1](dict(data)), "quantcrafter": version}
    return data
