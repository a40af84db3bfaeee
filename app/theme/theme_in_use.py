"""Which theme is in use, and putting it on the application."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QStyleFactory

from quantcrafter.app.theme.colors import DARK, LIGHT, Theme
from quantcrafter.app.theme.style import palette, style_sheet

NAMES = ("light", "dark", "system")


class Themes(QObject):
    """Holds the theme in use; the Qt signal `changed` says that another one was put on."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = "light"
        self.theme = LIGHT
        self._follows = False

    def put_on(self, app: QApplication, name: str) -> None:
        """Dress the application in a theme of `NAMES`; `system` follows the desktop's own choice from then on."""
        self.name = name if name in NAMES else "system"
        if not self._follows:
            self._follows = True
            app.styleHints().colorSchemeChanged.connect(lambda: self._follow(app))
        self._dress(app)

    def _follow(self, app: QApplication) -> None:
        if self.name == "system":
            self._dress(app)

    def _dress(self, app: QApplication) -> None:
        self.theme = _theme(self.name)
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setPalette(palette(self.theme))
        app.setStyleSheet(style_sheet(self.theme))
        self.changed.emit()


def _theme(name: str) -> Theme:
    if name == "system":
        return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
    return DARK if name == "dark" else LIGHT


themes = Themes()


def apply(app: QApplication, name: str) -> None:
    """Put a theme on the whole application: `light`, `dark`, or `system`, which follows the desktop's choice."""
    themes.put_on(app, name)


def current() -> Theme:
    """Return the colours in use."""
    return themes.theme
