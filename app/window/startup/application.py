"""The one QApplication: names, icon, theme, translations of Qt's own texts."""

from __future__ import annotations

import locale
from collections.abc import Iterable

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from quantcrafter.app import theme
from quantcrafter.app.services.garbage import GarbageCollector
from quantcrafter.app.theme.icons import icon


def make_application(theme_name: str) -> QApplication:
    """Return the process' application, in a theme; it is made at the first call."""
    there = QApplication.instance()
    if isinstance(there, QApplication):
        application = there
    else:
        QApplication.setApplicationName("QuantCrafter")
        QApplication.setApplicationDisplayName("QuantCrafter")
        QApplication.setOrganizationName("QuantCrafter")
        QApplication.setDesktopFileName("quantcrafter")
        application = QApplication(["quantcrafter"])
        GarbageCollector(application)
        locale.setlocale(locale.LC_NUMERIC, "C")  # Qt took the user's: C libraries then read 0,5
    if not application.styleSheet() or theme.themes.name != theme_name:
        theme.apply(application, theme_name)
    application.setWindowIcon(icon("logo"))
    return application


def system_language(known: Iterable[str]) -> str:
    """Return the first of the user's languages that is known, English if none is."""
    names = list(known)
    for wanted in QLocale.system().uiLanguages():
        name = wanted.replace("-", "_")
        for candidate in names:
            if name == candidate or name.split("_")[0] == candidate.split("_")[0]:
                return candidate
    return "en"
