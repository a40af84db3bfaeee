"""Short work beside the user interface, such as reading a file of the run history, in a thread of Qt's pool."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, QThreadPool, Signal
from shiboken6 import isValid

from quantcrafter.app.services.i18n import translated
from quantcrafter.engine.api import QuantCrafterError


class _Post(QObject):
    """Carries outcomes to the thread of the user interface. There is one, which lives as long as the application.

    One object for each work, connected to what is to be done then, would stay for ever: a connection holds what it
    calls, and that would hold the object.
    """

    arrived = Signal()

    def __init__(self, parent: QObject | None) -> None:
        super().__init__(parent)
        self._outcomes: SimpleQueue[tuple[Background, int, Any, str]] = SimpleQueue()
        self.arrived.connect(self._deal, Qt.ConnectionType.QueuedConnection)

    def put(self, background: Background, number: int, outcome: Any, fault: str = "") -> None:
        """Hand in an outcome, from any thread."""
        self._outcomes.put((background, number, outcome, fault))
        with suppress(RuntimeError):  # the application is gone
            self.arrived.emit()

    def _deal(self) -> None:
        with suppress(Empty):
            background, number, outcome, fault = self._outcomes.get_nowait()
            if isValid(background):
                background.deliver(number, outcome, fault)


class _Work:
    """What a thread of Qt's pool does; `work` is released in the user interface thread."""

    def __init__(self, work: Callable[[], Any], background: Background, number: int, post: _Post) -> None:
        self.work: Callable[[], Any] = work
        self._to = background, number
        self._post = post

    def run(self) -> None:
        try:
            outcome = self.work()
        except QuantCrafterError as error:
            self._post.put(*self._to, None, str(error) or type(error).__name__)
        else:
            self._post.put(*self._to, outcome)


class Background(QObject):
    """Runs work for a widget; only the latest work's outcome counts.

    The owner keeps it; nothing is delivered once the owner is gone, and nothing of a work is held once it is over.
    """

    def __init__(self, owner: QObject) -> None:
        super().__init__(owner)
        self._waiting: dict[int, tuple[_Work, Callable[[Any], object], Callable[[str], object]]] = {}
        self._latest = 0
        self._post = _post()

    def run(self, work: Callable[[], Any], done: Callable[[Any], object], failed: Callable[[str], object]) -> None:
        """Call `work` in a thread, then `done` with what it returned, or `failed` with what our own errors say.

        An earlier work that is still going is finished, and its outcome dropped.
        """
        self._latest += 1
        task = _Work(work, self, self._latest, self._post)
        self._waiting[self._latest] = task, done, failed
        QThreadPool.globalInstance().start(task.run)

    def deliver(self, number: int, outcome: Any, fault: str) -> None:
        """Take the outcome of a work, in the thread of the user interface."""
        task, done, failed = self._waiting.pop(number)
        task.work = _nothing
        if number != self._latest:
            return
        if fault:
            failed(translated(fault))
        else:
            done(outcome)

    @property
    def busy(self) -> bool:
        """Whether the latest work is still going."""
        return self._latest in self._waiting


def _post() -> _Post:
    application = QCoreApplication.instance()
    found = next((child for child in application.children() if isinstance(child, _Post)), None) if application else None
    return found or _Post(application)


def _nothing() -> None:
    """Take the place of a work that is over."""
