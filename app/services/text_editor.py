"""Opens a file for editing. A Python file must never be run by that, as Windows and macOS do on opening one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices


def open_in_editor(path: Path) -> bool:
    """Open a text file in the system's editor; return whether there is one."""
    if sys.platform == "win32":
        try:
            os.startfile(path, "edit")  # noqa: S606 - to edit it
        except OSError:
            return bool(QProcess.startDetached("notepad.exe", [str(path)])[0])
        return True
    if sys.platform == "darwin":
        return bool(QProcess.startDetached("/usr/bin/open", ["-t", str(path)])[0])
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
