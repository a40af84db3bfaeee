"""Icons drawn from our own SVG strokes in the theme's colours, sharp at any resolution."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from quantcrafter.app.theme.theme_in_use import current

PLACEHOLDER = "currentColor"


@lru_cache(maxsize=1024)
def icon(name: str, color: str = "") -> QIcon:
    """Return the icon of a name in `icon_names()`; it follows the theme, or keeps `color` (`#rrggbb`) if given.

    The same one is returned each time: what draws it is never released by PySide.

    Raises:
        FileNotFoundError: there is no such icon.
    """
    _source(name)
    return QIcon(_StrokeEngine(name, color))


@lru_cache(maxsize=1)
def icon_names() -> tuple[str, ...]:
    """Return the names of all icons, sorted."""
    folder = resources.files("quantcrafter.resources").joinpath("icons")
    return tuple(sorted(file.name[:-4] for file in folder.iterdir() if file.name.endswith(".svg")))


@lru_cache(maxsize=512)
def icon_pixmap(name: str, color: str, size: int) -> QPixmap:
    """Return an icon as a square pixmap of `size` device pixels in one colour."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer(name, color).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


@lru_cache(maxsize=256)
def renderer(name: str, color: str) -> QSvgRenderer:
    """Return what draws an icon in one colour, as vectors."""
    return QSvgRenderer(QByteArray(_source(name).replace(PLACEHOLDER, color).encode()))


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return resources.files("quantcrafter.resources").joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")


class _StrokeEngine(QIconEngine):
    """Draws one icon at the requested size, in the colour that its mode has in the current theme."""

    def __init__(self, name: str, color: str) -> None:
        super().__init__()
        self._name = name
        self._color = color

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:  # noqa: ARG002 - Qt's
        renderer(self._name, self._color_in(mode)).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        if pixmap.isNull():  # a cell without room asks for nothing, and nothing can be painted on
            return pixmap
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        side = min(size.width(), size.height())
        corner = (size.width() - side) // 2, (size.height() - side) // 2
        self.paint(painter, QRect(*corner, side, side), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _StrokeEngine(self._name, self._color)

    def isNull(self) -> bool:  # noqa: N802 - Qt's
        return False

    def _color_in(self, mode: QIcon.Mode) -> str:
        theme = current()
        if mode == QIcon.Mode.Disabled:
            return theme.text_disabled
        return self._color or theme.text
