"""The plugin manager and the registry of what plugins brought."""

from quantcrafter.engine.api.home import node_folder
from quantcrafter.engine.plugins.info import PluginInfo, PluginStatus
from quantcrafter.engine.plugins.manager import (
    allow_file,
    forget_registry,
    fresh_registry,
    installed_plugins,
    load_registry,
    set_enabled,
)
from quantcrafter.engine.plugins.node_template import create_node_file
from quantcrafter.engine.plugins.registry import Registry

__all__ = [
    "PluginInfo",
    "PluginStatus",
    "Registry",
    "allow_file",
    "create_node_file",
    "forget_registry",
    "fresh_registry",
    "installed_plugins",
    "load_registry",
    "node_folder",
    "set_enabled",
]
