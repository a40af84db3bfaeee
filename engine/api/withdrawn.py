"""Names that were removed from the plugin interface, and their replacements."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

WITHDRAWN = MappingProxyType(
    {
        "Broker": (
            "Broker is withdrawn: connections to brokers are no part of the plugin interface, and no run ever used "
            "one. Leave it out of the plugin."
        ),
        "register_brokers": (
            "register_brokers is withdrawn: connections to brokers are no part of the plugin interface, and no run "
            "ever used one. Leave it out of the plugin."
        ),
    }
)
"""Names of classes and hooks that were withdrawn, each with its message."""


def missing_name(name: str) -> Any:
    """Report whether a missing name of the public module existed before; its `__getattr__`.

    Raises:
        ImportError: the name was withdrawn. AttributeError: there never was such a name.
    """
    if name in WITHDRAWN:
        raise ImportError(WITHDRAWN[name])
    raise AttributeError(f"module 'quantcrafter' has no attribute '{name}'")
