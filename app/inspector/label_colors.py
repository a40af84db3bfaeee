"""Colours of single labels, by palette: a style sheet of their own would make every form slow to build."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QLabel


def tint(label: QLabel, text: str, back: str = "") -> None:
    """Give a label's text a colour (`#rrggbb`), and its background one if given."""
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor(text))
    if back:
        palette.setColor(QPalette.ColorRole.Window, QColor(back))
    label.setPalette(palette)
    label.setAutoFillBackground(bool(back))
