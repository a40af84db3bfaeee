"""The desktop application's entry point: one QApplication, one window, and an orderly end whatever ends it."""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quantcrafter.app.services.crash import CrashFile
from quantcrafter.app.services.i18n import LANGUAGES, use_language
from quantcrafter.app.services.logs import write_log
from quantcrafter.app.services.settings import Settings
from quantcrafter.engine.api import RunError

if TYPE_CHECKING:
    from quantcrafter.app.window.desktop import Desktop

log = logging.getLogger(__name__)

PATIENCE_MS = 300_000
"""How long a picture waits for its run; the first one on a machine compiles the simulator."""
DRAWING_TURNS, DRAWING_MS = 5, 100
"""Panes that are seen for the first time read and draw in a few turns of the event loop."""

NO_DISPLAY = (
    "The app needs a display, and there is none (neither DISPLAY nor WAYLAND_DISPLAY is set). "
    "Run it on a desktop, or use --screenshot to draw it into a file."
)


def main(argv: Sequence[str]) -> int:
    """Open the app on files, or draw it into a picture; return the exit code.

    Args:
        argv: strategy files, and options: `--screenshot PNG`, `--size WIDTHxHEIGHT`, `--theme light|dark`.

    Raises:
        RunError: there is no display, or the picture cannot be written.
    """
    parser = argparse.ArgumentParser(prog="quantcrafter app")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--screenshot", type=Path)
    parser.add_argument("--size", default="1280x720", type=_size)
    parser.add_argument("--theme", default="light", choices=("light", "dark"))
    options = parser.parse_args(argv)
    if options.screenshot is not None:
        return draw_app(options.files, options.screenshot, options.size, options.theme)
    return open_app(options.files)


def open_app(files: Sequence[Path] = ()) -> int:
    """Open the window on strategy files and return the exit code once it is closed.

    The window is on the screen before plugins and files are read.

    Raises:
        RunError: there is no display.
    """
    if sys.platform == "linux" and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        raise RunError(NO_DISPLAY)
    write_log("desktop.log")
    crash_file = CrashFile()
    settings = Settings()

    from quantcrafter.app.window.startup.application import make_application, system_language
    from quantcrafter.app.window.startup.os_signals import EndSignals
    from quantcrafter.app.window.startup.start_steps import Start
    from quantcrafter.app.window.startup.unexpected_errors import CrashReporter

    application = make_application(settings.theme)
    use_language(settings.language or system_language(LANGUAGES))

    from quantcrafter.app.window.shell import Shell

    shell = Shell(settings)
    reporter = CrashReporter(shell.window)
    reporter.reported.connect(shell.messages.say)
    ends = EndSignals(application, shell.window, lambda: shell.shut(keep_drafts=True))
    start = Start(shell, files)
    shell.window.show()
    code = application.exec()
    log.info("closed with %s", code)
    start.stop()
    reporter.release()
    ends.release()
    crash_file.close()
    return ends.code or int(code)


def draw_app(files: Sequence[Path], picture: Path, size: tuple[int, int], theme: str) -> int:
    """Draw the window on strategy files into a PNG and return the exit code; needs no display, remembers nothing.

    The current strategy is run first, if it can be, so that the picture shows its results.

    Args:
        files: strategies to open, the last one in front.
        picture: the file to write.
        size: width and height of the window in pixels.
        theme: `light` or `dark`.

    Raises:
        RunError: the picture cannot be written.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

    from quantcrafter.app.window.shell import Shell
    from quantcrafter.app.window.startup.application import make_application

    with tempfile.TemporaryDirectory() as folder:
        application = make_application(theme)
        settings = Settings(Path(folder) / "desktop.json")
        settings.tour_done = True
        shell = Shell(settings)
        window, desktop = shell.window, shell.desktop
        window.resize(*size)
        window.show()
        for file in files:
            desktop.file_controller.open(file)
        for _ in range(3):
            application.processEvents()
        _run_ahead(desktop)
        if desktop.tab is not None:
            desktop.tab.canvas.fit_all()
        application.processEvents()
        picture.parent.mkdir(parents=True, exist_ok=True)
        written = window.grab().save(str(picture))
        shell.shut()
    if not written:
        raise RunError(f"'{picture}' cannot be written. Choose another place.")
    return 0


def _run_ahead(desktop: Desktop) -> None:
    """Run the current strategy as a trial, and wait until its results are drawn."""
    from PySide6.QtCore import QEventLoop, QTimer

    job = desktop.runs.try_out()
    if job is None:
        return
    loop = QEventLoop()
    job.ended.connect(loop.quit)
    QTimer.singleShot(PATIENCE_MS, loop.quit)
    loop.exec()
    desktop.docks.show_results(first=True)
    deadline = time.monotonic() + PATIENCE_MS / 1000
    for turn in itertools.count():
        if time.monotonic() > deadline or (turn >= DRAWING_TURNS and desktop.docks.chart.is_ready):
            return
        QTimer.singleShot(DRAWING_MS, loop.quit)
        loop.exec()


def _size(text: str) -> tuple[int, int]:
    """Return width and height of a text such as `1280x720`."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"a size is like 1280x720, was '{text}'")
    return int(width), int(height)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
