"""What is dropped on the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QDropEvent

SUFFIXES = (".yaml", ".yml")


def dropped_bars(event: QDropEvent) -> Sequence[Path]:
    """Return the local files that are dragged or dropped, if they are no strategies."""
    from quantcrafter.app.data.pane import dropped_files as files_of_bars

    return files_of_bars(event)


def dropped_files(event: QDropEvent) -> Sequence[Path]:
    """Return the local files that are dragged or dropped, if their names are those of YAML files."""
    paths = (Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
    return [path for path in paths if path.suffix.lower() in SUFFIXES]
