"""The audit log: who changed what through the API, one JSON object a line, in the order of the ends."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quantcrafter.engine.live.api_files import api_folder

log = logging.getLogger("quantcrafter.api")

_lock = threading.Lock()


def audit_file() -> Path:
    """Return the file of the audit log; it need not exist."""
    return api_folder() / "audit.log"


def note_change(entry: Mapping[str, Any]) -> None:
    """Add an entry, and wait until it is on the disk. A kill must not depend on that: a full disk is only logged."""
    line = json.dumps({"timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry}, ensure_ascii=False)
    try:
        with _lock, audit_file().open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(line + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        log.warning("The audit log can't be written (%s): %s", error, line)


def changes(count: int) -> list[dict[str, Any]]:
    """Return up to `count` of the last entries, oldest first."""
    try:
        with audit_file().open(encoding="utf-8", errors="replace") as stream:
            lines = deque(stream, maxlen=count)
    except OSError:
        return []
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}\n")]
