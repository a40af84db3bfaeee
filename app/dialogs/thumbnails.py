"""Pictures of templates, painted one after another while nothing else is to do, and kept on disk.

A kept picture is that of a text, a theme, a size and a version of the program, which may draw nodes differently.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QSize, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from quantcrafter.app.dialogs.about import installed_version
from quantcrafter.app.dialogs.templates import Template
from quantcrafter.app.theme import current
from quantcrafter.engine.api.home import home

log = logging.getLogger(__name__)

PaintGraph = Callable[[str, QSize, float], QImage | None]
"""Paints the graph of a strategy's text: text, size in logical pixels, device pixel ratio."""


class Thumbnails(QObject):
    """Gives the pictures of templates; emits `ready(template id)` when one has come.

    Args:
        paint: paints a graph; returns None where there is nothing to show.
        size: of a picture, in logical pixels.
        ratio: device pixels per logical pixel.
        folder: where pictures are kept; `cache/thumbnails` in the user's directory if left out.
    """

    ready = Signal(str)

    def __init__(self, paint: PaintGraph, size: QSize, ratio: float = 1.0, folder: Path | None = None) -> None:
        super().__init__()
        self._paint = paint
        self._size = size
        self._ratio = ratio
        self._folder = folder or home() / "cache" / "thumbnails"
        self._version = installed_version("quantcrafter")
        self._queue: deque[Template] = deque()
        self._pictures: dict[str, QPixmap | None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._next)

    def picture(self, template: Template) -> QPixmap | None:
        """Return a template's picture, or None while there is none; a missing one is asked for."""
        if template.id not in self._pictures:
            self._pictures[template.id] = None
            self._queue.append(template)
            self._timer.start()
        return self._pictures[template.id]

    def stop(self) -> None:
        """Paint no more."""
        self._queue.clear()
        self._timer.stop()

    def _next(self) -> None:
        if not self._queue:
            return
        template = self._queue.popleft()
        image = self._kept(template) or self._painted(template)
        if image is not None:
            image.setDevicePixelRatio(self._ratio)
            self._pictures[template.id] = QPixmap.fromImage(image)
            self.ready.emit(template.id)
        if self._queue:
            self._timer.start()

    def _file(self, template: Template) -> Path:
        size = f"{self._size.width()}x{self._size.height()}@{self._ratio:g}"
        return self._folder / f"{template.digest}-{current().name}-{size}-{self._version}.png"

    def _kept(self, template: Template) -> QImage | None:
        image = QImage(str(self._file(template)))
        return None if image.isNull() else image

    def _painted(self, template: Template) -> QImage | None:
        image = self._paint(template.text, self._size, self._ratio)
        if image is not None:
            self._keep(image, self._file(template))
        return image

    def _keep(self, image: QImage, path: Path) -> None:
        """Write a picture in one step; a folder that cannot be written only means painting again next time."""
        beside = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if image.save(str(beside), "PNG"):  # type: ignore[call-overload]
                beside.replace(path)
        except OSError as error:
            log.info("The picture '%s' is not kept: %s", path, error)
