"""The plugin manager and the registry of what plugins brought."""

from quantcrafter.engine.plugins.info import PluginInfo, PluginStatus
from quantcrafter.engine.plugins.manager import forget_registry, installed_plugins, load_registry, set_enabled
from quantcrafter.engine.plugins.registry import Registry

__all__ = [
    "PluginInfo",
    "PluginStatus",
    "Registry",
    "forget_registry",
    "installed_plugins",
    "load_registry",
    "set_enabled",
]
