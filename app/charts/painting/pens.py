"""Pens, brushes and fonts of the chart, each made once."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPen

SMALL_POINTS = 8.5


@lru_cache(maxsize=128)
def pen(color: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Return a pen; one that is asked for again is the same, so leave it as it is."""
    return QPen(QColor(color), width, style)


@lru_cache(maxsize=128)
def brush(color: str) -> QBrush:
    """Return a brush."""
    return QBrush(QColor(color))


@lru_cache(maxsize=64)
def veil(color: str, share: float) -> QColor:
    """Return a colour that lets through what is below it; `share` is its opacity."""
    found = QColor(color)
    found.setAlphaF(share)
    return found


def small(font: QFont, *, bold: bool = False) -> QFont:
    """Return the font of the chart's texts, of the family that the interface has."""
    found = QFont(font)
    found.setPointSizeF(SMALL_POINTS)
    found.setBold(bold)
    return found
