"""PluginPane: a pane of a plugin, in the place of one of ours."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.window.plugins.calls import call_plugin
from quantcrafter.engine.api import DesktopPane, DesktopView, PluginError


class PluginPane(QWidget):
    """Shows what a plugin makes, or why it could not be made.

    Args:
        plugin: the plugin's name.
        pane: what it added.
        view: what it sees of the desktop.
    """

    def __init__(self, plugin: str, pane: DesktopPane, view: DesktopView) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        try:
            column.addWidget(_made(plugin, pane, view))
        except PluginError as error:
            fault = QLabel(error_text(error))
            fault.setWordWrap(True)
            fault.setAlignment(Qt.AlignmentFlag.AlignCenter)
            fault.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(fault)

    def set_session(self, session: RunSession) -> None:
        """Do nothing: plugins follow the desktop by what they see of it."""


def _made(plugin: str, pane: DesktopPane, view: DesktopView) -> QWidget:
    made = call_plugin(plugin, pane.title, partial(pane.make, view))
    if not isinstance(made, QWidget):
        raise PluginError(
            tr(
                "Plugin '{name}' must return a QWidget as the pane '{pane}', returned {kind}.",
                name=plugin,
                pane=pane.title,
                kind=type(made).__name__,
            )
        )
    return made
