"""The steps of a start after the window is on the screen, so that the user sees it at once."""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer

from quantcrafter.app.fitting import fit

if TYPE_CHECKING:
    from quantcrafter.app.window.shell import Shell

log = logging.getLogger(__name__)


class Start(QObject):
    """Waits for the first paint, then does one step after another, each in a turn of the event loop of its own.

    Args:
        shell: the window, not yet shown.
        files: strategies to open.
    """

    def __init__(self, shell: Shell, files: Sequence[Path]) -> None:
        super().__init__(shell.window)
        self._shell = shell
        self._files = list(files)
        self.steps = [self._load, self._open, self._recover, self._guide]
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._next)
        if files:
            shell.window.show_strategies()
        shell.window.installEventFilter(self)

    def stop(self) -> None:
        """Do no more steps."""
        self._timer.stop()
        self.steps.clear()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Paint:
            self._shell.window.removeEventFilter(self)
            QTimer.singleShot(0, self, self._painted)
        return super().eventFilter(watched, event)

    def _painted(self) -> None:
        log.info("window painted")
        fit(self._shell.window)  # how wide its frame is, is known only now
        self._timer.start()

    def _next(self) -> None:
        if not self.steps:
            log.info("window usable")
            # What starting made stays: a look through all of it for garbage would hold up a key press by 70 ms.
            gc.freeze()
            self._shell.desktop.engine.start()
            return
        step = self.steps.pop(0)
        self._timer.start()
        step()

    def _load(self) -> None:
        """Import what strategies are shown with, and look up what is installed."""
        from quantcrafter.app.window.layout import docks  # noqa: F401 - loaded here, so that opening is quick

        for problem in self._shell.desktop.catalog.problems:
            log.warning("%s", problem)

    def _open(self) -> None:
        self._shell.desktop.file_controller.open_all(self._files)
        if self._files and not self._shell.tabs.count():
            self._shell.window.show_welcome()

    def _recover(self) -> None:
        self._shell.desktop.recovery_controller.offer()

    def _guide(self) -> None:
        """Show the tour with the first strategy that is open, once in a user's life."""
        if not self._shell.settings.tour_done:
            self._shell.tabs.current_changed.connect(lambda _tab: QTimer.singleShot(0, self, self._show_tour))
            self._show_tour()

    def _show_tour(self) -> None:
        if not self._shell.settings.tour_done and self._shell.tabs.current() is not None:
            self._shell.desktop.tour.start()
