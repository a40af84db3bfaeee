"""What happens when something unexpected fails: a file with the traceback, one dialog, and the program goes on."""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from app.services.i18n import tr
from app.services.problems import error_text
from engine.api import QuantCrafterError
from engine.api.home import home

log = logging.getLogger(__name__)


class CrashReporter(QObject):
    """Takes over `sys.excepthook` and that of threads; while its dialog is open, further faults are only written.

    Errors of ours that nobody caught are told in words, without a report.
    """

    told = Signal(str)
    """An error of ours, in words."""
    _failed = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.dialog: QMessageBox | None = None
        self._failed.connect(self._show)
        self._before = sys.excepthook, threading.excepthook
        sys.excepthook = self.report
        threading.excepthook = self._report_thread

    def release(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._before

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Write an exception down and tell the user of it; Ctrl-C ends the program as usual."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        if not isinstance(error, QuantCrafterError):
            log.error("Unexpected %s", kind.__name__, exc_info=(kind, error, trace))
        self._failed.emit(error)

    def _report_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.report(args.exc_type, args.exc_value, args.exc_traceback)

    def _show(self, error: BaseException) -> None:
        if isinstance(error, QuantCrafterError):
            self.told.emit(error_text(error))
            return
        written = write_report(error)
        if self.dialog is not None:
            return
        self.dialog = QMessageBox(QMessageBox.Icon.Critical, tr("Something went wrong"), _sentence(error, written))
        self.dialog.setParent(self._window, Qt.WindowType.Dialog)
        self.dialog.setDetailedText("".join(traceback.format_exception(error)))
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.finished.connect(self._forget)
        self.dialog.open()

    def _forget(self) -> None:
        self.dialog = None


def write_report(error: BaseException) -> Path | None:
    """Write an exception's traceback to a file of its own; return its path, None if it cannot be written."""
    now = datetime.now(UTC)
    path = home() / "logs" / f"desktop-{now:%Y%m%d-%H%M%S-%f}-{os.getpid()}.txt"
    heading = f"{now:%Y-%m-%d %H:%M:%S} UTC, Python {platform.python_version()} on {platform.platform()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{heading}\n\n{''.join(traceback.format_exception(error))}", encoding="utf-8")
    except OSError as failure:
        log.warning("The report '%s' cannot be written: %s", path, failure)
        return None
    return path


def _sentence(error: BaseException, written: Path | None) -> str:
    what = tr(
        "QuantCrafter met an error that it did not expect ({kind}). Your strategies are still open; save them.",
        kind=type(error).__name__,
    )
    where = tr("A report was written to {path}", path=written) if written else ""
    return f"{what}\n\n{where}".strip()
