"""What is raised where the configuration is broken."""

from __future__ import annotations

from quantcrafter.engine.api import QuantCrafterError


class ConfigError(QuantCrafterError):
    """The configuration is broken; the command line ends with exit code 2."""

    code = "config"
