"""Where vnpy keeps its settings when it is imported into a process of ours: never in the user's home directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from quantcrafter.engine.adapters.vnpy.client import settings_folder


def prepare() -> None:
    """Import vnpy with its settings in our folder, as it writes where it is imported. Repeated calls have no effect.

    The current folder changes for that moment.

    Raises:
        ImportError: vnpy is not installed.
    """
    if "vnpy.trader.utility" in sys.modules:
        return
    folder = settings_folder()
    (folder / ".vntrader").mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        import vnpy.trader.utility
    finally:
        os.chdir(before)
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    del vnpy
