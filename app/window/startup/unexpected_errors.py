"""What happens when something unexpected fails: a file with the traceback, one dialog, and the program goes on."""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading
import traceback
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.api.home import home

log = logging.getLogger(__name__)

_LONGEST_WAY = 200
_MOST_WAYS = 200
"""Faults that come in more ways than this are counted together."""


@dataclass(frozen=True, slots=True)
class ErrorTexts:
    """An unexpected error, in texts: the error itself would keep alive what its frames hold."""

    kind: str
    trace: str
    report: Path | None


class CrashReporter(QObject):
    """Takes over `sys.excepthook` and those of threads and of finalizers.

    A fault is logged and reported once, however often it occurs: a paint that fails does so in every frame. While
    the dialog is open, further faults are only written. Our own uncaught errors are shown as text, without a
    report.
    """

    reported = Signal(str)
    """One of our errors, as text."""
    _failed = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._counts: Counter[tuple[object, ...]] = Counter()
        self.dialog: QMessageBox | None = None
        # Queued: the fault may be within a paint or in another thread, where no dialog can open.
        self._failed.connect(self._show, Qt.ConnectionType.QueuedConnection)
        self._before = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook = self.report
        threading.excepthook = self._report_thread
        sys.unraisablehook = self._log_unraisable

    def release(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log an exception and report it to the user; Ctrl-C ends the program as usual."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        elif isinstance(error, QuantCrafterError):
            if self._is_new(kind, trace):
                log.warning("Not caught: %s", error, exc_info=(kind, error, trace))
            self._failed.emit(error_text(error))
        elif self._is_new(kind, trace):
            log.error("Unexpected %s", kind.__name__, exc_info=(kind, error, trace))
            text = "".join(traceback.format_exception(kind, error, trace))
            self._failed.emit(ErrorTexts(kind.__name__, text, write_report(text)))

    def _is_new(self, kind: type[BaseException], trace: TracebackType | None) -> bool:
        """Count an exception by the way that led to it; return whether it is the first of them."""
        way: list[object] = [kind]
        while trace is not None and len(way) < _LONGEST_WAY:
            way += (trace.tb_frame.f_code, trace.tb_lineno)
            trace = trace.tb_next
        key = tuple(way)
        if key not in self._counts and len(self._counts) >= _MOST_WAYS:
            key = ()
        self._counts[key] += 1
        count = self._counts[key]
        if count > 1 and count & (count - 1) == 0:
            log.error("Unexpected %s again, %d times so far", kind.__name__, count)
        return count == 1

    def _report_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.report(args.exc_type, args.exc_value, args.exc_traceback)

    def _log_unraisable(self, args: sys.UnraisableHookArgs) -> None:
        error = args.exc_value
        if error is not None and self._is_new(args.exc_type, args.exc_traceback):
            log.error("Ignored: %s", args.err_msg, exc_info=(args.exc_type, error, args.exc_traceback))

    def _show(self, fault: ErrorTexts | str) -> None:
        if isinstance(fault, str):
            self.reported.emit(fault)
            return
        if self.dialog is not None:
            return
        self.dialog = QMessageBox(QMessageBox.Icon.Critical, tr("Something went wrong"), _sentence(fault))
        self.dialog.setParent(self._window, Qt.WindowType.Dialog)
        self.dialog.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.dialog.setDetailedText(fault.trace)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.finished.connect(self._forget)
        self.dialog.open()

    def _forget(self) -> None:
        self.dialog = None


def write_report(text: str) -> Path | None:
    """Write the text of an exception's traceback to a file; return its path, None if it cannot be written."""
    now = datetime.now(UTC)
    path = home() / "logs" / f"desktop-{now:%Y%m%d-%H%M%S-%f}-{os.getpid()}.txt"
    heading = f"{now:%Y-%m-%d %H:%M:%S} UTC, Python {platform.python_version()} on {platform.platform()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{heading}\n\n{text}", encoding="utf-8", errors="backslashreplace")
    except OSError as failure:
        log.warning("The report '%s' cannot be written: %s", path, failure)
        return None
    return path


def _sentence(fault: ErrorTexts) -> str:
    what = tr(
        "An unexpected error occurred ({kind}). Your strategies are still open. Save them now.",
        kind=fault.kind,
    )
    where = tr("A report was written to {path}", path=fault.report) if fault.report else ""
    return f"{what}\n\n{where}".strip()
