"""Ports as the canvas knows them: where a wire can be attached, and the shape of each type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin
from typing import Literal

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath, QPolygonF

from quantcrafter.engine.api import PortType

Side = Literal["in", "out"]
RADIUS = 5.5


@dataclass(frozen=True, slots=True)
class PortRef:
    """One place where a wire can be attached. `index` counts the places of a list port; None for a port of one wire."""

    node: str
    side: Side
    port: str
    index: int | None = None


@lru_cache(maxsize=16)
def port_shape(kind: PortType | None) -> QPainterPath:
    """Return the outline of a port type around the origin: no two types share a shape."""
    path = QPainterPath()
    r = RADIUS
    match kind:
        case PortType.BARS:
            path.addRect(QRectF(-r * 0.88, -r * 0.88, r * 1.76, r * 1.76))
        case PortType.SERIES:
            path.addEllipse(QPointF(0, 0), r, r)
        case PortType.CONDITION:
            _polygon(path, (0, -r * 1.2), (r * 1.2, 0), (0, r * 1.2), (-r * 1.2, 0))
        case PortType.SIGNAL:
            _polygon(path, (-r * 0.85, -r * 1.1), (r * 1.2, 0), (-r * 0.85, r * 1.1))
        case PortType.FILTER:
            _polygon(path, (-r * 1.15, -r * 0.9), (r * 1.15, -r * 0.9), (r * 0.4, r), (-r * 0.4, r))
        case PortType.RISK:
            _polygon(path, (-r, -r), (r, -r), (r, r * 0.2), (0, r * 1.2), (-r, r * 0.2))
        case PortType.MONEY:
            _polygon(path, *((r * 1.1 * cos(k * pi / 3), r * 1.1 * sin(k * pi / 3)) for k in range(6)))
        case None:
            path.addRoundedRect(QRectF(-r, -r * 0.5, r * 2, r), r * 0.5, r * 0.5)
    return path


def _polygon(path: QPainterPath, *corners: tuple[float, float]) -> None:
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    path.closeSubpath()
