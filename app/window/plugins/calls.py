"""Calls into plugins from the window: whatever a plugin does, it is named, and the program goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.engine.api import PluginError
from quantcrafter.engine.api.foreign import EscapedError, foreign, reason_of, text_of
from quantcrafter.engine.api.message import Message

log = logging.getLogger(__name__)

T = TypeVar("T")


def call_plugin(plugin: str, part: str, function: Callable[[], T]) -> T:
    """Return what a function of a plugin returns.

    Args:
        plugin: the plugin's name.
        part: the title of the action or pane that it is of; "" where it follows a change.
        function: calls it.

    Raises:
        PluginError: it raised; the message names the plugin, and the log has the traceback.
    """
    try:
        with foreign(Message("Plugin '{name}'", name=plugin), Message("running '{part}'", part=part)):
            return function()
    except Exception as error:
        log.exception("plugin '%s' failed in '%s'", plugin, part)
        reason = text_of(error) if isinstance(error, EscapedError) else translated(reason_of(error))
        raise PluginError(
            tr("Plugin '{name}' failed in '{part}': {error}", name=plugin, part=part, error=reason)
            if part
            else tr("Plugin '{name}' failed after a change: {error}", name=plugin, error=reason)
        ) from error
