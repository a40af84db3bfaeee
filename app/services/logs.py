"""The program's log file in the user's directory. No Qt."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler

from quantcrafter.engine.api.home import home

MAX_BYTES = 500_000
FORMAT = "%(created).3f %(process)d %(levelname)s %(name)s: %(message)s"


def write_log(name: str) -> None:
    """Write what the program logs from now on into `logs/` of the user's directory; three old files are kept.

    Where that cannot be written, nothing is logged.
    """
    path = home() / "logs" / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=3, encoding="utf-8", delay=False)
    except OSError:
        return
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
