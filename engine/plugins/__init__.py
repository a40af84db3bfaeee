"""The plugin manager and the registry of what plugins brought."""

from engine.plugins.info import PluginInfo, PluginStatus
from engine.plugins.manager import forget_registry, installed_plugins, load_registry, set_enabled
from engine.plugins.registry import Registry

__all__ = [
    "PluginInfo",
    "PluginStatus",
    "Registry",
    "forget_registry",
    "installed_plugins",
    "load_registry",
    "set_enabled",
]
