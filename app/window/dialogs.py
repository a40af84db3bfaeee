"""Opens the dialogs, and carries out what they return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QWidget

from app import theme
from app.dialogs.about import show_about
from app.dialogs.plugins import show_plugins
from app.dialogs.preferences import Preferences
from app.dialogs.settings import edit_preferences
from app.dialogs.shortcut_list import Command
from app.dialogs.shortcuts import edit_shortcuts
from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


class Dialogs:
    """The dialogs of a window, by name."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._tour: QWidget | None = None

    def open(self, name: str) -> None:
        """Open `gallery`, `settings`, `shortcuts`, `plugins`, `tour` or `about`."""
        {
            "gallery": self.gallery,
            "settings": self.settings,
            "shortcuts": self.shortcuts,
            "plugins": self.plugins,
            "tour": self.tour,
            "about": lambda: show_about(self._window),
        }[name]()

    def gallery(self) -> None:
        """Open a copy of a template that the user picks."""
        from app.dialogs.gallery import choose_template

        template = choose_template(self._window, self._window.catalog)
        if template is not None:
            self._window.desk.new(template.text, template.name)

    def settings(self) -> None:
        """Let the user change preferences, the theme at once."""
        window = self._window
        before = Preferences.of(window.settings)
        chosen = edit_preferences(window, before, _preview)
        if chosen is None:
            return
        chosen.store(window.settings)
        window.set_theme(chosen.theme)
        window.set_yaml_place(chosen.yaml_place)
        for tab in window.tabs.all():
            tab.show_minimap(shown=chosen.minimap)
        if chosen.language != before.language:
            window.say(tr("The language changes at the next start."))

    def shortcuts(self) -> None:
        """Let the user change the keys."""
        window = self._window
        registry = window.action_set.registry
        commands = [
            Command(spec.id, spec.title.removesuffix("..."), spec.shortcut, registry.shortcut(spec.id))
            for spec in registry.specs.values()
        ]
        chosen = edit_shortcuts(window, commands)
        if chosen is not None:
            window.settings.shortcuts = chosen
            window.action_set.apply_shortcuts()

    def plugins(self) -> None:
        """Show the plugins."""
        if show_plugins(self._window):
            self._window.say(tr("Restart QuantCrafter to use the plugins as chosen."))


def _preview(name: str) -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication):
        theme.apply(app, name)
