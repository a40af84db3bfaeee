"""Short work beside the user interface, such as reading a file of the run history, in a thread of Qt's pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal
from shiboken6 import isValid

from app.services.i18n import said
from engine.api import QuantCrafterError


class _Relay(QObject):
    """Carries an outcome to the thread of the user interface, where it lives and ends."""

    done = Signal(object)
    failed = Signal(str)


class _Work(QRunnable):
    def __init__(self, work: Callable[[], Any], relay: _Relay) -> None:
        super().__init__()
        self._work = work
        self._relay = relay

    def run(self) -> None:
        try:
            outcome = self._work()
        except QuantCrafterError as error:
            self._relay.failed.emit(str(error))
        else:
            self._relay.done.emit(outcome)


class Background(QObject):
    """Runs work for a widget; only the latest work's outcome counts.

    The owner keeps it; nothing is delivered once the owner is gone.
    """

    def __init__(self, owner: QObject) -> None:
        super().__init__(owner)
        self._relays: dict[_Relay, _Work] = {}
        self._latest: _Relay | None = None

    def run(self, work: Callable[[], Any], done: Callable[[Any], object], failed: Callable[[str], object]) -> None:
        """Call `work` in a thread, then `done` with what it returned, or `failed` with what our own errors say.

        An earlier work that is still going is finished, and its outcome dropped.
        """
        relay = _Relay()
        task = _Work(work, relay)
        task.setAutoDelete(False)
        self._relays[relay] = task
        self._latest = relay

        def deliver(call: Callable[[Any], object], outcome: Any) -> None:
            latest = self._relays.pop(relay, None) is not None and self._latest is relay
            if latest and isValid(self):
                call(outcome)

        relay.done.connect(lambda outcome: deliver(done, outcome))
        relay.failed.connect(lambda text: deliver(failed, said(text)))
        QThreadPool.globalInstance().start(task)

    @property
    def busy(self) -> bool:
        """Whether the latest work is still going."""
        return self._latest in self._relays
