"""Opens the dialogs about the program, and executes what they return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from quantcrafter.app.actions.registry import default_keys
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.window.looks import preview_theme

if TYPE_CHECKING:
    from quantcrafter.app.actions.qt import ActionSet
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.app.window.files.file_controller import FileController
    from quantcrafter.app.window.looks import WindowLooks
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.plugins.node_files import NodeFiles
    from quantcrafter.engine.plugins import Registry


class Dialogs:
    """The dialogs of a window.

    Args:
        window: the parent of dialogs.
        settings: the user's settings.
        catalog: the installed components.
        actions: have the keys.
        files: open a copy of an example.
        looks: change theme and layout.
        plugins: allow and load node files, and know what plugins added to the window.
        messages: shows messages to the user.
    """

    def __init__(
        self,
        window: QWidget,
        settings: Settings,
        catalog: Registry,
        actions: ActionSet,
        files: FileController,
        looks: WindowLooks,
        plugins: NodeFiles,
        messages: Messages,
    ) -> None:
        self._window = window
        self._settings = settings
        self._catalog = catalog
        self._actions = actions
        self._files = files
        self._looks = looks
        self._plugins = plugins
        self._messages = messages

    def about(self) -> None:
        """Show information about QuantCrafter."""
        from quantcrafter.app.dialogs.about import show_about

        show_about(self._window)

    def gallery(self) -> None:
        """Open a copy of a template that the user picks."""
        from quantcrafter.app.dialogs.gallery import choose_template

        template = choose_template(self._window, self._catalog)
        if template is not None:
            self._files.new(template.text, template.name)

    def settings(self) -> None:
        """Let the user change preferences, the theme at once."""
        from quantcrafter.app.dialogs.preferences import Preferences
        from quantcrafter.app.dialogs.settings import edit_preferences

        before = Preferences.of(self._settings)
        chosen = edit_preferences(self._window, before, preview_theme)
        if chosen is None:
            return
        chosen.store(self._settings)
        self._looks.set_theme(chosen.theme)
        self._looks.set_yaml_place(chosen.yaml_place)
        self._looks.show_minimap(shown=chosen.minimap)
        self._looks.recolor_chart()
        if chosen.language != before.language:
            self._messages.say(tr("The language changes when you restart QuantCrafter."))

    def shortcuts(self) -> None:
        """Let the user change the keys."""
        from quantcrafter.app.dialogs.shortcut_list import Command
        from quantcrafter.app.dialogs.shortcuts import edit_shortcuts

        registry = self._actions.registry
        commands = [
            Command(
                spec.id,
                spec.title.removesuffix("..."),
                next(iter(default_keys(spec)), ""),
                registry.shortcut(spec.id),
            )
            for spec in registry.specs.values()
        ]
        chosen = edit_shortcuts(self._window, commands)
        if chosen is not None:
            self._settings.shortcuts = chosen
            self._actions.apply_shortcuts()

    def plugins(self) -> None:
        """Show the plugins; the actions and panes of one that is disabled go at once."""
        from quantcrafter.app.dialogs.plugins import show_plugins

        needs_restart = show_plugins(self._window, self._catalog, self._plugins.allow, self._plugins.loaded)
        self._plugins.sync_parts()
        if needs_restart:
            self._messages.say(tr("Restart QuantCrafter to apply the plugin changes."))
